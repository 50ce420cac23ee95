"""What a scanner that poses as a keyboard types: key codes to characters, United States layout.

Sources: Linux input-event-codes.h for the codes; USB HID Usage Tables 10 for what the keys mean. Characters beyond the
layout come as Alt held while the keypad types their Unicode number.
"""

from __future__ import annotations

from typing import Final

from evdev import ecodes as keys

KEY_COUNT: Final = 8192
"""Longer than any symbol holds; what types more is no scanner."""
UNICODE_DIGITS: Final = 7

_LETTERS: Final = {getattr(keys, f"KEY_{letter}"): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_PLAIN: Final = {
    **{getattr(keys, f"KEY_{digit}"): digit for digit in "0123456789"},
    keys.KEY_MINUS: "-", keys.KEY_EQUAL: "=", keys.KEY_LEFTBRACE: "[", keys.KEY_RIGHTBRACE: "]",
    keys.KEY_SEMICOLON: ";", keys.KEY_APOSTROPHE: "'", keys.KEY_GRAVE: "`", keys.KEY_BACKSLASH: "\\",
    keys.KEY_COMMA: ",", keys.KEY_DOT: ".", keys.KEY_SLASH: "/", keys.KEY_SPACE: " ", keys.KEY_TAB: "\t",
}  # fmt: skip
_SHIFTED: Final = dict(zip("1234567890-=[];'`\\,./", '!@#$%^&*()_+{}:"~|<>?', strict=True))
_KEYPAD_DIGITS: Final = {getattr(keys, f"KEY_KP{digit}"): str(digit) for digit in range(10)}
_KEYPAD: Final = {
    **_KEYPAD_DIGITS,
    keys.KEY_KPMINUS: "-", keys.KEY_KPPLUS: "+", keys.KEY_KPDOT: ".", keys.KEY_KPASTERISK: "*", keys.KEY_KPSLASH: "/",
}  # fmt: skip
_SHIFT: Final = frozenset({keys.KEY_LEFTSHIFT, keys.KEY_RIGHTSHIFT})
_ALT: Final = frozenset({keys.KEY_LEFTALT, keys.KEY_RIGHTALT})
_CONTROL: Final = frozenset({keys.KEY_LEFTCTRL, keys.KEY_RIGHTCTRL})
_ENTER: Final = frozenset({keys.KEY_ENTER, keys.KEY_KPENTER})
_SILENT: Final = frozenset({keys.KEY_NUMLOCK, keys.KEY_SCROLLLOCK})
UP, DOWN, REPEAT = 0, 1, 2


class KeyReader:
    """Follows keys down and up; `feed` gives a code's text when its ending was typed.

    `is_damaged` says that something was typed that is no character: the code must not be believed.
    """

    def __init__(self, *, ends_with_tab: bool = False) -> None:
        self._endings = _ENTER | ({keys.KEY_TAB} if ends_with_tab else frozenset())
        self._held: set[int] = set()
        self._typed: list[str] = []
        self._number = ""
        self._is_capital = False
        self.is_damaged = False

    @property
    def is_within_code(self) -> bool:
        return bool(self._typed or self._number or self.is_damaged)

    @property
    def is_too_long(self) -> bool:
        return len(self._typed) > KEY_COUNT

    def feed(self, code: int, value: int) -> str | None:
        """One EV_KEY event. The text, perhaps empty, when it ends a code."""
        if code in _SHIFT | _ALT | _CONTROL:
            self._hold(code, value)
        elif value != DOWN:  # scanners do not hold a key; a repeated one is no character more
            pass
        elif code in self._endings:
            self._end_number()
            return self.take()
        elif code == keys.KEY_CAPSLOCK:
            self._is_capital = not self._is_capital
        elif self._held & _ALT and code in _KEYPAD_DIGITS:
            self._number = (self._number + _KEYPAD_DIGITS[code])[: UNICODE_DIGITS + 1]
        elif code not in _SILENT:
            self._type(code)
        return None

    def take(self) -> str:
        """What was typed so far. `is_damaged` still tells of it, until `forget`."""
        text = "".join(self._typed)
        self._typed = []
        return text

    def forget(self) -> None:
        """The code. Keys that are down stay so."""
        self._typed = []
        self._number = ""
        self.is_damaged = False

    def unplugged(self) -> None:
        """No key is down any more."""
        self.forget()
        self._held = set()
        self._is_capital = False

    def damage(self) -> None:
        """The system says that it lost events; which keys are down is anyone's guess."""
        self._held = set()
        self.is_damaged = True

    def _hold(self, code: int, value: int) -> None:
        if value == UP:
            self._held.discard(code)
        else:
            self._held.add(code)
        if code in _ALT and value == UP:
            self._end_number()

    def _end_number(self) -> None:
        number, self._number = self._number, ""
        if not number:
            return
        point = int(number)
        if len(number) > UNICODE_DIGITS or point > 0x10FFFF or 0xD800 <= point <= 0xDFFF or point == 0:
            self.is_damaged = True
        else:
            self._typed.append(chr(point))

    def _type(self, code: int) -> None:
        character = self._character(code)
        if character is None or self._held & _ALT:
            self.is_damaged = True
        elif self._held & _CONTROL:
            self._typed.append(chr(ord(character.upper()) & 0x1F))
        else:
            self._typed.append(character)

    def _character(self, code: int) -> str | None:
        shifted = bool(self._held & _SHIFT)
        if code in _LETTERS:
            return _LETTERS[code].upper() if shifted != self._is_capital else _LETTERS[code]
        if code in _KEYPAD:
            return _KEYPAD[code]
        plain = _PLAIN.get(code)
        return _SHIFTED.get(plain, plain) if shifted and plain is not None else plain


def keys_for(text: str) -> list[tuple[int, int]]:
    """The (code, value) events a scanner types for a text, without its ending: for peers and tests."""
    events: list[tuple[int, int]] = []
    letters = {letter: code for code, letter in _LETTERS.items()}
    plain = {character: code for code, character in _PLAIN.items()}
    unshifted = {shifted: character for character, shifted in _SHIFTED.items()}
    digits = {digit: code for code, digit in _KEYPAD_DIGITS.items()}
    for character in text:
        if character in letters or character in plain:
            events += _pressed(letters.get(character) or plain[character])
        elif character.lower() in letters or character in unshifted:
            code = letters.get(character.lower()) or plain[unshifted[character]]
            events += [(keys.KEY_LEFTSHIFT, DOWN), *_pressed(code), (keys.KEY_LEFTSHIFT, UP)]
        else:
            number = [event for digit in str(ord(character)) for event in _pressed(digits[digit])]
            events += [(keys.KEY_LEFTALT, DOWN), *number, (keys.KEY_LEFTALT, UP)]
    return events


def _pressed(code: int) -> list[tuple[int, int]]:
    return [(code, DOWN), (code, UP)]
