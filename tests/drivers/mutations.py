"""Bytes as bad lines, wrong devices and liars make them: seeded, from good frames."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

SAMPLE = 20_000
CAMPAIGN = 1_000_000
LONGEST = 8192
EDGES = (
    b"\x00",
    b"\xff",
    b"\x7f\xff",
    b"\x80\x00",
    b"\xff\xff",
    b"\x00\x00\x00\x00",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
)


def mutated(good: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """`count` frames, most of them damaged in one to four places; the same seed gives the same frames."""
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(chance.choice(good))
        for _ in range(chance.choice((0, 1, 1, 1, 2, 2, 3, 4))):
            chance.choice(_DAMAGES)(data, chance, good)
        yield bytes(data[:LONGEST])


def in_pieces(data: bytes, chance: random.Random) -> Iterator[bytes]:
    """The same bytes as a line delivers them."""
    while data:
        size = chance.choice((1, 2, 7, 64, 4096))
        yield data[:size]
        data = data[size:]


Damage = Callable[[bytearray, random.Random, Sequence[bytes]], None]


def _flip(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _cut(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    del data[chance.randrange(len(data) + 1) :]


def _lose(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    begin = chance.randrange(len(data) + 1)
    del data[begin : begin + chance.randrange(1, 16)]


def _noise(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    begin = chance.randrange(len(data) + 1)
    data[begin:begin] = chance.randbytes(chance.randrange(1, 32))


def _repeat(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    begin = chance.randrange(len(data) + 1)
    end = begin + chance.randrange(64)
    data[begin:begin] = data[begin:end] * chance.randrange(1, 4)


def _edge(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    """A length or a number that a careless reader believes."""
    value = chance.choice(EDGES)
    begin = chance.randrange(len(data) + 1)
    data[begin : begin + len(value)] = value


def _splice(data: bytearray, chance: random.Random, good: Sequence[bytes]) -> None:
    other = chance.choice(good)
    data[chance.randrange(len(data) + 1) :] = other[chance.randrange(len(other) + 1) :]


_DAMAGES: tuple[Damage, ...] = (_flip, _flip, _cut, _lose, _noise, _repeat, _edge, _edge, _splice)
