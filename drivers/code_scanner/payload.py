"""From a scanner's bytes to codes: endings, character sets, symbology prefixes (ISO/IEC 15424).

A scanner sends the code's bytes and an ending it was set to (device-classes C.7, spike-devices 6); no length, no
checksum. So every code is bounded, and one without its ending is given up.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from drivers.errors import HardwareFault, MediaError
from drivers.messages import ScannedCode, Symbology

Encoding = Literal["utf-8", "gb18030"]
Suffix = Literal["cr", "lf", "crlf", "gap"]

CODE_BYTES: Final = 8192
"""Longer than any symbol holds (QR 40-L: 7089 digits): what is longer is no code."""

QUIET_SECONDS: Final = 0.05
"""A code that is on its way pauses less than this (48 bytes at 9600 baud)."""
MENDED_QUIET_SECONDS: Final = 0.3
"""Before a line that was never silent is believed again."""
NOISE_SECONDS: Final = 4.0
"""The longest code takes less to send at 9600 baud."""

SUFFIXES: Final[dict[str, bytes]] = {"cr": b"\r", "lf": b"\n", "crlf": b"\r\n", "gap": b""}

_SYMBOLOGIES: Final = {
    "A": Symbology.CODE_39,
    "C": Symbology.CODE_128,
    "E": Symbology.EAN_13,
    "L": Symbology.PDF417,
    "Q": Symbology.QR,
    "d": Symbology.DATA_MATRIX,
    "z": Symbology.AZTEC,
}
NAMED_BY_AIM: Final = frozenset(_SYMBOLOGIES.values())
_AIM: Final = re.compile(r"\]([A-Za-z])([0-9A-Za-z])")
_EAN_13_MODIFIER: Final = "0"  # ]E4 is EAN-8, ]E3 EAN-13 with an add-on
_TEXT_CONTROLS: Final = frozenset("\t\n\r\x1d\x1e\x04")  # group and record separators belong to GS1 and ISO/IEC 15434


class CodeSplitter:
    """Collects bytes and gives whole codes. Holds one unfinished code at most."""

    def __init__(self, suffix: Suffix) -> None:
        self._suffix = SUFFIXES[suffix]
        self._held = bytearray()

    @property
    def is_within_code(self) -> bool:
        return bool(self._held)

    def feed(self, data: bytes) -> list[bytes]:
        """Codes that are complete now; empty ones are nobody's. Raises `HardwareFault` (`wrong_device`): no scanner
        sends so much without an ending."""
        self._held += data
        codes = []
        if self._suffix:
            *whole, rest = bytes(self._held).split(self._suffix)
            codes = [code for code in (_without_foreign_ending(code) for code in whole) if code]
            self._overwrite(rest)
        if len(self._held) > CODE_BYTES or any(len(code) > CODE_BYTES for code in codes):
            self.forget()
            raise HardwareFault(
                "what the code scanner sends has no ending: set its suffix and speed, or another device is on its port",
                "wrong_device",
            )
        return codes

    def end(self) -> bytes:
        """What is held, by a scanner that marks the end of a code by silence."""
        code = bytes(self._held)
        self.forget()
        return _without_foreign_ending(code)

    def forget(self) -> None:
        self._overwrite(b"")

    def _overwrite(self, rest: bytes) -> None:
        self._held[:] = bytes(len(self._held))
        self._held[:] = rest


def _without_foreign_ending(code: bytes) -> bytes:
    """A scanner set to CR LF on a line set to CR leaves the LF before the next code; and the other way round."""
    return code.strip(b"\r\n")


def decode_text(code: bytes, encoding: Encoding) -> str:
    """Raises `MediaError` (`barcode_invalid`) for what is no text in this character set."""
    try:
        return code.decode(encoding)
    except UnicodeDecodeError:
        raise invalid("the code's bytes are no text: see the scanner's character set") from None


def code_of(text: str, *, aim_prefix: bool) -> ScannedCode:
    """Raises `MediaError` (`barcode_invalid`): no prefix where one is agreed, nothing in it, control characters."""
    symbology = Symbology.UNKNOWN
    if aim_prefix:
        match = _AIM.match(text)
        if match is None:
            raise invalid("the code comes without the prefix that names its kind: switch AIM prefixes on")
        symbology = _SYMBOLOGIES.get(match[1], Symbology.UNKNOWN)
        if symbology is Symbology.EAN_13 and match[2] != _EAN_13_MODIFIER:
            symbology = Symbology.UNKNOWN
        text = text[match.end() :]
    if not text or any(character < " " and character not in _TEXT_CONTROLS for character in text):
        raise invalid("the code is empty or holds control characters")
    return ScannedCode(symbology=symbology, text=text)


def invalid(why: str) -> MediaError:
    """The message never shows the code: it may be a payer's."""
    return MediaError(f"{why}: show the code again", "barcode_invalid")
