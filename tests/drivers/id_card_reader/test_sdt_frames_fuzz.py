"""Frames of the SDT protocol bent at random: no exception, no hoarding, and a good frame behind the damage is found."""

from __future__ import annotations

import random

import pytest

from drivers.id_card_reader.sdt.frames import (
    ANSWER_HEAD_BYTES,
    LONGEST_LENGTH,
    PREAMBLE,
    FrameParser,
    encode_answer,
)

GOOD = encode_answer(0x9F, b"good")


def bent(chance: random.Random) -> bytes:
    frame = bytearray(encode_answer(chance.randrange(256), chance.randbytes(chance.choice((0, 4, 8, 70, 300)))))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(frame))
        match chance.randrange(4):
            case 0:
                frame[at] ^= 1 << chance.randrange(8)
            case 1:
                del frame[at : at + chance.randint(1, 8)]
            case 2:
                frame[at:at] = chance.randbytes(chance.randint(1, 8))
            case _:
                frame[at:at] = PREAMBLE
        if not frame:
            frame += PREAMBLE
    return bytes(frame)


def campaign(frames: int, seed: int) -> None:
    """Eight bits of checksum believe a bent frame in 256, which may hold the first bytes of the good one behind."""
    swallowed = 0
    chance = random.Random(seed)
    parser = FrameParser(ANSWER_HEAD_BYTES)
    for number in range(frames):
        stream = bent(chance)
        cut = chance.randrange(len(stream) + 1)
        for chunk in (stream[:cut], stream[cut:]):
            for frame in parser.feed(chunk):
                assert len(frame.head) == ANSWER_HEAD_BYTES
                assert len(frame.data) <= LONGEST_LENGTH
            assert 1 <= parser.wanted <= LONGEST_LENGTH + len(PREAMBLE) + 2
        if number % 20 == 0:  # what never becomes whole is given up, and what lies behind it is found
            found = [*parser.feed(GOOD), *parser.settle()]
            if not any(frame.data == b"good" for frame in found):
                assert found, "a good frame was lost, and nothing believed in its place"
                swallowed += 1
                found = [*parser.feed(GOOD), *parser.settle()]
            assert any(frame.data == b"good" for frame in found)
            parser.reset()
    assert swallowed <= frames / 20 / 100


def test_a_sample_of_bent_frames() -> None:
    campaign(4_000, seed=1901)


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_a_million_bent_frames() -> None:
    campaign(1_000_000, seed=1902)
