"""The whole house as processes, and what the tests ask of it: its journal, its logs, its server, its paper."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
import sqlite3
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from drivers.document_printer.ipp_client import IppClient
from kiosk.demo.citizen import Citizen, Journey
from kiosk.demo.city import City
from kiosk.demo.hand import Hand
from kiosk.demo.processes import DemoFailed, Program
from tests.journeys.measure import Watch, used_by_others

MATTER = "no_house_certificate"
POLL_SECONDS = 0.05
LOOK_SECONDS = 0.1
STANDS = re.compile(r"^(\S+ \S+) INFO drivers\.host: (\w+): process (\d+) stands, its state is (\w+)")

T = TypeVar("T")
State = dict[str, Any]


def until(condition: Callable[[], T | None], seconds: float, what: str) -> T:
    """The first true answer. Fails, saying what was waited for, at the limit."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(POLL_SECONDS)


@dataclass(frozen=True)
class Entry:
    sequence: int
    event: str
    transaction: str | None
    monotonic: float
    at: dt.datetime
    data: dict[str, Any]


@dataclass(frozen=True)
class Life:
    """A device process that stood: since when (wall clock, seconds), and what it said of itself."""

    pid: int
    since: float
    state: str


class Visitor:
    """One citizen, led step by step."""

    def __init__(self, house: House, card: str, way_in: str, matter: str) -> None:
        self.journey = Journey(card, matter, way_in=way_in)
        self._citizen = Citizen(house.city, house.hand, None)

    @property
    def number(self) -> str:
        return self.journey.transaction_number

    def walk(self, until: Callable[[State], bool]) -> None:
        self._citizen.walk(self.journey, until)

    def to_step(self, step: str, kind: str = "") -> None:
        """As far as the step's first screen (of that kind)."""
        self.walk(lambda state: state["screen"]["step"] == step and kind in ("", state["screen"]["kind"]))

    def home(self) -> None:
        """To the end, and away."""
        self._citizen.walk(self.journey)


PROCESSING = 5


