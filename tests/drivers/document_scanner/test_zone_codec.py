"""Machine-readable zones: the specimens of ICAO Doc 9303 (invented persons of Utopia), and what misreading does."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.document_scanner.zone.codec import ZoneUnreadable, check_digit, composed, parsed
from drivers.messages import MachineReadableZone, ZoneFormat

TD1 = ["I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"]
TD1_LONG = ["I<UTOD23145890<7349<<<<<<<<<<<", "3407127M9507122UTO<<<<<<<<<<<2", "STEVENSON<<PETER<JOHN<<<<<<<<<"]
TD2 = ["I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"]
TD3 = ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"]
ANNA = {"issuer": "UTO", "birth": "740812", "sex": "F", "expiry": "120415", "given_names": "ANNA MARIA"}


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (TD1, {"format": "td1", "document_code": "I", "number": "D23145890", "surname": "ERIKSSON"} | ANNA),
        (TD2, {"format": "td2", "document_code": "I", "number": "D23145890", "surname": "ERIKSSON"} | ANNA),
        (TD3, {"format": "td3", "document_code": "P", "number": "L898902C3", "optional": "ZE184226B"} | ANNA),
        (TD1_LONG, {"number": "D23145890734", "optional": "", "surname": "STEVENSON", "given_names": "PETER JOHN"}),
    ],
)
def test_the_standards_specimens(lines: list[str], says: dict[str, Any]) -> None:
    zone = parsed(lines)
    assert {name: getattr(zone, name) for name in says} == says
    assert composed(zone) == lines


@pytest.mark.parametrize(("text", "digit"), [("520727", "3"), ("AB2134<<<", "5"), ("D23145890734", "9"), ("", "0")])
def test_the_standards_check_digits(text: str, digit: str) -> None:
    assert check_digit(text) == digit


@pytest.mark.parametrize(
    ("line", "place", "misread"),
    [(1, 0, "L8989O2C3"), (1, 13, "74O8I2"), (1, 21, "I2O4I5"), (1, 9, "G"), (1, 43, "O"), (0, 5, "ER1K550N")],
)
def test_signs_alike_are_cured_where_the_kind_of_place_or_the_check_digits_prove_it(
    line: int, place: int, misread: str
) -> None:
    lines = list(TD3)
    lines[line] = lines[line][:place] + misread + lines[line][place + len(misread) :]
    assert lines != TD3
    assert parsed(lines) == parsed(TD3)


@pytest.mark.parametrize("lines", [TD1, TD2, TD3, TD1_LONG])
def test_a_wrong_sign_among_what_is_checked_is_hardly_ever_believed(lines: list[str]) -> None:
    """Only where it differs by ten in the check digit's sum, or an O, 0, I or 1 makes up for it."""
    right, tried, believed = parsed(lines), 0, 0
    for line, text in enumerate(lines):
        for place in range(len(text)):
            for wrong in set("0O1I58SXK<") - {text[place]}:
                tried += 1
                changed = [*lines]
                changed[line] = text[:place] + wrong + text[place + 1 :]
                try:
                    said = parsed(changed)
                except ZoneUnreadable:
                    continue
                believed += (said.number, said.birth, said.expiry) != (right.number, right.birth, right.expiry)
    assert believed <= tried * 0.03


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "not_a_zone"), (TD1[:2], "not_a_zone"), ([*TD2, *TD2], "not_a_zone"),
        ([TD3[0][:43], TD3[1]], "not_a_zone"),
        ([TD3[0].lower(), TD3[1]], "not_a_zone"), ([TD3[0], TD3[1].replace("9", "é")], "not_a_zone"),
        ([TD3[1], TD3[0]], "check_failed"), ([TD3[0], "<" * 44], "check_failed"),
    ],
)  # fmt: skip
def test_what_is_no_zone_says_so(lines: list[str], reason: str) -> None:
    with pytest.raises(ZoneUnreadable) as told:
        parsed(lines)
    assert told.value.reason == reason


signs = st.text(string.ascii_uppercase + string.digits, min_size=1, max_size=9)
words = st.lists(st.text(string.ascii_uppercase, min_size=1, max_size=6), min_size=1, max_size=2).map(" ".join)
zones = st.builds(
    MachineReadableZone,
    format=st.sampled_from(ZoneFormat), document_code=st.sampled_from(["P", "I", "CR", "CT", "AC"]),
    issuer=st.sampled_from(["CHN", "D", "UTO"]), number=signs, nationality=st.sampled_from(["CHN", "D", ""]),
    birth=st.from_regex(r"\A[0-9]{6}\Z"), sex=st.sampled_from(["M", "F", "X", ""]),
    expiry=st.from_regex(r"\A[0-9]{6}\Z"), surname=words, given_names=words, optional=st.one_of(st.just(""), signs),
).filter(lambda zone: len(zone.optional) <= 7)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(zones)
def test_what_is_composed_is_read_again(zone: MachineReadableZone) -> None:
    assert parsed(composed(zone)) == zone


def test_nothing_personal_stands_in_the_message_when_it_is_printed() -> None:
    said = repr(parsed(TD3))
    assert not any(secret in said for secret in ("L898902C3", "ERIKSSON", "ANNA", "740812", "ZE184226B"))
