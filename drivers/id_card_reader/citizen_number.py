"""Citizen identity numbers (GB 11643, ISO 7064 MOD 11-2; domain.md 1.10)."""

from __future__ import annotations

import datetime as dt
from typing import Final

WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS: Final = "10X98765432"
DIGITS: Final = frozenset("0123456789")
MALE, FEMALE = "1", "2"


def check_character(body: str) -> str:
    """The eighteenth character for the seventeen digits before it."""
    return CHECK_CHARACTERS[sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True)) % 11]


def problem_of(number: str, *, birth_date: dt.date | None = None, sex: str | None = None) -> str:
    """Why this is not a citizen's number, in words without the number; empty when it is one.

    Any area code is accepted: people keep numbers of abolished areas. `birth_date` and `sex` (GB/T 2261.1), when
    known from elsewhere on the card, must agree.
    """
    if len(number) != 18 or not DIGITS.issuperset(number[:17]):
        return "the number is not seventeen digits and a check character"
    if check_character(number[:17]) != number[17]:
        return "the check character is wrong"
    born = parse_date(number[6:14])
    if born is None or born > dt.datetime.now(tz=dt.UTC).date() + dt.timedelta(days=1):
        return "the birth date in the number does not exist"
    if birth_date is not None and born != birth_date:
        return "the number and the card state different birth dates"
    if sex in (MALE, FEMALE) and (int(number[16]) % 2 == 1) != (sex == MALE):
        return "the number and the card state different sexes"
    return ""


def parse_date(text: str) -> dt.date | None:
    """A date written yyyymmdd, or None when it is none or does not exist."""
    if len(text) != 8 or not DIGITS.issuperset(text):
        return None
    try:
        return dt.date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
