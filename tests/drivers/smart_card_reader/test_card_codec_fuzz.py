"""Whatever a chip answers: a card, or a `MediaError`; never a crash, never an endless conversation."""

from __future__ import annotations

import random

import pytest

from drivers.errors import DeviceError, MediaError
from drivers.messages import SocialSecurityCard
from drivers.smart_card_reader import apdu
from drivers.smart_card_reader.session import CardSession
from drivers.smart_card_reader.simulator.card import VirtualCard
from drivers.smart_card_reader.simulator.samples import CARDS
from drivers.watch import Watch

NAMES = list(CARDS)


class MutatingChip:
    """A good card behind a bad line: bits turn, bytes are lost, doubled or made up, status words change."""

    atr = b"\x3b\x00"

    def __init__(self, card: VirtualCard, chance: random.Random) -> None:
        self._card = card
        self._chance = chance
        self.asked = 0

    def transmit(self, command: bytes, _seconds: float) -> bytes:
        self.asked += 1
        assert self.asked < 20_000, "the conversation does not end"
        assert apdu.is_command(command)
        answer = bytearray(self._card.answer(command))
        match self._chance.randrange(12):
            case 0 if answer:
                answer[self._chance.randrange(len(answer))] ^= 1 << self._chance.randrange(8)
            case 1:
                del answer[self._chance.randrange(len(answer) + 1) :]
            case 2:
                answer[:0] = self._chance.randbytes(self._chance.randrange(8))
            case 3:
                answer[-2:] = self._chance.choice([b"\x61\x00", b"\x6c\x10", b"\x61\xff", b"\x6f\x00", b"\x63\xc0"])
            case 4 if self._chance.random() < 0.2:
                answer = bytearray(self._chance.randbytes(self._chance.randrange(300)))
        return bytes(answer)

    def is_held(self) -> bool:
        return True

    def release(self) -> None:
        self._card.power_off()


def _converse(seed: int) -> tuple[bool, int]:
    """Whether a card came out of it, and after how many answers."""
    chance = random.Random(seed)
    chip = MutatingChip(VirtualCard(CARDS[chance.choice(NAMES)], set()), chance)
    session = CardSession(chip)
    session.begin(Watch(60))
    try:
        return isinstance(session.read_profile(), SocialSecurityCard), chip.asked
    except MediaError as error:
        refusal = error.reason
    assert refusal in {"protocol_error", "wrong_card_type", "wrong_issuer", "pin_needed", "read_failed"}
    return False, chip.asked


def test_no_answer_breaks_the_reading_of_a_card() -> None:
    outcomes = [_converse(seed)[0] for seed in range(1500)]
    assert 0 < sum(outcomes) < len(outcomes)


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_a_million_mutated_answers() -> None:
    answers, seed = 0, 1_000_000
    while answers < 1_000_000:
        seed += 1
        answers += _converse(seed)[1]


def test_raw_answers_and_commands() -> None:
    chance = random.Random(1907)
    for _ in range(5000):
        raw = chance.randbytes(chance.randrange(40))
        assert isinstance(apdu.is_command(raw), bool)
        try:
            assert apdu.split(raw).raw == raw
        except DeviceError as error:
            assert error.reason == "protocol_error"  # noqa: PT017 - both ends are right


@pytest.mark.parametrize(
    "command",
    ["00", "00A40400", "00B2010400", "00A40400027378", "0084000008", "00A4000002EF05", "00820004100000"],
)
def test_lengths_of_commands(command: str) -> None:
    assert apdu.is_command(bytes.fromhex(command)) == (command not in ("00", "00820004100000"))


def test_after_6c_the_same_command_is_sent_with_the_right_length_and_61_is_fetched() -> None:
    said: list[str] = []
    answers = iter(["6C12", "6104", "0102030490" + "00"])

    def transmit(command: bytes) -> bytes:
        said.append(command.hex().upper())
        return bytes.fromhex(next(answers))

    assert apdu.exchange(transmit, apdu.read_record(1, 0x2C, 0)).data == bytes.fromhex("01020304")
    assert said == ["00B2012C00", "00B2012C12", "00C0000004"]


def test_an_answer_without_end_is_given_up() -> None:
    with pytest.raises(MediaError, match="does not end"):
        apdu.exchange(lambda _: b"\x00" * 250 + b"\x61\xff", b"\x00\xb2\x01\x04\x00")


def test_a_write_is_never_sent_twice() -> None:
    sent: list[bytes] = []

    def transmit(command: bytes) -> bytes:
        sent.append(command)
        return b"\x6c\x05"

    assert apdu.exchange_once(transmit, apdu.update_record(1, 4, b"\x0c\x01\x00")).status == 0x6C05
    assert len(sent) == 1
