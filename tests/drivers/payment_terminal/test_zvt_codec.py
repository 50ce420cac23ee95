"""ZVT frames and fields against bytes that terminals and registers of others have sent (see README.md)."""

from __future__ import annotations

import pytest

from drivers.payment_terminal.zvt_apdu import (
    Apdu,
    ApduReader,
    NotZvt,
    bcd,
    decode,
    encode_fields,
    from_bcd,
    parse_fields,
    software_and_status,
)
from drivers.payment_terminal.zvt_conversation import read_transaction
from drivers.payment_terminal.zvt_serial import FrameReader, Signal, crc16, encode_frame

SERIAL_VECTORS = [
    "10 02 80 00 00 10 03 F5 1F",
    "10 02 06 70 00 10 03 D9 F9",
    "10 02 84 9C 00 10 03 C3 41",
    "10 02 06 18 00 10 03 56 3A",
    "10 02 06 0F 0B F0 F0 F7 32 2E 31 34 2E 31 35 00 10 03 B1 11",
]


@pytest.mark.parametrize("vector", SERIAL_VECTORS)
def test_serial_frames_of_others_are_read_and_written_alike(vector: str) -> None:
    frame = bytes.fromhex(vector)
    apdu = frame[2:-4]
    assert FrameReader().feed(frame) == [apdu]
    assert encode_frame(apdu) == frame


def test_the_checksum_is_the_known_one() -> None:
    assert crc16(b"123456789") == 0x2189


@pytest.mark.parametrize("cut", range(1, 24))
def test_frames_arrive_in_any_pieces(cut: int) -> None:
    apdu = Apdu(b"\x04\x0f", b"\x10\x02\x10\x03\x10" + bytes(range(16))).encode()
    stream = b"\x06" + encode_frame(apdu) + b"\x15"
    reader = FrameReader()
    heard = reader.feed(stream[:cut]) + reader.feed(stream[cut:])
    assert heard == [Signal.ACK, apdu, Signal.NAK]


@pytest.mark.parametrize("place", range(2, 12))
def test_one_turned_bit_is_noticed_and_the_next_frame_is_read(place: int) -> None:
    good = encode_frame(Apdu(b"\x06\x0f", b"\x27\x00\x0b\x00\x12\x34").encode())
    bad = bytearray(good)
    bad[place] ^= 0x20
    heard = FrameReader().feed(bytes(bad) + good + good)
    assert heard[-1] == good[2:-4]
    assert heard.count(good[2:-4]) <= 2


def test_noise_is_passed_over_and_counted() -> None:
    reader = FrameReader()
    assert reader.feed(b"login: \r\n") == []
    assert reader.noise == 9
    reader.feed(b"\x10\x02" + bytes(30_000))
    assert reader.feed(encode_frame(b"\x80\x00\x00"))[-1] == b"\x80\x00\x00"


@pytest.mark.parametrize("length", [0, 1, 254, 255, 256, 4000])
def test_lengths_of_one_and_of_three_bytes(length: int) -> None:
    apdu = Apdu(b"\x06\xd3", bytes(length))
    assert len(apdu.encode()) == length + (3 if length < 255 else 5)
    assert decode(apdu.encode()) == apdu
    assert ApduReader().feed(apdu.encode() * 2) == [apdu, apdu]


def test_a_long_length_counts_its_low_byte_first() -> None:
    assert Apdu(b"\x06\xd3", bytes(0x035D)).encode()[:5] == b"\x06\xd3\xff\x5d\x03"


@pytest.mark.parametrize("data", [b"HTTP/1.1 400", b"\x00", b"\x06\x0f\xff\xff\xff"])
def test_a_stream_that_is_no_zvt_is_refused_at_once(data: bytes) -> None:
    with pytest.raises(NotZvt):
        ApduReader().feed(data)


def test_a_status_information_of_a_real_terminal() -> None:
    """Fields in the order and with the lengths that terminals send: LLVAR in F-digits, packed BCD."""
    data = bytes.fromhex(
        "27 00 04 00 00 00 00 40 00 49 09 78 0C 09 38 48 0D 04 25 22 F1 F1 59 66 66 66 66 D2 00 21 22 01 00"
        "17 00 01 87 01 75 0B 61 39 95 29 60 09 99 14 0E 05 12"
    )
    told = read_transaction(data)
    assert (told.result, told.amount_fen, told.currency) == (0, 4000, 978)
    assert (told.receipt, told.trace, told.terminal_id) == (175, 613995, "60099914")
    assert "5966" not in repr(told)


@pytest.mark.parametrize(
    "data", ["27", "0400000000", "22F1", "22FFFF00", "220101", "06 83 00", "06 85", "27 00 04 00", "55 00", "3CF0F5AA"]
)
def test_fields_that_cannot_be_measured_are_refused_whole(data: str) -> None:
    with pytest.raises(NotZvt):
        read_transaction(bytes.fromhex(data))


def test_a_payment_without_its_numbers_is_no_payment() -> None:
    with pytest.raises(NotZvt):
        read_transaction(bytes.fromhex("2700040000000012500B001001"))
    with pytest.raises(NotZvt):
        read_transaction(bytes.fromhex("2700 04 0000000012FA 0B001001 870001"))
    assert read_transaction(bytes.fromhex("2705")).result == 5


def test_fields_are_written_as_they_are_read() -> None:
    fields = {0x04: bcd(1250, 6), 0x49: bcd(156, 2), 0x8B: b"UnionPay", 0x3C: bytes(300)}
    assert encode_fields(fields)[:10] == bytes.fromhex("04 000000001250 49 0156")
    assert parse_fields(encode_fields(fields)) == fields
    assert parse_fields(b"\x06\x82\x00\x02\xaa\xbb\x27\x00") == {0x06: b"\xaa\xbb", 0x27: b"\x00"}


def test_bcd_has_its_limits() -> None:
    assert from_bcd(bcd(999_999_999_999, 6)) == 999_999_999_999
    for number, length in ((1_000_000, 3), (-1, 3)):
        with pytest.raises(ValueError, match="does not fit"):
            bcd(number, length)
    with pytest.raises(NotZvt):
        from_bcd(b"\x1a")


def test_the_status_byte_stands_behind_the_software() -> None:
    assert software_and_status(bytes.fromhex("F0F0F7 322E31342E3135 00")) == 0
    assert software_and_status(bytes.fromhex("F0F0F1 31 DF")) == 0xDF
    assert software_and_status(b"\x9c") == 0x9C
    assert software_and_status(b"") is None
