"""A camera's peer: a small MJPEG server that shows an invented person who turns when told to.

No wire exists between a camera and this house that could be spoken here, so the peer speaks the one OpenCV reads from
network cameras: multipart JPEG over HTTP, on loopback.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.face_camera.invented import frame, infrared, screen_in_infrared
from drivers.face_camera.mjpeg import MjpegServer

TURN_DEGREES = 26.0
TURN_SECONDS = 0.7
STEP_DEGREES = 2.0
WIDTH, HEIGHT = 1280, 720
FPS = 25.0
SCREEN = ("", "screen", 0.0)
INFRARED_PATH = "/ir.mjpg"
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 88]
DIRECTIONS = {"straight": 0.0, "left": TURN_DEGREES, "right": -TURN_DEGREES}

Image = NDArray[np.uint8]


class CameraSimulator:
    """`person NAME`, `turn left|right|straight`, `fault NAME`, `clear`. Starts with `person` looking straight.

    The address ends in `camera.mjpg`; beside it `ir.mjpg` is the infrared camera. Its light flickers by one grey level,
    as any lamp does: only under `still` two pictures are the same.
    """

    faults = frozenset(
        {"dark", "nobody", "two", "freeze", "still", "gone", "photo", "screen", "blur", "covered", "bright", "ir_gone"}
    )

    def __init__(self, *, person: str = "lin") -> None:
        self._person = person
        self._yaw = self._from = self._to = 0.0
        self._turned_at = 0.0
        self._pictures: dict[tuple[str, str, float], bytes] = {}
        self._flickering: dict[tuple[str, str, float], bytes] = {}
        self._infrared: dict[tuple[str, str, float], tuple[bytes, bytes]] = {}
        self._is_odd = self._is_odd_infrared = False
        self._drawing: threading.Thread | None = None
        self._leave_off = threading.Event()
        self._server = MjpegServer(self._picture, fps=FPS, others={INFRARED_PATH: self._infrared_picture})

    async def start(self) -> str:
        await asyncio.to_thread(self._drawn, self._person, "", 0.0)
        return await self._server.start()

    async def order(self, verb: str, argument: str = "") -> str:
        match verb:
            case "person":
                self._person, self._server.fault = argument, ""
                await asyncio.to_thread(self._drawn, argument, "", 0.0)
                await self._draw_ahead(argument)
            case "turn" if argument in DIRECTIONS:
                self._from, self._to, self._turned_at = self._yaw, DIRECTIONS[argument], time.monotonic()
            case "fault" if argument in DRAWN:
                await asyncio.to_thread(self._drawn, self._person, argument, 0.0)
                await self._server.order(verb, argument, self.faults)
            case "fault" if argument == "screen":
                self._infrared[SCREEN] = _flickering(screen_in_infrared(WIDTH, HEIGHT))
                await self._server.order(verb, argument, self.faults)
            case _ if not await self._server.order(verb, argument, self.faults):
                raise ValueError(f"unknown order {verb} {argument}: known are person, turn, fault, clear")
        return "done"

    async def stop(self) -> None:
        await self._draw_ahead(None)
        await self._server.stop()

    # --- pictures --------------------------------------------------------------------------------------------------

    def _seen_yaw(self) -> float:
        share = min((time.monotonic() - self._turned_at) / TURN_SECONDS, 1.0)
        self._yaw = self._from + (self._to - self._from) * share
        return round(self._yaw / STEP_DEGREES) * STEP_DEGREES

    def _picture(self) -> bytes:
        """What the camera sees now."""
        fault = self._server.fault
        drawn = self._drawn(self._person, fault if fault in DRAWN else "", self._seen_yaw())
        self._is_odd = not self._is_odd and fault != "still"
        if not self._is_odd:
            return drawn
        key = self._person, fault if fault in DRAWN else "", self._seen_yaw()
        return self._flickering.get(key, drawn)

    def _infrared_picture(self) -> bytes | None:
        """What the infrared camera sees now; None while it is silent."""
        fault = self._server.fault
        if fault == "ir_gone":
            return None
        key = SCREEN if fault == "screen" else (self._person, "", self._seen_yaw())
        if key not in self._infrared:
            self._infrared[key] = _flickering(infrared(key[0], key[2], WIDTH, HEIGHT))
        self._is_odd_infrared = not self._is_odd_infrared
        return self._infrared[key][self._is_odd_infrared]

    def _drawn(self, person: str, fault: str, yaw: float) -> bytes:
        key = (person, fault, yaw)
        if key not in self._pictures:
            image = DRAWN.get(fault, _one)(person, yaw)
            self._flickering[key] = _jpeg(np.clip(image, 0, 254) + np.uint8(1))
            self._pictures[key] = _jpeg(image)
        return self._pictures[key]

    async def _draw_ahead(self, person: str | None) -> None:
        """Have every angle ready before the citizen is asked to turn; what was being drawn for another one is left."""
        self._leave_off.set()
        if self._drawing is not None:
            await asyncio.to_thread(self._drawing.join)
            self._drawing = None
        if person is not None:
            self._leave_off = threading.Event()
            self._drawing = threading.Thread(target=self._draw_turns, args=(person, self._leave_off), daemon=True)
            self._drawing.start()

    def _draw_turns(self, person: str, leave_off: threading.Event) -> None:
        for step in np.arange(STEP_DEGREES, TURN_DEGREES + 1, STEP_DEGREES):
            for yaw in (float(step), float(-step)):
                if leave_off.is_set():
                    return
                self._drawn(person, "", yaw)


def _one(person: str, yaw: float) -> Image:
    return frame(person, yaw, WIDTH, HEIGHT)


def _dark(person: str, yaw: float) -> Image:
    return (_one(person, yaw) * 0.12).astype(np.uint8)


def _blurred(person: str, yaw: float) -> Image:
    return cv2.GaussianBlur(_one(person, yaw), (0, 0), 16).astype(np.uint8)


def _nobody(_person: str, _yaw: float) -> Image:
    """The shop behind: a wall, a door, a shelf."""
    light = np.linspace(165, 140, HEIGHT, dtype=np.float32)[:, None, None]
    picture = np.ascontiguousarray(np.broadcast_to(light, (HEIGHT, WIDTH, 3)).astype(np.uint8))
    cv2.rectangle(picture, (880, 150), (1120, HEIGHT), (96, 104, 112), -1)
    cv2.rectangle(picture, (120, 300), (520, 316), (84, 92, 104), -1)
    return picture


def _covered(_person: str, _yaw: float) -> Image:
    """A sticker on the lens: one soft colour."""
    across = np.linspace(70, 84, WIDTH, dtype=np.float32)[None, :, None]
    return np.broadcast_to(across * np.array([0.7, 0.8, 1.0], np.float32), (HEIGHT, WIDTH, 3)).astype(np.uint8)


def _bright(person: str, yaw: float) -> Image:
    """The low sun falls into the lens."""
    return np.clip(_one(person, yaw).astype(np.int16) * 2 + 110, 0, 255).astype(np.uint8)


def _flickering(picture: Image) -> tuple[bytes, bytes]:
    return _jpeg(picture), _jpeg(np.clip(picture, 0, 254) + np.uint8(1))


def _jpeg(picture: Image) -> bytes:
    return bytes(cv2.imencode(".jpg", picture, QUALITY)[1].tobytes())


def _two(person: str, yaw: float) -> Image:
    picture = frame(person, yaw, WIDTH, HEIGHT, across=0.36)
    other = frame("guo" if person != "guo" else "huang", 0.0, WIDTH, HEIGHT, across=0.68)
    picture[:, WIDTH // 2 :] = other[:, WIDTH // 2 :]
    return picture


def _photo(person: str, yaw: float) -> Image:
    """A print of the person held up and tilted: its nose does not move against its eyes."""
    flat = _one(person, 0.0)
    squeeze = 1 - abs(yaw) / 90
    lean = 0.18 * yaw / TURN_DEGREES
    left, right = WIDTH * (1 - squeeze) / 2, WIDTH * (1 + squeeze) / 2
    corners = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]], np.float32)
    tilted = np.array(
        [
            [left, HEIGHT * max(lean, 0) / 2], [right, HEIGHT * max(-lean, 0) / 2],
            [right, HEIGHT * (1 - max(-lean, 0) / 2)], [left, HEIGHT * (1 - max(lean, 0) / 2)],
        ],
        np.float32,
    )  # fmt: skip
    move = cv2.getPerspectiveTransform(corners, tilted)
    return cv2.warpPerspective(flat, move, (WIDTH, HEIGHT), borderValue=(120, 120, 120)).astype(np.uint8)


DRAWN: dict[str, Callable[[str, float], Image]] = {
    "dark": _dark, "blur": _blurred, "nobody": _nobody, "two": _two, "photo": _photo,
    "covered": _covered, "bright": _bright,
}  # fmt: skip
