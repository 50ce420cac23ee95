"""`face_camera/uvc`: a camera alone, for machines that only look, for the bench, and for those who load it by name.

`FrameGrabber`, `WatchedCamera` and `mirrored` are what other classes use of this room (they do not import it).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from functools import partial
from typing import Literal
from urllib.parse import urljoin, urlsplit

import cv2
from pydantic import Field

from drivers.errors import DeviceBusy, Unsupported
from drivers.face_camera.grabber import CameraOptions, Frame, FrameGrabber, Image
from drivers.face_camera.watched import WatchedCamera, is_simulated, why_absent
from drivers.messages import Capabilities, DeviceClass, DeviceStatus, Preview

__all__ = [
    "CameraOptions",
    "Frame",
    "FrameGrabber",
    "Image",
    "UvcCamera",
    "WatchedCamera",
    "camera_status",
    "infrared_options",
    "is_simulated",
    "mirrored",
    "why_absent",
    "with_infrared",
]

PREVIEW_WIDTH = 480
PREVIEW_SECONDS = 1 / 25


class UvcOptions(CameraOptions):
    ir_camera: str = Field(
        default="", description="a second, infrared camera; a bare name is another stream of the same address"
    )


class UvcCamera:
    """Implements `drivers.protocols.FaceCamera`. The camera is open only while somebody looks."""

    Options = UvcOptions

    def __init__(self, options: UvcOptions) -> None:
        self._options = options
        self._cameras = {"rgb": WatchedCamera(options)}
        second = infrared_options(options, options.ir_camera)
        if second is not None:
            self._cameras["ir"] = WatchedCamera(second)
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._shown: set[str] = set()

    async def capabilities(self) -> Capabilities:
        features = {"preview", "rgb", *(["infrared"] if "ir" in self._cameras else [])}
        return Capabilities(
            device_class=DeviceClass.FACE_CAMERA, driver="face_camera/uvc", version="1", status_source="inferred",
            poll_safe_in_motion=True, cancellable=frozenset({"preview"}), features=frozenset(features),
        )  # fmt: skip

    async def status(self) -> DeviceStatus:
        """What the last pictures showed; after a failure the camera is tried again in the background."""
        answers = await asyncio.gather(*(asyncio.to_thread(camera.status) for camera in self._cameras.values()))
        said = dict(zip(self._cameras, answers, strict=True))
        for name, camera in self._cameras.items():
            if camera.wants_look and name not in self._looking:
                self._looking[name] = asyncio.create_task(asyncio.to_thread(camera.look))
                self._looking[name].add_done_callback(partial(self._has_looked, name))
        return with_infrared(said["rgb"], said.get("ir"))

    def _has_looked(self, name: str, _: asyncio.Task[None]) -> None:
        self._looking.pop(name, None)

    async def preview(self, sensor: Literal["rgb", "ir"] = "rgb") -> AsyncGenerator[Preview, None]:
        """See `FaceCamera.preview`."""
        camera = self._cameras.get(sensor)
        if camera is None:
            raise Unsupported("no infrared camera is configured", "not_fitted")
        if sensor in self._shown:
            raise DeviceBusy("somebody looks through this camera")
        self._shown.add(sensor)
        opening = asyncio.ensure_future(asyncio.to_thread(camera.open))
        try:
            await asyncio.shield(opening)
            sequence, loop = 0, asyncio.get_running_loop()
            shown_at = 0.0
            while True:
                frame = await asyncio.to_thread(camera.newest, sequence)
                sequence = frame.sequence
                if loop.time() - shown_at >= PREVIEW_SECONDS * 0.8:
                    shown_at = loop.time()
                    yield mirrored(frame.image)
        finally:
            await asyncio.wait({opening})
            await asyncio.to_thread(camera.close)
            self._shown.discard(sensor)

    async def wipe(self) -> None:
        """Closes the cameras, which overwrites what they held."""
        for camera in self._cameras.values():
            await asyncio.to_thread(camera.close)

    async def close(self) -> None:
        for looking in list(self._looking.values()):
            await asyncio.wait({looking})
        await self.wipe()


def infrared_options(options: CameraOptions, ir_camera: str) -> CameraOptions | None:
    """The second camera's options, or None when there is none."""
    if not ir_camera:
        return None
    is_stream = urlsplit(options.camera).scheme in ("http", "https", "rtsp")
    own = ir_camera.isdigit() or ir_camera.startswith("/") or "://" in ir_camera or not is_stream
    source = ir_camera if own else urljoin(options.camera, ir_camera)
    return CameraOptions(
        camera=source, fps=options.fps, loop=options.loop, width=options.width, height=options.height
    )  # fmt: skip


def with_infrared(colour: DeviceStatus, infrared: DeviceStatus | None) -> DeviceStatus:
    """One status of two cameras. The infrared one is an aid: its loss is a fault, and the device serves on."""
    if infrared is None:
        return colour
    faults = tuple(
        fault.model_copy(update={"code": "ir_" + fault.code}) for fault in infrared.faults if fault.code in IR_FAULTS
    )
    word = "inoperative" if faults else infrared.parts["rgb"]
    return colour.model_copy(
        update={
            "faults": (*colour.faults, *faults), "parts": {**colour.parts, "ir": word},
            "simulated": colour.simulated or infrared.simulated,
        }
    )  # fmt: skip


IR_FAULTS = frozenset({"camera_absent", "camera_lost", "camera_stalled", "camera_frozen"})
"""Darkness is what an infrared camera without anybody before it sees."""


def camera_status(options: CameraOptions) -> DeviceStatus:
    """What can be told without opening the camera: whether it is there."""
    return WatchedCamera(options).status()


def mirrored(image: Image) -> Preview:
    """A small picture as a mirror shows it, for the screen."""
    height = round(image.shape[0] * PREVIEW_WIDTH / image.shape[1])
    small = cv2.flip(cv2.resize(image, (PREVIEW_WIDTH, height), interpolation=cv2.INTER_LINEAR), 1)
    return Preview(width=PREVIEW_WIDTH, height=height, rgb=cv2.cvtColor(small, cv2.COLOR_BGR2RGB).tobytes())
