"""Unified social credit codes (GB 32100-2015) for firms the city registers, with both check characters."""

from __future__ import annotations

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_MODULUS = 31
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
COMPANY, INDIVIDUAL = "91", "92"


def credit_code(kind: str, area: str, serial: int) -> str:
    """The 18 characters for a firm of `kind` (91 company, 92 individual business) in a six-digit `area`."""
    body = f"MA{serial:06d}"
    organisation = body + _organisation_check(body)
    stem = kind + area + organisation
    return stem + _check(stem)


def _organisation_check(body: str) -> str:
    """GB 11714: MOD 11 over eight characters; ten is written X."""
    total = sum(
        _LETTERS.index(character) * weight for character, weight in zip(body, _ORGANISATION_WEIGHTS, strict=True)
    )
    rest = (11 - total % 11) % 11
    return "X" if rest == 10 else str(rest)


def _check(stem: str) -> str:
    total = sum(_ALPHABET.index(character) * pow(3, place, _MODULUS) for place, character in enumerate(stem))
    return _ALPHABET[(_MODULUS - total % _MODULUS) % _MODULUS]
