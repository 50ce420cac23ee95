"""Answers and command streams damaged at random: no crash, no growth without end, and never more answers than bytes."""

from __future__ import annotations

import random

import pytest

from drivers.receipt_printer.health import read_automatic, read_mouth
from drivers.receipt_printer.replies import BLOCK_LIMIT, ReplyKind, ReplyReader
from drivers.receipt_printer.simulator.stream import CommandStream

SAMPLE = 20_000
CAMPAIGN = 1_000_000
FRAMES = (
    b"\x12", b"\x1a", b"\x00", b"\x03", b"\x10\x00\x00\x00", b"\x38\x40\x0f\x00", b"\x37\x25\x00", b"\x5fTM\x00",
    b"\x10\x0f\x20\x00\x00\x00",
)  # fmt: skip
COMMANDS = (
    b"\x1b@", b"\x1da\x0e", b"\x1dv0\x00\x02\x00\x03\x00ABCDEF", b"\x1c&\xb0\xec\x1c.\n", b"\x1dV\x41\x00",
    b"\x1de\x03\x08", b"\x1d(k\x03\x001C\x06", b"\x1dr\x01", b"\x10\x04\x01",
)  # fmt: skip


def mutated(chance: random.Random, frames: tuple[bytes, ...]) -> bytes:
    data = bytearray(b"".join(chance.choices(frames, k=chance.randint(1, 4))))
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0 if place < len(data):
                data[place] = chance.randrange(256)
            case 1:
                data[place:place] = chance.randbytes(chance.randint(1, 5))
            case 2 if len(data) > 1:
                del data[place : place + 1]
            case _:
                data[place:] = data[place:] * 2
    return bytes(data)


def play(rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    reader = ReplyReader(presenter=True)
    stream = CommandStream()
    for number in range(rounds):
        data = mutated(chance, FRAMES)
        before = reader.noise
        replies = reader.feed(data)
        assert sum(len(reply.data) for reply in replies) <= len(data) + BLOCK_LIMIT
        assert reader.noise >= before
        for reply in replies:
            if reply.kind is ReplyKind.AUTOMATIC:
                read_automatic(reply.data)
            elif reply.kind is ReplyKind.PRESENTER:
                read_mouth(read_automatic(b"\x10\x00\x00\x00"), reply.data)
        stream.feed(mutated(chance, COMMANDS))
        if number % 100 == 99:  # a length made huge would swallow all that follows, as on a real printer
            reader.give_up()
            stream.reset()


def test_damaged_bytes_never_break_the_readers() -> None:
    play(SAMPLE, 20261122)


@pytest.mark.campaign
def test_a_million_damaged_frames_never_break_the_readers() -> None:
    play(CAMPAIGN, 4)


def test_noise_is_counted_and_answers_are_not_noise() -> None:
    reader = ReplyReader(presenter=True)
    reader.feed(b"".join(FRAMES) + b"\x11\x13")
    assert reader.noise == 0
    reader.feed(b"\xff\x80\x31")
    assert reader.noise == 3
    reader.feed(b"\x10\x00\x10\x00\x00\x00")  # an automatic status cut off by the next one
    assert reader.noise == 5
    reader.feed(b"\x5fTM")
    reader.give_up()
    assert reader.noise == 8
