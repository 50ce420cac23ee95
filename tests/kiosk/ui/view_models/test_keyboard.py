"""Keys, letters under composition, candidates, strokes."""

from __future__ import annotations

import pytest

from kiosk.ui.view_models.keyboard import KeyboardViewModel
from kiosk.ui.writing.handwriting import Handwriting
from kiosk.ui.writing.pinyin import Pinyin


class Paper:
    def __init__(self) -> None:
        self.text, self.letters = "", ""

    def write(self, text: str) -> None:
        self.text += text

    def erase(self) -> None:
        self.text = self.text[:-1]

    def compose(self, letters: str) -> None:
        self.letters = letters


@pytest.fixture(scope="module")
def pinyin() -> Pinyin:
    return Pinyin()


@pytest.fixture
def paper() -> Paper:
    return Paper()


@pytest.fixture
def keyboard(pinyin: Pinyin, paper: Paper) -> KeyboardViewModel:
    keyboard = KeyboardViewModel()
    keyboard.learn(pinyin, Handwriting())
    keyboard.write_to(paper)
    return keyboard


def press(keyboard: KeyboardViewModel, *keys: str) -> None:
    for key in keys:
        keyboard.press(key)


def test_pinyin_becomes_characters(keyboard: KeyboardViewModel, paper: Paper) -> None:
    press(keyboard, *"xiamen")
    assert (paper.text, paper.letters, keyboard.candidates[0]) == ("", "xiamen", "厦门")
    keyboard.choose(0)
    assert (paper.text, paper.letters, keyboard.candidates) == ("厦门", "", [])


def test_choosing_a_first_part_leaves_the_rest(keyboard: KeyboardViewModel, paper: Paper) -> None:
    press(keyboard, *"xiamenlu")
    keyboard.choose(keyboard.candidates.index("厦门"))
    assert (paper.text, keyboard.composing) == ("厦门", "lu")


def test_a_digit_takes_the_first_candidate_with_it(keyboard: KeyboardViewModel, paper: Paper) -> None:
    press(keyboard, *"xiamen", "1")
    assert (paper.text, keyboard.composing) == ("厦门1", "")


def test_space_chooses_the_first_and_then_is_a_space(keyboard: KeyboardViewModel, paper: Paper) -> None:
    press(keyboard, *"lin", "space", "space")
    assert paper.text == "林 "


def test_backspace_takes_letters_then_text(keyboard: KeyboardViewModel, paper: Paper) -> None:
    paper.text = "厦门"
    press(keyboard, *"ab", "backspace", "backspace", "backspace")
    assert (paper.text, keyboard.composing) == ("厦", "")


def test_turning_the_page_drops_what_was_begun(keyboard: KeyboardViewModel, paper: Paper) -> None:
    press(keyboard, *"xia", "page:letters", "a", "shift", "b", "c", "page:nonsense")
    assert (paper.text, keyboard.page, keyboard.composing) == ("aBc", "letters", "")


def test_strokes_become_a_character(keyboard: KeyboardViewModel, paper: Paper) -> None:
    press(keyboard, "page:handwriting")
    keyboard.add_stroke([[0.1 + 0.08 * part, 0.5] for part in range(10)])
    keyboard.add_stroke([[0.5, 0.1 + 0.08 * part] for part in range(10)])
    assert keyboard.candidates[0] == "十"
    keyboard.choose(0)
    assert (paper.text, keyboard.strokes) == ("十", [])


def test_backspace_takes_back_a_stroke(keyboard: KeyboardViewModel) -> None:
    press(keyboard, "page:handwriting")
    keyboard.add_stroke([[0.1, 0.5], [0.9, 0.5]])
    press(keyboard, "backspace")
    assert (keyboard.strokes, keyboard.candidates) == ([], [])


def test_without_dictionaries_letters_still_write(paper: Paper) -> None:
    keyboard = KeyboardViewModel()
    keyboard.learn(None, None)
    keyboard.write_to(paper)
    press(keyboard, "a", "b")
    keyboard.choose(5)
    assert (paper.text, keyboard.can_write_by_hand) == ("ab", False)


def test_a_new_writer_gets_nothing_of_the_old(keyboard: KeyboardViewModel) -> None:
    press(keyboard, *"xia")
    other = Paper()
    keyboard.write_to(other)
    assert (keyboard.composing, keyboard.candidates, other.letters) == ("", [], "")


def test_forgetting_leaves_nothing(keyboard: KeyboardViewModel) -> None:
    press(keyboard, *"xia")
    keyboard.forget()
    assert (keyboard.composing, keyboard.candidates, keyboard.strokes) == ("", [], [])
