"""The conformance suite catches each way of not keeping the contract, by the check that is made for it."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import psutil
import pytest

from drivers.bench import conformance as suite
from drivers.bench import endurance, paper
from drivers.bench.conformance import Finding, checks_for, codes, conformance, readers
from drivers.bench.witness import Peer
from drivers.host import DeviceConfig
from drivers.receipt_printer.simulator import EscposSimulator
from tests.drivers.bench import bad_drivers

AT_ONCE = 4

IN_MOTION = "status answers while the device works, where the driver says so"
WHOLE = "a card that lies there is read whole"
LIMIT = "every wait ends within its limit"
CANCEL = "what is taken back ends at once, with the process alive"
CALM = "status is calm and quick while nothing happens"
FILES = "asking leaves no files behind"
PROCESSES = "asking leaves no processes behind"
CLOSE = "close releases the device for the next one"
PAPER = "printed is said only when the paper moved"

CAUGHT_BY = {
    "id_card_reader/good": None,
    "id_card_reader/lies_about_motion": IN_MOTION,
    "id_card_reader/lies_about_photo": WHOLE,
    "id_card_reader/hangs": LIMIT,
    "id_card_reader/swallows_cancel": CANCEL,
    "receipt_printer/good": None,
    "receipt_printer/floods_status": CALM,
    "receipt_printer/slows_down": CALM,
    "receipt_printer/leaks_files": FILES,
    "receipt_printer/leaks_processes": PROCESSES,
    "receipt_printer/hides_processes": PROCESSES,
    "receipt_printer/leaks_threads": FILES,
    "receipt_printer/never_closes": CLOSE,
    "receipt_printer/says_printed": PAPER,
    "receipt_printer/sent_is_printed": PAPER,
    "code_scanner/good": None,
    "code_scanner/leaks_while_reading": FILES,
}
RESTARTS = {
    "a killed process comes back, and leaves nothing",
    CLOSE,
    "a wrong place is a typed error, not a bug",
}
"""They cost five starts of a process each time: asked of the good drivers always, of the bad ones in a campaign."""

OF_THE_CLASS_TOO = {
    LIMIT: {"waiting for removal ends within its limit"},
    CANCEL: {"a read that is taken back ends at once, and the reader serves on"},
}
"""A class may have a check of its own for what is also checked for all."""


@pytest.fixture
def bad_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "site"
    information = folder / "bad_drivers-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: bad-drivers\nVersion: 1.0\n")
    lines = [f"{kind.device_class}/{kind.name} = bad_drivers:{kind.__name__}" for kind in bad_drivers.ALL]
    (information / "entry_points.txt").write_text("\n".join(["[yizhan.drivers]", *lines, ""]))
    shutil.copy(bad_drivers.__file__, folder / "bad_drivers.py")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]))
    monkeypatch.syspath_prepend(str(folder))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same checks in less time; what is asked of a driver stays."""
    for module, name, value in (
        (endurance, "SHORT_SECONDS", 0.5), (endurance, "ROUNDS", 6), (endurance, "LONG_SECONDS", 6.0),
        (readers, "SHORT_SECONDS", 0.5), (readers, "READ_SECONDS", 0.5), (paper, "SHORT_SECONDS", 2.0),
        (codes, "SHORT_SECONDS", 0.5), (codes, "READ_SECONDS", 0.5),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)


async def verdict(driver: str, turn: asyncio.Semaphore) -> list[Finding]:
    async with turn:
        simulator = EscposSimulator() if CAUGHT_BY[driver] == PAPER else None
        options = {"port": await simulator.start()} if simulator else {}
        try:
            return await conformance(
                DeviceConfig(name=driver, driver=driver, options=options), "port", may_print=simulator is not None,
                on_check=lambda _: None, witness=Peer(simulator) if simulator else None,
            )  # fmt: skip
        finally:
            if simulator:
                await simulator.stop()


async def verdicts(drivers: list[str]) -> dict[str, list[Finding]]:
    turn = asyncio.Semaphore(AT_ONCE)
    return dict(zip(drivers, await asyncio.gather(*(verdict(driver, turn) for driver in drivers)), strict=True))


def judge(found: dict[str, list[Finding]]) -> None:
    for driver, findings in found.items():
        broken = {finding.check: finding.remark for finding in findings if finding.outcome == "broken"}
        own = CAUGHT_BY[driver]
        if own is None:
            assert not broken, f"{driver} keeps the contract"
            continue
        assert own in broken, f"{driver} was not caught: {broken}"
        also = set(broken) - {own} - OF_THE_CLASS_TOO.get(own, set())
        assert not also, f"{driver} was caught by more than its own check: {broken}"
    left = [it.pid for it in psutil.process_iter(["cmdline"]) if bad_drivers.SLEEP in (it.info["cmdline"] or [])]
    assert not left, "what a driver leaked is gone with it"


@pytest.mark.usefixtures("bad_package", "quick")
@pytest.mark.parametrize("device_class", ["id_card_reader", "receipt_printer", "code_scanner"])
def test_each_bad_driver_fails_by_its_own_check(device_class: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drivers = [
        driver for driver, own in CAUGHT_BY.items() if own and own not in RESTARTS and driver.startswith(device_class)
    ]
    whole = checks_for(device_class)
    monkeypatch.setattr(suite, "checks_for", lambda _: [entry for entry in whole if entry.sentence not in RESTARTS])
    judge(asyncio.run(asyncio.wait_for(verdicts(drivers), 110)))


@pytest.mark.usefixtures("bad_package")
def test_a_driver_that_does_not_let_go_fails_by_its_close(monkeypatch: pytest.MonkeyPatch) -> None:
    closing = [entry for entry in checks_for("receipt_printer") if entry.sentence == CLOSE]
    monkeypatch.setattr(suite, "checks_for", lambda _: closing)
    judge(asyncio.run(verdicts(["receipt_printer/never_closes"])))


@pytest.mark.usefixtures("bad_package", "quick")
def test_good_drivers_pass_the_whole_suite() -> None:
    judge(asyncio.run(asyncio.wait_for(verdicts([driver for driver, own in CAUGHT_BY.items() if not own]), 110)))


@pytest.mark.campaign
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("bad_package")
@pytest.mark.parametrize("driver", sorted(CAUGHT_BY))
def test_each_bad_driver_fails_by_its_own_check_in_the_whole_suite(driver: str) -> None:
    judge(asyncio.run(asyncio.wait_for(verdicts([driver]), 500)))


def test_every_kind_of_lie_has_its_bad_driver() -> None:
    assert {f"{kind.device_class}/{kind.name}" for kind in bad_drivers.ALL} == set(CAUGHT_BY)
    known = {
        entry.sentence
        for device_class in ("id_card_reader", "receipt_printer", "code_scanner")
        for entry in checks_for(device_class)
    }
    assert {sentence for sentence in CAUGHT_BY.values() if sentence} <= known
