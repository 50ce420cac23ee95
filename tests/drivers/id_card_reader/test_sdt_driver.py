"""The driver against its peer, on a pseudo-terminal and on TCP: every card, every misfortune the peer can be told."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

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
from drivers.id_card_reader.photo import pack_sample_photo
from drivers.id_card_reader.sdt import SdtReader
from drivers.id_card_reader.simulator import SdtSimulator
from drivers.id_card_reader.simulator.cards import load_cards
from drivers.id_card_reader.simulator.module import SAM_ID
from drivers.messages import DeviceState, IdCard

TRANSPORTS = ["pty", "tcp"]
CARDS = load_cards()

Test = Callable[[SdtReader, SdtSimulator], Awaitable[None]]


async def play(test: Test, *, transport: str = "pty", reader: dict[str, Any] | None = None, **simulator: str) -> None:
    peer = SdtSimulator(transport=transport, **simulator)
    device = SdtReader(SdtReader.Options(port=await peer.start(), **reader or {}))
    try:
        await test(device, peer)
    finally:
        await device.close()
        await peer.stop()


def run(test: Test, **options: Any) -> None:
    asyncio.run(play(test, **options))


async def all_at_once(scenes: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Misfortunes are mostly waited out: each has its own reader and peer, and a few run side by side."""
    few = asyncio.Semaphore(4)

    async def in_turn(scene: Coroutine[Any, Any, None]) -> None:
        async with few:
            await scene

    async with asyncio.TaskGroup() as group:
        for scene in scenes:
            group.create_task(in_turn(scene))


def expected(name: str) -> IdCard:
    return CARDS[name].fields.model_copy(update={"sam_id": SAM_ID, "photo": CARDS[name].photo})


def same(card: IdCard, name: str) -> bool:
    """The nation's name is no field of a sample card: it follows from its code."""
    return card.model_copy(update={"nation": None}) == expected(name)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 5.0) -> None:
    ends_at = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < ends_at, "the condition was not met in time"
        await asyncio.sleep(0.01)


def test_every_sample_card_is_read() -> None:
    async def scene(device: SdtReader, peer: SdtSimulator) -> None:
        for name in CARDS:
            await peer.order("place", name)
            assert same(await device.read(timeout_seconds=5), name)

    asyncio.run(all_at_once(play(scene, transport=transport) for transport in TRANSPORTS))


PASSING = ["noise", "split", "corrupt_once", "truncated_once", "refused_once", "slow", "no_sam", "moved", "slow_read"]
LASTING: list[tuple[str, type[DeviceError], str]] = [
    ("select_refused", MediaError, "select_failed"),
    ("read_failed", MediaError, "read_failed"),
    ("two_cards", MediaError, "select_failed"),
    ("sam_auth_failed", MediaError, "sam_auth_failed"),
    ("wrong_card_type", MediaError, "wrong_card_type"),
    ("decode_failed", MediaError, "decode_failed"),
    ("moved_too_soon", MediaError, "moved_too_soon"),
    ("find_failed", HardwareFault, "unknown_error"),
    ("self_test_failed", HardwareFault, "self_test_failed"),
    ("not_authorised", HardwareFault, "not_authorised"),
    ("silent", DeviceOffline, "device_offline"),
    ("endless", HardwareFault, "wrong_device"),
    ("wrong_device", HardwareFault, "wrong_device"),
]


def test_no_misfortune_is_forgotten() -> None:
    assert {*PASSING, *(fault for fault, *_ in LASTING), "card_left"} == SdtSimulator.faults


def test_passing_misfortunes_are_survived() -> None:
    async def survive(fault: str, transport: str) -> None:
        async def scene(device: SdtReader, peer: SdtSimulator) -> None:
            await peer.order("fault", fault)
            card = await device.read(timeout_seconds=8)
            assert same(card.model_copy(update={"sam_id": SAM_ID}), "aydin"), fault
            assert card.new_address == "福建省厦门市思明区测试路2号", fault
            assert card.sam_id == (None if fault == "no_sam" else SAM_ID), fault

        await play(scene, transport=transport, card="aydin")

    asyncio.run(all_at_once(survive(fault, transport) for fault in PASSING for transport in TRANSPORTS))


