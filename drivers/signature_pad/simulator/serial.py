"""The peer of `signature_pad/serial_pen`: an ISDV4 pad on a pseudo-terminal, with a hand that signs.

Orders: `place NAME` lets the hand sign whenever the pad is started, `write NAME` sign now, `remove` keep still, `fault
NAME` begins a misfortune, `clear` ends all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import tempfile
import tty
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

from drivers.messages import Stroke
from drivers.signature_pad.isdv4 import (
    POINTS_PER_MM,
    QUERY,
    START,
    STOP,
    Panel,
    PenPacket,
    encode_panel,
    encode_pen,
)
from drivers.signature_pad.simulator.strokes import BOX_HEIGHT_MM, BOX_WIDTH_MM, mishandled, signature_of

PANEL: Final = Panel(x=12_000, y=12_000, pressure=1023, firmware=0x132)
LEFT_MM: Final = (PANEL.x / POINTS_PER_MM - BOX_WIDTH_MM) / 2
TOP_MM: Final = (PANEL.y / POINTS_PER_MM - BOX_HEIGHT_MM) / 2
FIRST_TOUCH_SECONDS: Final = 0.05
ARRIVES_SECONDS: Final = 1.0
FINGER_PACKET: Final = bytes([0x91, 0x05, 0x05, 0x05, 0x05])
ANOTHER_DEVICE_SAYS: Final = b"$GPGGA,000000.00,,,,,0,00,99.99,,,,,,*66\r\n"


class SerialPenSimulator:
    """Implements `drivers.protocols.Simulator`. Options are strings: `signature`, written whenever the pad is started;
    `haste`, how much faster than a hand it writes; `link`, where the address shall be."""

    faults = frozenset({
        "empty", "too_short", "outside_box", "dropped_points", "points_lost", "finger", "noise", "pen_lost", "silent",
        "wrong_device", "endless", "unplug",
    })  # fmt: skip

    def __init__(self, *, signature: str = "", haste: str = "1", link: str = "") -> None:
        self._held = signature_of(signature) if signature else ()
        self._haste = float(haste)
        self._folder = tempfile.TemporaryDirectory(prefix="yizhan-pad-")
        self._link = Path(link or f"{self._folder.name}/pad")
        self._active: set[str] = set()
        self._random = random.Random(1911)
        self._started = asyncio.Event()
        self._master = self._slave = -1
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        self._plug()
        self._do(self._chatter())
        return str(self._link)

    async def order(self, verb: str, argument: str = "") -> str:
        match verb:
            case "place":
                self._held = signature_of(argument)
            case "write":
                strokes = signature_of(argument)
                with contextlib.suppress(TimeoutError):  # the driver has sent its start, perhaps it has not arrived
                    async with asyncio.timeout(ARRIVES_SECONDS):
                        await self._started.wait()
                await self._write(strokes)
            case "remove":
                self._held = ()
            case "fault":
                if argument not in self.faults:
                    raise ValueError(f"no fault is called {argument!r}: choose one of {', '.join(sorted(self.faults))}")
                self._active.add(argument)
                if argument == "unplug":
                    self._unplug()
            case "clear":
                self._active.clear()
                self._plug()
            case _:
                raise ValueError(f"no order is called {verb!r}: place, write, remove, fault, clear")
        return "ok"

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._unplug()
        self._folder.cleanup()

    def put(self, data: bytes) -> None:
        """Bytes nobody takes are lost, as on a serial line."""
        if self._master >= 0:
            with contextlib.suppress(OSError):
                os.write(self._master, data)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _hear(self) -> None:
        try:
            data = os.read(self._master, 256)
        except OSError:
            return
        for number in data:
            self._obey(bytes([number]))

    def _obey(self, request: bytes) -> None:
        if "silent" in self._active:
            return
        if "wrong_device" in self._active:
            self.put(ANOTHER_DEVICE_SAYS)
        elif request == STOP:
            self._started.clear()
        elif request == QUERY:
            self.put(encode_panel(PANEL))
        elif request == START:
            self._started.set()
            if self._held:
                self._do(self._sign())

    async def _sign(self) -> None:
        await asyncio.sleep(FIRST_TOUCH_SECONDS)
        await self._write(self._held)

    async def _chatter(self) -> None:
        while True:
            if "endless" in self._active:
                self.put(ANOTHER_DEVICE_SAYS * 50)
            await asyncio.sleep(0.01)

    async def _write(self, strokes: tuple[Stroke, ...]) -> None:
        for fault in sorted(self._active):
            strokes = mishandled(strokes, fault) if strokes else strokes
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for number, stroke in enumerate(strokes):
            last = len(stroke.points) - 1
            for at, point in enumerate(stroke.points):
                await asyncio.sleep(begun + point.milliseconds / 1000 / self._haste - loop.time())
                if not self._started.is_set():
                    return
                if "pen_lost" in self._active and number == len(strokes) - 1 and at > last // 2:
                    return
                packet = PenPacket(
                    x=round((point.x_mm + LEFT_MM) * POINTS_PER_MM),
                    y=round((point.y_mm + TOP_MM) * POINTS_PER_MM),
                    pressure=round(point.pressure * PANEL.pressure),
                    is_near=True,
                    is_down=True,
                )
                self._send(encode_pen(packet), at)
            self._send(encode_pen(PenPacket(packet.x, packet.y, 0, is_near=True, is_down=False)), 1)
        self.put(encode_pen(PenPacket(0, 0, 0, is_near=False, is_down=False)))

    def _send(self, packet: bytes, number: int) -> None:
        if "finger" in self._active and number % 5 == 0:
            self.put(FINGER_PACKET)
        if "noise" in self._active and number % 12 == 5:
            self.put(self._random.randbytes(3).translate(bytes(byte & 0x7F for byte in range(256))))
        if "dropped_points" in self._active and number % 9 in (4, 5):
            return
        if "points_lost" in self._active and number % 3 == 0:
            packet = packet[: self._random.randrange(1, 8)]
        self.put(packet)

    def _plug(self) -> None:
        if self._master >= 0:
            return
        self._started.clear()
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        asyncio.get_running_loop().add_reader(self._master, self._hear)
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(os.ttyname(self._slave))

    def _unplug(self) -> None:
        if self._master < 0:
            return
        asyncio.get_running_loop().remove_reader(self._master)
        self._link.unlink(missing_ok=True)
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1
