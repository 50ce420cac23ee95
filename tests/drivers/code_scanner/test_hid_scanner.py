"""The keyboard driver in its own process, against an input device in umockdev's test bed (spike-devices 6)."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import fcntl
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from evdev import ecodes as keys

from drivers.code_scanner import hid_node
from drivers.code_scanner.hid import HidScanner
from drivers.code_scanner.simulator import KeyboardSimulator
from drivers.code_scanner.simulator.keyboard import LIBRARY
from drivers.errors import (
    CommandCancelled,
    CommandTimedOut,
    DeviceAbsent,
    DeviceBusy,
    DeviceError,
    DeviceOffline,
    HardwareFault,
    MediaError,
)
from drivers.host import DeviceConfig, SupervisedDevice
from drivers.host.lives import system
from drivers.messages import CodePurpose, DeviceState, FaultAction, Symbology

LONG = 20.0
Test = Callable[[SupervisedDevice, KeyboardSimulator], Awaitable[None]]

try:
    ctypes.CDLL(LIBRARY)
    HAS_UMOCKDEV = True
except OSError:
    HAS_UMOCKDEV = False
needs_umockdev = pytest.mark.skipif(not HAS_UMOCKDEV, reason="umockdev is not installed")


@pytest.fixture(autouse=True)
def _make_believe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "INHERITED", system.INHERITED | system.TEST_BEDS)


def run(test: Test, *, place: str = "", scanner: dict[str, Any] | None = None, **simulator: str) -> None:
    async def scene() -> None:
        peer = KeyboardSimulator(**simulator)
        link = await peer.start()
        options = {"device": place or link, **(scanner or {})}
        device = SupervisedDevice(DeviceConfig(name="it", driver="code_scanner/hid", options=options))
        try:
            await device.open(timeout_seconds=30)
            await test(device, peer)
        finally:
            await device.close()
            await peer.stop()

    asyncio.run(scene())


async def read(device: SupervisedDevice, seconds: float = LONG, **wish: Any) -> Any:
    return await device.proxy.read(purpose=CodePurpose.PAYER_CODE, timeout_seconds=seconds, **wish)


async def fails(work: Awaitable[Any], kind: type[DeviceError], reason: str) -> None:
    with pytest.raises(kind) as caught:
        await work
    assert caught.value.reason == reason


@needs_umockdev
def test_codes_are_typed_exclusively() -> None:
    async def test(device: SupervisedDevice, peer: KeyboardSimulator) -> None:
        said = await device.capabilities()
        assert said.features == {"exclusive"}
        assert (await device.status()).parts == {"scanner": "on", "window": "unknown"}
        for text in ("6901234567892", "https://yizhan.example/A?b=1&c=~", "林晓𠮷"):
            await peer.order("place", text)
            assert (await read(device)).text == text
        await peer.order("remove")
        await fails(read(device, 0.5), CommandTimedOut, "timed_out")

    run(test)


@needs_umockdev
def test_found_by_vendor_and_product_and_named_by_prefix() -> None:
    async def test(device: SupervisedDevice, peer: KeyboardSimulator) -> None:
        await peer.order("place", "]Q1K7")
        code = await read(device, symbologies=(Symbology.QR,))
        assert (code.symbology, code.text) == (Symbology.QR, "K7")

    run(test, place="usb:0c2e:0b6a", scanner={"aim_prefix": True})


@needs_umockdev
def test_silence_ends_a_code_where_it_is_agreed() -> None:
    async def test(device: SupervisedDevice, peer: KeyboardSimulator) -> None:
        await peer.order("place", "6901234567892")
        assert (await read(device, pattern=r"\d{13}")).text == "6901234567892"

    run(test, scanner={"suffix": "gap", "gap_seconds": 0.1}, suffix="gap")


@needs_umockdev
def test_what_was_typed_before_the_read_is_dropped_and_misfortunes_pass() -> None:
    async def test(device: SupervisedDevice, peer: KeyboardSimulator) -> None:
        await peer.order("scan", "OLD-CODE")
        task = asyncio.create_task(read(device, pattern="NEW-CODE"))
        await asyncio.wait({task}, timeout=0.5)
        assert not task.done()
        await peer.order("scan", "NEW-CODE")
        assert (await task).text == "NEW-CODE"
        await peer.type_keys([(keys.KEY_LEFTSHIFT, 1), (keys.KEY_A, 1)])
        await peer.type_keys([(keys.KEY_A, 0), (keys.KEY_LEFTSHIFT, 0)])
        for fault in ("partial", "strange_keys", "lost_keys"):
            await peer.order("place", "6901234567892")
            await peer.order("fault", fault)
            await fails(read(device, pattern=r"\d{13}"), MediaError, "barcode_invalid")
            await peer.order("remove")
            await peer.order("clear")
        await peer.order("place", "6901234567892")
        assert (await read(device)).text == "6901234567892"

    run(test)


@needs_umockdev
def test_unplugged_and_back_under_another_number_in_the_same_process() -> None:
    async def test(device: SupervisedDevice, peer: KeyboardSimulator) -> None:
        await device.status()
        pid = device.pid
        task = asyncio.create_task(read(device))
        await asyncio.wait({task}, timeout=0.3)
        await peer.order("fault", "unplug")
        await fails(task, DeviceOffline, "unplugged")
        assert (await device.status()).device is DeviceState.NO_DEVICE
        await fails(read(device), DeviceAbsent, "device_absent")
        await peer.order("clear")
        await peer.order("place", "K7")
        assert (await read(device)).text == "K7"
        assert device.pid == pid

    run(test)


@needs_umockdev
def test_a_wipe_takes_the_read_back() -> None:
    async def test(device: SupervisedDevice, peer: KeyboardSimulator) -> None:
        pid = device.pid
        task = asyncio.create_task(read(device, 60))
        for _ in range(40):  # the first may come before the read does
            await asyncio.wait({task}, timeout=0.2)
            if task.done():
                break
            await device.wipe()
        await fails(task, CommandCancelled, "cancelled")
        assert device.pid == pid

    run(test)


# --- without a make-believe device ---------------------------------------------------------------------------------


def test_a_place_without_a_device_is_named() -> None:
    async def test() -> None:
        for place in ("/dev/input/by-id/usb-nobody-event-kbd", "usb:ffff:fffe"):
            device = HidScanner(HidScanner.Options(device=place))
            assert [fault.code for fault in (await device.status()).faults] == ["device_absent"]
            await fails(device.read(purpose=CodePurpose.LOGIN, timeout_seconds=1), DeviceAbsent, "device_absent")
            await device.close()
            await device.close()

    asyncio.run(test())


@pytest.mark.parametrize("place", ["/dev/null", "/proc/self/status"])
def test_what_is_no_input_device_is_refused(place: str) -> None:
    async def test() -> None:
        device = HidScanner(HidScanner.Options(device=place))
        await fails(device.read(purpose=CodePurpose.LOGIN, timeout_seconds=1), HardwareFault, "wrong_device")
        assert (await device.status()).device is DeviceState.HARDWARE_ERROR
        await device.close()

    asyncio.run(test())


@pytest.mark.parametrize("place", ["keyboard", "usb:1:2", ""])
def test_a_place_that_is_none_is_refused_at_once(place: str) -> None:
    with pytest.raises(ValueError, match="device"):
        HidScanner.Options(device=place)


class _Kernel:
    """Answers of the kernel that umockdev cannot give: it crashes when asked about EVIOCGRAB."""

    def __init__(self, grab: int = 0, key_codes: tuple[int, ...] = (keys.KEY_0, keys.KEY_1, keys.KEY_ENTER)) -> None:
        self.grab = grab
        self.taken: list[int] = []
        self._keys = bytearray(96)
        for code in key_codes:
            self._keys[code // 8] |= 1 << code % 8

    def ioctl(self, fd: int, request: int, argument: Any) -> Any:
        match request:
            case 0x80084502:
                return bytes.fromhex("03002e0c6a0b0001")
            case 0x80604521:
                return bytes(self._keys)
            case 0x40044590:
                if self.grab:
                    raise OSError(self.grab, os.strerror(self.grab))
                self.taken.append(argument)
                return 0
        raise AssertionError(hex(request))


def _with_kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kernel: _Kernel) -> str:
    monkeypatch.setattr(fcntl, "ioctl", kernel.ioctl)
    (node := tmp_path / "event0").write_bytes(b"")
    return str(node)


@pytest.fixture
def taking_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[int], str]:
    return lambda number: _with_kernel(monkeypatch, tmp_path, _Kernel(grab=number))


@pytest.mark.parametrize(
    ("number", "kind", "reason"),
    [
        (errno.EBUSY, DeviceBusy, "port_busy"),
        (errno.ENOTTY, HardwareFault, "not_grabbed"),
        (errno.EINVAL, HardwareFault, "not_grabbed"),
    ],
)
def test_a_scanner_that_cannot_be_taken_is_never_read(
    taking_fails: Callable[[int], str], number: int, kind: type[DeviceError], reason: str
) -> None:
    node = taking_fails(number)
    files = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(kind) as caught:
        hid_node.open_scanner(node)
    assert caught.value.reason == reason
    assert len(list(Path("/proc/self/fd").iterdir())) == files

    async def test() -> None:
        device = HidScanner(HidScanner.Options(device=node))
        await fails(device.read(purpose=CodePurpose.LOGIN, timeout_seconds=1), kind, reason)
        status = await device.status()
        assert not status.is_fit
        assert [(fault.code, fault.action) for fault in status.faults] == [(reason, FaultAction.CONFIGURATION)]
        await device.close()

    asyncio.run(test())


def test_a_keyboard_is_taken_and_a_mouse_is_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kernel = _Kernel()
    node = hid_node.open_scanner(_with_kernel(monkeypatch, tmp_path, kernel))
    assert kernel.taken == [1]
    assert (node.vendor, node.product) == (0x0C2E, 0x0B6A)
    node.close()
    mouse = _Kernel(key_codes=(keys.BTN_LEFT,))
    path = _with_kernel(monkeypatch, tmp_path, mouse)
    with pytest.raises(HardwareFault) as caught:
        hid_node.open_scanner(path)
    assert caught.value.reason == "wrong_device"
    assert mouse.taken == []


def test_the_questions_have_the_kernels_numbers() -> None:
    """As linux/input.h makes them on 64-bit machines."""
    assert (hid_node._EVIOCGID, hid_node._EVIOCGBIT_KEY, hid_node._EVIOCGRAB) == (0x80084502, 0x80604521, 0x40044590)
    assert hid_node.EVENT.size == 24
