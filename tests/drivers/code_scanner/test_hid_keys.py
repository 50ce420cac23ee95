"""Key codes to characters."""

from __future__ import annotations

import string

import pytest
from evdev import ecodes as keys

from drivers.code_scanner.hid_keys import DOWN, KEY_COUNT, REPEAT, UP, KeyReader, keys_for

ENTER = [(keys.KEY_ENTER, DOWN), (keys.KEY_ENTER, UP)]


def typed(events: list[tuple[int, int]], reader: KeyReader | None = None) -> list[str]:
    reader = reader or KeyReader()
    return [text for event in events if (text := reader.feed(*event)) is not None]


def press(*codes: int) -> list[tuple[int, int]]:
    return [event for code in codes for event in ((code, DOWN), (code, UP))]


def holding(modifier: int, *codes: int) -> list[tuple[int, int]]:
    return [(modifier, DOWN), *press(*codes), (modifier, UP)]


def test_every_printable_character_of_the_layout() -> None:
    every = string.ascii_letters + string.digits + string.punctuation + " "
    assert typed(keys_for(every) + ENTER) == [every]


def test_known_keys() -> None:
    """From the kernel's table, not from our own encoder."""
    events = [*holding(42, 30), *press(48, 2, 11), *holding(54, 3), *press(12, 52), *press(79, 96)]
    assert typed(events) == ["Ab10@-.1"]


def test_keypad_and_its_enter() -> None:
    codes = [keys.KEY_KP6, keys.KEY_KP9, keys.KEY_KP0, keys.KEY_KPDOT, keys.KEY_KPMINUS, keys.KEY_KPENTER]
    assert typed(press(*codes)) == ["690.-"]


def test_chinese_as_alt_and_keypad() -> None:
    assert typed(keys_for("林晓𠮷") + ENTER) == ["林晓𠮷"]
    lin = holding(keys.KEY_LEFTALT, *(getattr(keys, f"KEY_KP{digit}") for digit in "26519"))
    assert typed(lin + ENTER) == [chr(26519)]


def test_caps_lock_turns_letters_over() -> None:
    events = [*press(keys.KEY_CAPSLOCK, keys.KEY_A, keys.KEY_1), *holding(keys.KEY_LEFTSHIFT, keys.KEY_B)]
    assert typed(events + press(keys.KEY_CAPSLOCK, keys.KEY_C) + ENTER) == ["A1bc"]


def test_a_group_separator_is_typed_with_control() -> None:
    assert typed(holding(keys.KEY_LEFTCTRL, keys.KEY_RIGHTBRACE) + ENTER) == ["\x1d"]


def test_a_held_key_is_one_character() -> None:
    events = [(keys.KEY_7, DOWN), *[(keys.KEY_7, REPEAT)] * 9, (keys.KEY_7, UP)]
    assert typed(events + ENTER) == ["7"]


def test_tab_ends_a_code_where_it_is_agreed_and_is_text_elsewhere() -> None:
    events = press(keys.KEY_A, keys.KEY_TAB, keys.KEY_B, keys.KEY_ENTER)
    assert typed(events, KeyReader(ends_with_tab=True)) == ["a", "b"]
    assert typed(events) == ["a\tb"]


@pytest.mark.parametrize(
    "events",
    [
        press(keys.KEY_F5),
        press(keys.KEY_LEFTMETA),
        holding(keys.KEY_LEFTALT, keys.KEY_F4),
        holding(keys.KEY_LEFTALT, keys.KEY_A),
        holding(keys.KEY_LEFTALT, *([keys.KEY_KP9] * 7)),
        holding(keys.KEY_LEFTALT, *([keys.KEY_KP1] * 2000)),
        holding(keys.KEY_LEFTALT, keys.KEY_KP0),
        holding(keys.KEY_LEFTALT, *(getattr(keys, f"KEY_KP{digit}") for digit in "55296")),
        press(keys.KEY_DELETE),
        press(720),
    ],
)
def test_what_is_no_character_damages_the_code_and_only_this_one(events: list[tuple[int, int]]) -> None:
    reader = KeyReader()
    typed(press(keys.KEY_1) + events, reader)
    assert reader.is_damaged
    typed(ENTER, reader)
    assert reader.is_damaged
    reader.forget()
    assert typed(press(keys.KEY_2) + ENTER, reader) == ["2"]
    assert not reader.is_damaged


def test_lost_events_leave_no_shift_behind() -> None:
    reader = KeyReader()
    reader.feed(keys.KEY_LEFTSHIFT, DOWN)
    reader.damage()
    assert reader.is_damaged
    reader.forget()
    assert typed(press(keys.KEY_A) + ENTER, reader) == ["a"]


def test_a_shift_that_is_down_when_a_code_is_forgotten_stays_down() -> None:
    reader = KeyReader()
    reader.feed(keys.KEY_LEFTSHIFT, DOWN)
    reader.forget()
    assert typed(press(keys.KEY_A) + ENTER, reader) == ["A"]
    reader.feed(keys.KEY_LEFTSHIFT, DOWN)
    reader.unplugged()
    assert typed(press(keys.KEY_A) + ENTER, reader) == ["a"]


def test_endless_typing_is_told() -> None:
    reader = KeyReader()
    typed(press(keys.KEY_1) * (KEY_COUNT + 1), reader)
    assert reader.is_too_long
