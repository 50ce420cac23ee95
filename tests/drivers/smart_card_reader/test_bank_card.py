"""A bank card's number, read by the card's own directory; whatever a chip answers, a `MediaError`."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable

import pytest

from drivers.errors import MediaError
from drivers.messages import BankCard
from drivers.smart_card_reader import apdu, bank_card
from drivers.smart_card_reader.session import CardSession
from drivers.smart_card_reader.simulator.bank import BANK_CARDS, VirtualBankCard
from drivers.smart_card_reader.simulator.card import VirtualCard
from drivers.smart_card_reader.simulator.samples import CARDS
from drivers.watch import Watch
from tests.drivers.smart_card_reader.scenes import laid_again, play, reader_with, refused

REASONS = {"read_failed", "no_bank_application", "bank_application_blocked", "protocol_error"}
LIN = BankCard(number=BANK_CARDS["bank_lin"].number, expires_on=dt.date(2040, 12, 31))


Change = Callable[[bytes, bytes], bytes]


class Chip:
    """A card without a reader: `change` may turn each answer into another."""

    atr = b"\x3b\x00"

    def __init__(self, card: VirtualBankCard | VirtualCard, change: Change | None = None) -> None:
        self._card, self._change = card, change
        self.commands: list[bytes] = []

    def transmit(self, command: bytes, _seconds: float) -> bytes:
        assert apdu.is_command(command)
        self.commands.append(command)
        assert len(self.commands) < 5000, "the conversation does not end"
        answer = self._card.answer(command)
        return answer if self._change is None else self._change(command, answer)

    def is_held(self) -> bool:
        return True

    def release(self) -> None:
        self._card.power_off()


def session_with(chip: Chip) -> CardSession:
    session = CardSession(chip)
    session.begin(Watch(60))
    return session


def test_the_driver_reads_the_number_and_the_social_card_after_it() -> None:
    async def scene() -> None:
        async with reader_with("bank_lin") as (reader, peer):
            await reader.wait_card(timeout_seconds=10)
            assert await reader.read_bank_card() == LIN
            await refused(reader.read_profile(), MediaError, "wrong_card_type")
            await peer.order("remove")
            await laid_again(reader, peer, "lin")
            assert (await reader.read_profile()).name == "林测试"
            await refused(reader.read_bank_card(), MediaError, "no_bank_application")
            assert (await reader.read_profile()).name == "林测试"

    play(scene)


def test_a_card_pulled_out_is_told_and_read_when_it_is_back() -> None:
    async def scene() -> None:
        async with reader_with("bank_lin", "pull_in_read") as (reader, peer):
            await reader.wait_card(timeout_seconds=10)
            await refused(reader.read_bank_card(), MediaError, "removed")
            await laid_again(reader, peer, "bank_lin")
            assert await reader.read_bank_card() == LIN

    play(scene)


def test_no_pin_is_tried_and_no_payment_is_begun() -> None:
    chip = Chip(VirtualBankCard(BANK_CARDS["bank_lin"], set()))
    assert session_with(chip).read_bank_card() == LIN
    said = {command[1] for command in chip.commands}
    assert said == {0xA4, 0xB2, 0xA8}  # neither VERIFY nor GENERATE AC (AE)
    options = next(command for command in chip.commands if command[1] == 0xA8)
    assert options.hex() == "80a800000e830c" + "20000000" + "00" * 8 + "00"


def test_nothing_of_the_number_is_said_or_shown() -> None:
    assert LIN.number not in repr(LIN)
    assert LIN.last_digits == f"****{LIN.number[-4:]}"
    for spoilt in ({"damaged_name"}, {"wrong_card"}, {"application_blocked"}):
        with pytest.raises(MediaError) as caught:
            session_with(Chip(VirtualBankCard(BANK_CARDS["bank_lin"], spoilt))).read_bank_card()
        assert LIN.number not in f"{caught.value!r} {caught.value}"


def test_a_number_that_only_track_two_gives_is_taken_from_there() -> None:
    """Contactless cards answer GET PROCESSING OPTIONS with everything (format 2), and have no records to read."""
    track = bytes.fromhex(LIN.number + "D4012220" + "F0")

    def contactless(command: bytes, answer: bytes) -> bytes:
        if command[1] == 0xA8:
            return bytes((0x77, len(track) + 2, 0x57, len(track))) + track + b"\x90\x00"
        return answer

    chip = Chip(VirtualBankCard(BANK_CARDS["bank_lin"], {"no_directory"}), contactless)
    assert session_with(chip).read_bank_card() == BankCard(number=LIN.number, expires_on=dt.date(2040, 12, 28))
    assert [bank_card.UNIONPAY in command for command in chip.commands if command[1] == 0xA4][-1]


@pytest.mark.parametrize(
    "found",
    [
        {},
        {bank_card.NUMBER: [bytes.fromhex("6200190102030011")]},  # its last digit is wrong
        {bank_card.NUMBER: [bytes.fromhex("620019")]},
        {bank_card.NUMBER: [bytes.fromhex("62001901020A0010")]},
    ],
)
def test_what_is_no_number_is_refused(found: bank_card.Items) -> None:
    with pytest.raises(MediaError) as caught:
        bank_card.decode(found)
    assert caught.value.reason == "read_failed"


@pytest.mark.parametrize("data", ["5A", "5A05", "9F", "9F80", "5A8300000101", "5A8201"])
def test_what_is_cut_off_is_refused(data: str) -> None:
    with pytest.raises(MediaError):
        bank_card.parse(bytes.fromhex(data))


def test_no_answer_breaks_the_reading_of_a_card() -> None:
    chance = random.Random(1907)

    def spoil(_command: bytes, answer: bytes) -> bytes:
        spoilt = bytearray(answer)
        match chance.randrange(10):
            case 0 if spoilt:
                spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(8)
            case 1:
                del spoilt[chance.randrange(len(spoilt) + 1) :]
            case 2:
                spoilt[-2:] = chance.choice([b"\x61\x00", b"\x6c\x10", b"\x6a\x83", b"\x90\x00"])
        return bytes(spoilt)

    read = 0
    for _ in range(1500):
        try:
            card = session_with(Chip(VirtualBankCard(BANK_CARDS["bank_lin"], set()), spoil)).read_bank_card()
            read += card.number == LIN.number
        except MediaError as error:
            assert error.reason in REASONS  # noqa: PT017 - both ends are right
    assert 0 < read < 1500


def test_every_sample_of_a_bank_card_checks() -> None:
    assert {name.removeprefix("bank_") for name in BANK_CARDS} == set(CARDS)
    for sample in BANK_CARDS.values():
        chip = Chip(VirtualBankCard(sample, set()))
        assert session_with(chip).read_bank_card().number == sample.number
