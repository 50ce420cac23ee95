"""Two pseudo-terminals and what lies between them: one end for a driver, the other for a server that is honest.

Misfortunes of the line happen here, so that the server at the other end can be anybody's.
"""

from __future__ import annotations

import asyncio
import os
import random
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

READ_BYTES: Final = 4096
SEED: Final = 20261122


class Bridge:
    """`active` are the misfortunes: silent, noise, corrupt_once, truncated_once, wrong_device, endless."""

    def __init__(self, active: set[str], link: Path) -> None:
        self._active = active
        self._link = link
        self._driver_side = _Pty()
        self._server_side = _Pty()
        self.server_port = os.ttyname(self._server_side.slave)
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(self._driver_side.slave))
        self._random = random.Random(SEED)
        self._endless: asyncio.Task[None] | None = None
        loop = asyncio.get_running_loop()
        loop.add_reader(self._driver_side.master, self._pass, self._driver_side, self._to_server)
        loop.add_reader(self._server_side.master, self._pass, self._server_side, self._to_driver)

    def close(self) -> None:
        if self._endless is not None:
            self._endless.cancel()
        self._link.unlink(missing_ok=True)
        self._driver_side.close()
        self._server_side.close()

    def _pass(self, side: _Pty, onward: Callable[[bytes], None]) -> None:
        with suppress(BlockingIOError, OSError):
            onward(os.read(side.master, READ_BYTES))

    def _to_server(self, data: bytes) -> None:
        if "silent" in self._active:
            return
        if "wrong_device" in self._active:
            self._driver_side.put(b"\r\nlogin: ")
        elif "endless" in self._active:
            if self._endless is None or self._endless.done():
                self._endless = asyncio.get_running_loop().create_task(self._send_endlessly())
        else:
            self._server_side.put(data)

    def _to_driver(self, data: bytes) -> None:
        if "noise" in self._active:
            self._driver_side.put(self._random.randbytes(self._random.randint(1, 3)))
        if "corrupt_once" in self._active:
            self._active.discard("corrupt_once")
            data = data[:-3] + bytes([data[-3] ^ 0x20]) + data[-2:]
        if "truncated_once" in self._active:
            self._active.discard("truncated_once")
            data = data[: len(data) // 2]
        self._driver_side.put(data)

    async def _send_endlessly(self) -> None:
        while "endless" in self._active:
            self._driver_side.put(self._random.randbytes(256))
            await asyncio.sleep(0.002)


class _Pty:
    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)

    def put(self, data: bytes) -> None:
        with suppress(BlockingIOError, OSError):
            os.write(self.master, data)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.master)
        os.close(self.master)
        os.close(self.slave)
