"""Is a value still in a living process, or in its files? For tests that prove a citizen's data is gone.

    hits = scan(pid, ["350203…", "林…"])          # /proc/PID/mem: needs the right to trace the process (a child has it)
    hits = scan_files(data_directory, needles)    # data directory, spool, journal

A needle is looked for in UTF-8, UTF-16 (Qt), UTF-32 (Python), GB18030 (printers, cards), JSON's and addresses' escapes,
and in base64 wherever in a longer text it begins; bytes (a piece of a picture, of a document) as such and in base64.
"""

from __future__ import annotations

import base64
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ENCODINGS = ("utf-8", "utf-16-le", "utf-32-le", "gb18030")
CHUNK_BYTES = 16 * 1024 * 1024
CONTEXT_BYTES = 48
DIGITS = tuple(bytes([digit]) for digit in b"0123456789")
SHORTEST_BASE64 = 8
"""Fewer characters stand somewhere by chance."""
KERNEL_REGIONS = ("[vvar]", "[vvar_vclock]", "[vsyscall]", "[vdso]")


@dataclass(frozen=True)
class Hit:
    """Where a needle was found. `needle` is its index in the list given; `place` a memory region or a file."""

    needle: int
    encoding: str
    place: str
    address: int
    context: bytes


def scan(pid: int, needles: Sequence[str | bytes]) -> list[Hit]:
    """Every place in the memory of `pid` where a needle stands."""
    patterns = _Patterns(needles)
    overlap = patterns.longest - 1
    hits: dict[int, Hit] = {}
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for start, end, name in _regions(pid):
            position = start
            while position < end:
                try:
                    memory.seek(position)
                    content = memory.read(min(CHUNK_BYTES, end - position))
                except (OSError, ValueError, OverflowError):
                    break
                for hit in patterns.found(content, name, position):
                    hits.setdefault(hit.address, hit)
                if not content or position + len(content) >= end:
                    break
                position += max(1, len(content) - overlap)
    return list(hits.values())


def scan_files(folder: Path, needles: Sequence[str | bytes]) -> list[Hit]:
    """The same over every file below a folder."""
    patterns = _Patterns(needles)
    return [
        hit
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for hit in patterns.found(path.read_bytes(), str(path), 0)
    ]


def _regions(pid: int) -> Iterator[tuple[int, int, str]]:
    """Readable regions with something in them: start, end, name.

    Left out are regions without a single page in memory or swap, and private mappings of a file that have no page of
    their own: those are the file, byte for byte.
    """
    bounds, permissions, name = (0, 0), "", ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        words = line.split(maxsplit=5)
        if not words[0].endswith(":"):
            low, high = words[0].split("-")
            bounds, permissions = (int(low, 16), int(high, 16)), words[1]
            name = words[5].strip() if len(words) > 5 else "anonymous"
            kilobytes: dict[str, int] = {}
            continue
        if len(words) > 2 and words[2] == "kB":
            kilobytes[words[0]] = int(words[1])
        if words[0] == "VmFlags:" and "r" in permissions and name not in KERNEL_REGIONS:
            is_file = name.startswith("/") and permissions.endswith("p") and not name.endswith("(deleted)")
            own = kilobytes["Anonymous:"] + kilobytes["Swap:"]
            if own or (not is_file and kilobytes["Rss:"]):
                yield *bounds, name


