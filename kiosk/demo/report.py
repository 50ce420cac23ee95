"""What the demo leaves behind: report.json, the receipt, the document, the terminal's journal."""

from __future__ import annotations

import json
import platform
import shutil
import sqlite3
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kiosk.demo.citizen import Journey
from kiosk.demo.city import City

LIBRARIES = ("PySide6-Essentials", "fastapi", "sqlmodel", "python-escpos", "opencv-python", "dlib-bin", "tuf")


def copy_journal(city: City) -> Path:
    """The terminal's journal as one file, taken while the terminal runs."""
    source = next(city.terminal_data.rglob("journal.sqlite"))
    target = city.out / "journal.sqlite"
    target.unlink(missing_ok=True)
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as running, sqlite3.connect(target) as copy:
        running.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    for connection in (running, copy):
        connection.close()
    return target


def entries_of(journal: Path, transaction_number: str) -> list[dict[str, Any]]:
    connection = sqlite3.connect(f"file:{journal}?mode=ro", uri=True)
    rows = connection.execute(
        "SELECT sequence, event, monotonic_ms, data FROM entries WHERE transaction_number = ? ORDER BY sequence",
        (transaction_number,),
    ).fetchall()
    connection.close()
    return [
        {"sequence": sequence, "event": event, "monotonic_ms": milliseconds, "data": json.loads(data)}
        for sequence, event, milliseconds, data in rows
    ]


def journey_report(journey: Journey, journal: Path) -> dict[str, Any]:
    entries = entries_of(journal, journey.transaction_number)
    signed_in = next((entry["monotonic_ms"] for entry in entries if entry["event"] == "signed_in"), None)
    ended = [entry for entry in entries if entry["event"] == "transaction_ended"]
    return {
        "transaction_number": journey.transaction_number,
        "matter": journey.matter,
        "disposition": ended[-1]["data"]["disposition"] if ended else "interrupted",
        "sign_in_ms": round(signed_in - journey.card_laid_at * 1000) if signed_in is not None else None,
        "steps": [
            {"id": entry["data"]["step"], "kind": entry["data"]["kind"], "milliseconds": entry["data"]["milliseconds"]}
            for entry in entries
            if entry["event"] == "step_ended"
        ],
        "journal_entries": len(entries),
    }


def write_report(city: City, journeys: list[Journey], journal: Path, server: dict[str, int]) -> dict[str, Any]:
    report = {
        "journeys": [journey_report(journey, journal) for journey in journeys],
        "server": server,
        "versions": {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
    }
    text = json.dumps(report, ensure_ascii=False, indent=2) + "\n"
    (city.out / "report.json").write_text(text, encoding="utf-8")
    return report


def collect_paper(city: City) -> None:
    """The bytes the receipt printer got, the picture of the slip, and the page as the document printer got it."""
    wanted = (
        ("receipt_printer", "receipt.bin"),
        ("receipt_printer", "receipt.png"),
        ("document_printer", "document.pdf"),
    )
    for device, name in wanted:
        found = city.out / "devices" / device / name
        if found.exists():
            shutil.copyfile(found, city.out / name)
