"""Both pads in their own process, as the house sees them: ink while it is written, signatures, misfortunes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest

from drivers.errors import (
    CommandCancelled,
    CommandTimedOut,
    DeviceBusy,
    DeviceError,
    DeviceOffline,
    HardwareFault,
    MediaError,
    NeedsAttention,
    Unsupported,
)
from drivers.host import DeviceConfig, SupervisedDevice
from drivers.messages import DeviceState, Ink, PenPoint, Signature, SignatureBox, Stroke
from drivers.registry import find_simulator
from drivers.signature_pad.serial_pen import SerialPen
from drivers.signature_pad.sheet import is_bound
from drivers.signature_pad.simulator import SerialPenSimulator
from drivers.signature_pad.simulator.strokes import signature_of
from drivers.signature_pad.touchscreen import Touchscreen

SHOWN = hashlib.sha256("驿站样例申请书".encode()).hexdigest()
OTHER = hashlib.sha256(b"other").hexdigest()
BOX = SignatureBox(width_mm=80, height_mm=40)
LONG = 30.0
Test = Callable[[SupervisedDevice, Any], Awaitable[None]]
SCREEN, PEN = "signature_pad/touchscreen", "signature_pad/serial_pen"


def run(test: Test, driver: str, **simulator: str) -> None:
    async def scene() -> None:
        peer = find_simulator(driver).load()(**simulator)
        address = await peer.start()
        options = {"port": address} if driver == PEN else {}
        device = SupervisedDevice(DeviceConfig(name="it", driver=driver, options=options))
        try:
            await device.open(timeout_seconds=LONG)
            await test(device, peer)
        finally:
            await device.close()
            await peer.stop()

    asyncio.run(scene())


def capture(device: SupervisedDevice, seconds: float = LONG, box: SignatureBox = BOX) -> AsyncGenerator[Any, None]:
    inks: AsyncGenerator[Any, None] = device.proxy.capture(document_sha256=SHOWN, box=box, timeout_seconds=seconds)
    return inks


async def until_ink(inks: AsyncGenerator[Any, None], strokes: int) -> Ink:
    async for ink in inks:
        assert isinstance(ink, Ink), "a signature nobody confirmed"
        if len(ink.strokes) == strokes:
            return ink
    raise AssertionError("it ended before the ink was there")


async def until_written(inks: AsyncGenerator[Any, None], strokes: tuple[Stroke, ...]) -> None:
    """To the last point: what is still on the line when the citizen confirms is not signed."""
    async for ink in inks:
        if [len(stroke.points) for stroke in ink.strokes] == [len(stroke.points) for stroke in strokes]:
            return


async def signature_from(inks: AsyncGenerator[Any, None]) -> Signature:
    async for ink in inks:
        if isinstance(ink, Signature):
            with pytest.raises(StopAsyncIteration):
                await anext(inks)
            return ink
    raise AssertionError("it ended without a signature")


async def fails(work: Awaitable[Any], kind: type[DeviceError], reason: str) -> None:
    with pytest.raises(kind) as caught:
        await work
    assert caught.value.reason == reason


# --- the screen ----------------------------------------------------------------------------------------------------


def test_signing_on_the_screen() -> None:
    async def test(device: SupervisedDevice, _: Any) -> None:
        assert (await device.capabilities()).features == {"feed_ink"}
        inks = capture(device)
        assert await anext(inks) == Ink(strokes=())
        for number, stroke in enumerate(signature_of("lin"), 1):
            await device.proxy.feed_ink(stroke)
            assert (await until_ink(inks, number)).strokes[-1] == stroke
        assert (await device.status()).device is DeviceState.BUSY
        await device.proxy.confirm_ink(SHOWN)
        signature = await signature_from(inks)
        assert signature.strokes == signature_of("lin")
        assert signature.pad == "touchscreen"
        assert is_bound(signature, SHOWN)
        assert (await device.status()).device is DeviceState.ONLINE

    run(test, SCREEN)


def test_writing_again() -> None:
    async def test(device: SupervisedDevice, _: Any) -> None:
        inks = capture(device)
        await anext(inks)
        await device.proxy.feed_ink(signature_of("lin")[0])
        await until_ink(inks, 1)
        await device.proxy.clear_ink()
        await until_ink(inks, 0)
        for stroke in signature_of("chen"):
            await device.proxy.feed_ink(stroke)
        await device.proxy.confirm_ink(SHOWN)
        assert (await signature_from(inks)).strokes == signature_of("chen")

    run(test, SCREEN)


def test_ink_nobody_asked_for_is_dropped_and_cannot_be_confirmed() -> None:
    async def test(device: SupervisedDevice, _: Any) -> None:
        await device.proxy.feed_ink(signature_of("lin")[0])
        await device.proxy.clear_ink()
        await fails(device.proxy.confirm_ink(SHOWN), MediaError, "not_asked")
        inks = capture(device)
        assert await anext(inks) == Ink(strokes=())
        await device.proxy.confirm_ink(SHOWN)
        await fails(anext(inks), MediaError, "empty")

    run(test, SCREEN)


def test_a_document_that_changed_is_never_signed() -> None:
    async def test(device: SupervisedDevice, _: Any) -> None:
        inks = capture(device)
        await anext(inks)
        for stroke in signature_of("lin"):
            await device.proxy.feed_ink(stroke)
        await fails(device.proxy.confirm_ink(OTHER), MediaError, "document_changed")
        await device.proxy.feed_ink(signature_of("lin")[0])
        await fails(anext(inks), MediaError, "document_changed")
        await fails(device.proxy.confirm_ink(SHOWN), MediaError, "not_asked")

    run(test, SCREEN)


def test_a_stroke_that_is_none_never_reaches_the_sheet() -> None:
    async def test(device: SupervisedDevice, _: Any) -> None:
        inks = capture(device)
        await anext(inks)
        point = PenPoint(x_mm=1, y_mm=1, milliseconds=1)
        await fails(device.proxy.feed_ink(Stroke(points=(point,) * 20_001)), MediaError, "too_large")
        await device.proxy.confirm_ink(SHOWN)
        await fails(anext(inks), MediaError, "empty")

    run(test, SCREEN)


@pytest.mark.parametrize("driver", [SCREEN, PEN])
def test_nobody_signs_in_time_and_a_wipe_forgets(driver: str) -> None:
    async def test(device: SupervisedDevice, _: Any) -> None:
        inks = capture(device, 0.5)
        assert await anext(inks) == Ink(strokes=())
        await fails(anext(inks), CommandTimedOut, "timed_out")
        inks = capture(device)
        await anext(inks)
        pid = device.pid
        await device.wipe()
        await fails(anext(inks), CommandCancelled, "cancelled")
        inks = capture(device)
        assert await anext(inks) == Ink(strokes=())
        await inks.aclose()
        inks = capture(device)
        assert await anext(inks) == Ink(strokes=())
        await inks.aclose()
        assert device.pid == pid

    run(test, driver)


def test_one_signature_at_a_time() -> None:
    async def test() -> None:
        pad = Touchscreen(Touchscreen.Options())
        inks = pad.capture(document_sha256=SHOWN, box=BOX)
        await anext(inks)
        await fails(anext(pad.capture(document_sha256=SHOWN, box=BOX)), DeviceBusy, "device_busy")
        await inks.aclose()
        await pad.close()
        await fails(anext(pad.capture(document_sha256=SHOWN, box=BOX)), DeviceOffline, "device_offline")

    asyncio.run(test())


# --- the pad with a pen --------------------------------------------------------------------------------------------


def test_signing_with_a_pen_gives_what_the_hand_wrote() -> None:
    async def test(device: SupervisedDevice, peer: SerialPenSimulator) -> None:
        said = await device.capabilities()
        assert said.features == {"own_surface", "pressure", "rejects_touch"}
        inks = capture(device)
        assert await anext(inks) == Ink(strokes=())
        await peer.order("write", "lin")
        await until_written(inks, signature_of("lin"))
        await device.proxy.confirm_ink(SHOWN)
        signature = await signature_from(inks)
        assert is_bound(signature, SHOWN)
        written = signature_of("lin")
        assert [len(stroke.points) for stroke in signature.strokes] == [len(stroke.points) for stroke in written]
        for drawn, meant in zip(signature.strokes, written, strict=True):
            for one, other in zip(drawn.points, meant.points, strict=True):
                assert (one.x_mm, one.y_mm) == pytest.approx((other.x_mm, other.y_mm), abs=0.011)
                assert one.pressure == pytest.approx(other.pressure, abs=0.001)
        assert (await device.status()).parts == {"pad": "ok", "pen": "in_use", "display": "not_fitted"}
        assert (await device.capabilities()).firmware in {None, str(0x132)}

    run(test, PEN)


def test_what_is_written_unasked_is_dropped_and_clearing_begins_anew() -> None:
    async def test(device: SupervisedDevice, peer: SerialPenSimulator) -> None:
        await device.status()
        await peer.order("write", "chen")
        inks = capture(device)
        assert await anext(inks) == Ink(strokes=())
        await peer.order("write", "aydin")
        await until_written(inks, signature_of("aydin"))
        await device.proxy.clear_ink()
        await until_ink(inks, 0)
        await peer.order("write", "chen")
        await until_written(inks, signature_of("chen"))
        await device.proxy.confirm_ink(SHOWN)
        assert len((await signature_from(inks)).strokes) == 2

    run(test, PEN)


def test_the_pad_has_its_own_surface_and_its_size() -> None:
    async def test(device: SupervisedDevice, _: Any) -> None:
        await fails(device.proxy.feed_ink(signature_of("lin")[0]), Unsupported, "unsupported")
        wide = capture(device, box=SignatureBox(width_mm=121, height_mm=40))
        await fails(anext(wide), Unsupported, "box_too_large")
        inks = capture(device)
        assert await anext(inks) == Ink(strokes=())
        await inks.aclose()

    run(test, PEN)


def test_dropped_points_make_gaps_and_a_pen_that_is_gone_ends_it() -> None:
    async def test(device: SupervisedDevice, peer: SerialPenSimulator) -> None:
        await peer.order("fault", "dropped_points")
        inks = capture(device)
        await anext(inks)
        await peer.order("write", "lin")
        await until_ink(inks, 4)
        await device.proxy.confirm_ink(SHOWN)
        signature = await signature_from(inks)
        assert signature.points < sum(len(stroke.points) for stroke in signature_of("lin"))
        await peer.order("clear")
        await peer.order("fault", "pen_lost")
        inks = capture(device)
        await anext(inks)
        await peer.order("write", "lin")
        await fails(signature_from(inks), NeedsAttention, "pen_missing")
        assert (await device.status()).parts["pen"] == "missing"
        assert (await device.status()).is_fit

    run(test, PEN)


def test_too_much_lost_is_no_signature() -> None:
    async def test(device: SupervisedDevice, peer: SerialPenSimulator) -> None:
        await peer.order("fault", "points_lost")
        inks = capture(device)
        await anext(inks)
        await peer.order("write", "lin")
        await device.proxy.confirm_ink(SHOWN)
        await fails(signature_from(inks), MediaError, "points_lost")

    run(test, PEN)


def test_unplugged_while_signing_and_used_again_in_the_same_process() -> None:
    async def test(device: SupervisedDevice, peer: SerialPenSimulator) -> None:
        pid = device.pid
        inks = capture(device)
        await anext(inks)
        await peer.order("fault", "unplug")
        await fails(anext(inks), DeviceOffline, "unplugged")
        status = await device.status()
        assert (status.device, status.faults[0].code) == (DeviceState.NO_DEVICE, "device_absent")
        await peer.order("clear")
        await peer.order("place", "chen")
        inks = capture(device)
        await until_ink(inks, 2)
        await inks.aclose()
        assert device.pid == pid

    run(test, PEN)


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        ("silent", DeviceOffline, "device_offline"),
        ("wrong_device", HardwareFault, "wrong_device"),
        ("endless", HardwareFault, "wrong_device"),
    ],
)
def test_what_is_no_pad_is_named(fault: str, kind: type[DeviceError], reason: str) -> None:
    async def test() -> None:
        peer = SerialPenSimulator()
        address = await peer.start()
        await peer.order("fault", fault)
        pad = SerialPen(SerialPen.Options(port=address))
        await fails(anext(pad.capture(document_sha256=SHOWN, box=BOX)), kind, reason)
        assert not (await pad.status()).is_fit
        await peer.order("clear")
        inks = pad.capture(document_sha256=SHOWN, box=BOX)
        assert await anext(inks) == Ink(strokes=())
        await inks.aclose()
        await pad.close()
        await pad.close()
        await peer.stop()

    asyncio.run(test())
