"""The national style of vendor library, `libsdtapi.so` (domain.md 2.2).

Return codes are the module's own statuses (domain.md 1.4): 90 good, 9F card found; 1: the port cannot be opened.
`SDT_ReadBaseMsgToFile` is never called: it writes a citizen to disk.
"""

from __future__ import annotations

import contextlib
import ctypes
from typing import Final

from drivers.errors import DeviceAbsent, DeviceError, DeviceOffline
from drivers.id_card_reader.sdk.buffers import Buffer, BytePointer, LengthPointer
from drivers.id_card_reader.sdk.family import CardBytes, first_port, unknown_code
from drivers.id_card_reader.sdk.library import SealedLibrary, function
from drivers.id_card_reader.sdt.commands import (
    ADDRESS_BYTES,
    CARD_FOUND,
    DONE,
    NO_CARD,
    NO_CONTENT,
    REFUSALS,
    SAM_ID_BYTES,
    format_sam_id,
)
from drivers.id_card_reader.text_block import BLOCK_BYTES

PORT_CLOSED: Final = 1
PORT_IS_OPEN: Final = 0
"""The last argument of every call: 1 would open and close the port each time."""
PHOTO_BYTES: Final = 1024
ADDRESSES_BYTES: Final = 320
FEATURES: Final = {"sam_id": "SDT_GetSAMID", "new_address": "SDT_ReadNewAppMsg", "presence": "SDT_ReadNewAppMsg"}
_Int: Final = ctypes.c_int


class Sdtapi:
    """Implements `VendorReader`."""

    def __init__(self, sealed: SealedLibrary) -> None:
        """Nothing is loaded yet."""
        self.features = frozenset(feature for feature, name in FEATURES.items() if sealed.has(name))
        self._sealed = sealed
        self._is_loaded = False
        self._port: int | None = None
        self._may_probe = False
        self._text, self._photo = Buffer(BLOCK_BYTES), Buffer(PHOTO_BYTES)
        self._addresses = Buffer(ADDRESSES_BYTES)
        self._small = Buffer(SAM_ID_BYTES)  # also takes a found card's 4 bytes and a selected card's 8

    def _load(self) -> None:
        if self._is_loaded:
            return
        library, path = self._sealed.load(), self._sealed.path
        self._open_port = function(library, path, "SDT_OpenPort", _Int)
        self._close_port = function(library, path, "SDT_ClosePort", _Int)
        self._get_status = function(library, path, "SDT_GetSAMStatus", _Int, _Int)
        self._find = function(library, path, "SDT_StartFindIDCard", _Int, BytePointer, _Int)
        self._select = function(library, path, "SDT_SelectIDCard", _Int, BytePointer, _Int)
        self._read_base = function(
            library, path, "SDT_ReadBaseMsg",
            _Int, BytePointer, LengthPointer, BytePointer, LengthPointer, _Int,
        )  # fmt: skip
        if "sam_id" in self.features:
            self._get_sam_id = function(library, path, "SDT_GetSAMID", _Int, BytePointer, _Int)
        if "new_address" in self.features:
            self._read_address = function(
                library, path, "SDT_ReadNewAppMsg", _Int, BytePointer, LengthPointer, _Int
            )  # fmt: skip
        self._is_loaded = True

    def open(self, ports: range) -> None:
        self._load()
        if self._port is None:
            self._port = first_port(ports, self._opens)

    def _opens(self, port: int) -> bool:
        code = self._open_port(port)
        if code not in (DONE, PORT_CLOSED):
            raise unknown_code("SDT_OpenPort", code)
        return bool(code == DONE)

    def close(self) -> None:
        if self._port is not None:
            self._close_port(self._port)
            self._port = None
        self._may_probe = False

    def check(self) -> None:
        self._expect_done("SDT_GetSAMStatus", self._get_status(self._opened, PORT_IS_OPEN))

    def sam_id(self) -> str | None:
        if "sam_id" not in self.features:
            return None
        self._small.wipe()
        code = self._get_sam_id(self._opened, self._small.pointer, PORT_IS_OPEN)
        return format_sam_id(self._small.take_all()) if code == DONE else None

    def approach(self) -> bool:
        self._small.wipe()
        code = self._find(self._opened, self._small.pointer, PORT_IS_OPEN)
        self._small.check()
        if code == NO_CARD:
            return False
        if code not in (CARD_FOUND, DONE):
            raise self._refusal("SDT_StartFindIDCard", code)
        self._expect_done("SDT_SelectIDCard", self._select(self._opened, self._small.pointer, PORT_IS_OPEN))
        self._small.check()
        return True

    def read(self) -> CardBytes:
        self._text.wipe()
        self._photo.wipe()
        try:
            code = self._read_base(
                self._opened, self._text.pointer, self._text.length, self._photo.pointer, self._photo.length,
                PORT_IS_OPEN,
            )  # fmt: skip
            self._expect_done("SDT_ReadBaseMsg", code)
            return CardBytes(self._text.take(exactly=BLOCK_BYTES), self._photo.take())
        finally:
            self._text.wipe()
            self._photo.wipe()

    def new_address(self) -> bytes | None:
        """Of up to four addresses the last: they stand in the order in which they were noted."""
        if "new_address" not in self.features:
            return None
        self._addresses.wipe()
        try:
            code = self._read_address(self._opened, self._addresses.pointer, self._addresses.length, PORT_IS_OPEN)
            self._may_probe = code in (DONE, NO_CONTENT)
            if code == NO_CONTENT:
                return None
            self._expect_done("SDT_ReadNewAppMsg", code)
            found = self._addresses.take()
            return found[-ADDRESS_BYTES:] if found and len(found) % ADDRESS_BYTES == 0 else None
        finally:
            self._addresses.wipe()

    def is_present(self) -> bool:
        """A card that was read is found again only after it left, but still tells its new address (domain.md 1.6)."""
        if self._may_probe:
            with contextlib.suppress(DeviceError):
                self.new_address()
            if self._may_probe:
                return True
        return self.approach()

    def wipe(self) -> None:
        for buffer in (self._text, self._photo, self._addresses, self._small):
            buffer.wipe()

    @property
    def _opened(self) -> int:
        if self._port is None:
            raise DeviceAbsent("the port is closed")
        return self._port

    def _expect_done(self, call: str, code: int) -> None:
        if code != DONE:
            raise self._refusal(call, code)

    def _refusal(self, call: str, code: int) -> DeviceError:
        if code == PORT_CLOSED:
            return DeviceOffline(f"the reader was unplugged ({call} returned {code})", "unplugged")
        refusal = REFUSALS.get(code)
        return refusal.as_error(call, code) if refusal else unknown_code(call, code)
