"""python-escpos as a builder of bytes: its commands are kept, its transports and status calls are not used.

Its import leaves a directory behind and configures the root logger; both are undone here.
"""

from __future__ import annotations

import logging
import os
import shutil
from typing import Any

_handlers = list(logging.root.handlers)
from escpos import capabilities as _capabilities  # noqa: E402
from escpos.escpos import Escpos  # noqa: E402

logging.root.handlers[:] = _handlers
if "ESCPOS_CAPABILITIES_PICKLE_DIR" not in os.environ:
    shutil.rmtree(_capabilities.pickle_dir, ignore_errors=True)

INITIALISE = b"\x1b@"
BARRIER = b"\x1dr\x01"
CHINESE_ON = b"\x1c&"
CHINESE_OFF = b"\x1c."
PUSH_STATUS = b"\x1da\x0e"  # GS a: automatic status for online/offline, errors and paper
CUTS = {
    "full": b"\x1dV\x41\x00",  # GS V 65, 66: feed to the knife, then cut
    "partial": b"\x1dV\x42\x00",
    "none": b"\x1bd\x06",  # feed an inch, past the tear bar
}
PRESENT = b"\x1de\x03\x08"  # GS e 3 m: cut, and hold out eight steps of about 7 mm
RETRACT = b"\x1de\x02"
CLEAR_BUFFERS = b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"  # DLE DC4 8: fixed sequence, executed at once


def ask_status(number: int) -> bytes:
    """DLE EOT n, a real-time request."""
    return bytes((0x10, 0x04, number))


class ByteBuilder(Escpos):
    """Collects what python-escpos would have sent."""

    def __init__(self, width_dots: int) -> None:
        super().__init__()
        profile: dict[str, Any] = {**self.profile.profile_data, "media": {"width": {"pixels": width_dots}}}
        self.profile.profile_data = profile
        self.data = bytearray()

    def _raw(self, msg: bytes) -> None:
        self.data += msg

    def _read(self) -> bytes:
        return b""

    def command(self, data: bytes) -> None:
        """Bytes that python-escpos has no word for."""
        self.data += data