def test_lasting_misfortunes_are_named() -> None:
    async def suffer(transport: str, fault: str, error: type[DeviceError], reason: str) -> None:
        async def scene(device: SdtReader, peer: SdtSimulator) -> None:
            await peer.order("fault", fault)
            begun_at = time.monotonic()
            with pytest.raises(error) as caught:
                await device.read(timeout_seconds=10)
            assert (fault, type(caught.value), caught.value.reason) == (fault, error, reason)
            assert time.monotonic() - begun_at < 10, f"{fault} was not named before the caller's limit"
            assert str(CARDS["aydin"].fields.name) not in str(caught.value)
            status = await device.status()
            passes = error is MediaError or fault == "find_failed"  # the module itself says that it is well
            assert [found.code for found in status.faults] == ([] if passes else [reason])
            assert status.is_fit == passes, fault
            await peer.order("clear")
            await peer.order("place", "aydin")
            assert same(await device.read(timeout_seconds=6), "aydin"), fault
            assert (await device.status()).faults == ()

        await play(scene, transport=transport, card="aydin")

    asyncio.run(all_at_once(suffer(transport, *misfortune) for misfortune in LASTING for transport in TRANSPORTS))


def test_no_misfortune_outlasts_the_limit() -> None:
    async def outlast(fault: str) -> None:
        async def scene(device: SdtReader, peer: SdtSimulator) -> None:
            await peer.order("fault", fault)
            begun_at = time.monotonic()
            with pytest.raises(DeviceError):
                await device.read(timeout_seconds=1.0)
            assert time.monotonic() - begun_at < 8, fault

        await play(scene)

    asyncio.run(all_at_once(outlast(fault) for fault in ("silent", "endless", "wrong_device", "noise")))


def test_a_card_laid_down_later_is_noticed_soon() -> None:
    async def scene(device: SdtReader, peer: SdtSimulator) -> None:
        reading = asyncio.create_task(device.read(timeout_seconds=8))
        await until(lambda: is_media(device, "not_present"))
        await peer.order("place", "lin")
        laid_at = time.monotonic()
        await reading
        assert time.monotonic() - laid_at < 6

    run(scene)


async def is_media(device: SdtReader, word: str) -> bool:
    return (await device.status()).parts["media"] == word


def test_no_card_is_a_time_out() -> None:
    async def scene(device: SdtReader, _peer: SdtSimulator) -> None:
        with pytest.raises(CommandTimedOut) as caught:
            await device.read(timeout_seconds=0.8)
        assert caught.value.reason == "no_card"
        assert (await device.status()).is_fit

    run(scene)


def test_removal_is_three_misses_and_a_left_card_is_told() -> None:
    async def scene(device: SdtReader, peer: SdtSimulator) -> None:
        await device.read(timeout_seconds=5)
        status = await device.status()
        assert (status.parts["media"], status.parts["removal_pending"]) == ("present", "yes")
        with pytest.raises(CommandTimedOut) as caught:
            await device.wait_removal(timeout_seconds=0.9)
        assert caught.value.reason == "card_left"
        await peer.order("remove")
        await device.wait_removal(timeout_seconds=3)
        status = await device.status()
        assert (status.parts["media"], status.parts["removal_pending"]) == ("not_present", "no")

    run(scene, card="ouyang")


def test_a_card_left_in_the_field_is_seen_until_it_goes() -> None:
    async def scene(device: SdtReader, peer: SdtSimulator) -> None:
        await peer.order("fault", "card_left")
        await device.read(timeout_seconds=5)
        await peer.order("remove")
        with pytest.raises(CommandTimedOut) as caught:
            await device.wait_removal(timeout_seconds=0.9)
        assert caught.value.reason == "card_left"
        await peer.order("clear")
        await peer.order("remove")
        await device.wait_removal(timeout_seconds=5)

    run(scene, card="lin")


def test_status_before_anything_was_asked() -> None:
    async def scene(device: SdtReader, _peer: SdtSimulator) -> None:
        status = await device.status()
        assert status.device is DeviceState.ONLINE
        assert status.parts == {
            "media": "unknown", "sam": "ok", "portrait_decoder": "missing", "removal_pending": "no",
        }  # fmt: skip
        capabilities = await device.capabilities()
        assert capabilities.serial == SAM_ID
        assert "portrait_decode" not in capabilities.features
        assert "new_address" in capabilities.features

    run(scene)


