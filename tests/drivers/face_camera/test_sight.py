"""What pictures say about the camera, and that a failed one is used again without a restart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import numpy as np
import pytest

from drivers.errors import DeviceAbsent, DeviceBusy, DeviceError, DeviceOffline, Unsupported
from drivers.face_camera import simulator as peer_module
from drivers.face_camera.sight import FROZEN_SECONDS, LASTS_SECONDS, Sight, word_of
from drivers.face_camera.simulator import CameraSimulator
from drivers.face_camera.uvc import CameraOptions, UvcCamera, infrared_options, is_simulated
from drivers.messages import DeviceState, FaultAction


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(story())


@pytest.mark.parametrize(
    ("fault", "word"),
    [("dark", "too_dark"), ("covered", "obstructed"), ("bright", "too_bright"), ("nobody", "ok"), ("blur", "ok")],
)
def test_one_picture_is_judged(fault: str, word: str) -> None:
    assert word_of(peer_module.DRAWN[fault]("lin", 0.0)) == word


def test_a_hand_that_passes_is_no_fault_and_one_that_stays_is() -> None:
    picture = np.zeros((72, 128, 3), np.uint8)
    words = ["ok"]
    sight = Sight(judges=lambda _: words[-1])  # type: ignore[arg-type,return-value]
    sight.see(picture, 0.0)
    words.append("obstructed")
    sight.see(picture, 1.0)
    sight.see(picture, 1.0 + LASTS_SECONDS / 2)
    assert sight.word == "ok"
    sight.see(picture, 1.0 + LASTS_SECONDS)
    assert sight.word == "obstructed"
    words.append("ok")
    sight.see(picture, 5.0)
    assert sight.word == "ok"


def test_the_same_picture_for_some_seconds_is_a_frozen_one_until_a_new_one_came() -> None:
    sight = Sight(judges=lambda _: "ok")
    still, other = np.full((64, 64, 3), 9, np.uint8), np.full((64, 64, 3), 10, np.uint8)
    sight.see(still, 0.0)
    sight.see(still, FROZEN_SECONDS - 0.1)
    assert not sight.is_frozen
    sight.see(still, FROZEN_SECONDS)
    assert sight.is_frozen
    sight.pause()
    sight.see(still, 20.0)
    assert sight.is_frozen, "one picture says nothing about freezing"
    assert not sight.is_settled
    sight.see(other, 20.1)
    assert not sight.is_frozen


def test_only_pictures_of_this_machine_are_simulated() -> None:
    for source in ("0", "/dev/video2", "http://camera.shop.example/v.mjpg", "rtsp://10.1.2.3/stream"):
        assert not is_simulated(source), source
    for source in ("http://127.0.0.1:8000/camera.mjpg", "http://localhost/x", "clip.mkv", "f_%03d.png"):
        assert is_simulated(source), source


def test_an_infrared_camera_is_a_device_or_another_stream_of_the_same_address() -> None:
    stream = CameraOptions(camera="http://10.1.2.3:81/camera.mjpg")
    assert infrared_options(stream, "ir.mjpg").camera == "http://10.1.2.3:81/ir.mjpg"
    assert infrared_options(CameraOptions(camera="0"), "2").camera == "2"
    assert infrared_options(stream, "/dev/video2").camera == "/dev/video2"
    assert infrared_options(stream, "") is None


@asynccontextmanager
async def scene(**options: Any) -> AsyncIterator[tuple[UvcCamera, CameraSimulator]]:
    peer = CameraSimulator()
    camera = UvcCamera(UvcCamera.Options(camera=await peer.start(), **options))
    try:
        yield camera, peer
    finally:
        await camera.close()
        await peer.stop()


async def watch(camera: UvcCamera, seconds: float) -> DeviceError | None:
    deadline = time.monotonic() + seconds
    try:
        async with aclosing(camera.preview()) as pictures:
            async for _ in pictures:
                if time.monotonic() > deadline:
                    return None
    except (DeviceAbsent, DeviceOffline) as error:
        return error
    return None


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("fault", "code", "state", "parts"),
    [
        ("covered", "lens_obstructed", DeviceState.USER_ERROR, {"lens": "obstructed", "illumination": "unknown"}),
        ("still", "camera_frozen", DeviceState.HARDWARE_ERROR, {"rgb": "inoperative", "lens": "unknown"}),
        ("freeze", "camera_stalled", DeviceState.HARDWARE_ERROR, {"rgb": "inoperative"}),
        ("gone", "camera_absent", DeviceState.NO_DEVICE, {"rgb": "inoperative"}),
    ],
)
def test_a_camera_that_fails_says_so_and_is_used_again_by_itself(
    fault: str, code: str, state: DeviceState, parts: dict[str, str]
) -> None:
    async def story() -> None:
        async with scene() as (camera, peer):
            before = await camera.status()
            assert before.is_fit
            assert set(before.parts.values()) == {"unknown", "not_fitted"}, "nobody has looked yet"
            await peer.order("fault", fault)
            await watch(camera, 6.0 if fault == "still" else 3.0)
            status = await camera.status()
            assert status.device is state
            assert [each.code for each in status.faults] == [code]
            assert status.faults[0].action in (FaultAction.CLEAR, FaultAction.MAINTENANCE)
            assert status.parts.items() >= parts.items()
            await peer.order("clear")
            await until(lambda: _is_fit(camera))
            assert await watch(camera, 0.3) is None
            assert (await camera.status()).parts["lens"] == "clear"

    run(story)


async def _is_fit(camera: UvcCamera) -> bool:
    return (await camera.status()).is_fit


def test_a_camera_pulled_while_somebody_looks_is_lost() -> None:
    async def story() -> None:
        async with scene() as (camera, peer):
            pictures = camera.preview()
            picture = await anext(pictures)
            assert len(picture.rgb) == picture.width * picture.height * 3
            with pytest.raises(DeviceBusy):
                await anext(camera.preview())
            await peer.order("fault", "gone")
            with pytest.raises(DeviceOffline) as error:
                while True:
                    await anext(pictures)
            assert error.value.reason == "camera_lost"

    run(story)


def test_the_infrared_camera_has_its_own_picture_and_its_loss_leaves_the_device_fit() -> None:
    async def story() -> None:
        async with scene() as (camera, _):
            with pytest.raises(Unsupported):
                await anext(camera.preview("ir"))
        async with scene(ir_camera="ir.mjpg") as (camera, peer):
            assert "infrared" in (await camera.capabilities()).features
            async with aclosing(camera.preview("ir")) as pictures:
                picture = await anext(pictures)
            colours = np.frombuffer(picture.rgb, np.uint8).reshape(-1, 3).astype(int)
            assert int(np.ptp(colours, axis=1).max()) < 12, "infrared has no colours"
            assert (await camera.status()).parts["ir"] == "ok"
            await peer.order("fault", "ir_gone")
            with pytest.raises(DeviceOffline):
                async with aclosing(camera.preview("ir")) as pictures:
                    async for _ in pictures:
                        pass
            status = await camera.status()
            assert status.is_fit
            assert status.parts["ir"] == "inoperative"
            assert [each.code for each in status.faults] == ["ir_camera_stalled"]

    run(story)
