"""The unit on its line: framing, repetition, power (README, "The protocol"; device-classes C.2)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import tempfile
import tty
from pathlib import Path
from typing import Final

from drivers.card_rewriter.chip import MAGIC
from drivers.card_rewriter.commands import Kind
from drivers.card_rewriter.frames import ACK, NAK, Control, Frame, FrameParser, encode
from drivers.card_rewriter.simulator.cards import Memory, issued_cards
from drivers.card_rewriter.simulator.unit import INSIDE, MOUTH, OUTSIDE, SimulatedUnit

READ_BYTES: Final = 4096
SLOW_SECONDS: Final = 0.15
ANOTHER_DEVICE_SAYS: Final = b"\r\n+CME ERROR: 100\r\n"

OF_THE_UNIT: Final = frozenset(
    {"jam", "chip_mute", "token_refused", "write_failed", "torn_write", "erase_failed", "print_failed", "head_hot",
     "head_broken", "eraser_broken", "bin_full", "cover_open"}
)  # fmt: skip
OF_THE_LINE: Final = frozenset({"noise", "silent", "wrong_device", "slow", "unplugged"})
ONCE: Final = frozenset({"lost_ack", "damaged_answer", "lost_answer"})
POWER: Final = {
    "power_cut_before_write": (Kind.WRITE_CHIP, True, "before"),
    "power_cut_in_write": (Kind.WRITE_CHIP, True, "torn"),
    "power_cut_after_write": (Kind.WRITE_CHIP, True, "after"),
    "power_cut_in_print": (Kind.PRINT_LINE, False, "torn"),
}
"""Command, whether it must be a chip's head, and the moment."""