@pytest.mark.parametrize("fault", ["no_sam", "silent"])
def test_status_is_quick_whatever_the_module_does(fault: str) -> None:
    async def scene(device: SdtReader, peer: SdtSimulator) -> None:
        await peer.order("fault", fault)
        begun_at = time.monotonic()
        assert (await device.status()).is_fit == (fault == "no_sam")
        assert time.monotonic() - begun_at < 8

    run(scene)


def test_status_while_reading_comes_from_memory() -> None:
    async def scene(device: SdtReader, peer: SdtSimulator) -> None:
        reading = asyncio.create_task(device.read(timeout_seconds=5))
        await asyncio.sleep(0)
        begun_at = time.monotonic()
        assert (await device.status()).device in (DeviceState.BUSY, DeviceState.UNKNOWN)
        assert time.monotonic() - begun_at < 3
        with pytest.raises(DeviceBusy):
            await device.read()
        await peer.order("place", "lin")
        await reading

    run(scene)


def test_a_cancelled_read_frees_the_reader_at_once() -> None:
    async def scene(device: SdtReader, peer: SdtSimulator) -> None:
        reading = asyncio.create_task(device.read(timeout_seconds=30))
        await until(lambda: is_media(device, "not_present"))
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await peer.order("place", "lin")
        assert same(await device.read(timeout_seconds=2), "lin")

    run(scene)


def test_wiping_takes_back_a_running_read() -> None:
    async def scene(device: SdtReader, _peer: SdtSimulator) -> None:
        reading = asyncio.create_task(device.read(timeout_seconds=30))
        await until(lambda: is_media(device, "not_present"))
        await device.wipe()
        with pytest.raises(CommandCancelled):
            await reading
        await device.wipe()

    run(scene)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_unplugged_while_reading_and_plugged_in_again(transport: str, tmp_path: Path) -> None:
    async def scene() -> None:
        options = {"transport": transport, "link": str(tmp_path / "reader")}
        peer = SdtSimulator(card="lin", baud="9600", **options)
        address = await peer.start()
        options["tcp_port"] = address.rpartition(":")[2] if transport == "tcp" else "0"
        device = SdtReader(SdtReader.Options(port=address))
        reading = asyncio.create_task(device.read(timeout_seconds=10))
        await until(lambda: is_media(device, "present"))
        stopped_at = time.monotonic()
        await peer.stop()
        with pytest.raises(DeviceOffline) as caught:
            await reading
        assert caught.value.reason == "unplugged"
        assert time.monotonic() - stopped_at < 4
        assert (await device.status()).device in (DeviceState.OFFLINE, DeviceState.NO_DEVICE)
        with pytest.raises((DeviceAbsent, DeviceOffline)):
            await device.read(timeout_seconds=2)
        peer = SdtSimulator(card="lin", **options)
        assert await peer.start() == address
        assert same(await device.read(timeout_seconds=5), "lin")
        await device.close()
        await peer.stop()

    asyncio.run(scene())


