"""Whatever a card's text holds: a card with plausible values or a named error, never anything else."""

from __future__ import annotations

import pytest

from drivers.errors import MediaError
from drivers.id_card_reader.simulator.cards import load_cards
from drivers.id_card_reader.text_block import decode_new_address, decode_text_block
from tests.drivers.mutations import CAMPAIGN, SAMPLE, mutated

CARDS = load_cards().values()
TEXTS = tuple(card.text for card in CARDS)
ADDRESSES = tuple(card.new_address for card in CARDS if card.new_address is not None)


def decode(count: int, seed: int) -> tuple[int, int]:
    read = refused = 0
    reasons: set[str] = set()
    personal = False
    for block in mutated(TEXTS, count, seed):
        try:
            card = decode_text_block(block)
        except MediaError as error:
            reasons.add(error.reason)
            personal = personal or any("\u4e00" <= letter <= "\u9fff" for letter in str(error))
            refused += 1
        else:
            assert card.card_type
            read += 1
    for data in mutated(ADDRESSES, count // 10, seed):
        try:
            decode_new_address(data)
        except MediaError as error:
            reasons.add(error.reason)
    assert reasons == {"decode_failed", "wrong_card_type"}
    assert not personal, "an error names nobody"
    return read, refused


def test_a_sample_of_damaged_texts() -> None:
    assert ADDRESSES
    read, refused = decode(SAMPLE, 3)
    assert read > SAMPLE / 10
    assert refused > SAMPLE / 10


@pytest.mark.campaign
def test_a_million_damaged_texts() -> None:
    read, refused = decode(CAMPAIGN, 4)
    assert min(read, refused) > CAMPAIGN / 10
