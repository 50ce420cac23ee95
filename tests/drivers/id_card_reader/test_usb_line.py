"""The reader on USB: the real pyusb over a controller of ours, behind which the simulator's bytes are."""

from __future__ import annotations

import asyncio
import errno
import importlib.util
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import usb.backend.libusb1

from drivers.errors import CommandTimedOut, DeviceAbsent, DeviceBusy, DeviceError, DeviceOffline, HardwareFault
from drivers.id_card_reader.sdt import SdtReader, usb_line
from drivers.id_card_reader.simulator import SdtSimulator
from drivers.messages import DeviceState


def _load_peer() -> Any:
    name = "id_card_reader_usb_peer"
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("usb_peer.py"))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


peer_module = _load_peer()
PORT = f"usb://{peer_module.VENDOR:04x}:{peer_module.PRODUCT:04X}"
SHAPES = ["bulk", "two_pipe", "hid", "hid without OUT"]
Scene = Callable[[SdtReader, SdtSimulator, Any], Awaitable[None]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    async def play(scene: Scene, shape: str, port: str, framing: str) -> None:
        simulator = SdtSimulator(transport="tcp")
        controller = peer_module.UsbPeer(await simulator.start(), shape)
        while not simulator._wire._leaving:  # type: ignore[attr-defined]
            await asyncio.sleep(0.001)
        monkeypatch.setattr(usb_line, "find_backend", lambda: controller)
        reader = SdtReader(SdtReader.Options.model_validate({"port": port, "usb_framing": framing}))
        try:
            await scene(reader, simulator, controller)
        finally:
            await reader.close()
            controller.close()
            await simulator.stop()
        assert (controller.opened, controller.claimed) == (0, set()), "closing releases the reader"

    def start(scene: Scene, shape: str = "bulk", *, port: str = PORT, framing: str = "") -> None:
        asyncio.run(play(scene, shape, port, framing or shape.split(maxsplit=1)[0]))

    return start


@pytest.mark.parametrize("shape", SHAPES)
def test_a_card_is_read_in_every_framing(run: Callable[..., None], shape: str) -> None:
    async def scene(reader: SdtReader, simulator: SdtSimulator, _controller: Any) -> None:
        with pytest.raises(CommandTimedOut):
            await reader.read(timeout_seconds=0.7)
        await simulator.order("place", "aydin")
        card = await reader.read(timeout_seconds=8)
        assert card.new_address == "福建省厦门市思明区测试路2号"
        assert card.photo is not None
        assert card.sam_id is not None
        assert (await reader.status()).is_fit

    run(scene, shape)


@pytest.mark.parametrize(
    ("shape", "fault"),
    [("bulk", "noise"), ("bulk", "corrupt_once"), ("two_pipe", "truncated_once"), ("hid", "truncated_once")],
)
def test_a_disturbed_pipe_is_survived(run: Callable[..., None], shape: str, fault: str) -> None:
    async def scene(reader: SdtReader, simulator: SdtSimulator, _controller: Any) -> None:
        await simulator.order("place", "lin")
        await simulator.order("fault", fault)
        assert (await reader.read(timeout_seconds=12)).name == "林测试"

    run(scene, shape)


def test_an_endless_stream_is_named(run: Callable[..., None]) -> None:
    async def scene(reader: SdtReader, simulator: SdtSimulator, _controller: Any) -> None:
        await simulator.order("fault", "endless")
        with pytest.raises(HardwareFault) as caught:
            await reader.read(timeout_seconds=10)
        assert caught.value.reason == "wrong_device"

    run(scene)


def test_unplugged_while_reading_and_back_again(run: Callable[..., None]) -> None:
    async def scene(reader: SdtReader, simulator: SdtSimulator, controller: Any) -> None:
        reading = asyncio.create_task(reader.read(timeout_seconds=20))
        while (await reader.status()).parts["media"] != "not_present":
            await asyncio.sleep(0.01)
        controller.refusal = errno.ENODEV
        with pytest.raises(DeviceOffline) as caught:
            await reading
        assert caught.value.reason == "unplugged"
        assert (await reader.status()).device is DeviceState.OFFLINE
        controller.refusal = 0
        await simulator.order("place", "lin")
        assert (await reader.read(timeout_seconds=8)).name == "林测试"

    run(scene)


@pytest.mark.parametrize(
    ("refusal", "error", "reason"),
    [
        (errno.EACCES, DeviceAbsent, "permission_denied"),
        (errno.EBUSY, DeviceBusy, "port_busy"),
        (errno.EIO, DeviceOffline, "device_offline"),
    ],
)
def test_a_reader_that_may_not_be_opened(
    run: Callable[..., None], refusal: int, error: type[DeviceError], reason: str
) -> None:
    async def scene(reader: SdtReader, _simulator: SdtSimulator, controller: Any) -> None:
        controller.refusal = refusal
        with pytest.raises(error) as caught:
            await reader.read(timeout_seconds=2)
        assert caught.value.reason == reason
        assert PORT in str(caught.value)

    run(scene)


WRONG = [
    ("usb://0001:0002", "bulk", "bulk", DeviceAbsent, "device_absent"),
    ("usb://reader", "bulk", "bulk", DeviceAbsent, "bad_address"),
    (PORT, "mute", "bulk", HardwareFault, "wrong_device"),
    (PORT, "bulk", "two_pipe", HardwareFault, "wrong_device"),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong[1]} {wrong[4]}")
def test_what_is_no_such_reader(run: Callable[..., None], wrong: tuple[str, str, str, type[DeviceError], str]) -> None:
    port, shape, framing, error, reason = wrong

    async def scene(reader: SdtReader, _simulator: SdtSimulator, _controller: Any) -> None:
        with pytest.raises(error) as caught:
            await reader.read(timeout_seconds=2)
        assert caught.value.reason == reason
        assert port in str(caught.value)

    run(scene, shape, port=port, framing=framing)


def test_without_libusb_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usb.backend.libusb1, "get_backend", lambda: None)

    async def scene() -> None:
        reader = SdtReader(SdtReader.Options(port=PORT))
        with pytest.raises(DeviceAbsent, match=r"libusb-1\.0-0") as caught:
            await reader.read(timeout_seconds=1)
        assert caught.value.reason == "library_missing"
        await reader.close()

    asyncio.run(scene())
