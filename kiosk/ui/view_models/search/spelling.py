"""Pinyin as people type it: without spaces, with southern sounds, with a letter wrong."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Sequence

Reading = Callable[[str], list[str]]
"""Text in, one pinyin syllable for each character out; "" where none is known."""

_LONGEST_SYLLABLE = 6
_SKIPPED_LETTER = 1.2
"""What it costs to leave a letter out of a syllable; a syllable costs 1."""


@functools.lru_cache(maxsize=4096)
def southern(syllable: str) -> str:
    """Sounds that many speakers here do not part: zh/z, ch/c, sh/s, n/l/r at the beginning, n/ng at the end."""
    syllable = re.sub(r"^([zcs])h", r"\1", syllable)
    syllable = re.sub(r"^[nr](?=.)", "l", syllable)
    return syllable[:-1] if syllable.endswith("ng") else syllable


def spelled(syllables: Iterable[str]) -> str:
    return "".join(southern(syllable) for syllable in syllables)


def pairs(syllables: Sequence[str]) -> set[str]:
    """Tokens p (two syllables) and s (one), in southern sounds; an unknown reading parts."""
    plain = [southern(syllable) if syllable else "" for syllable in syllables]
    found = {f"s{syllable}" for syllable in plain if syllable}
    found.update(f"p{a} {b}" for a, b in itertools.pairwise(plain) if a and b)
    return found


def trigrams(letters: str) -> set[str]:
    return {f"l{letters[at : at + 3]}" for at in range(len(letters) - 2)}


def syllables_of(letters: str, known: frozenset[str]) -> tuple[list[str], float]:
    """The fewest known syllables (southern sounds) that spell the letters, and the share of letters left out."""
    letters = letters[:60]
    best: list[tuple[float, int, str]] = [(0.0, 0, "")]
    for end in range(1, len(letters) + 1):
        found = (best[end - 1][0] + _SKIPPED_LETTER, end - 1, "")
        for start in range(max(0, end - _LONGEST_SYLLABLE), end):
            sound = southern(letters[start:end])
            cost = best[start][0] + 1.0
            if cost < found[0] and sound in known:
                found = (cost, start, sound)
        best.append(found)
    row: list[str] = []
    at, skipped = len(letters), 0
    while at > 0:
        _, start, sound = best[at]
        row.append(sound)
        skipped += not sound
        at = start
    return row[::-1], skipped / max(len(letters), 1)
