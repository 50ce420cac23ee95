"""Find a matter by characters, pinyin, initials or a spoken question. Pure: no Qt, no clock."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from kiosk.flow.screens import Tile

Reading = Callable[[str], list[str]]
"""Text in, one pinyin syllable for each character out."""

_EMPTY_WORDS = (
    "怎么", "怎样", "如何", "哪里", "哪儿", "在哪", "可以", "能不能", "能否", "请问", "我要", "我想", "想要", "需要",
    "帮我", "办理", "办一下", "一下", "要办", "想办", "是否", "什么", "开具", "打印", "申请", "怎麼", "怎樣", "辦理",
    "請問", "列印",
)  # fmt: skip
_EMPTY_CHARACTERS = frozenset("的了吗呢吧啊呀我你要想办开打去给个张份嗎辦開")
_EMPTY_ENGLISH = frozenset(
    [
        "how",
        "do",
        "i",
        "to",
        "a",
        "an",
        "the",
        "my",
        "for",
        "of",
        "get",
        "can",
        "where",
        "is",
        "please",
        "want",
        "need",
        "print",
        "apply",
    ]
)
_SOUTHERN = ((r"zh", "z"), (r"ch", "c"), (r"sh", "s"), (r"ng", "n"), (r"^n|(?<=[aeiouv])n(?=[aeiouv])", "l"))
_FEWEST_LETTERS_FOR_MISTAKES = 5


@dataclass(frozen=True)
class Entry:
    """One matter, prepared once for each catalogue."""

    matter: str
    title: str
    others: str
    spelled: str
    starts: tuple[int, ...]
    initials: str
    everyday: str


def prepare(tile: Tile, reading: Reading) -> Entry:
    title = tile.title.zh_cn
    syllables = [syllable for syllable in reading(title) if syllable]
    starts, at = [], 0
    for syllable in syllables:
        starts.append(at)
        at += len(syllable)
    others = f"{tile.title.zh_tw} {tile.title.en} {tile.department.zh_cn} {tile.department.en}".lower()
    return Entry(
        matter=tile.matter,
        title=title.lower(),
        others=others,
        spelled="".join(syllables),
        starts=tuple(starts),
        initials="".join(syllable[0] for syllable in syllables),
        everyday=f"{title} {tile.title.zh_tw} {tile.search_text}".lower(),
    )


def find(entries: list[Entry], query: str) -> list[str]:
    """Ids of the matters that fit, best first; no query, no answers. Equal ones keep the catalogue's order."""
    query = query.strip().lower()
    if not query:
        return []
    scored = [(_score(entry, query), index, entry.matter) for index, entry in enumerate(entries)]
    return [matter for score, _, matter in sorted(scored, key=lambda each: (-each[0], each[1])) if score > 0]


def _score(entry: Entry, query: str) -> float:
    letters = re.sub(r"[^a-z0-9]", "", query)
    if letters and query.isascii():
        return max(_score_letters(entry, letters), _score_english(entry, query))
    mixed = re.sub(r"[a-z0-9']+", "", query)
    return _score_characters(entry, mixed or query)


def _score_letters(entry: Entry, letters: str) -> float:
    if entry.initials.startswith(letters):
        return 95
    if len(letters) > 1 and letters in entry.initials:
        return 80
    for start in entry.starts:
        if entry.spelled.startswith(letters, start):
            return 90 if start == 0 else 75
    southern = _southern(letters)
    if len(southern) > 2 and southern in _southern(entry.spelled):
        return 60
    if len(letters) >= _FEWEST_LETTERS_FOR_MISTAKES:
        for start in entry.starts:
            if _one_mistake(letters, entry.spelled[start : start + len(letters) + 1]):
                return 45
    return 0


def _score_english(entry: Entry, query: str) -> float:
    words = [word for word in re.findall(r"[a-z]+", query) if word not in _EMPTY_ENGLISH]
    hits = sum(
        1 for word in words if len(word) > 1 and re.search(rf"\b{word[:6]}", entry.others + " " + entry.everyday)
    )
    return 85 * hits / len(words) if words and hits * 2 >= len(words) else 0


def _score_characters(entry: Entry, query: str) -> float:
    if query in entry.title:
        return 100 if entry.title.startswith(query) else 92
    bare = _without_empty_words(query)
    if not bare:
        return 0
    if bare in entry.title:
        return 88
    if query in entry.everyday or bare in entry.everyday or bare in entry.others:
        return 78
    pairs = {bare[index : index + 2] for index in range(len(bare) - 1)} or {bare}
    hits = sum(1 for pair in pairs if pair in entry.everyday)
    in_title = sum(1 for pair in pairs if pair in entry.title)
    if hits * 2 >= len(pairs):
        return 50 * hits / len(pairs) + 10 * in_title / len(pairs)
    rare = [character for character in bare if character in entry.title]
    return 20 * len(rare) / len(bare) if len(rare) >= max(2, 0.7 * len(bare)) else 0


def _without_empty_words(query: str) -> str:
    query = re.sub(r"[\W_]+", "", query)
    for word in _EMPTY_WORDS:
        if word != query:
            query = query.replace(word, "")
    bare = "".join(character for character in query if character not in _EMPTY_CHARACTERS)
    return bare or query


def _southern(letters: str) -> str:
    """Sounds that many speakers here do not part: zh/z, ch/c, sh/s, ng/n, n/l."""
    for pattern, plain in _SOUTHERN:
        letters = re.sub(pattern, plain, letters)
    return letters.replace("n", "l") if letters.startswith("n") else letters


def _one_mistake(typed: str, spelled: str) -> bool:
    """At most one letter wrong, missing, too many or swapped with its neighbour, against the start of `spelled`."""
    for length in (len(typed) - 1, len(typed), len(typed) + 1):
        target = spelled[:length]
        if len(target) != length:
            continue
        first = next(
            (i for i, (a, b) in enumerate(zip(typed, target, strict=False)) if a != b), min(len(typed), length)
        )
        typed_rest, target_rest = typed[first:], target[first:]
        if typed_rest[1:] == target_rest[1:] or typed_rest[1:] == target_rest or typed_rest == target_rest[1:]:
            return True
        if len(typed_rest) > 1 and typed_rest[1] + typed_rest[0] + typed_rest[2:] == target_rest:
            return True
    return False
