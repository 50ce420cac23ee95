"""The peer of `fingerprint_reader/r503`: a module on a pseudo-terminal, with invented fingers and misfortunes.

Orders: `place NAME` lays an invented finger down (any name is a finger), `remove` takes it away, `fault NAME` begins a
misfortune, `clear` ends all. A citizen is played too: a finger that was seen well is lifted for a moment, then laid
down again, as the screen asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import tty
from collections.abc import Coroutine
from typing import Any, Final

from drivers.fingerprint_reader.commands import CAPTURE_FAILED, NO_FINGER, RESIDUE, SENSOR_FAILED, Instruction
from drivers.fingerprint_reader.packets import ANY_ADDRESS, Kind, Packet, PacketParser
from drivers.fingerprint_reader.simulator.module import SimulatedModule

BITS_PER_BYTE: Final = 10
CHUNK_BYTES: Final = 32
READ_BYTES: Final = 4096
LIFTED_SECONDS: Final = 0.2
SLOW_SECONDS: Final = 0.5
FAKE_CODE: Final = "3A"
STORED: Final = 7
ANOTHER_DEVICE_SAYS: Final = b"\r\n$GPGGA,000000.00,,,,,0,00,99.99,,,,,,*66\r\nERROR\r\n"

OF_THE_LINE: Final = frozenset({"silent", "noise", "endless", "wrong_device", "slow"})
ONCE: Final = frozenset({"corrupt_once", "truncated_once", "poor_once", "restarted"})
FEATURE_CODES: Final = {"dry": 0x04, "wet": 0x05, "poor": 0x06, "small": 0x07}
PICTURE_CODES: Final = {
    "no_finger": NO_FINGER,
    "capture_failed": CAPTURE_FAILED,
    "dirty": RESIDUE,
    "sensor_failed": SENSOR_FAILED,
}
OF_THE_MODULE: Final = frozenset(
    {"fake", "finger_left", "other_finger", "wrong_password", "stored", "download_lost", "no_light"}
)


class R503Simulator:
    """Implements `drivers.protocols.Simulator`. Options are strings.

    `card`: the finger laid down from the start; `baud`: speed of the line; `template_bytes`: 1536, 512 as an AS608;
    `fake_code`: confirmation for a false finger, hexadecimal.
    """

    faults = OF_THE_LINE | ONCE | frozenset(FEATURE_CODES) | frozenset(PICTURE_CODES) | OF_THE_MODULE

    def __init__(
        self, *, card: str = "", baud: str = "57600", template_bytes: str = "1536", fake_code: str = FAKE_CODE
    ) -> None:
        self.module = SimulatedModule(int(template_bytes), ANY_ADDRESS)
        self._placed = card
        self._baud_rate = int(baud)
        self._fake_code = int(fake_code, 16)
        self._parser = PacketParser()
        self._packets: asyncio.Queue[Packet] = asyncio.Queue()
        self._active: set[str] = set()
        self._chance = random.Random(1910)
        self._tasks: set[asyncio.Task[None]] = set()
        self._master = self._slave = -1
        self.module.finger_name = card
        self._is_lifted = False

    async def start(self) -> str:
        """The slave stays open here: else the master fails whenever no driver has it."""
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        asyncio.get_running_loop().add_reader(self._master, self._listen)
        self._keep(self._serve())
        return os.ttyname(self._slave)

    async def order(self, verb: str, argument: str = "") -> str:
        match verb:
            case "place" if argument:
                self._placed = self.module.finger_name = argument
                self._is_lifted = False
            case "remove":
                self._placed = self.module.finger_name = ""
            case "fault":
                if argument not in self.faults:
                    raise ValueError(f"no fault is called {argument!r}: choose one of {', '.join(sorted(self.faults))}")
                self._active.add(argument)
                self._begin(argument)
            case "clear":
                self._active.clear()
            case _:
                raise ValueError(f"no order is called {verb!r}: place NAME, remove, fault, clear")
        self._set_module()
        return "ok"

    async def stop(self) -> None:
        tasks, self._tasks = list(self._tasks), set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._master >= 0:
            asyncio.get_running_loop().remove_reader(self._master)
            os.close(self._slave)
            os.close(self._master)
            self._master = self._slave = -1

    def _begin(self, fault: str) -> None:
        if fault == "stored":
            self.module.stored = STORED
        if fault in ("wrong_password", "restarted"):
            self.module.lose_power()
        if fault == "poor_once":
            self.module.feature_codes = [FEATURE_CODES["poor"]]

    def _set_module(self) -> None:
        pictures = [code for fault, code in PICTURE_CODES.items() if fault in self._active]
        if "fake" in self._active:
            pictures = [self._fake_code]
        self.module.picture_code = pictures[0] if pictures else None
        features = [code for fault, code in FEATURE_CODES.items() if fault in self._active]
        self.module.feature_code = features[0] if features else None
        self.module.password = b"\1\2\3\4" if "wrong_password" in self._active else bytes(4)
        self.module.loses_downloads = "download_lost" in self._active
        self.module.other_finger_next = "other_finger" in self._active
        self.module.has_light = "no_light" not in self._active

    def _listen(self) -> None:
        with contextlib.suppress(BlockingIOError):
            for packet in self._parser.feed(os.read(self._master, READ_BYTES)):
                self._packets.put_nowait(packet)

    async def _serve(self) -> None:
        while True:
            packet = await self._packets.get()
            with contextlib.suppress(OSError):
                await self._answer(packet)

    async def _answer(self, packet: Packet) -> None:
        if "silent" in self._active:
            return
        if "endless" in self._active:
            while "endless" in self._active:
                await self._send(self._chance.randbytes(512))
            return
        if "wrong_device" in self._active:
            await self._send(ANOTHER_DEVICE_SAYS)
            return
        answers = self.module.hear(packet)
        if "slow" in self._active and answers:
            await asyncio.sleep(SLOW_SECONDS)
        for answer in answers:
            if "noise" in self._active:
                await self._send(self._chance.randbytes(self._chance.randint(1, 20)) + b"\xef")
            await self._deliver(answer, is_data=len(answers) > 1)
        if packet.kind is Kind.COMMAND:
            self._play_citizen(packet.content[0], answers)

    async def _deliver(self, answer: bytes, *, is_data: bool) -> None:
        if self._befalls("corrupt_once"):
            answer = answer[:-3] + bytes([answer[-3] ^ 0x40]) + answer[-2:]
        if is_data and len(answer) > CHUNK_BYTES and self._befalls("truncated_once"):
            answer = answer[: len(answer) // 2]
        await self._send(answer)

    def _play_citizen(self, instruction: int, answers: list[bytes]) -> None:
        """A finger whose features were taken is lifted; once the reader has seen it gone it is laid down again."""
        if instruction == Instruction.IMG_2_TZ and answers == [self.module.good] and "finger_left" not in self._active:
            self._is_lifted = True
            self.module.finger_name = ""
        elif instruction == Instruction.GEN_IMG and self._is_lifted:
            self._is_lifted = False
            self._keep(self._lay_down())

    async def _lay_down(self) -> None:
        await asyncio.sleep(LIFTED_SECONDS)
        self.module.finger_name = self._placed

    def _befalls(self, fault: str) -> bool:
        """True, and the misfortune is over, when it was on."""
        is_on = fault in self._active
        self._active.discard(fault)
        return is_on

    async def _send(self, data: bytes) -> None:
        """At ten bits a byte: a pseudo-terminal knows no speed. Bytes nobody takes are lost, as on a line."""
        loop = asyncio.get_running_loop()
        begun_at = loop.time()
        for begin in range(0, len(data), CHUNK_BYTES):
            chunk = data[begin : begin + CHUNK_BYTES]
            due_at = begun_at + (begin + len(chunk)) * BITS_PER_BYTE / self._baud_rate
            await asyncio.sleep(max(0.0, due_at - loop.time()))
            with contextlib.suppress(BlockingIOError):
                os.write(self._master, chunk)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
