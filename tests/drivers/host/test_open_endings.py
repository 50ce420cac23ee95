"""Every act on paper, a card or money that nobody heard the end of ends uncertain; what was never begun is an error."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from drivers import messages
from drivers.errors import CommandCancelled, DeviceOffline
from drivers.host import DeviceConfig, Limits, Nursery, SupervisedDevice
from drivers.host.interface import methods_of
from drivers.messages import (
    ActResult,
    DeviceClass,
    DocumentJob,
    Endorsement,
    PaymentMethod,
    PaymentOrder,
    PrintJob,
    RecordWrite,
    RewriteJob,
)
from drivers.registry import PROTOCOLS
from tests.drivers.host import acting
from tests.drivers.host.stage import run, until

LIMITS = Limits(grace_seconds=0.1, cancel_seconds=5.0)
LIMIT = {"timeout_seconds": 0.3}
DAY = dt.date(2030, 1, 1)
WRITE = RecordWrite(write_id="w", file="EF05", record=1, value=b"\x00")
REWRITE = RewriteJob(
    job_id="r", card_number="1", endorsement=Endorsement(kind="G", valid_from=DAY, valid_until=DAY), print_lines=("x",)
)
ORDER = PaymentOrder(
    order_id="o", amount_fen=1, subject="s", method=PaymentMethod.QR_SHOWN, expires_at=dt.datetime.now(dt.UTC)
)
ACTS: dict[str, dict[str, tuple[tuple[Any, ...], dict[str, Any]]]] = {
    DeviceClass.RECEIPT_PRINTER: {"print_receipt": ((PrintJob(job_id="p", lines=()),), LIMIT)},
    DeviceClass.DOCUMENT_PRINTER: {
        "print_document": ((DocumentJob(job_id="d", pdf=b"%PDF", sha256="0"),), LIMIT),
        "find_job": (("d", None), {}),
    },
    DeviceClass.SMART_CARD_READER: {"write_record": ((WRITE,), LIMIT), "find_write": ((WRITE,), LIMIT)},
    DeviceClass.CARD_REWRITER: {"rewrite": ((REWRITE,), LIMIT), "find_rewrite": ((REWRITE,), LIMIT)},
    DeviceClass.PAYMENT_TERMINAL: {
        "begin": ((ORDER,), LIMIT),
        "settle": (("o",), LIMIT),
        "find_payment": (("o",), LIMIT),
        "cancel_payment": (("o",), LIMIT),
        "refund": (("o", "f", 1, "why"), LIMIT),
    },
}
IDENTITY = {"p", "d", "w", "r", "o"}


@pytest.fixture
def acting_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    information = tmp_path / "site" / "acting-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: acting\nVersion: 1.0\n")
    lines = [f"{device_class}/acting = acting_driver:Acting" for device_class in ACTS]
    (information / "entry_points.txt").write_text("\n".join(["[yizhan.drivers]", *lines, ""]))
    shutil.copy(acting.__file__, tmp_path / "site" / "acting_driver.py")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")]))


def test_every_act_of_every_class_is_tried_here() -> None:
    known = {
        device_class: {name for name, method in methods_of(protocol).items() if method.acts}
        for device_class, protocol in PROTOCOLS.items()
    }
    assert {name: set(acts) for name, acts in ACTS.items()} == {name: acts for name, acts in known.items() if acts}
    results = {method.result_type for name, acts in ACTS.items() for method in acts_of(name) if method.name in acts}
    kinds = {
        kind
        for kind in vars(messages).values()
        if isinstance(kind, type) and issubclass(kind, ActResult) and kind is not ActResult
    }
    assert results == kinds


def acts_of(device_class: str) -> list[Any]:
    return [method for method in methods_of(PROTOCOLS[device_class]).values() if method.acts]


async def tell(world: Path, device: SupervisedDevice, ending: str, name: str) -> Any:
    args, kwargs = ACTS[device.config.device_class][name]
    world.write_text(ending)  # noqa: ASYNC240
    return await getattr(device.proxy, name)(*args, **kwargs)


async def try_all(folder: Path, device_class: str, nursery: Nursery) -> None:
    world = folder / device_class
    world.write_text("")
    options = {"world": str(world), "device_class": device_class}
    config = DeviceConfig(name="it", driver=f"{device_class}/acting", options=options)
    device = SupervisedDevice(config, limits=LIMITS, nursery=nursery)
    try:
        await device.open(timeout_seconds=30)
        for name in ACTS[device_class]:
            for ending in ("bug", "nonsense", "endless", "lost"):
                if ending == "endless" and name == "find_job":
                    continue  # it has no limit of the caller's
                result = await tell(world, device, ending, name)
                assert isinstance(result, ActResult), f"{name}, {ending}"
                said = result.model_dump(mode="json")
                assert "uncertain" in (said.get("outcome"), said.get("state")), f"{name}, {ending}: {said}"
                assert IDENTITY & set(map(str, said.values())), "it must say which act it was"
                assert said["reason"], f"{name}, {ending}"
            device._failures = 0.0
            await until(lambda: device.is_ready)
            for ending, error in (("offline", DeviceOffline), ("cancelled", CommandCancelled)):
                with pytest.raises(error):
                    await tell(world, device, ending, name)
    finally:
        await device.close()


@pytest.mark.usefixtures("acting_package")
def test_an_act_that_nobody_heard_the_end_of_is_uncertain(tmp_path: Path) -> None:
    async def story() -> None:
        nursery = Nursery()
        try:
            await asyncio.gather(*(try_all(tmp_path, device_class, nursery) for device_class in ACTS))
        finally:
            nursery.close()

    run(story)
