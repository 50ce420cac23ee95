"""An inverted index over the matters' titles, keywords and questions: what fits best comes first."""

from __future__ import annotations

import bisect
import math
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kiosk.flow.screens import Tile
from kiosk.ui.view_models.search.spelling import Reading, pairs, spelled, syllables_of, trigrams
from kiosk.ui.view_models.search.words import Vocabulary, letters_in, read_vocabulary, stem

COMMON = 1.0
"""A single character or syllable that more than a third of all matters have says nothing."""
TITLE, SAID, OFFICE = 1.0, 0.85, 0.3
"""What a token is worth by where it stands: in the title, in a keyword or question, in the department's name."""
WORTH = {"c": 2.0, "b": 1.0, "u": 0.2, "p": 0.7, "s": 0.15, "w": 1.5, "x": 0.4, "l": 0.5}
"""And by its kind: concept, two characters, one, two syllables, one, English stem, its beginning, three letters."""
FITS = 0.25
"""Share of the best answer's score below which an answer is left out."""
MOST = 60
RERANKED = 24
LONGEST_KEYWORD = 12
WHOLE_PHRASE = 0.6
"""Added when the question is a title, keyword or question of the matter, word for word."""
TITLE_SHARE = 0.35
LINE_SHARE = 0.6
"""Added for what the question says of the title, and for how close it is to one of the matter's own lines."""
FEWEST_LETTERS_FOR_MISTAKES = 4
MOST_SKIPPED = 0.5
"""Letters in no syllable: beyond this share it is no pinyin."""


@dataclass
class _Row:
    """Spelled phrases in one string, parted by bars, so that a look for letters runs at the speed of `str.find`."""

    text: str = "|"
    starts: list[int] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)

    def add(self, phrases: Iterable[tuple[int, str]]) -> None:
        parts, at = [self.text], len(self.text)
        for owner, phrase in phrases:
            self.starts.append(at)
            self.owners.append(owner)
            parts.append(phrase + "|")
            at += len(phrase) + 1
        self.text = "".join(parts)

    def find(self, letters: str) -> dict[int, float]:
        """Owner → 1 for a whole phrase, less for its beginning, least for a part of it."""
        found: dict[int, float] = {}
        at = self.text.find(letters)
        while at >= 0:
            phrase = bisect.bisect_right(self.starts, at) - 1
            begins, ends = at == self.starts[phrase], self.text[at + len(letters)] == "|"
            worth = 1.0 if begins and ends else 0.9 if begins else 0.75
            owner = self.owners[phrase]
            found[owner] = max(found.get(owner, 0.0), worth)
            at = self.text.find(letters, at + 1)
        return found


