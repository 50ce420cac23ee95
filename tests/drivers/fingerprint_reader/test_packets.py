"""The packet codec against the manuals' own bytes, and against everything a line can do to them."""

from __future__ import annotations

import pytest

from drivers.fingerprint_reader.packets import LONGEST_LENGTH, Kind, Packet, PacketParser, encode

GEN_IMG = bytes.fromhex("EF01 FFFFFFFF 01 0003 01 0005")  # ZFM manual, capture: command and "no finger"
NO_FINGER = bytes.fromhex("EF01 FFFFFFFF 07 0003 02 000C")
VFY_PWD = bytes.fromhex("EF01 FFFFFFFF 01 0007 13 00000000 001B")  # R503 manual, 5.3
OK = bytes.fromhex("EF01 FFFFFFFF 07 0003 00 000A")


def fed(*chunks: bytes) -> list[Packet]:
    parser = PacketParser()
    return [packet for chunk in chunks for packet in parser.feed(chunk)]


def test_the_manuals_own_packets() -> None:
    assert encode(Kind.COMMAND, b"\x01") == GEN_IMG
    assert encode(Kind.COMMAND, b"\x13" + bytes(4)) == VFY_PWD
    assert encode(Kind.ANSWER, b"\x02") == NO_FINGER
    assert fed(OK) == [Packet(Kind.ANSWER, b"\0")]


def test_a_packet_cut_anywhere_is_one_packet() -> None:
    for cut in range(1, len(VFY_PWD)):
        assert fed(VFY_PWD[:cut], VFY_PWD[cut:]) == [Packet(Kind.COMMAND, VFY_PWD[9:-2])]
    assert len(fed(*(bytes([byte]) for byte in OK + NO_FINGER))) == 2


def test_noise_before_and_between_is_passed_over() -> None:
    packets = fed(b"\x55\xef" + OK + b"\xef\x01\xff" + NO_FINGER + b"\xef")
    assert [packet.content for packet in packets] == [b"\0", b"\2"]


def test_a_wrong_checksum_is_no_packet_and_hides_none() -> None:
    parser = PacketParser()
    damaged = OK[:-1] + b"\x0b"
    assert parser.feed(damaged + NO_FINGER) == [Packet(Kind.ANSWER, b"\2")]
    assert parser.rejected == 1


def test_a_false_length_does_not_swallow_what_follows() -> None:
    for length in (b"\0\0", b"\0\2", b"\xff\xff"):
        assert fed(OK[:7] + length + b"\0\0\x0a" + NO_FINGER) == [Packet(Kind.ANSWER, b"\2")]


def test_another_address_is_not_heard() -> None:
    other = OK.replace(b"\xff\xff\xff\xff", b"\0\0\0\1")
    assert fed(other) == []
    assert len(PacketParser(b"\0\0\0\1").feed(OK + other)) == 1


def test_an_endless_stream_is_not_hoarded() -> None:
    parser = PacketParser()
    for _ in range(100):
        parser.feed(b"\xef\x01\xff\xff\xff\xff\x02\x01\x02" * 500)
        assert parser.held <= 9 + LONGEST_LENGTH


def test_contents_are_not_shown_and_nothing_stays_after_a_reset() -> None:
    assert "secret" not in repr(Packet(Kind.DATA, b"secret"))
    parser = PacketParser()
    parser.feed(OK[:-1])
    parser.reset()
    assert parser.feed(OK[-1:]) == []
    assert (parser.held, parser.rejected) == (0, 0)


@pytest.mark.parametrize("content", [b"", bytes(257)])
def test_what_no_module_takes_is_not_encoded(content: bytes) -> None:
    with pytest.raises(ValueError, match="content"):
        encode(Kind.DATA, content)
