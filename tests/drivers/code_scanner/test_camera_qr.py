"""Codes in camera pictures. What segno draws, zxing-cpp reads: neither was written here."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

import cv2
import numpy as np
import pytest
import zxingcpp

from drivers.code_scanner.camera_qr import CameraQr
from drivers.code_scanner.simulator import CameraSimulator
from drivers.code_scanner.simulator.camera import draw_scene
from drivers.errors import (
    CommandTimedOut,
    DeviceAbsent,
    DeviceError,
    DeviceOffline,
    MediaError,
    NeedsAttention,
    Unsupported,
)
from drivers.messages import CodePurpose, DeviceState, ScannedCode, Symbology

TEXT = "https://yizhan.example/林晓㐀?n=1"
LONG = 20.0
Test = Callable[[CameraQr, CameraSimulator], Awaitable[None]]


def run(test: Test, *, scanner: dict[str, Any] | None = None, **simulator: str) -> None:
    async def scene() -> None:
        peer = CameraSimulator(**simulator)
        device = CameraQr(CameraQr.Options(camera=await peer.start(), **scanner or {}))
        try:
            await test(device, peer)
        finally:
            await device.close()
            await peer.stop()

    asyncio.run(scene())


def reading(device: CameraQr, seconds: float = LONG, **wish: Any) -> asyncio.Task[ScannedCode]:
    return asyncio.create_task(device.read(purpose=CodePurpose.TAKE_NUMBER, timeout_seconds=seconds, **wish))


async def fails(work: Awaitable[Any], kind: type[DeviceError], reason: str) -> None:
    with pytest.raises(kind) as caught:
        await work
    assert caught.value.reason == reason


@pytest.mark.parametrize("angle", [0.0, 7.0, 45.0, 180.0])
def test_zxing_reads_what_segno_draws_whatever_the_angle(angle: float) -> None:
    found = zxingcpp.read_barcodes(np.asarray(draw_scene(TEXT, 1280, 720, angle_degrees=angle).convert("L")))
    assert [code.text for code in found] == [TEXT]


def test_a_wall_is_no_code() -> None:
    assert not zxingcpp.read_barcodes(np.asarray(draw_scene("", 1280, 720).convert("L")))


@pytest.mark.parametrize(
    ("width", "height", "share"),
    [("640", "480", "0.5"), ("1280", "720", "0.6"), ("2560", "1920", "0.4"), ("1280", "720", "0.08")],
    ids=["small", "hd", "five_megapixels", "full_size_only"],
)
def test_a_code_is_read_from_the_stream(width: str, height: str, share: str) -> None:
    async def test(device: CameraQr, peer: CameraSimulator) -> None:
        assert await reading(device) == ScannedCode(symbology=Symbology.QR, text="K7")

    run(test, code="K7", width=width, height=height, code_share=share)


def test_a_small_code_needs_the_full_size() -> None:
    """The smallest of the cases above is not read at half size: the second search is what finds it."""
    picture = np.asarray(draw_scene("K7", 1280, 720, code_share=0.08).convert("L"))
    half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    formats = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
    assert zxingcpp.read_barcodes(picture, formats=formats)
    assert not zxingcpp.read_barcodes(half, formats=formats)


def test_a_code_that_comes_later_is_read() -> None:
    async def test(device: CameraQr, peer: CameraSimulator) -> None:
        task = reading(device)
        ends_at = time.monotonic() + LONG
        while peer.seen < 3:
            assert time.monotonic() < ends_at
            await asyncio.sleep(0.01)
        await peer.order("place", TEXT)
        assert (await task).text == TEXT

    run(test)


def test_the_camera_is_on_only_while_a_code_is_asked_for() -> None:
    async def test(device: CameraQr, peer: CameraSimulator) -> None:
        await device.status()
        await reading(device)
        ends_at = time.monotonic() + LONG
        while peer._watchers:
            assert time.monotonic() < ends_at, "the stream is still open"
            await asyncio.sleep(0.01)
        seen = peer.seen
        assert (await device.status()).is_fit
        assert peer.seen == seen

    run(test, code=TEXT)


def test_pattern_and_kinds() -> None:
    async def test(device: CameraQr, peer: CameraSimulator) -> None:
        assert {"qr", "symbology", "camera"} <= (await device.capabilities()).features
        await fails(reading(device, pattern=r"\d+"), MediaError, "pattern_mismatch")
        await fails(reading(device, symbologies=(Symbology.EAN_13,)), Unsupported, "wrong_symbology")

    run(test, code=TEXT)


def test_nothing_shown_ends_in_time() -> None:
    async def test(device: CameraQr, peer: CameraSimulator) -> None:
        await fails(reading(device, 0.5), CommandTimedOut, "timed_out")
        assert (await device.status()).parts["window"] == "clear"

    run(test)


def test_a_covered_window_is_said_until_it_is_free() -> None:
    async def test(device: CameraQr, peer: CameraSimulator) -> None:
        await peer.order("fault", "dark")
        await fails(reading(device, 2.5), NeedsAttention, "window_obstructed")
        status = await device.status()
        assert status.device is DeviceState.USER_ERROR
        assert status.parts["window"] == "obstructed"
        await peer.order("clear")
        ends_at = time.monotonic() + LONG
        while not (await device.status()).is_fit:
            assert time.monotonic() < ends_at
        assert (await device.status()).parts["window"] == "clear"

    run(test)


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [("unplug", DeviceAbsent, "camera_absent"), ("frozen", DeviceOffline, "camera_stalled")],
)
def test_a_camera_lost_while_waiting_is_named_and_used_again(fault: str, kind: type[DeviceError], reason: str) -> None:
    async def test(device: CameraQr, peer: CameraSimulator) -> None:
        task = reading(device)
        ends_at = time.monotonic() + LONG
        while peer.seen < 3:
            assert time.monotonic() < ends_at
            await asyncio.sleep(0.01)
        await peer.order("fault", fault)
        await fails(task, kind, reason)
        assert not (await device.status()).is_fit
        await peer.order("clear")
        await peer.order("place", TEXT)
        assert (await reading(device)).text == TEXT
        assert (await device.status()).faults == ()

    run(test)


def test_a_read_taken_back_ends_though_the_camera_is_frozen() -> None:
    async def test(device: CameraQr, peer: CameraSimulator) -> None:
        await peer.order("fault", "frozen")
        task = reading(device, 600)
        await asyncio.sleep(0.1)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await peer.order("clear")
        await peer.order("place", TEXT)
        assert (await reading(device)).text == TEXT

    run(test)


def test_a_camera_that_is_not_there() -> None:
    async def test() -> None:
        for camera in ("99", "/dev/video99", "http://127.0.0.1:1/camera.mjpg"):
            device = CameraQr(CameraQr.Options(camera=camera))
            assert [fault.code for fault in (await device.status()).faults] == ["camera_absent"]
            await fails(reading(device), DeviceAbsent, "camera_absent")
            await device.close()

    asyncio.run(test())