def test_ports_that_are_no_reader(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no device", encoding="utf-8")
    ports = {
        str(tmp_path / "absent"): (DeviceAbsent, "device_absent", DeviceState.NO_DEVICE),
        str(tmp_path / "file"): (DeviceAbsent, "not_a_serial_port", DeviceState.NO_DEVICE),
        str(tmp_path): (DeviceAbsent, "not_a_serial_port", DeviceState.NO_DEVICE),
        "nonsense://there": (DeviceAbsent, "not_a_serial_port", DeviceState.NO_DEVICE),
        "socket://127.0.0.1": (DeviceAbsent, "bad_address", DeviceState.NO_DEVICE),
        "socket://127.0.0.1:99999": (DeviceAbsent, "bad_address", DeviceState.NO_DEVICE),
        "socket://127.0.0.1:9": (DeviceOffline, "device_offline", DeviceState.OFFLINE),
    }

    async def scene() -> None:
        for port, (error, reason, state) in ports.items():
            device = SdtReader(SdtReader.Options(port=port))
            with pytest.raises(error) as caught:
                await device.read(timeout_seconds=1)
            assert (port, caught.value.reason) == (port, reason)
            assert port in str(caught.value)
            assert (await device.status()).device is state
            await device.close()
            await device.close()
            with pytest.raises(DeviceOffline):
                await device.read()

    asyncio.run(scene())


def test_a_port_held_by_another_is_busy() -> None:
    async def scene(device: SdtReader, _peer: SdtSimulator) -> None:
        await device.status()
        second = SdtReader(SdtReader.Options(port=device._options.port))
        with pytest.raises(DeviceBusy) as caught:
            await second.read(timeout_seconds=1)
        assert caught.value.reason == "port_busy"
        await second.close()

    run(scene)


def test_a_portrait_reaches_the_screen(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.linear_gradient("L").save(stream, "PNG")
    (tmp_path / "lin.png").write_bytes(stream.getvalue())

    async def scene(device: SdtReader, peer: SdtSimulator) -> None:
        card = await device.read(timeout_seconds=5)
        assert card.photo == pack_sample_photo(stream.getvalue())
        portrait = await device.decode_photo(card.photo)
        assert portrait is not None
        with Image.open(io.BytesIO(portrait)) as picture:
            assert picture.size == (102, 126)
        await peer.order("place", "ouyang")
        without_picture = await device.read(timeout_seconds=5)
        assert without_picture.photo is not None
        assert await device.decode_photo(without_picture.photo) is None
        assert (await device.status()).parts["portrait_decoder"] == "ok"
        await peer.order("place", "lin")
        assert (await device.read(timeout_seconds=5, want_photo=False)).photo is None

    run(scene, card="lin", portraits=str(tmp_path), reader={"photo_decoder": "sample"})


def test_a_decoder_that_fails_costs_the_portrait_only() -> None:
    class Broken:
        def decode(self, photo: bytes) -> bytes | None:
            raise RuntimeError("licence")

    async def scene(device: SdtReader, _peer: SdtSimulator) -> None:
        device._decoder = Broken()
        assert await device.decode_photo(bytes(1024)) is None
        assert (await device.status()).parts["portrait_decoder"] == "inoperable"

    run(scene, reader={"photo_decoder": "sample"})


def test_the_peer_refuses_what_it_does_not_know() -> None:
    async def scene(_device: SdtReader, peer: SdtSimulator) -> None:
        for verb, argument in (("place", "nobody"), ("fault", "nothing"), ("dance", "")):
            with pytest.raises(ValueError, match="is called"):
                await peer.order(verb, argument)

    run(scene)
    with pytest.raises(ValueError, match="transport"):
        SdtSimulator(transport="pigeon")


def test_the_peer_answers_a_damaged_request_with_its_status() -> None:  # A-M5, A-S8
    async def scene() -> None:
        peer = SdtSimulator(transport="tcp")
        host, _, port = (await peer.start()).removeprefix("socket://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(bytes.fromhex("AA AA AA 96 69 00 03 20 01 21"))
        answer = await asyncio.wait_for(reader.readexactly(11), 2)
        assert answer == bytes.fromhex("AA AA AA 96 69 00 04 00 00 10 14")
        writer.write(bytes.fromhex("AA AA AA 96 69 00 04 20 01 00 25"))
        assert (await asyncio.wait_for(reader.readexactly(11), 2))[9] == 0x11
        writer.write(bytes.fromhex("AA AA AA 96 69 00 03 01 FF FD"))
        assert (await asyncio.wait_for(reader.readexactly(11), 2))[9] == 0x21
        writer.close()
        await writer.wait_closed()
        await peer.stop()

    asyncio.run(scene())


def test_the_peer_is_as_slow_as_its_line() -> None:
    async def scene(device: SdtReader, peer: SdtSimulator) -> None:
        await device.read(timeout_seconds=5)
        await peer.order("place", "lin")
        begun_at = time.monotonic()
        await device.read(timeout_seconds=5)
        assert time.monotonic() - begun_at >= 1380 * 10 / 19200

    run(scene, card="lin", baud="19200", reader={"baud_rate": 19200})