class Index:
    """Made once for each catalogue, some 0.4 ms a matter; `find` answers in a few milliseconds over 2,000."""

    def __init__(self, tiles: Sequence[Tile], reading: Reading, vocabulary: Vocabulary | None = None) -> None:
        self._vocabulary = vocabulary or read_vocabulary()
        self._reading = reading
        self._matters = [tile.matter for tile in tiles]
        self._postings: dict[str, dict[int, float]] = defaultdict(dict)
        self._lines: list[list[str]] = []
        self._said: list[list[tuple[str, ...]]] = []
        self._titles: list[tuple[str, ...]] = []
        self._initials, self._spelled = _Row(), _Row()
        initials: list[tuple[int, str]] = []
        spellings: list[tuple[int, str]] = []
        for owner, tile in enumerate(tiles):
            self._add(owner, tile, initials, spellings)
        self._initials.add(initials)
        self._spelled.add(spellings)
        total = len(tiles) + 1
        self._idf = {token: math.log(total / len(found)) + 0.1 for token, found in self._postings.items()}
        self._unknown = math.log(total) + 0.1
        self._syllables = frozenset(token[1:] for token in self._postings if token[0] == "s")
        self._english = sorted(token[1:] for token in self._postings if token[0] == "w")

    def _add(self, owner: int, tile: Tile, initials: list[tuple[int, str]], spellings: list[tuple[int, str]]) -> None:
        plain = self._vocabulary.plain
        title = plain(tile.title.zh_cn)
        titles = {title, plain(tile.title.zh_tw), plain(tile.title.en)}
        said = {line for line in map(plain, tile.search_text.split("\n")) if line} - titles
        office = f"{plain(tile.department.zh_cn)} {plain(tile.department.en)}"
        self._lines.append([*titles, *said])
        self._titles.append(self._kept(self._vocabulary.tokens(title)))
        self._said.append([])
        for worth, lines in ((OFFICE, {office}), (SAID, said), (TITLE, titles)):
            for line in lines:
                tokens = self._vocabulary.tokens(line, within=True)
                if worth != OFFICE:
                    self._said[owner].append(self._kept(tokens))
                if not line.isascii():
                    syllables = self._reading(line)
                    tokens |= pairs(syllables)
                    if worth != OFFICE and len(line) <= LONGEST_KEYWORD:
                        known = [syllable for syllable in syllables if syllable]
                        sound = spelled(known)
                        tokens |= trigrams(sound)
                        spellings += [(owner, "".join(known)), (owner, sound)]
                        initials.append((owner, "".join(syllable[0] for syllable in known)))
                elif worth == SAID and line.isalpha():
                    spellings.append((owner, line))
                for token in tokens:
                    self._postings[token][owner] = max(self._postings[token].get(owner, 0.0), worth)

    def _kept(self, tokens: set[str]) -> tuple[str, ...]:
        """Concepts and pairs of characters, each text in memory once."""
        return tuple(sys.intern(token) for token in tokens if token[0] in "cb")

    def find(self, query: str) -> list[str]:
        """Ids of the matters that fit, best first; no query, no answers. Equal ones keep the catalogue's order."""
        asked = self._vocabulary.plain(query.strip())
        if not asked:
            return []
        bare = self._vocabulary.without_fillers(asked)
        scores = self._scores(bare)
        if any(not character.isascii() for character in asked):
            self._rerank(scores, asked, bare)
        self._add_letters(scores, "".join(self._not_english(letters_in(asked))))
        best = max(scores.values(), default=0.0)
        fitting = [(score, owner) for owner, score in scores.items() if score > max(best * FITS, 0.0)]
        fitting.sort(key=lambda each: (-each[0], each[1]))
        return [self._matters[owner] for _, owner in fitting[:MOST]]

    # --- characters and words --------------------------------------------------------------------------------------

    def _scores(self, bare: str) -> dict[int, float]:
        tokens = self._vocabulary.tokens(bare)
        tokens = {token for token in tokens if token[0] not in "wx"} | self._english_of(tokens)
        if not bare.isascii():
            for run in bare.split():
                tokens |= pairs(self._reading(run))
        return self._summed(tokens, least=0.3, least_of=("c", "b", "w"))

    def _summed(self, tokens: set[str], *, least: float, least_of: tuple[str, ...]) -> dict[int, float]:
        """Share of the tokens' worth a matter has. Without a word in common, it takes more than `least` of the rest."""
        scores: dict[int, float] = defaultdict(float)
        strong: set[int] = set()
        whole = 0.0
        for token in tokens:
            found = self._postings.get(token)
            if found is not None and token[0] in "us" and self._idf[token] < COMMON:
                continue
            worth = WORTH[token[0]] * (self._idf[token] if found else self._unknown)
            if found is None:
                whole += worth * 0.5 if token[0] in least_of else 0.0
                continue
            whole += worth
            for owner, place in found.items():
                scores[owner] += worth * place
                if token[0] in least_of and place > OFFICE:
                    strong.add(owner)
        if not whole:
            return {}
        return {owner: score / whole for owner, score in scores.items() if owner in strong or score / whole >= least}

    def _english_of(self, tokens: set[str]) -> set[str]:
        """English words as the index knows them, one letter wrong included; a known word needs no beginning."""
        found: set[str] = set()
        for token in tokens:
            if token[0] != "w":
                continue
            word = token[1:]
            if token in self._postings:
                found.add(token)
            elif len(word) >= 4:
                near = [
                    known for known in self._english if abs(len(known) - len(word)) <= 1 and _one_wrong(word, known)
                ]
                found.update("w" + known for known in near)
                if not near:
                    found |= {token, "x" + word[:4]} if "x" + word[:4] in self._postings else {token}
            else:
                found.add(token)
        return found

    def _rerank(self, scores: dict[int, float], asked: str, bare: str) -> None:
        """The best ones again: is the question one of theirs, and how much of the title does it say?"""
        wanted = {token for token in self._vocabulary.tokens(bare) if token[0] in "cb"}
        if not wanted:
            return
        asked_worth = self._worth(wanted)
        run = bare.replace(" ", "")
        for owner in sorted(scores, key=lambda owner: -scores[owner])[:RERANKED]:
            lines = self._lines[owner]
            if asked in lines or run in lines:
                scores[owner] += WHOLE_PHRASE
            title = self._titles[owner]
            shared = self._worth(token for token in title if token in wanted)
            scores[owner] += TITLE_SHARE * shared / (self._worth(title) or 1.0)
            closest = 0.0
            for said in self._said[owner]:
                shared = self._worth(token for token in said if token in wanted)
                if shared:
                    closest = max(closest, shared / (asked_worth + self._worth(said) - shared))
            scores[owner] += LINE_SHARE * closest

    def _worth(self, tokens: Iterable[str]) -> float:
        return sum(WORTH[token[0]] * self._idf.get(token, self._unknown) for token in tokens)

    # --- letters ---------------------------------------------------------------------------------------------------

    def _not_english(self, runs: list[str]) -> list[str]:
        """Where most words are English, none is pinyin."""
        english = [run for run in runs if self._vocabulary.is_english(run) or "w" + stem(run) in self._postings]
        return runs if len(english) * 2 < len(runs) or not english else []

    def _add_letters(self, scores: dict[int, float], letters: str) -> None:
        """Initials, whole or begun pinyin, then pinyin by sound and with mistakes."""
        if not letters:
            return
        syllables, skipped = syllables_of(letters, self._syllables)
        sound = "".join(syllables)
        found = [self._initials.find(letters), self._spelled.find(letters)]
        found += [self._spelled.find(sound)] if len(sound) > 1 else []
        for shares in found:
            for owner, share in shares.items():
                scores[owner] = max(scores.get(owner, 0.0), share)
        if len(letters) < FEWEST_LETTERS_FOR_MISTAKES:
            return
        by_sound = self._summed(pairs(syllables), least=0.35, least_of=("p",)) if skipped < MOST_SKIPPED else {}
        by_letters = self._summed(trigrams(sound) | trigrams(letters), least=0.4, least_of=())
        for shares in (by_sound, by_letters):
            for owner, share in shares.items():
                scores[owner] = scores.get(owner, 0.0) + share


def _one_wrong(a: str, b: str) -> bool:
    """One letter wrong, missing, too many, or two swapped."""
    if abs(len(a) - len(b)) > 1:
        return False
    first = next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest_a, rest_b = a[first:], b[first:]
    swapped = len(rest_a) > 1 and rest_a[1] + rest_a[0] + rest_a[2:] == rest_b
    return swapped or rest_a[1:] in (rest_b[1:], rest_b) or rest_a == rest_b[1:]
