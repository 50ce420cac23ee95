"""Is a value still in a living process, or in its files? For tests that prove a citizen's data is gone.

    hits = scan(pid, ["350203…", "林…"])          # /proc/PID/mem: needs the right to trace the process (a child has it)
    hits = scan_files(data_directory, needles)    # data directory, spool, journal

A needle is looked for in UTF-8, UTF-16 (Qt), UTF-32 (Python), GB18030 (printers, cards) and JSON's escapes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ENCODINGS = ("utf-8", "utf-16-le", "utf-32-le", "gb18030")
CHUNK_BYTES = 16 * 1024 * 1024
CONTEXT_BYTES = 48
KERNEL_REGIONS = ("[vvar]", "[vvar_vclock]", "[vsyscall]", "[vdso]")


@dataclass(frozen=True)
class Hit:
    """Where a needle was found. `needle` is its index in the list given; `place` a memory region or a file."""

    needle: int
    encoding: str
    place: str
    address: int
    context: bytes


def scan(pid: int, needles: list[str]) -> list[Hit]:
    """Every place in the memory of `pid` where a needle stands."""
    patterns = _patterns(needles)
    overlap = max(len(pattern) for pattern in patterns) - 1
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
                for hit in _found(content, patterns, name, position):
                    hits.setdefault(hit.address, hit)
                if not content or position + len(content) >= end:
                    break
                position += max(1, len(content) - overlap)
    return list(hits.values())


def scan_files(folder: Path, needles: list[str]) -> list[Hit]:
    """The same over every file below a folder."""
    patterns = _patterns(needles)
    return [
        hit
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for hit in _found(path.read_bytes(), patterns, str(path), 0)
    ]


def _regions(pid: int) -> Iterator[tuple[int, int, str]]:
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        bounds, permissions, *rest = line.split(maxsplit=5)
        name = rest[3].strip() if len(rest) > 3 else "anonymous"
        if "r" in permissions and name not in KERNEL_REGIONS:
            start, end = (int(bound, 16) for bound in bounds.split("-"))
            yield start, end, name


def _found(content: bytes, patterns: dict[bytes, tuple[int, str]], place: str, base: int) -> Iterator[Hit]:
    for pattern, (needle, encoding) in patterns.items():
        at = content.find(pattern)
        while at >= 0:
            context = content[max(0, at - CONTEXT_BYTES) : at + len(pattern) + CONTEXT_BYTES]
            yield Hit(needle, encoding, place, base + at, context)
            at = content.find(pattern, at + 1)


def _patterns(needles: list[str]) -> dict[bytes, tuple[int, str]]:
    patterns: dict[bytes, tuple[int, str]] = {}
    for index, needle in enumerate(needles):
        if len(needle.encode()) < 6:
            raise ValueError("a needle this short is found by chance: give at least six bytes")
        for encoding in ENCODINGS:
            patterns.setdefault(needle.encode(encoding), (index, encoding))
        patterns.setdefault(needle.encode("ascii", "backslashreplace"), (index, "json escapes"))
    return patterns
