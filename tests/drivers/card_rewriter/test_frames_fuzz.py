"""Frames and chips, whole and damaged."""

from __future__ import annotations

import random

import pytest

from drivers.card_rewriter.chip import BODY_AT, HEAD, SLOT_BYTES, ChipState, Slot, dump_slot, parse_head, parse_slot
from drivers.card_rewriter.commands import IDENTITY, UnitStatus
from drivers.card_rewriter.frames import LONGEST_PAYLOAD, Control, Frame, FrameParser, encode
from drivers.card_rewriter.simulator.cards import Memory
from drivers.card_rewriter.simulator.unit import SimulatedUnit
from drivers.errors import HardwareFault, MediaError
from tests.drivers.card_rewriter.scenes import JOB

STATE = ChipState("C00000001", "林测试").endorsed(JOB)


def test_a_frame_is_as_the_protocol_says() -> None:
    assert _crc(b"123456789") == 0x29B1, "the check value of CRC-16/CCITT-FALSE"
    assert encode(Frame(0x2A, ord("S"))).hex() == f"0200022a5303{_crc(bytes.fromhex('00022a5303')):04x}"
    with pytest.raises(ValueError, match="512"):
        encode(Frame(0, 0, bytes(LONGEST_PAYLOAD + 1)))


def _crc(data: bytes) -> int:
    """Polynomial 1021, start FFFF, bit by bit."""
    check = 0xFFFF
    for byte in data:
        check ^= byte << 8
        for _ in range(8):
            check = (check << 1 ^ (0x1021 if check & 0x8000 else 0)) & 0xFFFF
    return check


def test_frames_come_out_of_any_pieces_with_noise_between_them() -> None:
    chance = random.Random(1901)
    frames = [Frame(n, ord("R"), chance.randbytes(n)) for n in range(0, 60, 7)]
    stream = b"".join(b"\x99\xaa" + encode(frame) + b"\x06" for frame in frames)
    for _ in range(50):
        parser, heard, rest = FrameParser(), [], stream
        while rest:
            size = chance.randint(1, 40)
            heard += parser.feed(rest[:size])
            rest = rest[size:]
        assert [item for item in heard if isinstance(item, Frame)] == frames
        assert heard.count(Control.ACK) == len(frames)


def _mutated(chance: random.Random) -> bytes:
    raw = bytearray(encode(Frame(chance.randrange(256), chance.randrange(256), chance.randbytes(chance.randrange(40)))))
    for _ in range(chance.randint(1, 3)):
        match chance.randrange(4):
            case 0:
                raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
            case 1:
                del raw[chance.randrange(len(raw)) :]
            case 2:
                raw[chance.randrange(len(raw) + 1) : 0] = chance.randbytes(chance.randrange(6))
            case 3:
                raw += raw[: chance.randrange(len(raw) + 1)]
        if not raw:
            raw = bytearray(b"\x02")
    return bytes(raw)


def _survives(seed: int, rounds: int) -> None:
    """After whatever came, a good frame is heard within the time of one longest frame."""
    chance = random.Random(seed)
    parser = FrameParser()
    good = Frame(7, ord("V"), IDENTITY)
    for _ in range(rounds):
        for _ in range(chance.randrange(5)):
            parser.feed(_mutated(chance))
            assert len(parser._buffer) <= LONGEST_PAYLOAD + 16
        parser.clear()
        assert good in parser.feed(encode(good))


def test_mutated_frames_break_nothing() -> None:
    _survives(1902, 2000)


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_a_million_mutated_frames() -> None:
    _survives(1903, 500_000)


def test_a_bit_that_turned_is_always_found() -> None:
    raw = encode(Frame(1, ord("W"), bytes(range(20))))
    for position in range(len(raw) * 8):
        turned = bytearray(raw)
        turned[position // 8] ^= 1 << position % 8
        heard = FrameParser().feed(bytes(turned) + bytes(600))
        assert not any(isinstance(item, Frame) for item in heard)


def test_a_slot_is_what_was_written_or_nothing() -> None:
    head, body = dump_slot(STATE, 5)
    parsed = parse_head(head)
    assert parsed is not None
    assert parse_slot(1, parsed, body) == Slot(1, 5, STATE)
    for size in range(len(body)):
        assert parse_slot(1, parsed, body[:size] + bytes(len(body) - size)) is None
    older = dump_slot(ChipState("C00000001", "林测试"), 4)[0]
    for size in range(1, 14):  # a head written in part over the one that was there
        torn = parse_head(head[:size] + older[size:])
        assert torn is None or torn == parse_head(older) or parse_slot(1, torn, body[: torn.size]) is None


def test_no_chip_breaks_the_reading() -> None:
    chance = random.Random(1904)
    head, body = dump_slot(STATE, 1)
    image = bytearray((head + body).ljust(SLOT_BYTES, b"\x00"))
    for _ in range(3000):
        damaged = bytearray(image)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(HEAD.size + len(body))
            damaged[place if place < HEAD.size else place - HEAD.size + BODY_AT] = chance.randrange(256)
        parsed = parse_head(bytes(damaged[:BODY_AT]))
        if parsed is not None and damaged != image:
            assert parse_slot(0, parsed, bytes(damaged[BODY_AT : BODY_AT + parsed.size])) is None


def test_a_chip_of_another_layout_is_no_permit() -> None:
    import struct
    import zlib

    body = b'{"n":1}'
    check = zlib.crc32(struct.pack(">IH", 1, len(body)) + body)
    parsed = parse_head(struct.pack(">4sIHI", b"YZEC", 1, len(body), check))
    assert parsed is not None
    with pytest.raises(MediaError) as caught:
        parse_slot(0, parsed, body)
    assert caught.value.reason == "wrong_card_type"


def test_a_full_chip_is_refused_before_anything_is_written() -> None:
    state = STATE
    with pytest.raises(MediaError) as caught:
        for number in range(100):
            dump_slot(state, number)
            state = state.endorsed(JOB)
    assert caught.value.reason == "chip_full"
    assert len(state.endorsements) > 8


def test_a_status_is_six_known_bytes() -> None:
    status = SimulatedUnit(Memory(), {"head_hot", "cover_open"}).status()
    assert UnitStatus.parse(status.dump()) == status
    for bad in (b"", bytes(5), bytes(7), b"\x09" + bytes(5), bytes(5) + b"\xff"):
        with pytest.raises(HardwareFault):
            UnitStatus.parse(bad)
