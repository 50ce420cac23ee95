"""A stream of JPEG pictures over HTTP (multipart/x-mixed-replace), as network cameras send it. For simulators."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

BOUNDARY = b"picture"
HEAD = (
    b"HTTP/1.0 200 OK\r\nCache-Control: no-store\r\nConnection: close\r\n"
    b"Content-Type: multipart/x-mixed-replace; boundary=" + BOUNDARY + b"\r\n\r\n"
)


class MjpegServer:
    """Asks `picture` for a JPEG at the given pace and sends it to whoever looks; None ends the stream."""

    def __init__(self, picture: Callable[[], bytes | None], *, fps: float) -> None:
        self._picture = picture
        self._pause = 1.0 / fps
        self._server: asyncio.Server | None = None
        self._watchers: set[asyncio.Task[None]] = set()
        self.stalled = False
        """True: connections stay open and nothing more is sent."""

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._greet, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}/camera.mjpg"

    async def drop(self) -> None:
        """Cut every connection, as an unplugged camera does."""
        for watcher in list(self._watchers):
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)

    async def stop(self) -> None:
        await self.drop()
        if self._server is not None:
            self._server.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._watchers.add(task)
        try:
            async with asyncio.timeout(5):
                await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD)
            await self._send(writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            self._watchers.discard(task)
            with contextlib.suppress(OSError, RuntimeError):
                writer.close()

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if not self.stalled:
                picture = await asyncio.to_thread(self._picture)
                if picture is None:
                    return
                length = str(len(picture)).encode()
                writer.write(
                    b"--" + BOUNDARY + b"\r\nContent-Type: image/jpeg\r\nContent-Length: " + length + b"\r\n\r\n"
                )
                writer.write(picture + b"\r\n")
                await writer.drain()
            due = max(due + self._pause, loop.time() - 0.5)
            await asyncio.sleep(max(due - loop.time(), 0))
