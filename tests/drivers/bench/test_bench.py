"""python -m drivers, as a person or a program uses it: exit codes, streams, keys, orders."""

from __future__ import annotations

import asyncio
import ctypes.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from drivers.__main__ import main
from drivers.bench import conformance as suite
from drivers.bench import options
from drivers.bench.conformance import Bench, Finding, NotTried, checks_for, conformance
from drivers.bench.reading import read_patiently
from drivers.bench.witness import Witness
from drivers.errors import CommandTimedOut, HardwareFault, MediaError
from drivers.host import DeviceConfig, SupervisedDevice
from drivers.host.lives import system

ROOT = Path(__file__).resolve().parents[3]
BENCH = [sys.executable, "-m", "drivers"]
KEYS = [
    "card_type", "name", "name_latin", "sex", "nation_code", "nation", "birth_date", "address", "id_number", "issuer",
    "valid_from", "valid_until", "permit_number", "issue_count", "country", "sam_id", "new_address",
]  # fmt: skip
READ = ["read", "id_card_reader/misbehaving"]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*BENCH, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def simulator(*arguments: str, stdin: int = subprocess.PIPE) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    process = subprocess.Popen(
        [*BENCH, "simulate", *arguments],
        cwd=ROOT,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


@pytest.mark.usefixtures("driver_package")
def test_list_names_built_in_drivers_and_packages_and_no_package_takes_a_built_in_name() -> None:
    done = bench("list", "--json")
    assert done.returncode == 0
    found = {entry["driver"]: entry for entry in json.loads(done.stdout)}
    assert found["id_card_reader/sdt"]["source"] == "built-in"
    assert found["id_card_reader/misbehaving"] == {
        "class": "id_card_reader", "driver": "id_card_reader/misbehaving", "description": "Bad",
        "source": "misbehaving-drivers 1.0", "simulated": False,
    }  # fmt: skip
    assert "receipt_printer/escpos" in bench("list").stdout


@pytest.mark.usefixtures("driver_package")
def test_read_gives_one_object_masked_unless_asked() -> None:
    masked = bench(*READ, "--json")
    assert masked.returncode == 0
    assert masked.stderr == ""
    values = json.loads(masked.stdout)
    assert list(values) == KEYS
    assert "测试" not in masked.stdout
    assert "1900" not in masked.stdout
    shown = bench(*READ, "--json", "--show-personal-data")
    values = json.loads(shown.stdout)
    assert (values["name"], values["birth_date"], values["address"]) == ("驿测试", "1900-01-01", None)
    assert "驿测试" not in bench(*READ).stdout


@pytest.mark.usefixtures("driver_package")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*READ, "--option", "behaviour=unreadable", "--timeout", "1"], "moved"),
        ([*READ, "--option", "behaviour=never_answers", "--timeout", "0.3"], "0.3 s"),
        ([*READ, "--option", "behaviour=absent", "--port", "/dev/nothing"], "/dev/nothing"),
        ([*READ, "--option", "prot=1"], "prot"),
        (["read", "id_card_reader/nobody_wrote"], "id_card_reader/sdt"),
        (["read", "receipt_printer/escpos", "--port", "x"], "id_card_reader"),
        (["read", "id_card_reader/without_library", "--port", "x"], "install"),
        (["simulate", "id_card_reader/misbehaving"], "simulator"),
        (["simulate", "receipt_printer/escpos", "--fault", "earthquake"], "paper_out"),
        (["check", "receipt_printer/escpos", "--simulate", "--port", "x"], "--port"),
        (["check", "id_card_reader/misbehaving", "--simulate"], "simulator"),
        (["check", "id_card_reader/sdt", "--simulate", "--card", "nobody"], "ouyang"),
        (["check", "id_card_reader/sdt", "--card", "lin", "--port", "x"], "--simulate"),
        (["read", "id_card_reader/sdt"], "port is missing"),
    ],
)
def test_a_failure_is_one_sentence_on_standard_error(arguments: list[str], words: str) -> None:
    done = bench(*arguments, *(["--json"] if arguments[0] == "read" else []))
    assert done.returncode == 1
    assert done.stdout == ""
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert arguments[1] in done.stderr


