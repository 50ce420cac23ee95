"""Identifiers of electronic certificates (GB/T 36904-2018, domain.md 6.3) with their MOD 37,36 check (ISO 7064)."""

from __future__ import annotations

ROOT = "1.2.156.3005.2"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MODULUS = 36


def check_character(text: str) -> str:
    """The MOD 37,36 check over digits and capital letters; dots are left out. Raises `ValueError` for other marks."""
    product = _MODULUS
    for character in text.replace(".", ""):
        total = (product + _ALPHABET.index(character)) % _MODULUS
        product = (total or _MODULUS) * 2 % (_MODULUS + 1)
    return _ALPHABET[(_MODULUS + 1 - product) % _MODULUS]


def certificate_identifier(type_code: str, body: str, serial: str, version: int = 1) -> str:
    """`ROOT.type.body.serial.version.check`; `type_code` has 21 characters, `body` 18, the version three digits."""
    content = f"{type_code}.{body}.{serial}.{version:03d}"
    return f"{ROOT}.{content}.{check_character(content)}"


def is_certificate_identifier(text: str) -> bool:
    """True when the root, the form and the check character hold."""
    content, _, check = text.removeprefix(f"{ROOT}.").rpartition(".")
    if not text.startswith(f"{ROOT}.") or content.count(".") != 3:
        return False
    try:
        return check_character(content) == check
    except ValueError:
        return False
