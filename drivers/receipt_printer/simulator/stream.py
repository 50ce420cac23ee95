"""Splits the bytes a printer receives into ESC/POS commands, whatever the pieces they arrive in.

Used by the simulated printer. Lengths come from the command set; a command that is not in the tables becomes a token of
kind `unknown`, so that a driver's mistake is seen and not swallowed.
"""

from __future__ import annotations

from dataclasses import dataclass

CLEAR_BUFFERS = b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"
REAL_TIME = frozenset({"status", "recover", "pulse", "clear"})

ESC_ARGUMENTS: dict[int, int] = {
    0x20: 1, 0x21: 1, 0x24: 2, 0x2D: 1, 0x32: 0, 0x33: 1, 0x3D: 1, 0x40: 0, 0x45: 1, 0x47: 1, 0x4A: 1, 0x4D: 1,
    0x52: 1, 0x56: 1, 0x5C: 2, 0x61: 1, 0x63: 2, 0x64: 1, 0x70: 3, 0x74: 1, 0x7B: 1,
}  # fmt: skip
GS_ARGUMENTS: dict[int, int] = {
    0x21: 1, 0x24: 2, 0x42: 1, 0x48: 1, 0x49: 1, 0x4C: 2, 0x50: 2, 0x57: 2, 0x5C: 2, 0x61: 1, 0x62: 1, 0x66: 1,
    0x68: 1, 0x72: 1, 0x77: 1,
}  # fmt: skip
GS_HEADS: dict[int, int] = {0x76: 8, 0x28: 5, 0x38: 7, 0x56: 3, 0x65: 3}
EJECTOR_ARGUMENTS: dict[int, int] = {3: 1, 32: 2}
FS_ARGUMENTS: dict[int, int] = {0x21: 1, 0x26: 0, 0x2D: 1, 0x2E: 0, 0x43: 1, 0x53: 2, 0x57: 1}


@dataclass(frozen=True)
class Token:
    """`name`: a word, or the two command bytes as text (`"\\x1b@"`); `data`: what follows them; `raw`: all bytes."""

    name: str
    data: bytes
    raw: bytes


class CommandStream:
    def __init__(self, *, clears: bool = True) -> None:
        self._pending = bytearray()
        self._clears = clears
        """False: a model that does not know DLE DC4 8."""

    def feed(self, data: bytes) -> list[Token]:
        self._pending += data
        tokens: list[Token] = []
        if self._clears and (found := self._pending.find(CLEAR_BUFFERS)) >= 0:
            del self._pending[: found + len(CLEAR_BUFFERS)]  # at once, even amid a picture: all before it is dropped
            tokens.append(Token("clear", b"", CLEAR_BUFFERS))
        while self._pending and (token := self._next()) is not None:
            tokens.append(token)
            del self._pending[: len(token.raw)]
        return tokens

    def reset(self) -> None:
        self._pending.clear()

    def _next(self) -> Token | None:
        match self._pending[0]:
            case 0x10:
                return self._real_time()
            case 0x1B:
                return self._table(ESC_ARGUMENTS)
            case 0x1C:
                return self._table(FS_ARGUMENTS)
            case 0x1D:
                return self._group()
            case byte if byte < 0x20:
                return self._take("control", 1, 0)
            case _:
                end = 1
                while end < len(self._pending) and self._pending[end] >= 0x20:
                    end += 1
                return self._take("text", end, 0)

    def _take(self, name: str, length: int, skip: int) -> Token | None:
        if len(self._pending) < length:
            return None
        raw = bytes(self._pending[:length])
        return Token(name, raw[skip:], raw)

    def _word(self) -> str:
        return self._pending[:2].decode("latin-1")

    def _real_time(self) -> Token | None:
        if len(self._pending) < 2:
            return None
        match self._pending[1]:
            case 0x04:
                return self._take("status", 3, 2)
            case 0x05:
                return self._take("recover", 3, 2)
            case 0x14:
                if len(self._pending) < 3:
                    return None
                return self._take("pulse", 10 if self._pending[2] == 8 else 5, 2)
            case _:
                return self._take("unknown", 2, 0)

    def _table(self, arguments: dict[int, int]) -> Token | None:
        if len(self._pending) < 2:
            return None
        if self._pending[0] == 0x1B and self._pending[1] == 0x2A:
            return self._column_picture()
        count = arguments.get(self._pending[1])
        if count is None:
            return self._take("unknown", 2, 0)
        return self._take(self._word(), 2 + count, 2)

    def _column_picture(self) -> Token | None:
        if len(self._pending) < 5:
            return None
        width = self._pending[3] | self._pending[4] << 8
        return self._take("unknown", 5 + width * (3 if self._pending[2] & 32 else 1), 0)

    def _group(self) -> Token | None:
        if len(self._pending) < 2:
            return None
        word, second = self._word(), self._pending[1]
        if second not in GS_HEADS:
            return self._table(GS_ARGUMENTS)
        head = GS_HEADS[second]
        if len(self._pending) < head:
            return None
        if word == "\x1dv":  # GS v 0 m xL xH yL yH d…
            length = self._number(4, 2) * self._number(6, 2)
        elif word == "\x1d(":  # GS ( X pL pH d…
            length = self._number(3, 2)
        elif word == "\x1d8":  # GS 8 L p1 p2 p3 p4 d…
            length = self._number(3, 4)
        elif word == "\x1de":  # GS e n [m [t]]
            length = EJECTOR_ARGUMENTS.get(self._pending[2], 0)
        else:  # GS V m [n]
            length = 1 if self._pending[2] >= 65 else 0
        return self._take(word, head + length, 2)

    def _number(self, start: int, length: int) -> int:
        return int.from_bytes(self._pending[start : start + length], "little")
