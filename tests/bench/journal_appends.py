"""Durable appends of the journal beside a raw SQLite loop (WAL, synchronous=FULL) that inserts rows of the same size.

Same disk, one by one in turn, a commit each. The journal also chains hashes, checks what may be recorded and moves its
head; the faster the disk, the more that counts. A rate is that of a round's median append: a disk that pauses now and
then for tens of milliseconds does so for either side, and would drown the difference.
"""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from kiosk.machine.journal import Journal
from tests.bench.measure import Measure, measured, pairwise_ratio, spread

ROUNDS = 72
APPENDS_A_ROUND = 20
GOAL = 0.8
EVENT: dict[str, Any] = {
    "card_type": "resident", "name": "林*试", "id_number": "350*************17",
    "sam_id": "05.01-20240115-0000700001-1910000001",
}  # fmt: skip


def run(tell: Callable[[str], None]) -> list[Measure]:
    folder = Path("build")
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="bench-journal-") as place:
        return [_compared(Path(place), tell)]


def _compared(place: Path, tell: Callable[[str], None]) -> Measure:
    journal = Journal.open(place / "journal.sqlite", terminal="bench")
    raw = _raw(place / "raw.sqlite")
    size = _row_bytes(journal)
    row = "x" * size
    rates: list[float] = []
    floors: list[float] = []
    latencies: list[float] = []
    raw_latencies: list[float] = []
    with contextlib.closing(journal), contextlib.closing(raw):
        for number in range(ROUNDS + 1):
            tell(f"journal appends {number} of {ROUNDS}")
            own, limit = _turn_about(
                lambda: journal.append("card_read", transaction_number="B1", **EVENT),
                lambda: raw.execute("INSERT INTO rows (content) VALUES (?)", (row,)),
            )
            if number:
                latencies += [each * 1000 for each in own]
                raw_latencies += [each * 1000 for each in limit]
                rates.append(1 / median(own))
                floors.append(1 / median(limit))
    return measured(
        "durable journal appends", median(rates), "a second", floor=median(floors),
        ratio=pairwise_ratio(rates, floors), at_least=GOAL,
        detail={
            "milliseconds": spread(latencies), "raw_milliseconds": spread(raw_latencies), "row_bytes": size,
            "rate": spread(rates), "raw_rate": spread(floors),
        },
    )  # fmt: skip


def _turn_about(one: Callable[[], object], other: Callable[[], object]) -> tuple[list[float], list[float]]:
    """Seconds of each write of a round. One by one in turn: a disk's mood lasts longer than that."""
    took: tuple[list[float], list[float]] = ([], [])
    for number in range(APPENDS_A_ROUND):
        for which in (0, 1) if number % 2 else (1, 0):
            took[which].append(_timed((one, other)[which]))
    return took


def _raw(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY, content TEXT NOT NULL) STRICT")
    return connection


def _row_bytes(journal: Journal) -> int:
    """The text of one entry as it is stored."""
    journal.append("card_read", transaction_number="B1", **EVENT)
    content = journal.entries()[-1].model_dump(mode="json")
    return sum(len(str(value).encode()) for value in content.values())


def _timed(write: Callable[[], object]) -> float:
    begun = time.perf_counter()
    write()
    return time.perf_counter() - begun
