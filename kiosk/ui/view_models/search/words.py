"""What a question says: simplified characters, empty words away, everyday words under what they stand for."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

FOLDER = Path(__file__).resolve().parents[4] / "assets" / "i18n" / "search"

_CHINESE = re.compile(r"[\u3400-\u9fff]+")
_LETTERS = re.compile(r"[a-z0-9']+")
_NUMBER = re.compile(r"[0-9]+")
_FEWEST_DIGITS = 4
"""Shorter numbers count months, yuan or children and name no matter."""
_LONGEST_STEM = 7
_LONGEST_WORD = 8


@dataclass(frozen=True)
class Vocabulary:
    """`traditional` maps characters to their simplified form; `concepts` a word to what it stands for."""

    traditional: dict[int, str]
    words: re.Pattern[str]
    fillers_en: frozenset[str]
    concepts: dict[str, tuple[int, ...]]
    chinese: re.Pattern[str]
    english: re.Pattern[str]

    def plain(self, text: str) -> str:
        return text.lower().translate(self.traditional)

    def is_english(self, word: str) -> bool:
        return word in self.fillers_en or word in self.concepts

    def without_fillers(self, text: str) -> str:
        """What is left of a question; empty words alone stay, one empty character does not.

        A word that stands for something stays whole: 份 says nothing, but 身份证 does.
        """
        rest = self.words.sub(lambda word: word.group() if word.group() in self.concepts else " ", text)
        return rest if rest.strip() or len(text) == 1 else text

    def tokens(self, text: str, *, within: bool = False) -> set[str]:
        """Tokens of a plain text: c concept, b two characters, u one character, w English stem, x its beginning.

        `within` also takes the words inside longer ones: what is indexed is found by either, what is asked means one.
        """
        found: set[str] = set()
        for match in self.chinese.finditer(text):
            found.update(f"c{concept}" for concept in self.concepts[match.group()])
        for run in _CHINESE.findall(text):
            if within:
                found.update(f"c{concept}" for concept in self._within(run))
            found.update(f"b{run[at : at + 2]}" for at in range(len(run) - 1))
            found.update(f"u{character}" for character in run)
        if _LETTERS.search(text):
            found |= self._english_tokens(text)
        return found

    def _within(self, run: str) -> Iterator[int]:
        for start in range(len(run) - 1):
            for end in range(start + 2, min(start + _LONGEST_WORD, len(run)) + 1):
                yield from self.concepts.get(run[start:end], ())

    def _english_tokens(self, text: str) -> set[str]:
        found: set[str] = set()
        for match in self.english.finditer(text):
            found.update(f"c{concept}" for concept in self.concepts[match.group()])
        for word in re.findall(r"[a-z]{2,}", text):
            if word not in self.fillers_en:
                found.add("w" + stem(word))
                found.add("x" + word[:4])
        return found


def stem(word: str) -> str:
    """A crude English stem: endings of number and time away, and no more than its first letters."""
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:_LONGEST_STEM]


def letters_in(text: str) -> list[str]:
    """Runs of Latin letters, an input method's apostrophes away; of numbers those long enough to name something."""
    runs = [run.replace("'", "") for run in _LETTERS.findall(text)]
    return [run for run in runs if run and (len(run) >= _FEWEST_DIGITS or not _NUMBER.fullmatch(run))]


@functools.cache
def read_vocabulary(folder: Path = FOLDER) -> Vocabulary:
    """Read once, some 30 ms. Raises `OSError` when the files are missing."""
    lines = (folder / "traditional.txt").read_text(encoding="utf-8").splitlines()
    pairs = "".join(line for line in lines if not line.startswith("#"))
    traditional = {ord(old): new for old, new in zip(pairs[::2], pairs[1::2], strict=True)}
    data = yaml.load((folder / "words.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    concepts: dict[str, tuple[int, ...]] = {}
    for number, words in enumerate(data["same"]):
        for word in words:
            plain = str(word).lower().translate(traditional)
            concepts[plain] = (*concepts.get(plain, ()), number)
    chinese = [word for word in concepts if not word.isascii()]
    english = [word for word in concepts if word.isascii()]
    return Vocabulary(
        traditional=traditional,
        words=_any_of({*data["fillers"], *data["filler_characters"], *chinese}),
        fillers_en=frozenset(data["fillers_en"]),
        concepts=concepts,
        chinese=_any_of(chinese),
        english=re.compile(rf"(?<![a-z0-9])(?:{_any_of(english).pattern})(?![a-z0-9])"),
    )


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(word) for word in sorted(words, key=lambda word: -len(word))))
