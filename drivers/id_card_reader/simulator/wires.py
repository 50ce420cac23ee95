"""The other end of the line: a pseudo-terminal or a TCP port, as slow as the serial line it stands for."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

BITS_PER_BYTE: Final = 10
CHUNK_BYTES: Final = 16
READ_BYTES: Final = 4096

Heard = Callable[[bytes], None]


class Wire(Protocol):
    async def start(self, heard: Heard) -> str:
        """Begin to listen; the address a driver opens."""
        ...

    def put(self, data: bytes) -> None:
        """Send now. Bytes nobody takes are lost, as on a serial line."""
        ...

    async def stop(self) -> None: ...


async def send_paced(wire: Wire, data: bytes, baud_rate: int) -> None:
    """At ten bits a byte: neither the kernel's pseudo-terminals nor TCP know a speed."""
    loop = asyncio.get_running_loop()
    begun_at = loop.time()
    for begin in range(0, len(data), CHUNK_BYTES):
        chunk = data[begin : begin + CHUNK_BYTES]
        due_at = begun_at + (begin + len(chunk)) * BITS_PER_BYTE / baud_rate
        await asyncio.sleep(max(0.0, due_at - loop.time()))
        wire.put(chunk)


class PtyWire:
    """A pseudo-terminal in raw mode. Its slave stays open here: else the master fails whenever no driver has it."""

    def __init__(self, link: str = "") -> None:
        self._link = Path(link) if link else None
        self._master = self._slave = -1

    async def start(self, heard: Heard) -> str:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        asyncio.get_running_loop().add_reader(self._master, self._listen, heard)
        name = os.ttyname(self._slave)
        if self._link is None:
            return name
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(name)
        return str(self._link)

    def put(self, data: bytes) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, data)

    async def stop(self) -> None:
        if self._master < 0:
            return
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1
        if self._link is not None:
            self._link.unlink(missing_ok=True)

    def _listen(self, heard: Heard) -> None:
        with contextlib.suppress(BlockingIOError):
            heard(os.read(self._master, READ_BYTES))


class TcpWire:
    """A serial server: one driver at a time, and a new connection takes the place of the old."""

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._leaving: set[asyncio.StreamWriter] = set()

    async def start(self, heard: Heard) -> str:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self._writer is not None:
                self._writer.close()
            self._writer = writer
            self._leaving.add(writer)
            with contextlib.suppress(OSError):
                while data := await reader.read(READ_BYTES):
                    if self._writer is writer:
                        heard(data)
            writer.close()
            if self._writer is writer:
                self._writer = None
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            self._leaving.discard(writer)

        self._server = await asyncio.start_server(serve, "127.0.0.1", self._port)
        return f"socket://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def put(self, data: bytes) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(data)

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for writer in (leaving := list(self._leaving)):
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in leaving), return_exceptions=True)
        await self._server.wait_closed()
        self._server = None
