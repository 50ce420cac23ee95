"""Packets bent at random: no exception, no hoarding, and a good packet behind the damage is found."""

from __future__ import annotations

import random

import pytest

from drivers.fingerprint_reader.packets import LONGEST_LENGTH, Kind, PacketParser, encode

GOOD = encode(Kind.ANSWER, b"\0good")


def bent(chance: random.Random) -> bytes:
    packet = bytearray(encode(chance.choice(list(Kind)), chance.randbytes(chance.randint(1, 128))))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(packet))
        match chance.randrange(4):
            case 0:
                packet[at] ^= 1 << chance.randrange(8)
            case 1:
                del packet[at : at + chance.randint(1, 8)]
            case 2:
                packet[at:at] = chance.randbytes(chance.randint(1, 8))
            case _:
                packet[at:at] = b"\xef\x01\xff\xff\xff\xff"
        if not packet:
            packet += b"\xef"
    return bytes(packet)


def campaign(frames: int, seed: int) -> None:
    chance = random.Random(seed)
    parser = PacketParser()
    for number in range(frames):
        stream = bent(chance)
        cut = chance.randrange(len(stream) + 1)
        for chunk in (stream[:cut], stream[cut:]):
            for packet in parser.feed(chunk):
                assert 1 <= len(packet.content) <= LONGEST_LENGTH
        assert parser.held <= 9 + LONGEST_LENGTH
        if number % 50 == 0:  # what lies behind the longest false beginning is always found
            found = parser.feed(bytes(LONGEST_LENGTH + 9) + GOOD)
            assert any(packet.content == b"\0good" for packet in found)


def test_a_sample_of_bent_packets() -> None:
    campaign(5_000, seed=1901)


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_a_million_bent_packets() -> None:
    campaign(1_000_000, seed=1902)
