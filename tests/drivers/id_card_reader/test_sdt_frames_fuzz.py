"""Whatever arrives on a card reader's line: no crash, no unbounded memory, and the next good frame is found."""

from __future__ import annotations

import random

import pytest

from drivers.errors import MediaError
from drivers.id_card_reader.sdt.commands import refusal_of, split_card
from drivers.id_card_reader.sdt.frames import (
    ANSWER_HEAD_BYTES,
    LONGEST_LENGTH,
    FrameParser,
    encode_answer,
    encode_request,
)
from tests.drivers.mutations import CAMPAIGN, SAMPLE, in_pieces, mutated

MARK = encode_answer(0x90, b"good frame")
GOOD = (
    encode_answer(0x90), encode_answer(0x9F, bytes(4)), encode_answer(0x41, card_status=b"\x69\x82"),
    encode_answer(0x90, (256).to_bytes(2, "big") + (1024).to_bytes(2, "big") + bytes(range(256)) * 5),
    encode_request(0x20, 0x01), MARK,
)  # fmt: skip


def feed(count: int, seed: int) -> int:
    chance = random.Random(seed)
    parser = FrameParser(ANSWER_HEAD_BYTES)
    found, reasons = 0, {"decode_failed"}
    for data in mutated(GOOD, count, seed):
        frames = [frame for piece in in_pieces(data, chance) for frame in parser.feed(piece)]
        assert len(parser._buffer) <= LONGEST_LENGTH + 16
        assert parser.wanted <= LONGEST_LENGTH + 16
        frames += parser.settle()
        for frame in frames:
            refusal_of(frame.status)
            try:
                text, photo = split_card(frame.data)
            except MediaError as error:
                reasons.add(error.reason)
            else:
                assert len(text) + len(photo) <= len(frame.data)
        found += len(frames)
        assert parser.feed(MARK)[-1:] or parser.settle(), "the search did not go on behind the damage"
        parser.reset()
        assert not parser._buffer
    assert reasons == {"decode_failed"}
    return found


def test_a_sample_of_damaged_frames() -> None:
    assert feed(SAMPLE, 1) > SAMPLE / 8, "hardly a good frame was among them: nothing was tried"


@pytest.mark.campaign
def test_a_million_damaged_frames() -> None:
    assert feed(CAMPAIGN, 2) > CAMPAIGN / 8