MODULES = {
    "no_python": "class (:",
    "bug": "import datetime as dt\ndt.date(0, 0, 0)",
    "ends": "raise SystemExit(0)",
    "gone": "import os\nos._exit(0)",
    "hangs": "import time\ntime.sleep(60)",
    "talks": "print('{}')\nfrom misbehaving_drivers import Reader as Driver",
    "no_options": "class Driver: Options = None",
    "no_class": "",
}
"""What a driver's module can do to those who import it."""


@pytest.fixture
def driver_modules(driver_package: Path) -> None:
    points = driver_package / "misbehaving_drivers-1.0.dist-info" / "entry_points.txt"
    for name, source in MODULES.items():
        (driver_package / f"module_{name}.py").write_text(source)
        with points.open("a") as file:
            file.write(f"id_card_reader/{name} = module_{name}:Driver\n")


@pytest.mark.usefixtures("driver_modules")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no_python", "SyntaxError at module_no_python.py:1"),
        ("bug", "ValueError at module_bug.py:2"),
        ("ends", "SystemExit at module_ends.py:1"),
        ("gone", "ends the program (exit code 0)"),
        ("hangs", "does not end within 1 s"),
        ("no_options", "has no Options"),
        ("no_class", "has no class Driver"),
    ],
)
def test_a_driver_whose_module_harms_its_reader_is_named_and_never_passes(
    name: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], driver_package: Path
) -> None:
    monkeypatch.setattr(options, "IMPORT_SECONDS", 1.0 if name == "hangs" else 20.0)
    monkeypatch.syspath_prepend(driver_package)
    assert main(["check", f"id_card_reader/{name}", "--port", "x", "--json"]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert f"id_card_reader/{name}" in said.err
    assert words in said.err


@pytest.mark.usefixtures("driver_modules")
def test_what_a_driver_prints_while_it_is_imported_is_not_the_answer() -> None:
    done = bench("read", "id_card_reader/talks", "--port", "x", "--json")
    assert (done.returncode, json.loads(done.stdout)["card_type"]) == (0, "resident")


@pytest.mark.parametrize("command", [["simulate"], ["check", "--simulate"]])
def test_a_simulator_that_lacks_a_program_says_which(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert main([*command, "document_printer/ipp"]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert "dbus-daemon is not installed" in said.err


def test_nothing_is_certified_where_no_device_is() -> None:
    async def found() -> list[Finding]:
        config = DeviceConfig(name="x", driver="receipt_printer/escpos", options={"port": "/dev/nonexistent"})
        return await conformance(config, "port", may_print=False, on_check=lambda _: None)

    wanted = [entry for entry in checks_for("receipt_printer") if entry.sentence.startswith("status answers in time")]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(suite, "checks_for", lambda _: wanted)
        (finding,) = asyncio.run(found())
    assert finding.outcome == "broken"
    assert "the device is not there (no_device" in finding.remark


@dataclass
class Reader:
    """Stands for the supervised device: each call of `read` meets the next of `outcomes`, the last one for ever."""

    outcomes: list[Exception | str]

    @property
    def proxy(self) -> Reader:
        return self

    async def read(self, *, timeout_seconds: float, want_photo: bool) -> str:
        assert timeout_seconds > 0
        assert not want_photo
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def test_a_refused_card_may_be_placed_again_until_the_time_is_over() -> None:
    def read(seconds: float, *outcomes: Exception | str) -> object:
        device: Any = Reader(list(outcomes))
        return asyncio.run(read_patiently(device, seconds))

    refused, nobody = MediaError("lift it", "read_failed"), CommandTimedOut("no card", "no_card")
    assert read(15.0, refused, refused, "card") == "card"
    with pytest.raises(MediaError, match="lift it"):
        read(1.0, refused)
    with pytest.raises(MediaError, match="lift it"):
        read(5.0, refused, nobody)
    with pytest.raises(CommandTimedOut):
        read(5.0, nobody)
    with pytest.raises(HardwareFault):
        read(5.0, HardwareFault("replace it", "self_test_failed"), "card")


def test_a_simulator_obeys_orders_and_ends_cleanly() -> None:
    with simulator("receipt_printer/escpos") as (process, first):
        assert process.stdin
        assert process.stdout
        assert first["driver"] == "receipt_printer/escpos"
        assert Path(first["address"]).exists()
        for order, obeyed in (
            ("fault paper_out", True),
            ("fault earthquake", False),
            ("clear", True),
            ("dance", False),
        ):
            process.stdin.write(order + "\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["ok"] is obeyed, order
        process.stdin.close()
        process.stdin = None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert not os.path.lexists(first["address"])


def test_a_good_driver_passes_the_conformance_suite_against_its_own_peer() -> None:
    done = bench("check", "receipt_printer/escpos", "--simulate", "--json")
    verdict = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    assert verdict["passed"] is True
    outcomes = {finding["check"]: finding["outcome"] for finding in verdict["checks"]}
    assert outcomes["a test slip is printed, once"] == "kept"
    assert outcomes["printed is said only when the paper moved"] == "kept"
    assert set(outcomes.values()) == {"kept", "not_tried"}


@pytest.mark.parametrize(
    ("driver", "check", "card"),
    [
        ("signature_pad/touchscreen", "a signature is bound to what was shown", ""),
        ("code_scanner/hid", "a code that is shown is read", "6901234567892"),
    ],
)
def test_a_peer_without_a_wire_of_its_own_is_met_all_the_same(
    driver: str, check: str, card: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The screen has no address, and the make-believe keyboard is seen by those its test bed is handed to."""
    if driver.endswith("hid") and ctypes.util.find_library("umockdev-preload") is None:
        pytest.skip("umockdev is not installed")
    whole = checks_for(driver.partition("/")[0])
    monkeypatch.setattr(suite, "checks_for", lambda _: [entry for entry in whole if entry.sentence == check])
    monkeypatch.setattr(system, "INHERITED", system.INHERITED)
    assert main(["check", driver, "--simulate", "--json", *(["--card", card] if card else [])]) == 0
    (finding,) = json.loads(capfd.readouterr().out)["checks"]
    assert (finding["check"], finding["outcome"]) == (check, "kept")


def test_paper_costs_a_word_and_a_witness() -> None:
    config = DeviceConfig(name="it", driver="receipt_printer/escpos", options={"port": "/dev/null"})

    class Somebody:
        def can(self, *_: str) -> bool:
            raise AssertionError("nobody is asked before paper is allowed")

        async def order(self, *_: str) -> bool:
            raise AssertionError("nobody is asked before paper is allowed")

    async def remarks(witness: Witness | None, may_print: bool) -> set[str]:
        bench = Bench(config, "port", may_print, SupervisedDevice(config), witness)
        entries = [entry for entry in checks_for("receipt_printer") if "print" in entry.sentence]
        assert len(entries) >= 2
        said = set()
        for entry in entries[-1:] if may_print else entries:
            with pytest.raises(NotTried) as caught:
                await entry.run(bench)
            said.add(str(caught.value).split(":")[0].split(" with ")[0])
        return said

    assert asyncio.run(remarks(Somebody(), may_print=False)) == {"allow paper"}
    assert asyncio.run(remarks(None, may_print=True)) == {"needs somebody who takes the paper away"}


@pytest.mark.usefixtures("driver_package")
def test_a_driver_that_does_not_keep_the_contract_fails_by_name() -> None:
    done = bench("check", "id_card_reader/misbehaving", "--port", "x", "--json")
    assert done.returncode == 1
    broken = {finding["check"] for finding in json.loads(done.stdout)["checks"] if finding["outcome"] == "broken"}
    assert broken == {
        "a wrong place is a typed error, not a bug",
        "a card that lies there is read whole",
        "a photo it cannot decode is None, not an accident",
    }
