"""Lines of a machine-readable zone and what they say (ICAO Doc 9303 part 3 section 4.9; parts 4, 5 and 6).

| place | cured when read wrong | why |
|---|---|---|
| dates, check digits | letters that look like digits | nothing but digits stands there; check digits prove it |
| codes of States, names, sex | digits that look like letters | nothing but letters stands there |
| numbers, optional data | one O/0 or I/1 | only when exactly one exchange satisfies every check digit |

A check digit lets one of ten errors pass: what is read here is asked of the authority before anybody is believed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from drivers.messages import MachineReadableZone, ZoneFormat

FILLER = "<"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<"
WEIGHTS = (7, 3, 1)
VALUES: Final = {sign: value for value, sign in enumerate(ALPHABET[:-1])} | {FILLER: 0}
AS_DIGITS = str.maketrans("OQDILZSGBT", "0001125687")
AS_LETTERS = str.maketrans("01258", "OIZSB")
ALIKE = {"O": "0", "0": "O", "I": "1", "1": "I"}
NUMBER_LENGTH = 9

Span = tuple[int, int, int]
"""Line, first place, place after the last."""


class ZoneUnreadable(ValueError):
    """`reason`: `not_a_zone` (lines of another kind) or `check_failed` (misread, or no true document)."""

    def __init__(self, reason: str) -> None:
        super().__init__("this is no machine-readable zone" if reason == "not_a_zone" else "a check digit is wrong")
        self.reason = reason


@dataclass(frozen=True)
class Layout:
    """Where things stand. `composite` are the spans that the last check digit covers, in their order."""

    format: ZoneFormat
    lines: int
    length: int
    number: Span
    birth: Span
    sex: Span
    expiry: Span
    nationality: Span
    names: Span
    optional: Span
    optional_2: Span | None
    personal_check: Span | None
    composite_check: Span
    composite: tuple[Span, ...]

    @property
    def number_check(self) -> Span:
        return after(self.number)


def after(span: Span) -> Span:
    return span[0], span[2], span[2] + 1


TD1 = Layout(
    ZoneFormat.TD1, 3, 30, number=(0, 5, 14), birth=(1, 0, 6), sex=(1, 7, 8), expiry=(1, 8, 14),
    nationality=(1, 15, 18), names=(2, 0, 30), optional=(0, 15, 30), optional_2=(1, 18, 29), personal_check=None,
    composite_check=(1, 29, 30), composite=((0, 5, 30), (1, 0, 7), (1, 8, 15), (1, 18, 29)),
)  # fmt: skip
TD2 = Layout(
    ZoneFormat.TD2, 2, 36, number=(1, 0, 9), birth=(1, 13, 19), sex=(1, 20, 21), expiry=(1, 21, 27),
    nationality=(1, 10, 13), names=(0, 5, 36), optional=(1, 28, 35), optional_2=None, personal_check=None,
    composite_check=(1, 35, 36), composite=((1, 0, 10), (1, 13, 20), (1, 21, 35)),
)  # fmt: skip
TD3 = Layout(
    ZoneFormat.TD3, 2, 44, number=(1, 0, 9), birth=(1, 13, 19), sex=(1, 20, 21), expiry=(1, 21, 27),
    nationality=(1, 10, 13), names=(0, 5, 44), optional=(1, 28, 42), optional_2=None, personal_check=(1, 42, 43),
    composite_check=(1, 43, 44), composite=((1, 0, 10), (1, 13, 20), (1, 21, 43)),
)  # fmt: skip
LAYOUTS = (TD1, TD2, TD3)
BY_FORMAT = {layout.format: layout for layout in LAYOUTS}


def check_digit(text: str) -> str:
    """Weights 7, 3, 1 over and over, modulo 10. Raises `KeyError` for a sign that no zone has."""
    return str(sum(VALUES[sign] * WEIGHTS[place % 3] for place, sign in enumerate(text)) % 10)


def parsed(lines: Sequence[str]) -> MachineReadableZone:
    """What the lines say. Raises `ZoneUnreadable`, whatever the lines are."""
    layout = layout_of(lines)
    proved = [reading for reading in _readings(layout, _typed(layout, lines)) if _holds(layout, reading)]
    if len(proved) != 1:
        raise ZoneUnreadable("check_failed")
    return _said(layout, proved[0])


def layout_of(lines: Sequence[str]) -> Layout:
    shape = [len(line) for line in lines]
    layout = next((each for each in LAYOUTS if shape == [each.length] * each.lines), None)
    if layout is None or set("".join(lines)) - set(ALPHABET):
        raise ZoneUnreadable("not_a_zone")
    return layout


def cut(lines: Sequence[str], span: Span) -> str:
    return lines[span[0]][span[1] : span[2]]


def put(lines: Sequence[str], span: Span, text: str) -> list[str]:
    changed = list(lines)
    line = changed[span[0]]
    changed[span[0]] = line[: span[1]] + text + line[span[2] :]
    return changed


def _typed(layout: Layout, lines: Sequence[str]) -> list[str]:
    """Signs of the wrong kind in places of one kind, as what they look like."""
    typed = list(lines)
    digits = [layout.birth, after(layout.birth), layout.expiry, after(layout.expiry), layout.number_check,
              layout.composite_check]  # fmt: skip
    if layout.personal_check is not None:
        digits.append(layout.personal_check)
    for span in digits:
        typed = put(typed, span, cut(typed, span).translate(AS_DIGITS))
    for span in ((0, 0, 1), (0, 2, 5), layout.nationality, layout.sex, layout.names):
        typed = put(typed, span, cut(typed, span).translate(AS_LETTERS))
    return typed


def _readings(layout: Layout, lines: list[str]) -> Iterator[list[str]]:
    """As read when that holds; else with one O/0 or I/1 exchanged in a number or in optional data."""
    if _holds(layout, lines):
        yield lines
        return
    for span in (layout.number, layout.optional, layout.optional_2):
        if span is None:
            continue
        line, first, end = span
        for place in range(first, end):
            other = ALIKE.get(lines[line][place])
            if other is not None:
                yield put(lines, (line, place, place + 1), other)


def _holds(layout: Layout, lines: Sequence[str]) -> bool:
    number = long_number(layout, lines)
    if number is None:
        return False
    pairs = [number]
    pairs += [(cut(lines, span), cut(lines, after(span))) for span in (layout.birth, layout.expiry)]
    pairs.append(("".join(cut(lines, span) for span in layout.composite), cut(lines, layout.composite_check)))
    if layout.personal_check is not None:
        personal, digit = cut(lines, layout.optional), cut(lines, layout.personal_check)
        if digit != FILLER or personal.strip(FILLER):
            pairs.append((personal, digit))
    return all(check_digit(text) == digit for text, digit in pairs)


def long_number(layout: Layout, lines: Sequence[str]) -> tuple[str, str] | None:
    """The number and its check digit. One of more than nine signs goes on in the optional data, up to a filler, its
    check digit last; a filler then stands in the check digit's place (parts 5 and 6). None when that is broken."""
    number, digit = cut(lines, layout.number), cut(lines, layout.number_check)
    if digit != FILLER or layout is TD3:
        return number, digit
    rest = cut(lines, layout.optional).partition(FILLER)[0]
    return (number + rest[:-1], rest[-1].translate(AS_DIGITS)) if len(rest) > 1 else None


