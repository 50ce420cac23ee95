"""`python -m kiosk demo`, as anyone would run it, and everything it leaves behind. DESIGN 2.6."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kiosk.machine.seals import verify_seal

JOURNEYS = 2
DEMO_SECONDS = 180
STEPS = ("consent", "identify", "population", "form", "review", "certificate", "paper", "receipt", "rate")
SCREEN = (1080, 1920)
MUST_SEE = ("attract", "home", "consent-review", "identify-choose", "form-form", "paper-preview", "rate-choose")


@dataclass(frozen=True)
class Demo:
    out: Path
    code: int
    said: str
    mark: str
    """Stands in the environment of every process it started."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    out, mark = tmp_path_factory.mktemp("demo"), f"/nowhere/{uuid.uuid4().hex}"
    arguments = ["demo", "--journeys", str(JOURNEYS), "--mode", "elder", "--out", str(out)]
    ended = subprocess.run(
        [sys.executable, "-m", "kiosk", *arguments], env=os.environ | {"PATH": f"{os.environ['PATH']}:{mark}"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=DEMO_SECONDS,
        check=False,
    )  # fmt: skip
    return Demo(out, ended.returncode, ended.stdout, mark)


def report_of(demo: Demo) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((demo.out / "report.json").read_text(encoding="utf-8"))
    return report


def test_it_ends_well_and_nothing_goes_on_running(demo: Demo) -> None:
    assert demo.code == 0, demo.said
    assert f"{JOURNEYS} citizen(s) served" in demo.said
    left = [entry.parent.name for entry in Path("/proc").glob("[0-9]*/environ") if demo.mark in _read(entry)]
    assert left == []


def test_the_report_has_the_agreed_form(demo: Demo) -> None:
    report = report_of(demo)
    assert set(report) == {"journeys", "server", "versions"}
    assert len({journey["transaction_number"] for journey in report["journeys"]}) == JOURNEYS
    for journey in report["journeys"]:
        assert set(journey) == {
            "transaction_number", "matter", "disposition", "sign_in_ms", "steps", "journal_entries"
        }  # fmt: skip
        assert (journey["matter"], journey["disposition"]) == ("no_house_certificate", "succeeded")
        assert 0 < journey["sign_in_ms"] < DEMO_SECONDS * 1000
        assert tuple(step["id"] for step in journey["steps"]) == STEPS
        for step in journey["steps"]:
            assert set(step) == {"id", "kind", "milliseconds"}
            assert step["milliseconds"] >= 0
    assert report["server"]["terminals"] == 1
    assert report["server"]["transactions"] == JOURNEYS
    assert report["server"]["journal_entries"] > sum(journey["journal_entries"] for journey in report["journeys"])
    assert report["versions"]["python"]


def test_the_document_is_sealed_by_the_city(demo: Demo) -> None:
    authorities = (demo.out / "sandbox" / "authorities.pem").read_text()
    found = verify_seal((demo.out / "document.pdf").read_bytes(), authorities, dt.datetime.now(dt.UTC))
    assert found.signer
    assert len(list((demo.out / "devices" / "document_printer").glob("document-*.pdf"))) == JOURNEYS


def test_the_slip_is_printed_and_cut(demo: Demo) -> None:
    assert (demo.out / "receipt.bin").read_bytes().startswith(b"\x1b@")
    with Image.open(demo.out / "receipt.png") as slip:
        shades = slip.convert("L").histogram()
    black = sum(shades[:128]) / sum(shades)
    assert 0.02 < black < 0.5, "neither blank nor a black bar"


def test_the_journal_is_whole(demo: Demo) -> None:
    verified = subprocess.run(
        [sys.executable, "-m", "kiosk", "journal", "verify", str(demo.out / "journal.sqlite")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert verified.returncode == 0, verified.stdout


def test_every_screen_the_citizen_saw_is_a_picture(demo: Demo) -> None:
    pictures = sorted((demo.out / "screens").glob("*.png"))
    names = " ".join(picture.stem for picture in pictures)
    assert [seen for seen in MUST_SEE if seen not in names] == []
    for picture in pictures:
        with Image.open(picture) as screen:
            assert screen.size == SCREEN
            assert len(screen.convert("RGB").getcolors(maxcolors=2**24) or []) > 16, f"{picture.name} shows nothing"


def test_the_server_s_data_is_left(demo: Demo) -> None:
    assert (demo.out / "server" / "fleet.sqlite").stat().st_size > 0


def test_an_unknown_matter_is_refused_at_once(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "kiosk", "demo", "--matter", "no_such_matter", "--out", str(tmp_path)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "no_house_certificate" in ended.stdout
    assert not (tmp_path / "server").exists()


def _read(environment: Path) -> str:
    try:
        return environment.read_text(errors="replace")
    except OSError:
        return ""
