"""The frame codec against vectors A-Q, A-S, A-M of domain.md 1.12, and against streams nobody would send."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.id_card_reader.sdt import commands
from drivers.id_card_reader.sdt.frames import (
    ANSWER_HEAD_BYTES,
    LONGEST_LENGTH,
    PREAMBLE,
    REQUEST_HEAD_BYTES,
    Frame,
    FrameParser,
    encode_answer,
    encode_request,
)

NO_CARD = bytes.fromhex("AA AA AA 96 69 00 04 00 00 80 84")
FOUND = bytes.fromhex("AA AA AA 96 69 00 08 00 00 9F 00 00 00 00 97")


def answers(*chunks: bytes) -> list[Frame]:
    parser = FrameParser(ANSWER_HEAD_BYTES)
    return [frame for chunk in chunks for frame in parser.feed(chunk)]


@pytest.mark.parametrize(
    ("request_bytes", "expected"),
    [
        (commands.SAM_STATUS.request, "AA AA AA 96 69 00 03 11 FF ED"),
        (commands.FIND.request, "AA AA AA 96 69 00 03 20 01 22"),
        (commands.READ.request, "AA AA AA 96 69 00 03 30 01 32"),
        (commands.NEW_ADDRESS.request, "AA AA AA 96 69 00 03 30 03 30"),
        (encode_request(0x60, 0x01), "AA AA AA 96 69 00 03 60 01 62"),
        (encode_request(0x61, 0xFF, b"\x50"), "AA AA AA 96 69 00 04 61 FF 50 CA"),
    ],
)
def test_requests_are_vectors_q(request_bytes: bytes, expected: str) -> None:
    assert request_bytes == bytes.fromhex(expected)


@pytest.mark.parametrize(
    ("answer", "card_status", "status", "data"),
    [
        ("AA AA AA 96 69 00 04 00 00 90 94", "00 00", 0x90, ""),
        ("AA AA AA 96 69 00 08 00 00 9F 00 00 00 00 97", "00 00", 0x9F, "00 00 00 00"),
        ("AA AA AA 96 69 00 04 00 00 80 84", "00 00", 0x80, ""),
        ("AA AA AA 96 69 00 0C 00 00 90 00 00 00 00 00 00 00 00 9C", "00 00", 0x90, "00" * 8),
        ("AA AA AA 96 69 00 0C 00 00 90 01 02 03 04 05 06 07 08 94", "00 00", 0x90, "01 02 03 04 05 06 07 08"),
        ("AA AA AA 96 69 00 04 00 00 41 45", "00 00", 0x41, ""),
        ("AA AA AA 96 69 00 04 69 82 41 AE", "69 82", 0x41, ""),
        ("AA AA AA 96 69 00 04 00 00 10 14", "00 00", 0x10, ""),
    ],
)
def test_answers_are_vectors_s(answer: str, card_status: str, status: int, data: str) -> None:
    (frame,) = answers(bytes.fromhex(answer))
    assert frame.head[:2] == bytes.fromhex(card_status)
    assert frame.status == status
    assert frame.data == bytes.fromhex(data)
    assert encode_answer(status, frame.data, card_status=bytes.fromhex(card_status)) == bytes.fromhex(answer)


def test_sam_id_is_vector_s9() -> None:
    (frame,) = answers(
        bytes.fromhex("AA AA AA 96 69 00 14 00 00 90 05 00 01 00 47 54 33 01 40 E2 01 00 D2 02 96 49 0D")
    )
    assert commands.format_sam_id(frame.data) == "05.01-20141127-0000123456-1234567890"
    assert commands.parse_sam_id("05.01-20141127-0000123456-1234567890") == frame.data


def test_wrong_checksum_drops_the_frame() -> None:  # A-M1
    parser = FrameParser(ANSWER_HEAD_BYTES)
    assert parser.feed(bytes.fromhex("AA AA AA 96 69 00 08 00 00 9F 00 00 00 00 96")) == []
    assert parser.rejected == 1
    assert parser.feed(NO_CARD) == answers(NO_CARD)


def test_noise_before_a_frame_is_skipped() -> None:  # A-M2
    assert answers(bytes.fromhex("00 FF AA AA AA AA 96 69 00 04 00 00 80 84")) == answers(NO_CARD)


def test_length_field_may_be_split() -> None:  # A-M3
    assert answers(FOUND[:6], FOUND[6:]) == answers(FOUND)


def test_two_frames_come_in_order() -> None:  # A-M4
    assert [frame.status for frame in answers(NO_CARD + FOUND)] == [0x80, 0x9F]


def test_encoder_never_makes_the_wrong_find() -> None:  # A-M5
    assert commands.FIND.request != bytes.fromhex("AA AA AA 96 69 00 03 20 01 21")
    parser = FrameParser(REQUEST_HEAD_BYTES)
    assert parser.feed(bytes.fromhex("AA AA AA 96 69 00 03 20 01 21")) == []
    assert parser.rejected == 1


def test_a_lost_sync_byte_is_forgiven_where_the_read_began() -> None:
    assert answers(NO_CARD[1:]) == answers(NO_CARD)
    assert answers(NO_CARD[1:3], NO_CARD[3:]) == answers(NO_CARD)
    assert answers(b"\x00" + NO_CARD[1:]) == []


@pytest.mark.parametrize("length", [0, 3, LONGEST_LENGTH + 1, 0xFFFF])
def test_an_impossible_length_is_refused_at_once(length: int) -> None:
    assert answers(PREAMBLE + length.to_bytes(2, "big") + NO_CARD) == answers(NO_CARD)


def test_a_frame_inside_a_damaged_one_is_found() -> None:
    damaged = PREAMBLE + (len(NO_CARD) + 4).to_bytes(2, "big") + b"\x00\x00\x90" + NO_CARD + b"\x00"
    assert answers(damaged) == answers(NO_CARD)


def test_a_beginning_that_never_ends_is_given_up_when_settled() -> None:
    parser = FrameParser(ANSWER_HEAD_BYTES)
    assert parser.feed(PREAMBLE + b"\x0f\x00" + NO_CARD) == []
    assert parser.has_begun
    assert parser.settle() == answers(NO_CARD)


def test_the_longest_frame_passes_and_a_longer_one_is_refused() -> None:
    longest = encode_answer(0x90, bytes(LONGEST_LENGTH - 4))
    assert len(answers(longest)) == 1
    with pytest.raises(ValueError, match="longer"):
        encode_answer(0x90, bytes(LONGEST_LENGTH - 3))


def test_a_frame_does_not_show_its_data() -> None:
    assert "41" not in repr(Frame(b"\0\0\x90", b"AAAA"))


frames = st.builds(
    encode_answer, st.integers(0, 255), st.binary(max_size=300), card_status=st.binary(min_size=2, max_size=2)
)
noise = st.lists(st.sampled_from([b"\xaa", b"\x96", b"\x69", PREAMBLE, PREAMBLE[:4], b"\0", b"\x0f"]), max_size=20).map(
    b"".join
) | st.binary(max_size=200)


def chunked(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[begin:end] for begin, end in pairwise(edges)]


@given(st.lists(frames, max_size=5), st.lists(st.integers(0, 5000), max_size=10))
def test_good_frames_survive_any_cutting(sent: list[bytes], cuts: list[int]) -> None:
    assert answers(*chunked(b"".join(sent), cuts)) == [frame for one in sent for frame in answers(one)]


@given(noise, frames, st.lists(st.integers(0, 5000), max_size=10))
def test_a_good_frame_after_noise_is_recovered(before: bytes, sent: bytes, cuts: list[int]) -> None:
    parser = FrameParser(ANSWER_HEAD_BYTES)
    found = [frame for chunk in chunked(before + sent, cuts) for frame in parser.feed(chunk)]
    assert answers(sent)[0] in found + parser.settle()


@settings(max_examples=200)
@given(st.lists(frames, min_size=1, max_size=3), st.data())
def test_mutated_streams_never_crash_and_never_grow(sent: list[bytes], data: st.DataObject) -> None:
    stream = bytearray(b"".join(sent))
    for position in data.draw(st.lists(st.integers(0, len(stream) - 1), max_size=8)):
        stream[position] = data.draw(st.integers(0, 255))
    parser = FrameParser(ANSWER_HEAD_BYTES)
    for chunk in chunked(bytes(stream), data.draw(st.lists(st.integers(0, 5000), max_size=20))):
        parser.feed(chunk)
        assert len(parser._buffer) <= LONGEST_LENGTH + len(PREAMBLE) + 2
        assert 1 <= parser.wanted <= LONGEST_LENGTH + 2
    parser.settle()
    assert parser.feed(NO_CARD)[-1:] == answers(NO_CARD) or parser.settle()[-1:] == answers(NO_CARD)


def test_an_endless_stream_of_beginnings_keeps_the_buffer_small() -> None:
    parser = FrameParser(ANSWER_HEAD_BYTES)
    for _ in range(300):
        parser.feed((PREAMBLE + b"\x0f\xf0") * 20)
        assert len(parser._buffer) <= LONGEST_LENGTH + 200


def test_reset_overwrites_what_was_buffered() -> None:
    parser = FrameParser(ANSWER_HEAD_BYTES)
    parser.feed(PREAMBLE + b"\x05\x08secret")
    parser.reset()
    assert not parser._buffer
    assert parser.heard == 0
