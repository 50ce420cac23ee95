"""Whatever the line brings: packets within their ranges, nothing kept, always back in step."""

from __future__ import annotations

import random

import pytest

from drivers.signature_pad.isdv4 import ANSWER_BYTES, PacketParser, Panel, PenPacket, encode_panel, encode_pen
from drivers.signature_pad.pen import PenTrack

PANEL = Panel(x=12_000, y=8_000, pressure=1023, firmware=0x132)


def mutated(chance: random.Random, x: int) -> bytes:
    packet = PenPacket(x, 4000, chance.randrange(1024), is_near=True, is_down=chance.random() < 0.9)
    data = bytearray(encode_panel(PANEL) if chance.random() < 0.02 else encode_pen(packet))
    if chance.random() < 0.5:
        return bytes(data)
    at = chance.randrange(len(data))
    match chance.randrange(5):
        case 0:
            data[at] ^= 1 << chance.randrange(8)
        case 1:
            del data[at]
        case 2:
            data[at:at] = chance.randbytes(chance.randrange(20))
        case 3:
            del data[at:]
        case _:
            return chance.randbytes(chance.randrange(40))
    return bytes(data)


def run(rounds: int, seed: int) -> int:
    chance = random.Random(seed)
    parser, track = PacketParser(), PenTrack(PANEL, 10, 10)
    points = 0
    for number in range(rounds):
        before = parser.damaged
        for packet in parser.feed(mutated(chance, 1000 + number % 9000)):
            if isinstance(packet, Panel):
                continue
            assert 0 <= packet.x < 1 << 16
            assert 0 <= packet.y < 1 << 16
            assert 0 <= packet.pressure < 1 << 10
            for stroke in track.take(packet, number * 0.0075):
                points += len(stroke.points)
                assert all(-10 <= point.x_mm <= 110 and 0 <= point.pressure <= 1 for point in stroke.points)
        track.lose(parser.damaged - before)
        assert len(parser._held) < ANSWER_BYTES
        if number % 500 == 0:
            points += sum(len(stroke.points) for stroke in track.lift())
    whole = PenPacket(5000, 4000, 10, is_near=True, is_down=True)
    assert whole in parser.feed(encode_pen(whole) * 2), "it did not find its way again"
    return points


def test_mutated_packets_end_as_points_or_nothing() -> None:
    assert run(20_000, seed=5) > 5_000


@pytest.mark.campaign
def test_a_million_mutated_packets() -> None:
    assert run(1_000_000, seed=6) > 100_000
