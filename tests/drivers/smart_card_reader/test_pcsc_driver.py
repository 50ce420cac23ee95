"""The driver against virtual cards: presence, reading, the PIN, the caller's own commands, and a reader that fails."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from drivers.errors import (
    CommandTimedOut,
    ConsentRequired,
    DeviceAbsent,
    DeviceBusy,
    DeviceOffline,
    HardwareFault,
    MediaError,
    Unsupported,
)
from drivers.messages import CardInterface, DeviceState, SocialSecurityCard
from drivers.smart_card_reader.pcsc import PcscReader
from drivers.smart_card_reader.simulator.card import cryptogram_for
from drivers.smart_card_reader.simulator.samples import CARDS
from tests.drivers.smart_card_reader.scenes import PLACE, laid_again, play, reader_with, refused, until


def expected(name: str) -> SocialSecurityCard:
    sample = CARDS[name]
    birth = sample.birth_date
    return SocialSecurityCard(
        specification=f"{sample.generation}.00", identification_code=sample.identification.hex().upper(),
        area_code="350200", card_class=f"{sample.generation:02}", issued_on=dt.date(2020, 1, 1),
        expires_on=dt.date(2040, 1, 1), card_number=sample.card_number, social_security_number=sample.number,
        name=sample.name, sex=sample.sex, nation_code=sample.nation, birth_place=sample.birth_place,
        birth_date=dt.date(int(birth[:4]), int(birth[4:6]), int(birth[6:])),
    )  # fmt: skip


def test_cards_of_three_generations_are_read_whole() -> None:
    async def scene() -> None:
        async with reader_with("") as (reader, peer):
            for name in ("lin", "ouyang", "old", "long_name"):
                await peer.order("place", name)
                chip = await reader.wait_card(timeout_seconds=5)
                is_contact = CARDS[name].t0
                assert chip.interface is (CardInterface.CONTACT if is_contact else CardInterface.CONTACTLESS)
                assert await reader.read_profile() == expected(name)

    play(scene)


@pytest.mark.parametrize("fault", ["wrong_length", "strict_select", "old_select", "no_file_select", "slow", "flicker"])
def test_peculiar_cards_are_read_all_the_same(fault: str) -> None:
    async def scene() -> None:
        async with reader_with("ouyang", fault) as (reader, _):
            await reader.wait_card(timeout_seconds=5)
            assert await reader.read_profile() == expected("ouyang")

    play(scene)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("wrong_card", "wrong_card_type"),
        ("wrong_issuer", "wrong_issuer"),
        ("damaged_name", "read_failed"),
        ("garbage", "protocol_error"),
        ("pin_needed", "pin_needed"),
        ("pull_in_read", "removed"),
        ("mute", "power_failed"),
    ],
)
def test_what_a_card_refuses_is_named(fault: str, reason: str) -> None:
    async def scene() -> None:
        async with reader_with("lin", fault) as (reader, peer):
            await refused(reader.read_profile(), MediaError, reason)
            assert (await reader.status()).faults == ()  # the citizen's card, not the reader's fault
            await peer.order("clear")
            await peer.order("place", "lin")
            await reader.wait_card(timeout_seconds=5)
            assert await reader.read_profile() == expected("lin")

    play(scene)


def test_a_chip_torn_out_at_any_byte_leaves_an_error_and_a_usable_reader() -> None:
    async def scene() -> None:
        async with reader_with() as (reader, peer):
            for size in (1, 2, 25, 60, 100, 150):
                await peer.order("pull_at", str(size))
                await refused(reader.read_profile(), MediaError, "removed")
                await laid_again(reader, peer, "lin")
            assert (await reader.read_profile()).name == "林测试"

    play(scene)


def test_a_silent_chip_ends_within_the_limit_and_the_next_card_is_read() -> None:
    async def scene() -> None:
        async with reader_with("lin", "silent") as (reader, peer):
            await refused(reader.read_profile(timeout_seconds=0.5), MediaError, "chip_silent")
            await peer.order("clear")
            assert (await reader.read_profile()).sex == "1"

    play(scene)


def test_waiting_has_its_limits_and_reasons() -> None:
    async def scene() -> None:
        async with reader_with("") as (reader, peer):
            await refused(reader.wait_card(timeout_seconds=0.3), CommandTimedOut, "no_card")
            await refused(reader.read_profile(timeout_seconds=1), MediaError, "no_card")
            await reader.wait_removal(timeout_seconds=1)
            await peer.order("place", "lin")
            await reader.wait_card(timeout_seconds=5)
            assert (await reader.status()).parts["chip_power"] == "online"
            await refused(reader.wait_removal(timeout_seconds=0.3), CommandTimedOut, "card_left")
            await peer.order("remove")
            await reader.wait_removal(timeout_seconds=5)
            parts = (await reader.status()).parts
            assert (parts["media"], parts["chip_power"]) == ("not_present", "powered_off")

    play(scene)


def test_a_card_that_flickers_has_not_left() -> None:
    async def scene() -> None:
        async with reader_with() as (reader, peer):
            await reader.wait_card(timeout_seconds=5)
            leaving = asyncio.create_task(reader.wait_removal(timeout_seconds=5))
            await asyncio.sleep(0.1)
            await peer.order("fault", "flicker")
            assert not (await asyncio.wait({leaving}, timeout=0.8))[0]
            await peer.order("remove")
            await leaving

    play(scene)


def test_a_command_taken_back_ends_at_once_and_only_one_runs() -> None:
    async def scene() -> None:
        async with reader_with("") as (reader, _):
            waiting = asyncio.create_task(reader.wait_card(timeout_seconds=30))
            await until(lambda: _is_busy(reader))
            await refused(reader.read_profile(), DeviceBusy, "device_busy")
            waiting.cancel()
            begun = asyncio.get_running_loop().time()
            await asyncio.wait({waiting})
            assert asyncio.get_running_loop().time() - begun < 1.0
            assert waiting.cancelled()
            await refused(reader.wait_card(timeout_seconds=0.2), CommandTimedOut, "no_card")

    play(scene)


async def _is_busy(reader: PcscReader) -> bool:
    return (await reader.status()).device is DeviceState.BUSY


# --- the PIN ---------------------------------------------------------------------------------------------------------


def test_the_pin_opens_the_card_until_it_is_wiped() -> None:
    async def scene() -> None:
        async with reader_with("closed") as (reader, _):
            await refused(reader.read_profile(), MediaError, "pin_needed")
            assert (await reader.verify_pin(CARDS["closed"].pin)).accepted
            assert await reader.read_profile() == expected("closed")
            await reader.wipe()
            await refused(reader.read_profile(), MediaError, "pin_needed")

    play(scene)


def test_a_last_try_is_only_made_by_one_who_knows_and_a_blocked_card_is_left_alone() -> None:
    async def scene() -> None:
        async with reader_with("closed") as (reader, peer):
            first = await reader.verify_pin("000000")
            assert (first.accepted, first.tries_left, first.blocked) == (False, 2, False)
            assert (await reader.verify_pin("000000")).tries_left == 1
            await refused(reader.verify_pin("000000"), ConsentRequired, "pin_last_try")
            assert peer.cards["closed"].tries == 1
            assert (await reader.verify_pin(CARDS["closed"].pin, last_try=True)).accepted
            assert peer.cards["closed"].tries == 3
            await peer.order("fault", "last_try")
            await peer.order("place", "closed")
            await reader.wait_card(timeout_seconds=5)
            gone = await reader.verify_pin("000000", last_try=True)
            assert (gone.accepted, gone.tries_left, gone.blocked) == (False, 0, True)
            assert (await reader.verify_pin(CARDS["closed"].pin, last_try=True)).blocked

    play(scene)


@pytest.mark.parametrize("pin", ["", "12345", "1234567", "12345a", "１２３４５６", "12 456"])
def test_what_is_no_pin_costs_no_try(pin: str) -> None:
    async def scene() -> None:
        async with reader_with("closed") as (reader, peer):
            with pytest.raises(MediaError) as caught:
                await reader.verify_pin(pin)
            assert caught.value.reason == "pin_format"
            assert not pin or pin not in str(caught.value)
            assert peer.cards["closed"].tries == 3

    play(scene)


# --- the caller's own commands ---------------------------------------------------------------------------------------


def test_own_commands_are_followed_but_neither_spend_tries_nor_write() -> None:
    async def scene() -> None:
        async with reader_with("ouyang") as (reader, peer):
            select = bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")
            assert (await reader.transmit(select))[-2:] == b"\x90\x00"
            assert await reader.transmit(bytes.fromhex("00B2012C12")) == (
                b"\x01\x10" + CARDS["ouyang"].identification + b"\x90\x00"
            )
            assert await reader.transmit(bytes.fromhex("00A4040002A000")) == b"\x6a\x82"
            for guarded, reason in (("0020000003000000", "pin_guarded"), ("00DC0634050C03350211", "write_guarded"),
                                    ("0024000000", "pin_guarded"), ("00D6000000", "write_guarded")):  # fmt: skip
                await refused(reader.transmit(bytes.fromhex(guarded)), Unsupported, reason)
            await refused(reader.transmit(b"\x00"), MediaError, "invalid_data")
            assert (peer.cards["ouyang"].tries, peer.cards["ouyang"].writes) == (3, 0)
            assert (await reader.read_profile()).name == "欧阳示范"  # whatever was selected before

    play(scene)


def test_a_key_module_in_the_centre_can_open_the_way_for_a_write() -> None:
    async def scene() -> None:
        async with reader_with("lin", "psam_missing") as (reader, _):
            assert (await reader.write_record(PLACE)).reason == "auth_needed"
            challenge = await reader.transmit(bytes.fromhex("0084000008"))
            answer = await reader.transmit(bytes.fromhex("0082000A10") + cryptogram_for(challenge[:-2]))
            assert answer == b"\x90\x00"
            written = await reader.write_record(PLACE.model_copy(update={"write_id": "w2"}))
            assert written.outcome == "written"

    play(scene)


# --- the reader ------------------------------------------------------------------------------------------------------


def test_a_reader_that_is_unplugged_is_told_and_used_again_without_a_restart() -> None:
    async def scene() -> None:
        async with reader_with() as (reader, peer):
            assert (await reader.read_profile()).sex == "1"
            waiting = asyncio.create_task(reader.wait_removal(timeout_seconds=20))
            await until(lambda: _is_busy(reader))
            await peer.order("fault", "unplugged")
            with pytest.raises((DeviceOffline, DeviceAbsent)):
                await waiting
            await until(lambda: _is(reader, DeviceState.NO_DEVICE))
            status = await reader.status()
            assert [fault.code for fault in status.faults] == ["device_absent"]
            assert (status.parts["media"], status.parts["chip_power"]) == ("unknown", "unknown")
            since = status.faults[0].since
            assert (await reader.status()).faults[0].since == since
            await peer.order("clear")
            await until(lambda: _is(reader, DeviceState.ONLINE))
            assert (await reader.read_profile()).sex == "1"

    play(scene)


async def _is(reader: PcscReader, state: DeviceState) -> bool:
    return (await reader.status()).device is state


@pytest.mark.parametrize("address", ["apdu://10.0.0.1:99", "apdu://127.0.0.1", "apdu://here:1", "apdu://127.0.0.1:x"])
def test_a_virtual_card_is_only_taken_from_this_machine(address: str) -> None:
    async def scene() -> None:
        reader = PcscReader(PcscReader.Options(reader=address))
        await refused(reader.wait_card(timeout_seconds=1), HardwareFault, "bad_address")
        assert (await reader.status()).faults[0].action == "configuration"
        await reader.close()

    play(scene)


def test_nobody_serves_there() -> None:
    async def scene() -> None:
        reader = PcscReader(PcscReader.Options(reader="apdu://127.0.0.1:1"))
        await refused(reader.read_profile(timeout_seconds=2), DeviceAbsent, "device_absent")
        await reader.close()
        await refused(reader.read_profile(timeout_seconds=2), DeviceOffline, "device_offline")
        assert (await reader.status()).device is DeviceState.NO_DEVICE

    play(scene)