class RewriterSimulator:
    """Implements `drivers.protocols.Simulator`. Options are strings.

    `card`: put into the mouth from the start; `state`: a file in which cards and their places outlive the process;
    `link`: a symbolic link to the pseudo-terminal, kept over a loss of power (else one in a temporary folder).
    Orders: `place NAME`, `remove`, `fault NAME`, `clear` (power is back, cards are as they are), `renew` (all cards as
    issued), `cut_before N`, `cut_torn N`, `cut_after N` (power fails around the N-th command from now),
    `cable_before N`, `cable_after N` (only the cable is pulled there).
    """

    faults = OF_THE_UNIT | OF_THE_LINE | ONCE | frozenset(POWER)

    def __init__(self, *, card: str = "", state: str = "", link: str = "") -> None:
        self._active: set[str] = set()
        self.memory = Memory(state)
        self._unit = SimulatedUnit(self.memory, self._active)
        self._random = random.Random(1911)
        self._folder = "" if link else tempfile.mkdtemp(prefix="yizhan-rewriter-")
        self._link = Path(link or f"{self._folder}/line")
        self._master = self._slave = -1
        self._tasks: set[asyncio.Task[None]] = set()
        self._cut: tuple[int, str] | None = None
        self._keeps_power = False
        self._forget()
        self.commands: list[int] = []
        if card:
            self._place(card)

    async def start(self) -> str:
        self._power_on()
        return str(self._link)

    async def order(self, verb: str, argument: str = "") -> str:
        match verb:
            case "place":
                self._place(argument)
            case "remove":
                self.memory.inserted, self.memory.position = "", OUTSIDE
                self.memory.keep()
            case "fault":
                self._set_fault(argument)
            case "clear":
                self._active.clear()
                self._cut = None
                self._power_on()
            case "renew":
                self.memory.cards = issued_cards()
                self.memory.keep()
            case "cut_before" | "cut_torn" | "cut_after" | "cable_before" | "cable_after":
                self._cut = (int(argument), verb.partition("_")[2])
                self._keeps_power = verb.startswith("cable_")
            case _:
                raise ValueError(f"no order is called {verb!r}: place, remove, fault, clear, renew, cut_before …")
        return "ok"

    async def stop(self) -> None:
        self.power_off()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._link.unlink(missing_ok=True)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def power_off(self) -> None:
        """The line is dead at once."""
        if self._master < 0:
            return
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1

    # --- the world ---------------------------------------------------------------------------------------------------

    def _place(self, name: str) -> None:
        if name not in self.memory.cards:
            raise ValueError(f"no card is called {name!r}: choose one of {', '.join(self.memory.cards)}")
        self.memory.inserted, self.memory.position = name, MOUTH
        self.memory.keep()

    def _set_fault(self, name: str) -> None:
        if name not in self.faults:
            raise ValueError(f"no fault is called {name!r}: choose one of {', '.join(sorted(self.faults))}")
        self._active.add(name)
        if name == "unplugged":
            self._keeps_power = True
            self.power_off()

    def _power_on(self) -> None:
        """A unit that was without power hands back the card it holds, and knows of no command."""
        if self._master >= 0:
            return
        if not self._keeps_power:
            self._forget()
            if self.memory.position == INSIDE:
                self.memory.position = MOUTH
                self.memory.keep()
        self._keeps_power = False
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        asyncio.get_running_loop().add_reader(self._master, self._hear)
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(os.ttyname(self._slave))

    def _forget(self) -> None:
        self._parser = FrameParser()
        self._last: Frame | None = None
        self._answer: bytes = b""

    # --- the line ----------------------------------------------------------------------------------------------------

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            for heard in self._parser.feed(os.read(self._master, READ_BYTES)):
                task = asyncio.create_task(self._obey(heard))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _obey(self, heard: Frame | Control) -> None:
        if "silent" in self._active:
            return
        if "wrong_device" in self._active:
            self._send(ANOTHER_DEVICE_SAYS)
            return
        match heard:
            case Control.DAMAGED:
                self._send(bytes((NAK,)))
            case Control.ENQ:
                self._send(self._answer or bytes((NAK,)))
            case Control.NAK:
                self._send(self._answer)
            case Frame():
                await self._command(heard)

    async def _command(self, command: Frame) -> None:
        """The same number and content again is a command whose word was lost: it is not done twice."""
        if not self._befalls("lost_ack"):
            self._send(bytes((ACK,)))
        if "noise" in self._active:
            self._send(self._random.randbytes(self._random.randint(1, 12)).replace(bytes((NAK,)), b"\x00"))
        if command.kind == Kind.VERSION or command != self._last:
            self._last, self._answer = command, b""
            if "slow" in self._active:
                await asyncio.sleep(SLOW_SECONDS)
            moment = self._cut_now(command)
            if moment == "before":
                self.power_off()
                return
            self._unit.torn = moment == "torn"
            self.commands.append(command.kind)
            answer = self._unit.answer(command.kind, command.payload)
            if moment:
                self.power_off()
                return
            self._answer = encode(Frame(command.number, command.kind, answer))
        self._deliver()

    def _deliver(self) -> None:
        answer = self._answer
        if self._befalls("lost_answer"):
            return
        if self._befalls("damaged_answer"):
            answer = answer[:-4] + bytes([answer[-4] ^ 0x20]) + answer[-3:]
        self._send(answer)

    def _cut_now(self, command: Frame) -> str:
        """The moment at which power fails in this command; empty when it does not."""
        for name, (kind, is_head, moment) in POWER.items():
            fits = command.kind == kind and (not is_head or command.payload[2:6] == MAGIC)
            if name in self._active and fits:
                self._active.discard(name)
                return moment
        if self._cut is None:
            return ""
        left, moment = self._cut
        self._cut = (left - 1, moment) if left > 1 else None
        return moment if left == 1 else ""

    def _befalls(self, fault: str) -> bool:
        is_on = fault in self._active
        self._active.discard(fault)
        return is_on

    def _send(self, data: bytes) -> None:
        if self._master >= 0 and data:
            with contextlib.suppress(BlockingIOError):
                os.write(self._master, data)
