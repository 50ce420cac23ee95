"""The peer of `code_scanner/camera_qr`: a network camera (MJPEG over HTTP) that films codes drawn by segno.

Orders: `place TEXT` holds a code before the lens, `remove` takes it away, `fault NAME` begins a misfortune, `clear`
ends all of them. What stands behind the code is an invented, softly shaded wall.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import segno
from PIL import Image, ImageFilter

ANOTHER_CODE: Final = "YIZHAN-ANOTHER-CODE"
FRAMES_PER_SECOND: Final = 15
QUALITY: Final = 85
BOUNDARY: Final = b"picture"
HEAD: Final = (
    b"HTTP/1.0 200 OK\r\nCache-Control: no-store\r\nConnection: close\r\n"
    b"Content-Type: multipart/x-mixed-replace; boundary=" + BOUNDARY + b"\r\n\r\n"
)


def draw_scene(
    text: str, width: int, height: int, *, code_share: float = 0.5, angle_degrees: float = 7.0, blur: float = 0.0
) -> Image.Image:
    """A wall and, with a text, its QR code before it, `code_share` of the picture's height, a little turned."""
    shade = np.linspace(90, 170, width, dtype=np.float32)[None, :] + np.linspace(-20, 20, height)[:, None]
    scene = Image.fromarray(np.clip(shade, 0, 255).astype(np.uint8), "L").convert("RGB")
    if text:
        drawn = io.BytesIO()
        segno.make(text, error="m", micro=False).save(drawn, kind="png", scale=8, border=4)
        side = int(height * code_share)
        code = Image.open(drawn).convert("RGBA").resize((side, side), Image.Resampling.BILINEAR)
        code = code.rotate(angle_degrees, expand=True, resample=Image.Resampling.BICUBIC)
        scene.paste(code, ((width - code.width) // 2, (height - code.height) // 2), code)
    return scene.filter(ImageFilter.GaussianBlur(blur)) if blur else scene


class CameraSimulator:
    """Implements `drivers.protocols.Simulator`. Options: `code`, `width`, `height`, `code_share` (of the height)."""

    faults = frozenset({"wrong_code", "partial", "blur", "dark", "frozen", "unplug"})

    def __init__(self, *, code: str = "", width: str = "1280", height: str = "720", code_share: str = "0.5") -> None:
        self._size = (int(width), int(height))
        self._share = float(code_share)
        self._held = code
        self._active: set[str] = set()
        self._picture = b""
        self._server: asyncio.Server | None = None
        self._port = 0
        self._watchers: set[asyncio.Task[None]] = set()
        self.seen = 0
        """Pictures sent since the start."""

    async def start(self) -> str:
        await self._redraw()
        await self._plug()
        return f"http://127.0.0.1:{self._port}/camera.mjpg"

    async def order(self, verb: str, argument: str = "") -> str:
        match verb:
            case "place":
                self._held = argument
            case "remove":
                self._held = ""
            case "fault":
                if argument not in self.faults:
                    raise ValueError(f"no fault is called {argument!r}: choose one of {', '.join(sorted(self.faults))}")
                self._active.add(argument)
                if argument == "unplug":
                    await self._unplug()
            case "clear":
                self._active.clear()
                await self._plug()
            case _:
                raise ValueError(f"no order is called {verb!r}: place, remove, fault, clear")
        await self._redraw()
        return "ok"

    async def stop(self) -> None:
        await self._unplug()

    async def _redraw(self) -> None:
        self._picture = await asyncio.to_thread(self._drawn)

    def _drawn(self) -> bytes:
        text = ANOTHER_CODE if self._held and "wrong_code" in self._active else self._held
        blur = self._size[1] / 40 if "blur" in self._active else 0.0
        scene = draw_scene(text, *self._size, code_share=self._share, blur=blur)
        if "partial" in self._active:
            scene.paste((120, 120, 120), (self._size[0] // 2, 0, *self._size))
        if "dark" in self._active:
            scene = Image.new("RGB", self._size, (3, 3, 3))
        encoded = io.BytesIO()
        scene.save(encoded, "JPEG", quality=QUALITY)
        return encoded.getvalue()

    async def _plug(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._greet, "127.0.0.1", self._port)
            self._port = self._server.sockets[0].getsockname()[1]

    async def _unplug(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for watcher in list(self._watchers):
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._watchers.add(task)
        try:
            async with asyncio.timeout(5):
                await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD)
            await self._film(writer.write, writer.drain)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            self._watchers.discard(task)
            with contextlib.suppress(OSError, RuntimeError):
                writer.close()

    async def _film(self, write: Callable[[bytes], None], drain: Callable[[], Any]) -> None:
        while True:
            if "frozen" not in self._active:
                picture = self._picture
                length = str(len(picture)).encode()
                write(b"--" + BOUNDARY + b"\r\nContent-Type: image/jpeg\r\nContent-Length: " + length + b"\r\n\r\n")
                write(picture + b"\r\n")
                self.seen += 1
                await drain()
            await asyncio.sleep(1 / FRAMES_PER_SECOND)
