"""The mechanics and the chip station of a card rewriter: one command, one result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from drivers.card_rewriter.chip import CHIP_BYTES, MAGIC
from drivers.card_rewriter.commands import BLOCK_BYTES, IDENTITY, PRINT_LINES, Kind, Result, UnitStatus
from drivers.card_rewriter.simulator.cards import Memory, PermitCard

OUTSIDE, MOUTH, INSIDE = 0, 1, 2
MODEL: Final = b"Sample RW-1"
TORN_BYTES: Final = 7


class SimulatedUnit:
    """`faults` are shared with the simulator. `torn`: the next write or print is cut in its middle."""

    def __init__(self, memory: Memory, faults: set[str]) -> None:
        self._memory = memory
        self._faults = faults
        self.torn = False

    def status(self) -> UnitStatus:
        media = ("not_present", "entering", "present")[self._memory.position]
        is_powered = self._memory.position == INSIDE
        chip = "hardware_error" if is_powered and "chip_mute" in self._faults else "online"
        return UnitStatus(
            media="jammed" if "jam" in self._faults else media,
            chip=chip if is_powered else "powered_off",
            head="hot" if "head_hot" in self._faults else "inoperative" if "head_broken" in self._faults else "ok",
            eraser="inoperative" if "eraser_broken" in self._faults else "ok",
            retain_bin="full" if "bin_full" in self._faults else "ok",
            cover="open" if "cover_open" in self._faults else "closed",
        )

    def answer(self, kind: int, payload: bytes) -> bytes:
        """Result and data."""
        if kind == Kind.VERSION:
            return bytes((Result.DONE,)) + IDENTITY + MODEL
        if kind == Kind.STATUS:
            return bytes((Result.DONE,)) + self.status().dump()
        result, data = self._work(kind, payload)
        self._memory.keep()
        return bytes((result,)) + data

    def _work(self, kind: int, payload: bytes) -> tuple[Result, bytes]:
        card = self._memory.card
        if "cover_open" in self._faults:
            return Result.COVER_OPEN, b""
        if "jam" in self._faults:
            return Result.JAMMED, b""
        if card is None:
            return Result.NO_CARD, b""
        works: dict[int, Callable[[PermitCard, bytes], tuple[Result, bytes]]] = {
            Kind.MOVE_IN: self._move_in,
            Kind.EJECT: self._eject,
            Kind.RETAIN: self._retain,
            Kind.READ_CHIP: self._read,
            Kind.AUTHORISE: self._authorise,
            Kind.WRITE_CHIP: self._write,
            Kind.ERASE: self._erase,
            Kind.PRINT_LINE: self._print,
        }
        if kind not in works:
            return Result.INVALID, b""
        if kind != Kind.MOVE_IN and self._memory.position != INSIDE:
            return (Result.DONE if kind == Kind.EJECT else Result.NO_CARD), b""
        return works[kind](card, payload)

    def _move_in(self, _card: PermitCard, _payload: bytes) -> tuple[Result, bytes]:
        self._memory.position = INSIDE
        return Result.DONE, b""

    def _eject(self, _card: PermitCard, _payload: bytes) -> tuple[Result, bytes]:
        self._memory.position = MOUTH
        return Result.DONE, b""

    def _retain(self, _card: PermitCard, _payload: bytes) -> tuple[Result, bytes]:
        if "bin_full" in self._faults:
            return Result.BIN_FULL, b""
        self._memory.retained.append(self._memory.inserted)
        self._memory.inserted, self._memory.position = "", OUTSIDE
        return Result.DONE, b""

    def _read(self, card: PermitCard, payload: bytes) -> tuple[Result, bytes]:
        if "chip_mute" in self._faults:
            return Result.CHIP_MUTE, b""
        start, size = int.from_bytes(payload[:2]), int.from_bytes(payload[2:4])
        return (Result.DONE, bytes(card.chip[start : start + size])) if start + size <= CHIP_BYTES else (
            Result.INVALID, b"")  # fmt: skip

    def _authorise(self, _card: PermitCard, _payload: bytes) -> tuple[Result, bytes]:
        return (Result.REFUSED if "token_refused" in self._faults else Result.DONE), b""

    def _write(self, card: PermitCard, payload: bytes) -> tuple[Result, bytes]:
        if "chip_mute" in self._faults:
            return Result.CHIP_MUTE, b""
        start, data = int.from_bytes(payload[:2]), payload[2:]
        if not 0 < len(data) <= BLOCK_BYTES or start + len(data) > CHIP_BYTES:
            return Result.INVALID, b""
        is_head = data[:4] == MAGIC
        if is_head and "write_failed" in self._faults:
            return Result.WRITE_FAILED, b""
        if self.torn or (is_head and "torn_write" in self._faults):
            self.torn = False
            data = data[:TORN_BYTES]
        card.chip[start : start + len(data)] = data
        return Result.DONE, b""

    def _erase(self, card: PermitCard, _payload: bytes) -> tuple[Result, bytes]:
        if "erase_failed" in self._faults:
            return Result.ERASER_BROKEN, b""
        if self.torn:
            self.torn = False
            card.film.pop(0, None)
            return Result.DONE, b""
        card.erase()
        return Result.DONE, b""

    def _print(self, card: PermitCard, payload: bytes) -> tuple[Result, bytes]:
        if "print_failed" in self._faults:
            return Result.HEAD_BROKEN, b""
        number = payload[0] if payload else PRINT_LINES
        if number >= PRINT_LINES:
            return Result.INVALID, b""
        text = payload[1:]
        if self.torn:
            self.torn = False
            text = text[: len(text) // 2]
        card.print_line(number, text.decode("gb18030", "replace"))
        return Result.DONE, b""
