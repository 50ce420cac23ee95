"""After all these stories the terminal's journal is whole; one byte changed in a copy of it is found and named."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.demo.report import copy_journal
from tests.journeys.house import House, until

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def lived_in(house: House) -> House:
    """A house in which at least one citizen was served, also when this page is run alone."""
    if not house.entries(event="transaction_ended"):
        house.visitor().home()
    until(lambda: house.entries()[-1].event != "print_begun", 5, "nothing is under way")
    return house


def test_the_journal_of_all_stories_is_whole(lived_in: House) -> None:
    code, sentence = lived_in.verify()
    print(sentence)
    assert code == 0
    assert sentence.startswith("whole: ")
    assert len(lived_in.entries()) == lived_in.head()


def test_one_flipped_byte_names_the_first_broken_sequence(lived_in: House) -> None:
    copy = copy_journal(lived_in.city)
    assert lived_in.verify(copy)[0] == 0
    entry = lived_in.entries(event="consent_given")[0]
    flip(copy, entry.data["consent_id"].encode())
    code, sentence = lived_in.verify(copy)
    assert code == 1
    assert sentence.startswith(f"broken at sequence {entry.sequence}: ")


def flip(file: Path, text: bytes) -> None:
    """One bit of the last letter, in the one place where this text stands."""
    content = bytearray(file.read_bytes())
    assert content.count(text) == 1
    content[content.index(text) + len(text) - 1] ^= 1
    file.write_bytes(content)