def _said(layout: Layout, lines: list[str]) -> MachineReadableZone:
    number = long_number(layout, lines)
    assert number is not None
    optional = cut(lines, layout.optional)
    if len(number[0]) > NUMBER_LENGTH:
        optional = optional[len(number[0]) - NUMBER_LENGTH + 1 :]
    surname, _, given = cut(lines, layout.names).rstrip(FILLER).partition(FILLER * 2)
    try:
        return MachineReadableZone(
            format=layout.format,
            document_code=lines[0][:2].rstrip(FILLER),
            issuer=lines[0][2:5].rstrip(FILLER),
            number=number[0].rstrip(FILLER),
            nationality=cut(lines, layout.nationality).rstrip(FILLER),
            birth=cut(lines, layout.birth),
            sex=cut(lines, layout.sex).rstrip(FILLER),
            expiry=cut(lines, layout.expiry),
            surname=surname.replace(FILLER, " ").strip(),
            given_names=" ".join(given.replace(FILLER, " ").split()),
            optional=optional.strip(FILLER),
            optional_2="" if layout.optional_2 is None else cut(lines, layout.optional_2).strip(FILLER),
        )
    except ValidationError:
        raise ZoneUnreadable("check_failed") from None


def composed(zone: MachineReadableZone) -> list[str]:
    """The lines that say this. A name too long is cut; raises `ValueError` for other data that has no room."""
    layout = BY_FORMAT[zone.format]
    lines = [FILLER * layout.length] * layout.lines
    number, optional, digit = zone.number, zone.optional, check_digit(zone.number.ljust(NUMBER_LENGTH, FILLER))
    if len(number) > NUMBER_LENGTH:
        if layout is TD3:
            raise ValueError("a passport's number has nine places")
        optional = f"{number[NUMBER_LENGTH:]}{check_digit(number)}{FILLER}{optional}".rstrip(FILLER)
        number, digit = number[:NUMBER_LENGTH], FILLER
    names = zone.surname.replace(" ", FILLER) + FILLER * 2 + zone.given_names.replace(" ", FILLER)
    room = layout.names[2] - layout.names[1]
    parts: list[tuple[Span, str]] = [
        ((0, 0, 2), zone.document_code), ((0, 2, 5), zone.issuer), (layout.number, number),
        (layout.number_check, digit), (layout.optional, optional), (layout.birth, zone.birth),
        (after(layout.birth), check_digit(zone.birth)), (layout.sex, zone.sex), (layout.expiry, zone.expiry),
        (after(layout.expiry), check_digit(zone.expiry)), (layout.nationality, zone.nationality),
        (layout.names, names[:room]),
    ]  # fmt: skip
    if layout.optional_2 is not None:
        parts.append((layout.optional_2, zone.optional_2))
    if layout.personal_check is not None:
        filled = optional.ljust(layout.optional[2] - layout.optional[1], FILLER)
        parts.append((layout.personal_check, check_digit(filled) if optional else FILLER))
    for span, text in parts:
        if len(text) > span[2] - span[1]:
            raise ValueError(f"{len(text)} signs have no room in {span[2] - span[1]} places")
        lines = put(lines, span, text.ljust(span[2] - span[1], FILLER))
    return put(lines, layout.composite_check, check_digit("".join(cut(lines, span) for span in layout.composite)))
