"""Invented fingers: minutiae drawn by chance from a name, pressed a little differently each time, and truly compared.

Nobody's finger: a name is a seed. A template is a count byte, then five bytes for each minutia (x and y in two pieces
of 9 and 9 bits, direction in 256ths of a turn), padded with zeros.
"""

from __future__ import annotations

import math
import random
from typing import Final, NamedTuple

WIDTH, HEIGHT = 256, 288
MINUTIAE: Final = 36
TURN: Final = 256
MINUTIA_BYTES: Final = 5
DISTANCE: Final = 9
DIRECTION: Final = 14
MOST_ROTATION: Final = 10
FEWEST: Final = 8


class Minutia(NamedTuple):
    """A place where a ridge ends or forks."""

    x: int
    y: int
    direction: int


def finger(name: str) -> list[Minutia]:
    chance = random.Random(f"invented finger {name}")
    return [
        Minutia(chance.randrange(20, WIDTH - 20), chance.randrange(20, HEIGHT - 20), chance.randrange(TURN))
        for _ in range(MINUTIAE)
    ]


def press(minutiae: list[Minutia], chance: random.Random) -> list[Minutia]:
    """One placing of the finger: turned, moved, some features lost, a few that are none."""
    turn = chance.randint(-MOST_ROTATION, MOST_ROTATION)
    moved_x, moved_y = chance.randint(-14, 14), chance.randint(-14, 14)
    kept = [minutia for minutia in minutiae if chance.random() > 0.12]
    turned = [_moved(minutia, turn, moved_x, moved_y) for minutia in kept]
    noisy = [
        Minutia(m.x + chance.randint(-2, 2), m.y + chance.randint(-2, 2), (m.direction + chance.randint(-3, 3)) % TURN)
        for m in turned
    ]
    false = [Minutia(chance.randrange(WIDTH), chance.randrange(HEIGHT), chance.randrange(TURN)) for _ in range(3)]
    inside = [m for m in (*noisy, *false) if 0 <= m.x < WIDTH * 2 and 0 <= m.y < HEIGHT + 200]
    chance.shuffle(inside)
    return inside


def pack(minutiae: list[Minutia], size: int) -> bytes:
    told = minutiae[: (size - 1) // MINUTIA_BYTES]
    body = b"".join(m.x.to_bytes(2, "big") + m.y.to_bytes(2, "big") + bytes([m.direction]) for m in told)
    return (bytes([len(told)]) + body).ljust(size, b"\0")


def unpack(template: bytes) -> list[Minutia]:
    """Empty when this is no template."""
    count = template[0] if template else 0
    if count * MINUTIA_BYTES + 1 > len(template):
        return []
    parts = (template[1 + MINUTIA_BYTES * i : 1 + MINUTIA_BYTES * (i + 1)] for i in range(count))
    return [Minutia(int.from_bytes(p[:2], "big"), int.from_bytes(p[2:4], "big"), p[4]) for p in parts]


def score(one: list[Minutia], other: list[Minutia]) -> int:
    """0 to 100: the share of features that agree under the best turning and moving of one onto the other."""
    if min(len(one), len(other)) < FEWEST:
        return 0
    best = 0
    for anchor in one:
        for goal in other:
            turn = _signed(goal.direction - anchor.direction)
            if abs(turn) <= 2 * MOST_ROTATION + 6:
                best = max(best, _agreeing(one, other, anchor, goal, turn))
    return round(100 * best / min(len(one), len(other)))


def combine(one: list[Minutia], other: list[Minutia]) -> list[Minutia]:
    """One template of two captures of the same finger: those of the first."""
    return one if len(one) >= len(other) else other


def _agreeing(one: list[Minutia], other: list[Minutia], anchor: Minutia, goal: Minutia, turn: int) -> int:
    angle = turn * 2 * math.pi / TURN
    cosine, sine = math.cos(angle), math.sin(angle)
    free = list(other)
    for m in one:
        dx, dy = m.x - anchor.x, m.y - anchor.y
        x, y = goal.x + dx * cosine - dy * sine, goal.y + dx * sine + dy * cosine
        for candidate in free:
            if (
                abs(candidate.x - x) <= DISTANCE
                and abs(candidate.y - y) <= DISTANCE
                and abs(_signed(candidate.direction - m.direction - turn)) <= DIRECTION
            ):
                free.remove(candidate)
                break
    return len(other) - len(free)


def _moved(minutia: Minutia, turn: int, moved_x: int, moved_y: int) -> Minutia:
    angle = turn * 2 * math.pi / TURN
    dx, dy = minutia.x - WIDTH // 2, minutia.y - HEIGHT // 2
    x = WIDTH // 2 + dx * math.cos(angle) - dy * math.sin(angle) + moved_x + 60
    y = HEIGHT // 2 + dx * math.sin(angle) + dy * math.cos(angle) + moved_y + 60
    return Minutia(round(x), round(y), (minutia.direction + turn) % TURN)


def _signed(difference: int) -> int:
    return (difference + TURN // 2) % TURN - TURN // 2
