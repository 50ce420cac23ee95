"""A document camera's peer: invented papers lying askew on a dark mat, as a stream of JPEG pictures on loopback.

`page NAME` lays a paper down (`permit`, `tenancy`, `travel_leung` …, `nothing`), `fault NAME`, `clear`. The permit
lies there at first.
"""

from __future__ import annotations

import asyncio
import importlib
import math
import threading
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from drivers.document_scanner.page_finder import Image, Quad
from drivers.document_scanner.simulator.papers import NOTHING, PX_PER_MM, SIZES_MM, drawn, known

SERVER_MODULE = "drivers.face_camera.mjpeg"
WIDTH, HEIGHT = 2592, 1944
FPS = 6.0
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 90]
MAT = 52
LEANS_DEGREES = {"permit": 6.5, "tenancy": 87.0}
USUAL_LEAN_DEGREES = -4.5


class DocumentCameraSimulator:
    """Its pictures are 5 megapixels, six a second."""

    faults = frozenset({"blur", "dark", "nothing", "glare", "freeze", "gone"})

    def __init__(self, *, page: str = "permit") -> None:
        self._page = known(page)
        self._pictures: dict[tuple[str, str], bytes] = {}
        self._lock = threading.Lock()
        self._server: Any = importlib.import_module(SERVER_MODULE).MjpegServer(self._picture, fps=FPS)

    async def start(self) -> str:
        await asyncio.to_thread(self._drawn, NOTHING, "")
        await asyncio.to_thread(self._picture)
        return str(await self._server.start())

    async def order(self, verb: str, argument: str = "") -> str:
        match verb:
            case "page" | "place" | "remove":
                page = known(NOTHING if verb == "remove" else argument)
                await asyncio.to_thread(self._drawn, page, self._server.fault)
                self._page = page
            case "fault" if argument in DRAWN:
                await asyncio.to_thread(self._drawn, self._page, argument)
                await self._server.order(verb, argument, self.faults)
            case _ if not await self._server.order(verb, argument, self.faults):
                raise ValueError(f"unknown order {verb} {argument}: known are page, remove, fault, clear")
        return "done"

    async def stop(self) -> None:
        await self._server.stop()

    def _picture(self) -> bytes:
        """What the camera sees now."""
        fault = self._server.fault
        return self._drawn(NOTHING if fault == NOTHING else self._page, fault)

    def _drawn(self, page: str, fault: str) -> bytes:
        key = page, fault if fault in DRAWN else ""
        if key not in self._pictures:
            with self._lock:
                picture = DRAWN.get(fault, _as_it_is)(on_mat(page)[0])
                self._pictures[key] = bytes(cv2.imencode(".jpg", picture, QUALITY)[1].tobytes())
        return self._pictures[key]


def on_mat(name: str, *, lean_degrees: float | None = None, mat: int = MAT) -> tuple[Image, Quad]:
    """A picture of the mat with the page on it, and where its corners are (clockwise from the page's own top left)."""
    scene = np.full((HEIGHT, WIDTH, 3), mat, np.float32)
    corners = np.zeros((4, 2), np.float32)
    if name != NOTHING:
        corners = _corners(
            SIZES_MM[name], LEANS_DEGREES.get(name, USUAL_LEAN_DEGREES) if lean_degrees is None else lean_degrees
        )
        paper = np.asarray(cv2.cvtColor(np.asarray(drawn(name)), cv2.COLOR_RGB2BGR), np.float32)
        height, width = paper.shape[:2]
        own = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
        move = cv2.getPerspectiveTransform(own, corners)
        covered = cv2.warpPerspective(np.ones((height, width), np.float32), move, (WIDTH, HEIGHT))[..., None]
        laid = cv2.warpPerspective(paper, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
        scene = scene * (1 - covered) + laid * covered
    return _seen(scene), corners


def _corners(size_mm: tuple[float, float], lean_degrees: float) -> Quad:
    """The page around the middle, turned, and a little narrower where it is farther from the lens."""
    width, height = (side * PX_PER_MM for side in size_mm)
    flat = np.array([[-width, -height], [width, -height], [width, height], [-width, height]], np.float32) / 2
    lean = math.radians(lean_degrees)
    turn = np.array([[math.cos(lean), math.sin(lean)], [-math.sin(lean), math.cos(lean)]], np.float32)
    turned = flat @ turn
    far = 1 + 0.03 * turned[:, 1:] / HEIGHT
    return np.asarray(turned * far + (WIDTH / 2 + 31, HEIGHT / 2 - 17), np.float32)


def _seen(scene: Any) -> Image:
    """A lens darkens its corners, softens a little, and a sensor is never quite calm."""
    across = np.linspace(-1, 1, WIDTH, dtype=np.float32)[None, :] ** 2
    down = np.linspace(-1, 1, HEIGHT, dtype=np.float32)[:, None] ** 2
    scene = cv2.GaussianBlur(scene * (1 - 0.10 * (across + down))[..., None], (0, 0), 0.7)
    noise = np.random.default_rng(7).normal(0, 2.0, (HEIGHT, WIDTH, 1)).astype(np.float32)
    return np.asarray(np.clip(scene + noise, 0, 255), np.uint8)


# --- misfortunes -----------------------------------------------------------------------------------------------------


def _as_it_is(picture: Image) -> Image:
    return picture


def _blurred(picture: Image) -> Image:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 7), np.uint8)


def _dark(picture: Image) -> Image:
    return (picture * 0.25).astype(np.uint8)


def _glaring(picture: Image) -> Image:
    """A lamp mirrored in the middle of the page."""
    light: Any = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.ellipse(light, (WIDTH // 2 + 60, HEIGHT // 2), (150, 100), 20, 0, 360, 255, -1)
    light = cv2.GaussianBlur(light, (0, 0), 25)
    return np.asarray(np.clip(picture + light[..., None] * 1.2, 0, 255), np.uint8)


DRAWN: dict[str, Callable[[Image], Image]] = {"blur": _blurred, "dark": _dark, "glare": _glaring}
