"""The peer of `code_scanner/serial_line`: a scanner on a pseudo-terminal that sends what it is shown.

Orders: `scan TEXT` shows a code now; `place TEXT` shows it to a reader that waits, once it waits (again and again, as
a code held under the window); `remove`; `fault NAME` begins a misfortune, `clear` ends all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import tty
from pathlib import Path
from typing import Final

from drivers.code_scanner.payload import SUFFIXES
from drivers.messages import Symbology

SHOWN_SECONDS: Final = 0.4
"""Between two sendings of a code that is held before the window."""
BURST: Final = 5
ENDLESS_SECONDS: Final = 0.01
ENDLESS_TIMES: Final = 50
ENDLESS_CHUNK: Final = b"$GPGGA,000000.00,,,,,0,00,99.99,,,,,,*66 "
ANOTHER_CODE: Final = "YIZHAN-ANOTHER-CODE"
_AIM: Final = {
    Symbology.QR: "]Q1",
    Symbology.DATA_MATRIX: "]d1",
    Symbology.PDF417: "]L0",
    Symbology.AZTEC: "]z0",
    Symbology.CODE_128: "]C0",
    Symbology.CODE_39: "]A0",
    Symbology.EAN_13: "]E0",
}


class SerialScannerSimulator:
    """Implements `drivers.protocols.Simulator`. Options are strings.

    `code`: held before the window from the start; `suffix`, `encoding` as the driver's; `symbology`: sent as an AIM
    prefix, none when empty; `link`: where the address shall be.
    """

    faults = frozenset({"wrong_code", "burst", "partial", "endless", "garbled", "silent", "unplug"})

    def __init__(
        self, *, code: str = "", suffix: str = "cr", encoding: str = "utf-8", symbology: str = "", link: str = ""
    ) -> None:
        if suffix not in SUFFIXES:
            raise ValueError(f"suffix is one of {', '.join(SUFFIXES)}, not {suffix!r}")
        self._suffix = SUFFIXES[suffix]
        "".encode(encoding)
        self._encoding = encoding
        self._prefix = _AIM[Symbology(symbology)] if symbology else ""
        self._folder = tempfile.TemporaryDirectory(prefix="yizhan-scanner-")
        self._link = Path(link or f"{self._folder.name}/scanner")
        self._held = code
        self._active: set[str] = set()
        self._master = self._slave = -1
        self._task: asyncio.Task[None] | None = None
        self.commands = bytearray()
        """What the driver has sent: trigger commands."""

    async def start(self) -> str:
        self._plug()
        self._task = asyncio.create_task(self._show())
        return str(self._link)

    async def order(self, verb: str, argument: str = "") -> str:
        match verb:
            case "scan":
                self._scan(argument)
            case "place":
                self._held = argument
            case "remove":
                self._held = ""
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
                raise ValueError(f"no order is called {verb!r}: scan, place, remove, fault, clear")
        return "ok"

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self._unplug()
        self._folder.cleanup()

    def put(self, data: bytes) -> None:
        """Bytes nobody takes are lost, as on a serial line."""
        if self._master >= 0:
            with contextlib.suppress(BlockingIOError):
                os.write(self._master, data)

    async def _show(self) -> None:
        while True:
            if "endless" in self._active:
                self.put(ENDLESS_CHUNK * ENDLESS_TIMES)
                await asyncio.sleep(ENDLESS_SECONDS)
                continue
            if self._held:
                self._scan(self._held)
            await asyncio.sleep(SHOWN_SECONDS)

    def _scan(self, text: str) -> None:
        if "silent" in self._active:
            return
        if "wrong_code" in self._active:
            text = ANOTHER_CODE
        data = (self._prefix + text).encode(self._encoding)
        if "garbled" in self._active:
            data = data[:1] + b"\xff\xfe" + data[1:]
        if "partial" in self._active:
            self.put(data[: max(len(data) // 2, 1)])
            return
        self.put((data + self._suffix) * (BURST if "burst" in self._active else 1))

    def _plug(self) -> None:
        if self._master >= 0:
            return
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

    def _hear(self) -> None:
        with contextlib.suppress(OSError):
            self.commands += os.read(self._master, 256)