class House:
    def __init__(self, out: Path) -> None:
        self.city = City(out)
        self.hand: Hand

    # --- life ------------------------------------------------------------------------------------------------------

    def open(self) -> None:
        self.city.start(lambda _: None)
        self.meet()
        until(lambda: MATTER in self.hand.state()["matters"], 60, "the first matters arrive")
        wanted = set(self.settings()["devices"])
        until(lambda: wanted <= set(self.lives()), 60, f"all devices stand: {', '.join(sorted(wanted))}")

    def meet(self) -> None:
        """A hand on the terminal that runs now."""
        self.hand = Hand(self.city.hand)

    def close(self) -> None:
        with contextlib.suppress(AttributeError):
            self.hand.close()
        self.city.stop()

    @property
    def kiosk_pid(self) -> int:
        assert self.city.kiosk is not None
        return self.city.kiosk.pid

    def restart_kiosk(self) -> None:
        self.city.start_kiosk()
        self.meet()

    def kill_server(self) -> None:
        assert self.city.server is not None
        self.city.server.kill()

    def kill_kiosk(self) -> None:
        assert self.city.kiosk is not None
        self.city.kiosk.kill()
        self.hand.close()

    def settle(self) -> None:
        """Whatever the test before left behind: mended, so that one failure stays one."""
        for device in self.city.simulators:
            if device != "card_reader":
                self.city.order(device, "clear")
        self.city.order("card_reader", "remove")
        if not _lives(self.city.server):
            self.city.start_server()
        if not _lives(self.city.kiosk):
            self.restart_kiosk()
        try:
            until(lambda: self.hand.state()["stage"] == "attract", 5, "nobody is at the terminal")
        except (AssertionError, DemoFailed, OSError):
            self.kill_kiosk()
            self.restart_kiosk()
            until(lambda: self.hand.state()["stage"] == "attract", 30, "nobody is at the terminal")

    # --- a citizen -------------------------------------------------------------------------------------------------

    def visitor(self, *, card: str = "lin", way_in: str = "code", matter: str = MATTER) -> Visitor:
        return Visitor(self, card, way_in, matter)

    @contextlib.contextmanager
    def watched(self) -> Iterator[Watch]:
        """Look at the screen all the time, through a second hand, and measure how soon it answers."""
        watch, over = Watch(), threading.Event()

        def look() -> None:
            try:
                hand = Hand(self.city.hand)
                while not over.wait(LOOK_SECONDS):
                    asked = time.monotonic()
                    said = hand.state()["screen"]["say"]
                    watch.looked(said, time.monotonic() - asked)
                hand.close()
            except (DemoFailed, OSError) as error:
                watch.failure = f"{type(error).__name__}: {error}"

        thread = threading.Thread(target=look)
        begun, used = time.monotonic(), used_by_others()
        thread.start()
        try:
            yield watch
        finally:
            over.set()
            thread.join(10)
            watch.others = (used_by_others() - used) / (time.monotonic() - begun)

    # --- what is written -------------------------------------------------------------------------------------------

    @property
    def journal(self) -> Path:
        return self.city.terminal_data / "journal.sqlite"

    def entries(self, transaction: str | None = None, *, after: int = 0, event: str = "") -> list[Entry]:
        with reading(self.journal) as journal:
            rows = journal.execute(
                "SELECT sequence, event, transaction_number, monotonic_ms, occurred_at, data FROM entries"
                " WHERE sequence > ? ORDER BY sequence", (after,),
            ).fetchall()  # fmt: skip
        found = [
            Entry(row[0], row[1], row[2], row[3] / 1000, dt.datetime.fromisoformat(row[4]), json.loads(row[5]))
            for row in rows
        ]
        return [entry for entry in found if transaction in (None, entry.transaction) and event in ("", entry.event)]

    def head(self) -> int:
        with reading(self.journal) as journal:
            return int(journal.execute("SELECT sequence FROM head").fetchone()[0])

    def one(self, transaction: str, event: str, **data: Any) -> Entry:
        """The only entry of that kind in the transaction (with these facts)."""
        found = [
            entry for entry in self.entries(transaction, event=event)
            if all(entry.data.get(key) == value for key, value in data.items())
        ]  # fmt: skip
        assert len(found) == 1, f"{len(found)} × {event} {data} in {transaction}: {self.entries(transaction)}"
        return found[0]

    def verify(self, journal: Path | None = None) -> tuple[int, str]:
        """`python -m kiosk journal verify`: exit code and sentence."""
        done = subprocess.run(
            [sys.executable, "-m", "kiosk", "journal", "verify", str(journal or self.journal)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout.strip()

    def pages(self) -> int:
        """Documents that reached the printer."""
        return len(list((self.city.out / "devices" / "document_printer").glob("document-*.pdf")))

    def printer_jobs(self, which: str) -> int:
        """How many jobs the printer itself says are `completed` or `not-completed`."""
        return len(IppClient(self.settings()["devices"]["document_printer"]["address"], "observer").jobs(which))

    def works_on_a_page(self) -> bool:
        """The printer holds a whole document and prints it (RFC 8011 5.3.7: processing)."""
        printer = IppClient(self.settings()["devices"]["document_printer"]["address"], "observer")
        return any(job.state == PROCESSING for job in printer.jobs("not-completed"))

    def settings(self) -> dict[str, Any]:
        """The terminal's machine.toml."""
        return tomllib.loads((self.city.out / "machine.toml").read_text(encoding="utf-8"))

    def lives(self) -> dict[str, Life]:
        """The device processes that stood last, by device, as the terminal's log tells."""
        found = {}
        for line in (self.city.logs / "kiosk.log").read_text(errors="replace").splitlines():
            if match := STANDS.match(line):
                at = dt.datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S,%f").astimezone()
                found[match[2]] = Life(int(match[3]), at.timestamp(), match[4])
        return found

    def server_rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with reading(self.city.server_data / "fleet.sqlite") as database:
            return database.execute(query, values).fetchall()

    def arrived(self) -> bool:
        """The server holds the terminal's whole journal."""
        return self.server_rows("SELECT head_sequence FROM journal_head") == [(self.head(),)]


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as connection:
        yield connection


def _lives(program: Program | None) -> bool:
    try:
        assert program is not None
        program.must_live()
    except (AssertionError, DemoFailed):
        return False
    return True
