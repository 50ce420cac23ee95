"""Memory a vendor's library writes into: as large as agreed, guarded behind, wiped after."""

from __future__ import annotations

import ctypes
from typing import Any, Final

from drivers.errors import HardwareFault, MediaError

GUARD_BYTES: Final = 1024
GUARD: Final = 0xA5

BytePointer: Final = ctypes.POINTER(ctypes.c_ubyte)
LengthPointer: Final = ctypes.POINTER(ctypes.c_uint)


class Buffer:
    """`pointer` and `length` are what a call is handed; `take` what it wrote."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._memory = (ctypes.c_ubyte * (size + GUARD_BYTES))()
        self._length = ctypes.c_uint(0)
        self.wipe()

    @property
    def pointer(self) -> Any:
        return ctypes.cast(self._memory, BytePointer)

    @property
    def length(self) -> Any:
        return ctypes.pointer(self._length)

    def take(self, *, exactly: int | None = None) -> bytes:
        """As many bytes as the call says it wrote. Raises `MediaError` (`decode_failed`) when not `exactly` so many.

        Raises `HardwareFault` (`library_misbehaves`) when it wrote, or says it wrote, more than there is room for.
        """
        self.check()
        length = int(self._length.value)
        if length > self._size:
            raise HardwareFault("the vendor's library states a length no buffer has", "library_misbehaves")
        if exactly is not None and length != exactly:
            raise MediaError("the card was read but its stated length is wrong", "decode_failed")
        return bytes(self._memory[:length])

    def take_all(self) -> bytes:
        """The whole buffer, for calls that state no length."""
        self.check()
        return bytes(self._memory[: self._size])

    def check(self) -> None:
        """Raises `HardwareFault` (`library_misbehaves`) when a call wrote behind the buffer."""
        if any(byte != GUARD for byte in self._memory[self._size :]):
            raise HardwareFault(
                "the vendor's library wrote behind its buffer: replace the library", "library_misbehaves"
            )

    def wipe(self) -> None:
        self._length.value = 0
        ctypes.memset(self._memory, 0, self._size)
        ctypes.memset(ctypes.addressof(self._memory) + self._size, GUARD, GUARD_BYTES)
