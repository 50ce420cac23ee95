"""Payment codes of the stand-in non-tax platform: 20 digits that carry their amount, so that no register is kept.

350200 (the city), two digits of the year, amount in fen (7), serial (4), check digit (sum of digits MOD 10).
"""

from __future__ import annotations

CITY = "350200"


def payment_code(amount_fen: int, serial: int, year: int = 26) -> str:
    """For departments that send a bill. Raises `ValueError` for more than 99,999.99 yuan."""
    if not 0 < amount_fen < 10**7:
        raise ValueError("the amount does not fit a payment code")
    digits = f"{CITY}{year % 100:02d}{amount_fen:07d}{serial % 10_000:04d}"
    return digits + _check(digits)


def amount_of(code: str) -> int | None:
    """Fen; None when nobody gave this code."""
    is_code = len(code) == 20 and code.isascii() and code.isdigit() and code.startswith(CITY)
    if not is_code or _check(code[:-1]) != code[-1]:
        return None
    return int(code[8:15]) or None


def _check(digits: str) -> str:
    return str(sum(map(int, digits)) % 10)
