"""The other style of vendor library, `libtermb.so` (domain.md 2.3): names with `CVR_`, one reader per process.

Only `CVR_ReadBaseMsg` reads, in memory, its mode 1 giving UCS-2 and no picture file; `CVR_Read_Content` is never
called: it leaves a citizen's files in the working directory. New addresses come only as files, so there are none here.
"""

from __future__ import annotations

import ctypes
import re
from typing import Final

from drivers.errors import DeviceAbsent, DeviceOffline, HardwareFault, MediaError
from drivers.id_card_reader.sdk.buffers import Buffer, BytePointer, LengthPointer
from drivers.id_card_reader.sdk.family import CardBytes, first_port, unknown_code
from drivers.id_card_reader.sdk.library import SealedLibrary, function
from drivers.id_card_reader.text_block import BLOCK_BYTES

GOOD: Final = 1
UCS2_IN_MEMORY: Final = 1
PHOTO_BYTES: Final = 1024
SAM_ID_BYTES: Final = 128
SAM_ID: Final = re.compile(r"\d{2}\.\d{2}-\d{8}-\d{10}-\d{10}")
FEATURES: Final = {"sam_id": "CVR_GetSAMID", "presence": "CVR_AuthenticateForNoJudge"}
_Int: Final = ctypes.c_int


class Termb:
    """Implements `VendorReader`."""

    def __init__(self, sealed: SealedLibrary) -> None:
        """Nothing is loaded yet."""
        self.features = frozenset(feature for feature, name in FEATURES.items() if sealed.has(name))
        self._sealed = sealed
        self._is_loaded = self._is_open = False
        self._text, self._photo = Buffer(BLOCK_BYTES), Buffer(PHOTO_BYTES)
        self._sam_id = Buffer(SAM_ID_BYTES)

    def _load(self) -> None:
        if self._is_loaded:
            return
        library, path = self._sealed.load(), self._sealed.path
        self._init = function(library, path, "CVR_InitComm", _Int)
        self._close_comm = function(library, path, "CVR_CloseComm")
        self._authenticate = function(library, path, "CVR_Authenticate")
        self._look = (
            function(library, path, "CVR_AuthenticateForNoJudge") if "presence" in self.features else self._authenticate
        )
        self._read_base = function(
            library, path, "CVR_ReadBaseMsg", BytePointer, LengthPointer, BytePointer, LengthPointer, _Int
        )
        if "sam_id" in self.features:
            self._get_sam_id = function(library, path, "CVR_GetSAMID", BytePointer)
        self._is_loaded = True

    def open(self, ports: range) -> None:
        self._load()
        if not self._is_open:
            first_port(ports, self._opens)
            self._is_open = True

    def _opens(self, port: int) -> bool:
        match self._init(port):
            case 1:
                return True
            case 2:
                return False
            case 3:
                raise DeviceAbsent(
                    "the vendor's library misses one of its own: state its companions", "library_missing"
                )
            case code:
                raise unknown_code("CVR_InitComm", code)

    def close(self) -> None:
        if self._is_open:
            self._close_comm()
            self._is_open = False

    def check(self) -> None:
        """No call says it: the next search for a card does."""

    def sam_id(self) -> str | None:
        if "sam_id" not in self.features:
            return None
        self._sam_id.wipe()
        if self._get_sam_id(self._sam_id.pointer) != GOOD:
            return None
        text = self._sam_id.take_all().partition(b"\0")[0].decode("ascii", "replace").strip()
        return text if SAM_ID.fullmatch(text) else None

    def approach(self) -> bool:
        return self._finds("CVR_Authenticate", self._authenticate())

    def _finds(self, call: str, code: int) -> bool:
        match code:
            case 1:
                return True
            case 2:
                return False
            case 3:
                raise MediaError("the card could not be selected: lift it and place it again", "select_failed")
            case 0:
                raise DeviceOffline(f"the reader was unplugged ({call} returned {code})", "unplugged")
            case _:
                raise unknown_code(call, code)

    def read(self) -> CardBytes:
        self._text.wipe()
        self._photo.wipe()
        try:
            code = self._read_base(
                self._text.pointer, self._text.length, self._photo.pointer, self._photo.length, UCS2_IN_MEMORY
            )
            match code:
                case 1:
                    return CardBytes(self._text.take(exactly=BLOCK_BYTES), self._photo.take())
                case 0:
                    raise MediaError("the card could not be read: lift it and place it again", "read_failed")
                case 99:
                    raise HardwareFault("the vendor's library failed while reading a card", "unknown_error")
                case _:
                    raise unknown_code("CVR_ReadBaseMsg", code)
        finally:
            self._text.wipe()
            self._photo.wipe()

    def new_address(self) -> bytes | None:
        return None

    def is_present(self) -> bool:
        return self._finds("CVR_AuthenticateForNoJudge", self._look())

    def wipe(self) -> None:
        for buffer in (self._text, self._photo, self._sam_id):
            buffer.wipe()
