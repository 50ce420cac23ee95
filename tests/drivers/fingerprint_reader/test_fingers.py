"""The simulator's comparison is a real one: it tells invented fingers apart and knows one again, however it is laid."""

from __future__ import annotations

import random

from drivers.fingerprint_reader.simulator.fingers import finger, pack, press, score, unpack
from drivers.fingerprint_reader.simulator.module import MATCH_AT


def test_a_finger_is_known_again_and_another_is_not() -> None:
    chance = random.Random(1910)
    for number in range(8):
        first, again = (press(finger(f"thumb {number}"), chance) for _ in range(2))
        other = press(finger(f"index {number}"), chance)
        assert score(first, again) >= MATCH_AT + 20
        assert score(first, other) < MATCH_AT - 5
        assert score(unpack(pack(first, 512)), unpack(pack(again, 512))) >= MATCH_AT + 20


def test_no_template_is_like_nothing() -> None:
    assert score([], []) == score(unpack(bytes(512)), unpack(bytes(512))) == 0
    assert unpack(b"\xff" * 100) == []
    assert unpack(b"") == []
