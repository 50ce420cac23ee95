"""The serial driver against its peer: armed input, misfortunes, secrets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from drivers.code_scanner.serial_line import SerialScanner
from drivers.code_scanner.simulator import SerialScannerSimulator
from drivers.errors import (
    CommandCancelled,
    CommandTimedOut,
    DeviceAbsent,
    DeviceBusy,
    DeviceError,
    DeviceOffline,
    HardwareFault,
    MediaError,
    Unsupported,
)
from drivers.messages import CodePurpose, DeviceState, ScannedCode, Symbology

CODE = "6901234567892"
LONG = 20.0
Test = Callable[[SerialScanner, SerialScannerSimulator], Awaitable[None]]


def run(test: Test, *, scanner: dict[str, Any] | None = None, **simulator: str) -> None:
    async def scene() -> None:
        peer = SerialScannerSimulator(**simulator)
        device = SerialScanner(SerialScanner.Options(port=await peer.start(), **scanner or {}))
        try:
            await test(device, peer)
        finally:
            await device.close()
            await peer.stop()

    asyncio.run(scene())


def reading(device: SerialScanner, seconds: float = LONG, **wish: Any) -> asyncio.Task[ScannedCode]:
    return asyncio.create_task(device.read(purpose=CodePurpose.PAYER_CODE, timeout_seconds=seconds, **wish))


async def fails(work: Awaitable[Any], kind: type[DeviceError], reason: str) -> DeviceError:
    with pytest.raises(kind) as caught:
        await work
    assert caught.value.reason == reason
    return caught.value


async def listening(peer: SerialScannerSimulator, task: asyncio.Task[ScannedCode], times: int = 1) -> None:
    """Until the driver has armed the scanner with its trigger command."""
    ends_at = time.monotonic() + LONG
    while peer.commands.count(b"\x16T\r") < times:
        assert time.monotonic() < ends_at
        assert not task.done(), task
        await asyncio.sleep(0.005)


TRIGGER = {"arm_hex": "16540d", "disarm_hex": "16550d"}


@pytest.mark.parametrize("suffix", ["cr", "lf", "crlf", "gap"])
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_codes_of_every_ending_and_character_set(suffix: str, encoding: str) -> None:
    async def test(device: SerialScanner, peer: SerialScannerSimulator) -> None:
        task = reading(device)
        await listening(peer, task)
        await peer.order("scan", "https://yizhan.example/林晓㐀?n=1")
        assert (await task).text == "https://yizhan.example/林晓㐀?n=1"

    run(test, scanner={"suffix": suffix, "encoding": encoding, **TRIGGER}, suffix=suffix, encoding=encoding)


def test_what_came_before_the_read_is_dropped() -> None:
    async def test(device: SerialScanner, peer: SerialScannerSimulator) -> None:
        await device.status()
        await peer.order("scan", "OLD-CODE-OF-THE-CITIZEN-BEFORE")
        task = reading(device)
        await listening(peer, task)
        await peer.order("scan", CODE)
        assert (await task).text == CODE

    run(test, scanner=TRIGGER)


def test_the_rest_of_a_code_on_its_way_is_no_code() -> None:
    async def test(device: SerialScanner, peer: SerialScannerSimulator) -> None:
        await device.status()
        peer.put(b"690123")
        task = reading(device)
        for piece in (b"45", b"67", b"892\r"):
            await asyncio.sleep(0.01)
            peer.put(piece)
        await listening(peer, task)
        await peer.order("scan", "NEXT")
        assert (await task).text == "NEXT"

    run(test, scanner=TRIGGER)


def test_of_a_burst_the_first_is_given_and_the_rest_is_gone() -> None:
    async def test(device: SerialScanner, peer: SerialScannerSimulator) -> None:
        for number in (1, 2):
            task = reading(device)
            await listening(peer, task, number)
            peer.put(f"FIRST-{number}\rSECOND\rTHIRD\r".encode())
            assert (await task).text == f"FIRST-{number}"

    run(test, scanner=TRIGGER)


def test_a_code_in_pieces_is_one_code() -> None:
    async def test(device: SerialScanner, peer: SerialScannerSimulator) -> None:
        task = reading(device)
        await listening(peer, task)
        for piece in (b"6901", b"2345", b"67892", b"\r"):
            peer.put(piece)
            await asyncio.sleep(0.01)
        assert (await task).text == CODE

    run(test, scanner={**TRIGGER, "gap_seconds": 2.0})


def test_the_kind_is_known_by_its_prefix_and_kept() -> None:
    async def test(device: SerialScanner, peer: SerialScannerSimulator) -> None:
        assert {"symbology", "qr", "code_128"} <= (await device.capabilities()).features
        await peer.order("place", CODE)
        assert (await reading(device, symbologies=(Symbology.QR,))) == ScannedCode(symbology=Symbology.QR, text=CODE)
        await fails(reading(device, symbologies=(Symbology.CODE_128,)), MediaError, "wrong_symbology")

    run(test, scanner={"aim_prefix": True}, symbology="qr")


def test_without_a_prefix_the_kind_is_unknown_and_said_so() -> None:
    async def test(device: SerialScanner, peer: SerialScannerSimulator) -> None:
        assert "symbology" not in (await device.capabilities()).features
        await peer.order("place", CODE)
        assert (await reading(device, symbologies=(Symbology.QR,))).symbology is Symbology.UNKNOWN

    run(test)


def test_the_pattern_covers_the_whole_text() -> None:
    async def test(device: SerialScanner, peer: SerialScannerSimulator) -> None:
        await peer.order("place", CODE)
        assert (await reading(device, pattern=r"\d{13}")).text == CODE
        await fails(reading(device, pattern=r"\d{12}"), MediaError, "pattern_mismatch")
        await fails(reading(device, pattern="("), Unsupported, "pattern_wrong")
        await fails(reading(device, pattern="x" * 501), Unsupported, "pattern_wrong")

    run(test)


def test_nothing_shown_ends_in_time_and_the_next_read_works() -> None:
    async def test(device: SerialScanner, peer: SerialScannerSimulator) -> None:
        await fails(reading(device, 0.2), CommandTimedOut, "timed_out")
        await peer.order("place", CODE)
        assert (await reading(device)).text == CODE
        assert (await device.status()).device is DeviceState.ONLINE

    run(test)


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        ("wrong_code", MediaError, "pattern_mismatch"),
        ("partial", MediaError, "barcode_invalid"),
        ("garbled", MediaError, "barcode_invalid"),
        ("endless", HardwareFault, "wrong_device"),
    ],
)
def test_misfortunes_are_named_and_pass(fault: str, kind: type[DeviceError], reason: str) -> None:
    async def test(device: SerialScanner, peer: SerialScannerSimulator) -> None:
        await peer.order("place", CODE)
        await peer.order("fault", fault)
        error = await fails(reading(device, pattern=r"\d{13}"), kind, reason)
        assert not any(digit in str(error) for digit in "0123456789")
        assert ((await device.status()).device is DeviceState.ONLINE) == (fault != "endless")
        await peer.order("clear")
        ends_at = time.monotonic() + LONG
        while not (await device.status()).is_fit:
            assert time.monotonic() < ends_at
        assert (await reading(device, pattern=r"\d{13}")).text == CODE

    run(test)


def test_unplugged_while_waiting_and_back_again() -> None:
    async def test(device: SerialScanner, peer: SerialScannerSimulator) -> None:
        task = reading(device)
        await listening(peer, task)
        await peer.order("fault", "unplug")
        await fails(task, DeviceOffline, "unplugged")
        status = await device.status()
        assert status.device is DeviceState.NO_DEVICE
        assert [fault.code for fault in status.faults] == ["device_absent"]
        await fails(reading(device), DeviceAbsent, "device_absent")
        await peer.order("clear")
        await peer.order("place", CODE)
        assert (await reading(device)).text == CODE
        assert (await device.status()).faults == ()

    run(test, scanner=TRIGGER)


def test_unplugged_and_plugged_in_between_two_reads_is_not_noticed() -> None:
    async def test(device: SerialScanner, peer: SerialScannerSimulator) -> None:
        await peer.order("place", CODE)
        assert (await reading(device)).text == CODE
        await peer.order("fault", "unplug")
        await peer.order("clear")
        assert (await reading(device)).text == CODE

    run(test)


def test_a_read_taken_back_switches_the_scanner_off_and_frees_it() -> None:
    async def test(device: SerialScanner, peer: SerialScannerSimulator) -> None:
        task = reading(device, 600)
        await listening(peer, task)
        await fails(reading(device), DeviceBusy, "device_busy")
        assert (await device.status()).device is DeviceState.BUSY
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await peer.order("place", CODE)
        assert (await reading(device)).text == CODE
        await asyncio.sleep(0)
        assert bytes(peer.commands).startswith(b"\x16T\r\x16U\r\x16T\r")

    run(test, scanner=TRIGGER)


def test_a_wipe_takes_the_read_back() -> None:
    async def test(device: SerialScanner, peer: SerialScannerSimulator) -> None:
        task = reading(device, 600)
        await listening(peer, task)
        await device.wipe()
        await fails(task, CommandCancelled, "cancelled")
        await device.wipe()

    run(test, scanner=TRIGGER)


def test_a_closed_scanner_says_so_and_frees_its_port() -> None:
    async def test(device: SerialScanner, peer: SerialScannerSimulator) -> None:
        await device.status()
        other = SerialScanner(SerialScanner.Options(port=device._source._options.port))  # type: ignore[attr-defined]
        assert [fault.code for fault in (await other.status()).faults] == ["port_busy"]
        await device.close()
        await device.close()
        await device.wipe()
        await fails(reading(device), DeviceOffline, "device_offline")
        assert (await other.status()).device is DeviceState.ONLINE
        await other.close()

    run(test)


def test_no_code_is_ever_logged(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)

    async def test(device: SerialScanner, peer: SerialScannerSimulator) -> None:
        await peer.order("place", "134567890123456789")
        await reading(device)
        await fails(reading(device, pattern="A"), MediaError, "pattern_mismatch")
        assert "134567890123456789" not in repr(await device.status())

    run(test)
    assert "134567890123456789" not in caplog.text
    assert "134567890123456789" not in "".join(capfd.readouterr())


def test_every_knob_is_tried() -> None:
    tried = {"wrong_code", "partial", "garbled", "endless", "unplug"}
    elsewhere = {"burst", "silent"}
    assert tried | elsewhere == SerialScannerSimulator.faults
