"""Mutated ZVT bytes: no crash, no hang, no memory beyond the limits."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from drivers.payment_terminal.zvt_apdu import DATA_LIMIT, Apdu, ApduReader, NotZvt, decode
from drivers.payment_terminal.zvt_conversation import read_transaction
from drivers.payment_terminal.zvt_serial import FRAME_LIMIT, FrameReader, encode_frame

STATUS = bytes.fromhex("2700040000000012504901560C0938480D042522F1F15966666666D200212201000B0010018700012968000001")
SEEDS = [
    Apdu(b"\x04\x0f", STATUS).encode(),
    Apdu(b"\x06\x0f", bytes.fromhex("F0F0F7322E31342E313500")).encode(),
    Apdu(b"\x06\xd3", bytes(700)).encode(),
    Apdu(b"\x80\x00").encode(),
]


def mutated(generator: random.Random) -> bytes:
    data = bytearray(generator.choice(SEEDS))
    for _ in range(generator.randint(1, 6)):
        match generator.randint(0, 3):
            case 0 if data:
                data[generator.randrange(len(data))] = generator.randrange(256)
            case 1 if data:
                del data[generator.randrange(len(data)) :]
            case 2:
                data[generator.randrange(len(data) + 1) : 0] = generator.randbytes(generator.randint(1, 8))
            case _:
                data += generator.choice(SEEDS)[: generator.randint(1, 9)]
    return bytes(data)


def feed_all(count: int, seed: int) -> None:
    generator = random.Random(seed)
    serial, stream = FrameReader(), ApduReader()
    for _ in range(count):
        data = mutated(generator)
        with suppress(NotZvt):
            decode(data)
        with suppress(NotZvt):
            read_transaction(data[3:])
        try:
            stream.feed(data)
        except NotZvt:
            stream = ApduReader()
        assert len(stream._pending) <= DATA_LIMIT + 16
        serial.feed(data if generator.random() < 0.5 else encode_frame(data)[: generator.randint(1, 2000)])
        assert serial._frame is None or len(serial._frame) <= FRAME_LIMIT + 1
    good = SEEDS[0]
    assert good in FrameReader().feed(encode_frame(good))


def test_a_sample_of_mutated_frames() -> None:
    feed_all(4_000, 20261122)


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_a_million_mutated_frames() -> None:
    feed_all(1_000_000, 7)
