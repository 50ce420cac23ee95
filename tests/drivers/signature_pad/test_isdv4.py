"""The pen's packets, and strokes from them."""

from __future__ import annotations

import pytest

from drivers.messages import Stroke
from drivers.signature_pad.isdv4 import PacketParser, Panel, PenPacket, encode_panel, encode_pen
from drivers.signature_pad.pen import JUMP_MM, PenTrack

PEN = bytes.fromhex("a1090d052f255d0000")
"""x 4662, y 2751, pressure 677, near and down; put together by hand from the published table."""
BIG = Panel(x=12_000, y=12_000, pressure=1023, firmware=1)


def test_a_known_pen_packet() -> None:
    packet = PenPacket(x=4662, y=2751, pressure=677, is_near=True, is_down=True)
    assert PacketParser().feed(PEN) == [packet]
    assert encode_pen(packet) == PEN


@pytest.mark.parametrize(("lead", "near", "down"), [(0xA1, True, True), (0xA0, True, False), (0x80, False, False)])
def test_the_first_byte_says_where_the_pen_is(lead: int, near: bool, down: bool) -> None:
    (packet,) = PacketParser().feed(bytes([lead]) + PEN[1:])
    assert isinstance(packet, PenPacket)
    assert (packet.is_near, packet.is_down) == (near, down)


def test_an_answer_is_eleven_bytes_and_no_pen() -> None:
    panel = Panel(x=23_552, y=17_664, pressure=1023, firmware=0x132)
    assert PacketParser().feed(encode_panel(panel)) == [panel]
    assert len(encode_panel(panel)) == 11


def test_bytes_one_by_one() -> None:
    parser = PacketParser()
    packets = [packet for byte in PEN * 3 for packet in parser.feed(bytes([byte]))]
    assert len(packets) == 3
    assert parser.damaged == 0


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_packet_cut_short_is_counted_and_the_next_is_whole(cut: int) -> None:
    parser = PacketParser()
    assert len(parser.feed(PEN[:cut] + PEN)) == 1
    assert parser.damaged == 1


@pytest.mark.parametrize("gone", range(9))
def test_a_lost_byte_costs_one_packet_at_most(gone: int) -> None:
    parser = PacketParser()
    assert len(parser.feed(PEN + PEN[:gone] + PEN[gone + 1 :] + PEN + PEN)) == 3
    assert parser.damaged == 1


def test_noise_between_packets_loses_none() -> None:
    parser = PacketParser()
    assert len(parser.feed(PEN + b"\x01\x02\x03" + PEN)) == 2
    assert parser.damaged == 0


@pytest.mark.parametrize("finger", [b"\x91\x01\x02\x03\x04", b"\x91" + bytes(6), b"\x93" + bytes(12)])
def test_fingers_of_every_length_are_let_go_by(finger: bytes) -> None:
    parser = PacketParser()
    assert len(parser.feed(PEN + finger + PEN + finger + PEN)) == 3
    assert parser.damaged == 0


def test_nonsense_is_counted_and_not_kept() -> None:
    parser = PacketParser()
    assert parser.feed(b"$GPGGA,000000.00\r\n" * 1000) == []
    assert parser.foreign == 18_000
    assert len(parser._held) == 0


# --- strokes -------------------------------------------------------------------------------------------------------


def at(x_mm: float, y_mm: float, *, down: bool = True, near: bool = True) -> PenPacket:
    return PenPacket(round(x_mm * 100), round(y_mm * 100), 512, is_near=near, is_down=down)


def drawn(*packets: PenPacket, left: float = 0, top: float = 0) -> tuple[list[Stroke], PenTrack]:
    track = PenTrack(BIG, left, top)
    strokes = [stroke for number, packet in enumerate(packets) for stroke in track.take(packet, 100 + number * 0.008)]
    return strokes, track


def test_a_stroke_goes_from_down_to_up_in_the_boxs_own_millimetres() -> None:
    strokes, track = drawn(at(30, 40), at(31, 41), at(31, 41, down=False), left=20, top=30)
    (stroke,) = strokes
    assert [(p.x_mm, p.y_mm, p.milliseconds) for p in stroke.points] == [(10, 10, 0), (11, 11, 8)]
    assert stroke.points[0].pressure == pytest.approx(512 / 1023)
    assert not track.is_down


def test_a_pen_that_leaves_ends_its_stroke() -> None:
    strokes, _ = drawn(at(30, 40), at(31, 41), at(0, 0, near=False))
    assert len(strokes) == 1


def test_hovering_writes_nothing() -> None:
    strokes, track = drawn(*[at(x, 10, down=False) for x in range(20)])
    assert strokes == []
    assert track.unfinished is None


def test_lost_points_are_not_drawn_over() -> None:
    gap = JUMP_MM + 10
    strokes, track = drawn(at(10, 10), at(11, 10), at(11 + gap, 10), at(12 + gap, 10), at(12 + gap, 10, down=False))
    assert [len(stroke.points) for stroke in strokes] == [2, 2]
    assert not track.has_lost_much


def test_one_point_far_away_is_no_ink() -> None:
    strokes, _ = drawn(at(10, 10), at(11, 10), at(90, 90), at(12, 10), at(13, 10), at(13, 10, down=False))
    assert [len(stroke.points) for stroke in strokes] == [4]


def test_points_off_the_pad_are_lost() -> None:
    strokes, track = drawn(*[PenPacket(60_000, 100, 5, is_near=True, is_down=True)] * 5)
    assert strokes == []
    assert track.has_lost_much


def test_how_much_is_much() -> None:
    _, track = drawn(*[at(10 + number / 10, 10) for number in range(100)])
    track.lose(5)
    assert not track.has_lost_much
    track.lose(1)
    assert track.has_lost_much
    track.forget()
    assert not track.has_lost_much


def test_after_clearing_time_begins_anew() -> None:
    track = PenTrack(BIG, 0, 0)
    track.take(at(10, 10), 100.0)
    track.forget()
    track.take(at(11, 11), 101.0)
    assert track.unfinished is None, "the rest of the stroke that was cleared"
    assert track.take(at(11, 11, down=False), 102.0) == []
    track.take(at(20, 20), 105.0)
    assert track.unfinished is not None
    assert track.unfinished.points[0].milliseconds == 0