class _Patterns:
    """All the needles in all encodings, found in one pass: four rare bytes of each are looked up at every position."""

    def __init__(self, needles: Sequence[str | bytes]) -> None:
        self.all = _patterns(needles)
        self._is_short_number = [isinstance(one, str) and one.isdigit() and len(one) < 8 for one in needles]
        self.longest = max(len(pattern) for pattern in self.all)
        self._by_key: dict[int, list[tuple[bytes, int]]] = {}
        for pattern in self.all:
            rarities = [_rarity(pattern[at : at + 4]) for at in range(len(pattern) - 3)]
            at = rarities.index(max(rarities))
            self._by_key.setdefault(int.from_bytes(pattern[at : at + 4], "little"), []).append((pattern, at))
        self._keys = np.array(sorted(self._by_key), dtype=np.uint32)
        self._low, self._high = np.zeros(65536, bool), np.zeros(65536, bool)
        self._low[self._keys & 0xFFFF] = True
        self._high[self._keys >> 16] = True

    def found(self, content: bytes, place: str, base: int) -> Iterator[Hit]:
        """Every occurrence in `content`, which starts at address `base` of `place`."""
        for parity in (0, 1):
            shifted = memoryview(content)[parity:]
            words = np.frombuffer(shifted[: len(shifted) // 2 * 2], "<u2")
            candidates = np.flatnonzero(self._low[words[:-1]] & self._high[words[1:]])
            keys = words[candidates].astype(np.uint32) | (words[candidates + 1].astype(np.uint32) << 16)
            right = np.isin(keys, self._keys)
            for index, key in zip(candidates[right].tolist(), keys[right].tolist(), strict=True):
                yield from self._at(content, index * 2 + parity, key, place, base)

    def _at(self, content: bytes, position: int, key: int, place: str, base: int) -> Iterator[Hit]:
        for pattern, offset in self._by_key[key]:
            at = position - offset
            if at >= 0 and content.startswith(pattern, at):
                needle, encoding = self.all[pattern]
                if self._is_short_number[needle] and _part_of_a_number(content, at, pattern, encoding):
                    continue
                context = content[max(0, at - CONTEXT_BYTES) : at + len(pattern) + CONTEXT_BYTES]
                yield Hit(needle, encoding, place, base + at, context)


def _part_of_a_number(content: bytes, at: int, pattern: bytes, encoding: str) -> bool:
    """A few digits inside a longer number or behind its decimal point stand there by chance."""
    width = {"utf-16-le": 2, "utf-32-le": 4}.get(encoding, 1)
    end = at + -(-len(pattern) // width) * width
    before, after = content[max(0, at - width) : at][:1], content[end : end + width][:1]
    return before in (b".", *DIGITS) or after in DIGITS


def _rarity(four: bytes) -> int:
    """Half of a memory is zeros: a window that begins with two of them would be looked at everywhere."""
    return len(set(four)) - 4 * four.count(0) - 12 * (four[:2] == b"\0\0")


def _patterns(needles: Sequence[str | bytes]) -> dict[bytes, tuple[int, str]]:
    """Bytes to look for. Without the zeros at their end: nothing is as common in memory, and the search would crawl."""
    patterns: dict[bytes, tuple[int, str]] = {}
    for index, needle in enumerate(needles):
        if len(needle if isinstance(needle, bytes) else needle.encode()) < 6:
            raise ValueError("a needle this short is found by chance: give at least six bytes")
        for code in _base64(needle if isinstance(needle, bytes) else needle.encode()):
            patterns.setdefault(code.encode(), (index, "base64"))
            patterns.setdefault(code.encode("utf-16-le").rstrip(b"\0"), (index, "base64 in utf-16-le"))
        if isinstance(needle, bytes):
            patterns.setdefault(needle, (index, "bytes"))
            continue
        for encoding in ENCODINGS:
            patterns.setdefault(needle.encode(encoding).rstrip(b"\0"), (index, encoding))
        patterns.setdefault(needle.encode("ascii", "backslashreplace"), (index, "json escapes"))
        patterns.setdefault(urllib.parse.quote(needle).encode(), (index, "address"))
    return patterns


def _base64(content: bytes) -> set[str]:
    """What stands for it in base64, by where in a group of three it begins; without the characters it shares."""
    found = set()
    for before in range(3):
        text = base64.b64encode(bytes(before) + content + bytes(2)).decode()
        own = text[-(-before * 8 // 6) : (before + len(content)) * 8 // 6]
        if len(own) >= SHORTEST_BASE64:
            found |= {own, own.replace("+", "-").replace("/", "_")}
    return found
