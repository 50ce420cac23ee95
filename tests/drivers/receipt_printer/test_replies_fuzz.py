"""Whatever a receipt printer sends back: told apart or counted as noise, with a handful of bytes held."""

from __future__ import annotations

import random

import pytest

from drivers.receipt_printer.replies import BLOCK_LIMIT, PRESENTER_LENGTH, ReplyKind, ReplyReader
from tests.drivers.mutations import CAMPAIGN, SAMPLE, in_pieces, mutated

GOOD = (
    b"\x12", b"\x16", b"\x1a", b"\x00", b"\x03", b"\x10\x00\x00\x00", b"\x18\x00\x0f\x00", b"\x37\x25\x00",
    b"\x5fEPSON\x00", b"\x10\x0f\x00\x01\x00\x00", b"\x12\x00\x10\x00\x12\x00\x00\x12", b"\x11\x13",
)  # fmt: skip


def read(count: int, seed: int) -> dict[ReplyKind, int]:
    chance = random.Random(seed)
    readers = (ReplyReader(), ReplyReader(presenter=True))
    kinds = dict.fromkeys(ReplyKind, 0)
    for data in mutated(GOOD, count, seed):
        for reader in readers:
            for piece in in_pieces(data, chance):
                for reply in reader.feed(piece):
                    kinds[reply.kind] += 1
                    assert 0 < len(reply.data) <= max(BLOCK_LIMIT, PRESENTER_LENGTH)
            held = len(reader._automatic) + len(reader._block) + len(reader._long)
            assert held <= BLOCK_LIMIT + PRESENTER_LENGTH
    for reader in readers:
        reader.feed(b"\x00" * (BLOCK_LIMIT + PRESENTER_LENGTH))  # whatever was begun ends
        assert [reply.kind for reply in reader.feed(b"\x12")] == [ReplyKind.REAL_TIME]
    return kinds


def test_a_sample_of_damaged_replies() -> None:
    assert all(count > 5 for count in read(SAMPLE, 5).values())


@pytest.mark.campaign
def test_a_million_damaged_replies() -> None:
    assert all(count > 1000 for count in read(CAMPAIGN, 6).values())
