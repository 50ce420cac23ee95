"""A terminal that is searched for its citizens' values: every process's memory and every file it may write."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from drivers.id_card_reader.simulator.cards import load_cards
from kiosk.demo.citizen import ENTRIES, Citizen, Journey
from kiosk.demo.city import City
from kiosk.demo.hand import Hand
from tests.memory_scan import Hit, scan, scan_files

SAMPLES = Path(__file__).parents[2] / "assets" / "samples"
CLEAN_SECONDS = 20.0
PIECE_BYTES = 48
WRITING = os.O_WRONLY | os.O_RDWR

Needles = dict[str, str | bytes]


class ScannedCity(City):
    """Its terminal has a home and a directory for temporary files of its own, which are searched too."""

    def start_kiosk(self) -> None:
        private = {"HOME": self.out / "home", "TMPDIR": self.out / "temporary", "XDG_CACHE_HOME": self.out / "cache"}
        before = {name: os.environ.get(name) for name in private}
        for name, folder in private.items():
            folder.mkdir(exist_ok=True)
            os.environ[name] = str(folder)
        try:
            super().start_kiosk()
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})

    @property
    def folders(self) -> tuple[Path, ...]:
        """Everything the terminal or the server may write; the printers' paper and the departments are elsewhere."""
        own = (self.out / name for name in ("home", "temporary", "cache"))
        return (self.terminal_data, self.server_data, self.logs, *own)

    def processes(self) -> list[int]:
        """The terminal, its devices, and the one in waiting."""
        assert self.kiosk is not None
        return [self.kiosk.pid, *_below(self.kiosk.pid)]

    def in_memory(self, needles: Needles, pids: Iterable[int] = ()) -> dict[str, list[str]]:
        """Needle → where it stands in the memory of which process; of all, when none is named."""
        assert self.kiosk is not None
        found: dict[str, list[str]] = {}
        names = list(needles)
        for pid in pids or self.processes():
            command = "kiosk" if pid == self.kiosk.pid else f"device process {pid}"
            try:
                hits = scan(pid, list(needles.values()))
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended: its memory is gone
            for hit in hits:
                found.setdefault(names[hit.needle], []).append(
                    f"{command} {hit.encoding} {hit.place} {hit.address:x} {hit.context!r}"
                )
        return found

    def in_files(self, needles: Needles) -> list[str]:
        hits: list[Hit] = [hit for folder in self.folders for hit in scan_files(folder, list(needles.values()))]
        return [f"{list(needles)[hit.needle]} in {hit.place} at {hit.address}" for hit in hits]

    def files_elsewhere(self) -> list[str]:
        """Files open for writing that are outside what is searched."""
        return sorted({
            str(path)
            for pid in self.processes()
            for path, flags in _open_files(pid)
            if flags & WRITING and path.is_file() and not any(path.is_relative_to(place) for place in self.folders)
        })  # fmt: skip

    def until_forgotten(self, needles: Needles) -> dict[str, list[str]]:
        """What is still in memory when nothing more goes; empty as soon as nothing is left."""
        deadline = time.monotonic() + CLEAN_SECONDS
        while (found := self.in_memory(needles)) and time.monotonic() < deadline:
            pass
        return found


class ScannedHand(Hand):
    """The development hand's own socket remembers its last lines: what was typed is overwritten there."""

    def type(self, name: str, text: str) -> bool:
        typed = super().type(name, text)
        self._do(do="state", filler="." * 512)
        return typed


class ScannedCitizen(Citizen):
    """Stops twice on the way, with the code typed in and before confirming, to see that the search does find."""

    def __init__(self, city: ScannedCity, hand: Hand, needles: Needles) -> None:
        super().__init__(city, hand, None)
        self.city = city
        self.needles = needles
        self.found_at: dict[str, set[str]] = {}

    def _act(self, state: dict[str, Any], journey: Journey) -> bool:
        screen = state["screen"]
        where = "review" if (screen["step"], screen["kind"]) == ("review", "review") else ""
        if any(field["kind"] == "code" and field["text"] for field in state["fields"]):
            where = "code"
        if where and where not in self.found_at:
            assert self.city.kiosk is not None
            self.found_at[where] = set(self.city.in_memory(self.needles, [self.city.kiosk.pid]))
        return super()._act(state, journey)

    def _code_from_phone(self) -> str:
        code = super()._code_from_phone()
        self.needles["SMS code"] = code
        return code


def needles_of(card: str) -> Needles:
    """Everything the city knows of a sample citizen that is not found in a dictionary or a serial number by chance."""
    text = (SAMPLES / "citizens.yaml").read_text(encoding="utf-8")
    citizen = next(each for each in yaml.load(text, Loader=yaml.CSafeLoader)["citizens"] if each["id"] == card)
    sample = load_cards()[card]
    born = sample.fields.birth_date
    assert born is not None
    values = {
        "name": sample.fields.name,
        "identity number": citizen["id_number"],
        "address": sample.fields.address,
        "new address": sample.fields.new_address,
        "residence": citizen.get("residence_address"),
        "phone": citizen.get("phone"),
        "entered phone": ENTRIES["phone"],
        "birth date": born.isoformat(),
        "birth digits": f"{born:%Y%m%d}",
        "birth in words": f"{born.year}年{born.month}月{born.day}日",
    }
    for held in citizen.get("certificates", ()):
        values |= {"certificate serial": held["serial"], "certificate number": held["fields"]["number"]}
    needles: Needles = {}
    for name, value in values.items():
        if value and value not in needles.values():
            needles[name] = value
    needles["card's picture"] = middle(sample.photo)
    needles["portrait"] = middle((SAMPLES / "portraits" / f"{card}.png").read_bytes())
    return needles


def middle(content: bytes) -> bytes:
    """A piece that no other file holds."""
    at = len(content) // 2
    return content[at : at + PIECE_BYTES]


def _below(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield int(child)
            yield from _below(int(child))


def _open_files(pid: int) -> Iterator[tuple[Path, int]]:
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            information = Path(f"/proc/{pid}/fdinfo/{entry.name}").read_text()
            flags = next(line for line in information.splitlines() if line.startswith("flags:"))
            yield entry.readlink(), int(flags.split()[1], 8)
        except FileNotFoundError:
            continue
