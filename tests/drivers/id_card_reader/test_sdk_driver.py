"""Readers behind a vendor's library: a real shared library of each family, built here, that misbehaves as told."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

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
from drivers.id_card_reader.sdk import SdkReader
from drivers.id_card_reader.sdk.library import SealedLibrary
from drivers.id_card_reader.simulator.cards import load_cards
from drivers.id_card_reader.simulator.vendor_library import Vendor, build
from drivers.messages import DeviceState, FaultAction

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc to build the vendor's library")

FAMILIES = ["sdtapi", "termb"]
CARDS = load_cards()
SAM_ID = "05.01-20141127-0000123456-1234567890"
ADDRESS = "福建省厦门市思明区测试路2号"
NOT_ALLOWED = "#sha256=" + "0" * 64
VECTORS = {
    "lin": "0297de1ea84cc3536e09538de616d839f633ae08b0718d829506233225a0596a",
    "ouyang": "e007834338b879c57ef1d446f5527346835405dde4c588070a08cec3bfb9d42a",
    "chen": "d4c520157484687d9bd39d9e243d274f7db6259b858c724fa0ec19f2323482c0",
}
Scene = Callable[[SdkReader], Awaitable[None]]


@pytest.fixture(params=FAMILIES)
def vendor(request: pytest.FixtureRequest, tmp_path: Path) -> Vendor:
    return build(tmp_path, request.param)


@pytest.fixture
def sdtapi(tmp_path: Path) -> Vendor:
    return build(tmp_path, "sdtapi")


@pytest.fixture
def termb(tmp_path: Path) -> Vendor:
    return build(tmp_path, "termb")


def play(vendor: Vendor, scene: Scene, **options: Any) -> None:
    async def stage() -> None:
        reader = SdkReader(
            SdkReader.Options.model_validate({"library": vendor.address, "poll_interval_seconds": 0.1, **options})
        )
        try:
            await scene(reader)
        finally:
            await reader.close()

    asyncio.run(stage())


def fails(vendor: Vendor, error: type[DeviceError], reason: str, **options: Any) -> None:
    async def scene(reader: SdkReader) -> None:
        with pytest.raises(error) as caught:
            await reader.read(timeout_seconds=6)
        assert (type(caught.value), caught.value.reason) == (error, reason)
        for value in (CARDS["lin"].fields.name, CARDS["lin"].fields.id_number, CARDS["lin"].fields.address):
            assert str(value) not in str(caught.value)

    play(vendor, scene, **options)


@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_are_read_as_over_the_wire(
    vendor: Vendor, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    assert hashlib.sha256(CARDS[name].text).hexdigest() == VECTORS[name]
    vendor.place(CARDS[name])

    async def scene(reader: SdkReader) -> None:
        card = await reader.read(timeout_seconds=5)
        expected = CARDS[name].fields.model_copy(
            update={"sam_id": SAM_ID, "photo": CARDS[name].photo, "nation": card.nation}
        )
        assert card == expected
        capabilities = await reader.capabilities()
        assert ("new_address" in capabilities.features) == (vendor.family == "sdtapi")
        assert {"presence", "sam_id", "photo"} <= capabilities.features

    play(vendor, scene)
    assert list(here.iterdir()) == [], "the library wrote a citizen to disk"
    assert not {"SDT_ReadBaseMsgToFile", "CVR_Read_Content"} & set(vendor.calls())


def test_the_last_of_several_new_addresses_is_taken(sdtapi: Vendor) -> None:
    sdtapi.place(CARDS["lin"], "".join(each.ljust(35) for each in ("福建省厦门市旧路1号", ADDRESS)).encode("utf-16-le"))

    async def scene(reader: SdkReader) -> None:
        assert (await reader.read(timeout_seconds=5)).new_address == ADDRESS

    play(sdtapi, scene)


def test_no_card_is_a_time_out_and_a_card_laid_later_is_read(vendor: Vendor) -> None:
    async def scene(reader: SdkReader) -> None:
        with pytest.raises(CommandTimedOut) as caught:
            await reader.read(timeout_seconds=0.5)
        assert caught.value.reason == "no_card"
        assert (await reader.status()).is_fit
        reading = asyncio.create_task(reader.read(timeout_seconds=10))
        await asyncio.sleep(0)
        with pytest.raises(DeviceBusy):
            await reader.read()
        vendor.place(CARDS["ouyang"])
        assert (await reading).valid_until is None

    play(vendor, scene)


def test_removal_is_seen_although_a_read_card_is_not_found_again(vendor: Vendor) -> None:
    vendor.place(CARDS["lin"])

    async def scene(reader: SdkReader) -> None:
        await reader.read(timeout_seconds=5)
        assert (await reader.status()).parts["removal_pending"] == "yes"
        with pytest.raises(CommandTimedOut) as caught:
            await reader.wait_removal(timeout_seconds=0.8)
        assert caught.value.reason == "card_left"
        vendor.remove()
        await reader.wait_removal(timeout_seconds=5)
        status = await reader.status()
        assert (status.parts["media"], status.parts["removal_pending"]) == ("not_present", "no")

    play(vendor, scene)


def test_a_library_that_cannot_tell_presence_does_not_say_so(tmp_path: Path) -> None:
    vendor = build(tmp_path, "termb", "WITHOUT_PRESENCE")

    async def scene(reader: SdkReader) -> None:
        assert "presence" not in (await reader.capabilities()).features
        await reader.read(timeout_seconds=5)
        await reader.wait_removal(timeout_seconds=5)

    vendor.place(CARDS["lin"])
    play(vendor, scene)


SDTAPI_CODES: list[tuple[str, type[DeviceError], str]] = [
    ("SDT_OpenPort 1", DeviceAbsent, "device_absent"),
    ("SDT_OpenPort 77", HardwareFault, "unknown_status"),
    ("SDT_StartFindIDCard 1", DeviceOffline, "unplugged"),
    ("SDT_StartFindIDCard 77", HardwareFault, "unknown_status"),
    ("SDT_StartFindIDCard 0", HardwareFault, "unknown_status"),
    ("SDT_StartFindIDCard -1", HardwareFault, "unknown_status"),
    ("SDT_StartFindIDCard 96", HardwareFault, "self_test_failed"),
    ("SDT_SelectIDCard 129", MediaError, "select_failed"),
    ("SDT_SelectIDCard 0", HardwareFault, "unknown_status"),
    ("SDT_ReadBaseMsg 65", MediaError, "read_failed"),
    ("SDT_ReadBaseMsg 50", MediaError, "sam_auth_failed"),
    ("SDT_ReadBaseMsg 64", MediaError, "wrong_card_type"),
    ("SDT_ReadBaseMsg 128", MediaError, "moved_too_soon"),
    ("SDT_ReadBaseMsg 102", HardwareFault, "not_authorised"),
    ("SDT_ReadBaseMsg 145", MediaError, "read_failed"),
    ("SDT_ReadBaseMsg 200", HardwareFault, "unknown_status"),
]
TERMB_CODES: list[tuple[str, type[DeviceError], str]] = [
    ("CVR_InitComm 2", DeviceAbsent, "device_absent"),
    ("CVR_InitComm 3", DeviceAbsent, "library_missing"),
    ("CVR_InitComm 4", HardwareFault, "unknown_status"),
    ("CVR_Authenticate 0", DeviceOffline, "unplugged"),
    ("CVR_Authenticate 3", MediaError, "select_failed"),
    ("CVR_Authenticate 9", HardwareFault, "unknown_status"),
    ("CVR_ReadBaseMsg 0", MediaError, "read_failed"),
    ("CVR_ReadBaseMsg 99", HardwareFault, "unknown_error"),
    ("CVR_ReadBaseMsg 144", HardwareFault, "unknown_status"),
]


def test_every_code_has_its_meaning_and_an_unknown_one_is_a_failure(vendor: Vendor) -> None:
    vendor.place(CARDS["lin"])
    for knob, error, reason in SDTAPI_CODES if vendor.family == "sdtapi" else TERMB_CODES:
        call, code = knob.split()
        vendor.befall(f"{call} code {code}")
        fails(vendor, error, reason)


@pytest.mark.parametrize(
    ("knob", "error", "reason"),
    [
        ("short", MediaError, "decode_failed"),
        ("long", HardwareFault, "library_misbehaves"),
        ("overrun", HardwareFault, "library_misbehaves"),
    ],
)
def test_what_does_not_fit_its_buffer_is_never_a_card(
    vendor: Vendor, knob: str, error: type[DeviceError], reason: str
) -> None:
    vendor.place(CARDS["lin"])
    vendor.befall(f"{'SDT' if vendor.family == 'sdtapi' else 'CVR'}_ReadBaseMsg {knob}")
    fails(vendor, error, reason)


def test_after_a_fault_the_reader_is_opened_anew(sdtapi: Vendor) -> None:
    sdtapi.place(CARDS["lin"])

    async def scene(reader: SdkReader) -> None:
        sdtapi.befall("SDT_StartFindIDCard code 1")
        with pytest.raises(DeviceOffline):
            await reader.read(timeout_seconds=2)
        sdtapi.befall("SDT_OpenPort code 1")
        status = await reader.status()
        assert status.device is DeviceState.NO_DEVICE
        assert [(fault.code, fault.action) for fault in status.faults] == [
            ("device_absent", FaultAction.CONFIGURATION)
        ]  # fmt: skip
        sdtapi.befall()
        assert (await reader.read(timeout_seconds=5)).name == "林测试"
        assert (await reader.status()).faults == ()

    play(sdtapi, scene)


def test_status_does_not_wait_for_a_slow_library(sdtapi: Vendor) -> None:
    sdtapi.befall("SDT_GetSAMStatus slow 3000")

    async def scene(reader: SdkReader) -> None:
        begun_at = time.monotonic()
        assert (await reader.status()).device is DeviceState.STARTING
        assert time.monotonic() - begun_at < 2.5
        sdtapi.befall()
        ends_at = time.monotonic() + 10
        while (await reader.status()).device is not DeviceState.ONLINE:
            assert time.monotonic() < ends_at
            await asyncio.sleep(0.02)

    play(sdtapi, scene)


def test_wiping_takes_back_a_running_read(vendor: Vendor) -> None:
    async def scene(reader: SdkReader) -> None:
        reading = asyncio.create_task(reader.read(timeout_seconds=30))
        await asyncio.sleep(0)
        await reader.wipe()
        with pytest.raises(CommandCancelled):
            await reading

    play(vendor, scene)


def test_a_taken_back_read_frees_the_reader(vendor: Vendor) -> None:
    async def scene(reader: SdkReader) -> None:
        reading = asyncio.create_task(reader.read(timeout_seconds=30))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        vendor.place(CARDS["lin"])
        assert (await reader.read(timeout_seconds=5)).name == "林测试"

    play(vendor, scene)


def refuses(library: str, error: type[DeviceError], reason: str, **options: Any) -> None:
    with pytest.raises(error) as caught:
        SdkReader(SdkReader.Options.model_validate({"library": library, **options}))
    assert (library, caught.value.reason) == (library, reason)


def test_only_the_allowed_file_is_loaded(sdtapi: Vendor, tmp_path: Path) -> None:
    refuses(f"{sdtapi.library}{NOT_ALLOWED}", Unsupported, "library_not_allowed")
    refuses(f"{tmp_path / 'absent.so'}{NOT_ALLOWED}", DeviceAbsent, "library_missing")
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, "/dev/zero", tmp_path / "fifo"):
        refuses(f"{path}{NOT_ALLOWED}", Unsupported, "library_not_allowed")
    for address in (str(sdtapi.library), f"{sdtapi.library}#sha256=", "relative.so" + NOT_ALLOWED):
        with pytest.raises(ValidationError):
            SdkReader.Options(library=address)
    assert sdtapi.calls() == []


def test_a_file_put_in_its_place_after_the_check_is_not_loaded(tmp_path: Path) -> None:
    """Its constructor would hang: the checked bytes are loaded, wherever the path leads by then."""
    vendor = build(tmp_path, "sdtapi")
    vendor.place(CARDS["lin"])

    async def scene(reader: SdkReader) -> None:
        build(tmp_path, "sdtapi", "HANGS_AT_LOADING")
        assert (await reader.read(timeout_seconds=5)).name == "林测试"

    play(vendor, scene)


def test_the_checked_bytes_cannot_be_changed(sdtapi: Vendor) -> None:
    sealed = SealedLibrary(sdtapi.address)
    for change in (lambda: os.write(sealed._fd, b"x"), lambda: os.ftruncate(sealed._fd, 0)):
        with pytest.raises(PermissionError):
            change()
    with pytest.raises(OSError, match=r"."), open(f"/proc/self/fd/{sealed._fd}", "r+b", buffering=0) as again:  # noqa: PTH123
        again.write(b"x")


def test_a_library_for_another_machine_or_family_says_so(sdtapi: Vendor, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.so"
    foreign.write_bytes(b"\x7fELF" + bytes(200) + b"\0SDT_OpenPort\0")
    fails(Vendor("sdtapi", foreign, tmp_path), Unsupported, "library_unfit")
    fails(sdtapi, Unsupported, "library_unfit", family="termb")
    foreign.write_bytes(b"\x7fELF" + bytes(200))
    refuses(Vendor("none", foreign, tmp_path).address, Unsupported, "library_unfit")


def test_a_library_finds_its_companion_among_the_checked_ones(tmp_path: Path) -> None:
    companion = build(tmp_path, "is_companion", name="libcompanion.so")
    vendor = build(tmp_path, "sdtapi", "COMPANION", beside=(companion.library,))
    vendor.place(CARDS["lin"])
    fails(vendor, Unsupported, "library_unfit")

    async def scene(reader: SdkReader) -> None:
        assert (await reader.read(timeout_seconds=5)).name == "林测试"

    play(vendor, scene, companions=[companion.address])
    refuses(vendor.address, Unsupported, "library_not_allowed", companions=[f"{companion.library}{NOT_ALLOWED}"])
