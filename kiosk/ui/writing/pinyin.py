"""Pinyin to characters and back, over the rime-data-pinyin-simp dictionary (Apache-2.0). No Qt.

The dictionary's lines are `text TAB syllables TAB weight`. An apostrophe in the input parts syllables: xian → 先,
xi'an → 西安.
"""

from __future__ import annotations

import bisect
import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DICTIONARY = Path("/usr/share/rime-data/pinyin_simp.dict.yaml")
LONGEST_INPUT = 40
LONGEST_SPELLING = 24
CANDIDATES = 40
LOCAL_WORDS = Path(__file__).resolve().parents[3] / "assets" / "i18n" / "local_words.tsv"
_WORD_BONUS = 3.0
_INTERJECTIONS = frozenset({"n", "ng", "m", "hm", "hng"})


class Candidate(NamedTuple):
    """`consumed` letters of the input (apostrophes included) become `text` when it is chosen."""

    text: str
    consumed: int


class _Word(NamedTuple):
    text: str
    syllables: tuple[str, ...]
    weight: int


def read_words(path: Path) -> Iterator[_Word]:
    """Words of a rime dictionary; lines that are not words are passed over."""
    for line in path.read_text(encoding="utf-8").splitlines():
        parts = line.split("\t")
        if len(parts) == 3 and parts[2].isdecimal() and parts[1] not in _INTERJECTIONS:
            yield _Word(parts[0], tuple(parts[1].split()), int(parts[2]))


class Pinyin:
    """Answers in well under a millisecond once read; reading takes some 0.3 s and belongs in the background.

    `local` is a second file of the same form: the city's places and the words of its services.
    """

    def __init__(self, path: Path = DICTIONARY, local: Path = LOCAL_WORDS) -> None:
        by_spelling: defaultdict[str, list[_Word]] = defaultdict(list)
        by_initials: defaultdict[str, list[_Word]] = defaultdict(list)
        self._reading: dict[str, tuple[str, ...]] = {}
        weight_of: dict[str, int] = {}
        for word in (*read_words(path), *read_words(local)):
            by_spelling["".join(word.syllables)].append(word)
            if len(word.syllables) > 1:
                by_initials["".join(syllable[0] for syllable in word.syllables)].append(word)
            if word.weight >= weight_of.get(word.text, -1):
                weight_of[word.text] = word.weight
                self._reading[word.text] = word.syllables
        for words in (*by_spelling.values(), *by_initials.values()):
            words.sort(key=lambda word: -word.weight)
        self._by_spelling = dict(by_spelling)
        self._by_initials = dict(by_initials)
        self._spellings = sorted(by_spelling)

    def candidates(self, letters: str) -> list[Candidate]:
        """Best first: whole words, a sentence of words, completions, initials, then words for the first part."""
        letters = letters[:LONGEST_INPUT].lower()
        plain, parted = _without_apostrophes(letters)
        if not plain:
            return []
        found: dict[str, int] = {}
        whole = len(letters)
        for word in self._words(plain, parted):
            found.setdefault(word.text, whole)
        sentence = "" if found else self._sentence(plain, parted)
        if sentence:
            found.setdefault(sentence, whole)
        if not parted:
            for word in (*self._initials(plain), *self._completions(plain)):
                found.setdefault(word.text, whole)
        for length in range(len(plain) - 1, 0, -1):
            inner = {cut for cut in parted if cut < length}
            consumed = _consumed(letters, length)
            for word in self._words(plain[:length], inner)[:12]:
                found.setdefault(word.text, consumed)
        ranked = [Candidate(text, consumed) for text, consumed in found.items()]
        return ranked[:CANDIDATES]

    def reading(self, text: str) -> list[str]:
        """One syllable for each character, the longest known words first (银行 yin hang); "" where none is known."""
        syllables: list[str] = []
        at = 0
        while at < len(text):
            for length in range(min(6, len(text) - at), 0, -1):
                known = self._reading.get(text[at : at + length])
                if known and len(known) == length:
                    syllables.extend(known)
                    at += length
                    break
            else:
                syllables.append(text[at].lower() if text[at].isascii() and text[at].isalnum() else "")
                at += 1
        return syllables

    def _words(self, plain: str, parted: set[int]) -> list[_Word]:
        words = self._by_spelling.get(plain, [])
        if not parted:
            return words
        return [word for word in words if parted <= _cuts(word.syllables)]

    def _initials(self, plain: str) -> list[_Word]:
        return self._by_initials.get(plain, [])[:10] if len(plain) > 1 else []

    def _completions(self, plain: str) -> list[_Word]:
        start = bisect.bisect_left(self._spellings, plain)
        words: list[_Word] = []
        for spelling in self._spellings[start : start + 400]:
            if not spelling.startswith(plain):
                break
            words.extend(self._by_spelling[spelling][:3])
        words.sort(key=lambda word: -word.weight)
        return words[:10]

    def _sentence(self, plain: str, parted: set[int]) -> str:
        """The likeliest row of words that spells the whole input, or ""."""
        best: list[tuple[float, str]] = [(0.0, "")] + [(-math.inf, "")] * len(plain)
        for end in range(1, len(plain) + 1):
            for start in range(max(0, end - LONGEST_SPELLING), end):
                if best[start][0] == -math.inf:
                    continue
                inner = {cut - start for cut in parted if start < cut < end}
                words = self._words(plain[start:end], inner)
                if words:
                    word = words[0]
                    score = best[start][0] + math.log(word.weight + 1) - 14 + _WORD_BONUS * (len(word.syllables) - 1)
                    best[end] = max(best[end], (score, best[start][1] + word.text))
        return best[-1][1]


def _without_apostrophes(letters: str) -> tuple[str, set[int]]:
    plain, parted = "", set()
    for letter in letters:
        if letter == "'":
            parted.add(len(plain))
        elif letter.isascii() and letter.isalpha():
            plain += letter
    return plain, {cut for cut in parted if 0 < cut < len(plain)}


def _consumed(letters: str, length: int) -> int:
    """How many characters of `letters` hold the first `length` letters, with an apostrophe that follows them."""
    seen = 0
    for index, letter in enumerate(letters):
        if seen == length and letter != "'":
            return index
        seen += letter != "'"
    return len(letters)


def _cuts(syllables: tuple[str, ...]) -> set[int]:
    cuts, at = set(), 0
    for syllable in syllables:
        at += len(syllable)
        cuts.add(at)
    return cuts
