"""A vendor's library in its own process: what hangs is killed, what crashes comes back, what it says stays unheard."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.bench.conformance import conformance
from drivers.errors import CommandTimedOut, DeviceError, DeviceOffline, Unsupported
from drivers.host import DeviceConfig, Limits, SupervisedDevice
from drivers.id_card_reader.simulator.cards import load_cards
from drivers.id_card_reader.simulator.vendor_library import Vendor, build
from drivers.messages import DeviceState, FaultAction
from tests.drivers.host.stage import back_after, run, until

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc to build the vendor's library")

FAMILIES = ["sdtapi", "termb"]
CARDS = load_cards()
READ = {"sdtapi": "SDT_ReadBaseMsg", "termb": "CVR_ReadBaseMsg"}
OPEN = {"sdtapi": "SDT_OpenPort", "termb": "CVR_InitComm"}


@pytest.fixture(params=FAMILIES)
def vendor(request: pytest.FixtureRequest, tmp_path: Path) -> Vendor:
    return build(tmp_path, request.param)


@asynccontextmanager
async def device(vendor: Vendor, **options: object) -> AsyncIterator[SupervisedDevice]:
    config = DeviceConfig(name="reader", driver="id_card_reader/sdk", options={"library": vendor.address, **options})
    supervised = SupervisedDevice(config, limits=Limits(grace_seconds=0.2, cancel_seconds=0.5))
    try:
        await supervised.open()
        yield supervised
    finally:
        await supervised.close()


@pytest.mark.parametrize("knob", ["hang", "spin"])
def test_a_hung_call_is_killed_and_the_next_card_is_read(vendor: Vendor, knob: str) -> None:
    async def story() -> None:
        vendor.place(CARDS["lin"])
        vendor.befall(f"{READ[vendor.family]} {knob}")
        async with device(vendor) as supervised:
            pid = supervised.pid
            assert pid
            with pytest.raises(CommandTimedOut):
                await supervised.proxy.read(timeout_seconds=1.5)
            vendor.befall()
            await back_after(supervised, pid)
            assert (await supervised.proxy.read(timeout_seconds=8)).name == "林测试"

    run(story)


def test_a_crash_costs_one_command(vendor: Vendor) -> None:
    async def story() -> None:
        vendor.place(CARDS["lin"])
        vendor.befall(f"{READ[vendor.family]} crash")
        async with device(vendor) as supervised:
            pid = supervised.pid
            assert pid
            with pytest.raises(DeviceOffline) as caught:
                await supervised.proxy.read(timeout_seconds=8)
            assert caught.value.reason == "process_lost"
            vendor.befall()
            await back_after(supervised, pid)
            assert (await supervised.proxy.read(timeout_seconds=8)).name == "林测试"

    run(story)


def test_a_library_that_hangs_at_opening_does_not_block_the_house(tmp_path: Path) -> None:
    vendor = build(tmp_path, "sdtapi")

    async def story() -> None:
        vendor.befall("SDT_OpenPort hang")
        async with device(vendor) as supervised:
            assert (await supervised.status()).device in (DeviceState.STARTING, DeviceState.UNKNOWN)
            pid = supervised.pid
            assert pid
            with pytest.raises(DeviceError):
                await supervised.proxy.read(timeout_seconds=0.5)
            vendor.place(CARDS["lin"])
            vendor.befall()
            await back_after(supervised, pid)
            assert (await supervised.proxy.read(timeout_seconds=8)).name == "林测试"

    run(story)


def test_a_file_that_is_not_allowed_is_told_once_and_not_tried_again(vendor: Vendor) -> None:
    async def story() -> None:
        options = {"library": f"{vendor.library}#sha256={'0' * 64}"}
        supervised = SupervisedDevice(DeviceConfig(name="reader", driver="id_card_reader/sdk", options=options))
        try:
            for deed in (supervised.open(), supervised.proxy.read(timeout_seconds=1)):
                with pytest.raises(Unsupported) as caught:
                    await deed
                assert caught.value.reason == "library_not_allowed"
            (fault,) = (await supervised.status()).faults
            assert (fault.code, fault.action) == ("library_not_allowed", FaultAction.CONFIGURATION)
            assert supervised.restarts == 1
            assert vendor.calls() == []
        finally:
            await supervised.close()

    run(story)


def test_what_a_library_prints_does_not_reach_the_log(vendor: Vendor, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        vendor.place(CARDS["lin"])
        vendor.befall(f"{READ[vendor.family]} chatty")
        async with device(vendor) as supervised:
            assert (await supervised.proxy.read(timeout_seconds=8)).name == "林测试"
            await until(lambda: "reader says" in caplog.text)

    with caplog.at_level(logging.DEBUG):
        run(story)
    for value in ("林测试", "350203", "19010203", "思明"):
        assert value not in caplog.text


def test_both_families_keep_the_contract(vendor: Vendor) -> None:
    async def story() -> None:
        vendor.place(CARDS["lin"])
        config = DeviceConfig(
            name="id_card_reader/sdk", driver="id_card_reader/sdk", options={"library": vendor.address}
        )
        findings = await conformance(config, "library", may_print=False, on_check=lambda _sentence: None)
        assert [(finding.check, finding.remark) for finding in findings if finding.outcome == "broken"] == []
        assert sum(finding.outcome == "kept" for finding in findings) >= 10

    asyncio.run(asyncio.wait_for(story(), 90))
