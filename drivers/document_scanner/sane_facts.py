"""What a scanner can do, read from `scanimage --all-options` (scanimage(1), option descriptions of SANE)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from drivers.errors import Unsupported
from drivers.messages import ScanOrder, ScanSource

A4_MM = (210.0, 297.0)
LONGEST_TEXT = 64 * 1024
MOST_VALUES = 400
_LIST = re.compile(r"^ {4}--(mode|source|resolution)[= ]?(.*?) \[([^\]]*)\]", re.MULTILINE)
_EDGE = re.compile(r"^ {4}-([xy]) (-?[\d.]{1,12})\.\.([\d.]{1,12})mm", re.MULTILINE)
_RANGE = re.compile(r"(-?[\d.]{1,12})\.\.([\d.]{1,12})")
_NUMBER = re.compile(r"\d{1,5}")
_COLOUR, _GREY = re.compile(r"colou?r", re.IGNORECASE), re.compile(r"gr[ae]y", re.IGNORECASE)
_FEEDER, _BOTH = re.compile(r"adf|feeder", re.IGNORECASE), re.compile(r"duplex|both", re.IGNORECASE)
_GLASS = re.compile(r"flat|platen|table|glass|normal", re.IGNORECASE)


@dataclass(frozen=True)
class ScannerFacts:
    """The device's own words for what this house asks of it; None: it has no such thing."""

    flatbed: str | None = None
    feeder: str | None = None
    both_sides: str | None = None
    colour: str | None = None
    grey: str | None = None
    resolutions: tuple[int, ...] = ()
    resolution_range: tuple[int, int] | None = None
    edges_mm: dict[str, float] = field(default_factory=dict)
    has_source: bool = True

    def settings(self, order: ScanOrder) -> list[str]:
        """The order in scanimage's words. Raises `Unsupported`: `source_not_fitted`, `two_sided_not_fitted`,
        `colour_not_fitted`, `resolution_not_fitted`."""
        said = []
        source = self._source(order)
        if self.has_source:
            said.append(f"--source={source}")
        mode = self.colour if order.colour else self.grey
        if mode is not None:
            said.append(f"--mode={mode}")
        elif self.colour or self.grey:
            raise Unsupported("the scanner has no such mode: ask for the other one", "colour_not_fitted")
        if self.resolutions or self.resolution_range:
            said.append(f"--resolution={self.nearest(order.dpi)}")
        for edge, most in zip("xy", A4_MM, strict=True):
            if edge in self.edges_mm:
                said += [f"-{edge}", f"{min(self.edges_mm[edge], most):.1f}"]
        return said

    def _source(self, order: ScanOrder) -> str:
        match order.source:
            case ScanSource.FLATBED:
                source = None if order.two_sided else self.flatbed
            case ScanSource.FEEDER:
                source = self.both_sides if order.two_sided else self.feeder
            case ScanSource.CAMERA:
                source = None
        if source is None:
            reason = "two_sided_not_fitted" if order.two_sided else "source_not_fitted"
            raise Unsupported(f"this scanner has no {order.source} for that: choose another source", reason)
        return source

    def nearest(self, dpi: int) -> int:
        """The resolution wished for, or the next finer one. Raises `Unsupported` (`resolution_not_fitted`)."""
        if self.resolution_range is not None:
            least, most = self.resolution_range
            if dpi <= most:
                return max(dpi, least)
        finer = [each for each in self.resolutions if each >= dpi]
        if not finer:
            raise Unsupported(f"this scanner has no {dpi} dpi: ask for less", "resolution_not_fitted")
        return min(finer)

    @property
    def coarsest(self) -> int:
        """For a look that only asks whether something lies there."""
        return self.nearest(75)

    @property
    def features(self) -> frozenset[str]:
        has = {"flatbed": self.flatbed, "feeder": self.feeder, "two_sided": self.both_sides, "colour": self.colour}
        return frozenset({"crop", *(word for word, there in has.items() if there)})


def facts_of(text: str) -> ScannerFacts:
    """Read leniently: what is not understood is not there. Never raises."""
    text = text[:LONGEST_TEXT]
    lists = {name: (values, default) for name, values, default in _LIST.findall(text) if default != "inactive"}
    edges = {edge: float(end) for edge, _, end in _EDGE.findall(text) if _is_number(end) and float(end) > 0}
    sources = _values(lists.get("source"))
    modes = _values(lists.get("mode"))
    spread, steps = _resolutions(lists.get("resolution"))
    feeders = [word for word in sources if _FEEDER.search(word)]
    single = [word for word in feeders if not _BOTH.search(word)]
    glass = [word for word in sources if _GLASS.search(word) and word not in feeders]
    return ScannerFacts(
        flatbed=_first(glass) if sources else "",
        feeder=_first(single),
        both_sides=_first([word for word in feeders if _BOTH.search(word)]),
        colour=_first([word for word in modes if _COLOUR.search(word)]),
        grey=_first([word for word in modes if _GREY.search(word)]),
        resolutions=steps,
        resolution_range=spread,
        edges_mm=edges,
        has_source=bool(sources),
    )


def _values(found: tuple[str, str] | None) -> list[str]:
    if found is None:
        return []
    return [
        word.strip()
        for word in found[0].split("|")[:MOST_VALUES]
        if word.strip().isprintable() and 0 < len(word.strip()) < 80
    ]


def _first(words: list[str]) -> str | None:
    return words[0] if words else None


def _resolutions(found: tuple[str, str] | None) -> tuple[tuple[int, int] | None, tuple[int, ...]]:
    if found is None:
        return None, ()
    spread = _RANGE.match(found[0])
    if spread is not None:
        if not (_is_number(spread[1]) and _is_number(spread[2])):
            return None, ()
        least, most = int(float(spread[1])), int(float(spread[2]))
        return ((max(least, 1), most), ()) if most >= max(least, 1) else (None, ())
    steps = {int(number) for number in _NUMBER.findall(found[0])[:MOST_VALUES]}
    return None, tuple(sorted(step for step in steps if step > 0))


def _is_number(text: str) -> bool:
    return text.count(".") <= 1 and text.strip(".-") != ""
