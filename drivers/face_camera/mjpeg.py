"""A stream of JPEG pictures over HTTP (multipart/x-mixed-replace), as network cameras send it. For simulators."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping

BOUNDARY = b"picture"
PATH = "/camera.mjpg"
HEAD = (
    b"HTTP/1.0 200 OK\r\nCache-Control: no-store\r\nConnection: close\r\n"
    b"Content-Type: multipart/x-mixed-replace; boundary=" + BOUNDARY + b"\r\n\r\n"
)

Look = Callable[[], bytes | None]
"""What a camera sees now, as JPEG; None: it sends nothing."""


class MjpegServer:
    """Asks `picture` for a JPEG at the given pace and sends it to whoever looks.

    `others` are further streams of the same address by path. What befalls a camera whatever it shows lives here:
    `fault gone` (its cable is pulled), `fault freeze` (connections stay, nothing is sent).
    """

    def __init__(
        self,
        picture: Callable[[], bytes],
        *,
        fps: float,
        others: Mapping[str, Callable[[], bytes | None]] | None = None,
    ) -> None:
        self._pictures: dict[str, Callable[[], bytes | None]] = {PATH: picture, **(others or {})}
        self._pause = 1.0 / fps
        self.fault = ""
        self._server: asyncio.Server | None = None
        self._watchers: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._greet, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}{PATH}"

    async def order(self, verb: str, argument: str, faults: frozenset[str]) -> bool:
        """Take `fault NAME` or `clear`; False when the order is none of these."""
        if verb == "fault" and argument in faults:
            self.fault = argument
            if argument == "gone":
                await self.drop()
        elif verb == "clear":
            self.fault = ""
        else:
            return False
        return True

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
                head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode("latin-1") if head.count(b" ") > 1 else PATH
            if self.fault != "gone":
                writer.write(HEAD)
                await self._send(writer, self._pictures.get(path, self._pictures[PATH]))
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            self._watchers.discard(task)
            with contextlib.suppress(OSError, RuntimeError):
                writer.close()

    async def _send(self, writer: asyncio.StreamWriter, picture_now: Look) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            picture = None if self.fault == "freeze" else await asyncio.to_thread(picture_now)
            if picture is not None:
                length = str(len(picture)).encode()
                writer.write(
                    b"--" + BOUNDARY + b"\r\nContent-Type: image/jpeg\r\nContent-Length: " + length + b"\r\n\r\n"
                )
                writer.write(picture + b"\r\n")
                await writer.drain()
            due = max(due + self._pause, loop.time() - 0.5)
            await asyncio.sleep(max(due - loop.time(), 0))
