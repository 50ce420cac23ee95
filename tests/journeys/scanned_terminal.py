"""A terminal that is searched for its citizens' values: every process's memory and every file it may write."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from drivers.id_card_reader.simulator.cards import load_cards
from kiosk.demo.cards import answers_of
from kiosk.demo.citizen import ENTRIES, JOURNEY_SECONDS, Citizen, Journey
from kiosk.demo.city import City
from kiosk.demo.hand import Hand
from tests.memory_scan import CONTEXT_BYTES, Hit, scan, scan_files

ASSETS = Path(__file__).parents[2] / "assets"
SAMPLES = ASSETS / "samples"
CLEAN_SECONDS = 20.0
PIECE_BYTES = 48
SHORTEST_BYTES = 6
OF_THEM = (
    "number",
    "address",
    "spouse",
    "child_name",
    "mother",
    "father",
    "head",
    "landlord",
    "owners",
    "deceased",
    "plate",
)
"""Fields of a certificate that tell who somebody is."""
NUMBER = re.compile("[0-9]{6}")
PICTURES: dict[str, str | bytes] = {
    "photograph in base64": "/9j/4AAQSkZJRgAB",
    "drawing in base64": "iVBORw0KGgoAAAANSUhEUg",
}
"""How every JPEG and PNG begins: of whomever it is, none is left."""
WRITING = os.O_WRONLY | os.O_RDWR

Needles = dict[str, str | bytes]


class ScannedCity(City):
    """Its terminal has a home and a directory for temporary files of its own, which are searched too."""

    stood_before: frozenset[bytes] = frozenset()
    """What follows the beginnings of the pictures a terminal is made with: libraries carry some."""

    def learn(self) -> None:
        """Before the first citizen."""
        self.stood_before = frozenset(
            hit.context[-CONTEXT_BYTES:] for pid in self.processes() for hit in scan(pid, list(PICTURES.values()))
        )

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
                if (
                    needles[names[hit.needle]] in PICTURES.values()
                    and hit.context[-CONTEXT_BYTES:] in self.stood_before
                ):
                    continue
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
        """What is still in memory when nothing more goes. A process in which nothing is left is looked at once."""
        deadline = time.monotonic() + CLEAN_SECONDS
        left: dict[str, list[str]] = {}
        for pid in self.processes():
            while (found := self.in_memory(needles, [pid])) and time.monotonic() < deadline:
                pass
            for name, places in found.items():
                left.setdefault(name, []).extend(places)
        return left


class ScannedHand(Hand):
    """The development hand's own socket remembers its last lines: what was typed is overwritten there."""

    def type(self, name: str, text: str) -> bool:
        typed = super().type(name, text)
        self._do(do="state", filler="." * 512)
        return typed


class ScannedCitizen(Citizen):
    """Stops on the way, with the code typed in, before confirming and before paying, to see that the search does find.

    `found_at`: place → needles found in the kiosk; `written_as`: needle → how it was written there.
    """

    patience_seconds = 3 * JOURNEY_SECONDS

    def __init__(self, city: ScannedCity, hand: Hand, needles: Needles) -> None:
        super().__init__(city, hand, None)
        self.city = city
        self.needles = needles
        self.found_at: dict[str, set[str]] = {}
        self.written_as: dict[str, set[str]] = {}

    def _act(self, state: dict[str, Any], journey: Journey) -> bool:
        screen = state["screen"]
        where = "review" if (screen["step"], screen["kind"]) == ("review", "review") else ""
        where = "pay" if screen["kind"] == "pay" else where
        if any(field["kind"] == "code" and field["text"] for field in state["fields"]):
            where = "code"
        if where and where not in self.found_at:
            assert self.city.kiosk is not None
            found = self.city.in_memory(self.needles, [self.city.kiosk.pid])
            self.found_at[where] = set(found)
            for name, places in found.items():
                self.written_as.setdefault(name, set()).update(place.split()[1] for place in places)
        return super()._act(state, journey)

    def _code_from_phone(self) -> str:
        code = super()._code_from_phone()
        self.needles["SMS code"] = code
        return code


def needles_of(card: str) -> Needles:
    """Everything the city knows of a sample citizen that is not found in a dictionary or a serial number by chance."""
    citizen = _citizen(card)
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
        held_of_them = {key: text for key, text in held["fields"].items() if key in OF_THEM and isinstance(text, str)}
        values |= {"certificate serial": held["serial"]} | {
            f"certificate {key}": held_of_them[key] for key in held_of_them
        }
    needles: Needles = {}
    for name, value in values.items():
        if value and value not in needles.values():
            needles[name] = value
    known = [citizen, *(platform[card] for platform in _platforms() if card in platform)]
    for value in sorted({text for each in known for text in _texts(each) if NUMBER.search(text)}):
        if value not in needles.values():
            needles[f"known number {len(needles)}"] = value
    needles |= PICTURES
    needles["card's picture"] = middle(sample.photo)
    if has_face(card):
        needles["portrait"] = middle(_portrait(card).read_bytes())
    return needles


def _citizen(card: str) -> dict[str, Any]:
    text = (SAMPLES / "citizens.yaml").read_text(encoding="utf-8")
    citizens: list[dict[str, Any]] = yaml.load(text, Loader=yaml.CSafeLoader)["citizens"]
    return next(each for each in citizens if each["id"] == card)


def has_phone(card: str) -> bool:
    """Whether a code can be sent to the citizen of that card."""
    return bool(_citizen(card).get("phone"))


def has_face(card: str) -> bool:
    """Whether somebody of that card stands before the simulated camera."""
    return _portrait(card).is_file()


def _portrait(card: str) -> Path:
    return SAMPLES / "portraits" / f"{card}.png"


def entered(matter: str, card: str) -> Needles:
    """What this citizen types that no page of the terminal says by itself."""
    said = _catalogue()
    typed = answers_of(matter, card)
    return {
        f"entered {name}": value
        for name, value in typed.items()
        if len(value.encode()) >= SHORTEST_BYTES and not re.fullmatch("[a-z][a-z0-9_]*", value) and value not in said
    }


@cache
def _catalogue() -> str:
    files = [*(ASSETS / "matters").glob("*/*/matter.yaml"), *(ASSETS / "i18n").glob("**/*.yaml")]
    return "".join(file.read_text(encoding="utf-8") for file in files)


@cache
def _platforms() -> tuple[dict[str, Any], ...]:
    """What each platform of the city knows, by citizen."""
    files = sorted((SAMPLES / "city").glob("*.yaml"))
    return tuple(yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) for file in files)


def _texts(tree: Any) -> Iterator[str]:
    match tree:
        case str():
            yield tree
        case dict():
            for each in tree.values():
                yield from _texts(each)
        case list():
            for each in tree:
                yield from _texts(each)


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
