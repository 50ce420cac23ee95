"""What the operating system says about a device's process, and what it may inherit."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import drivers

LOG = logging.getLogger("drivers.host")

INHERITED = frozenset({
    "PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "XDG_RUNTIME_DIR", "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE", "PYTHONMALLOC", "PYTHONPYCACHEPREFIX", "GLIBC_TUNABLES", "VIRTUAL_ENV", "DISPLAY",
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "SSL_CERT_FILE", "SSL_CERT_DIR",
})  # fmt: skip
TEST_BEDS = frozenset({"LD_PRELOAD", "UMOCKDEV_DIR"})
"""How a make-believe device of the system is seen. A bench hands them on; a terminal's devices never inherit them."""
INHERITED_PREFIXES = ("LC_", "MALLOC_", "OPENCV_")
FORGETFUL_MEMORY = {
    "PYTHONMALLOC": "malloc",
    "GLIBC_TUNABLES": "glibc.malloc.perturb=85:glibc.malloc.tcache_count=0",
}
"""Freed memory is overwritten at once; perturb does not reach what thread caches keep. The caller's wish goes first."""

MARK = "YIZHAN_DEVICE_PROCESS"
"""Inherited by everything a device's process starts, so that it is found wherever it hides."""

LINE_LENGTH = 300
LINES_PER_SECOND = 20
_PERSONAL = re.compile(r"[0-9]{5,}[0-9Xx]?|[^\x20-\x7e]+")


def clean_environment() -> dict[str, str]:
    """What a driver needs to find its libraries and language; no secret of the house."""
    kept = {
        name: value for name, value in os.environ.items() if name in INHERITED or name.startswith(INHERITED_PREFIXES)
    }
    ours = str(Path(drivers.__file__).resolve().parents[1])
    kept["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([ours, *kept.get("PYTHONPATH", "").split(os.pathsep)])).rstrip(
        ":"
    )
    kept["PYTHONUNBUFFERED"] = "1"
    kept["PYDANTIC_DISABLE_PLUGINS"] = "__all__"  # nothing of the environment changes what crosses the border
    kept.setdefault("OPENBLAS_NUM_THREADS", "1")
    for name, value in FORGETFUL_MEMORY.items():
        kept.setdefault(name, value)
    return kept


def marked(mark: str) -> list[int]:
    """Living processes that were started by the device's process of that mark, itself included."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
    return found


def children(parent: int) -> list[int]:
    """Processes whose parent that is, those not yet collected included."""
    return [pid for pid, (its_parent, _) in _parents().items() if its_parent == parent]


def descendants(ancestor: int) -> list[int]:
    """Living processes below that one. A device's process keeps those whose own parents have ended."""
    parents = _parents()
    found, generation = [], [ancestor]
    while generation:
        generation = [pid for pid, (parent, _) in parents.items() if parent in generation]
        found += generation
    return [pid for pid in found if parents[pid][1] != "Z"]


def _parents() -> dict[int, tuple[int, str]]:
    """Parent and state by pid."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
                found[int(folder.name)] = int(parent), state
    return found


class Vitals:
    """Memory and processor time of a process, from /proc. A process that is gone has none."""

    def __init__(self, pid: int) -> None:
        self._folder = Path("/proc") / str(pid)
        self._marked = 0.0

    def resident_bytes(self) -> int:
        try:
            return int((self._folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError, ValueError):
            return 0

    def mark(self) -> None:
        """Remember the processor time used so far."""
        self._marked = self._state()[1]

    def starved(self, since_seconds: float) -> bool:
        """True when the process wanted to run since the mark and was hardly let: a busy machine, not a hang."""
        state, used = self._state()
        return state == "R" and used - self._marked < since_seconds / 4

    def stopped(self) -> bool:
        """True when a signal has stopped the process (SIGSTOP): it will not go on by itself."""
        return self._state()[0] == "T"

    def _state(self) -> tuple[str, float]:
        try:
            fields = (self._folder / "stat").read_text().rpartition(")")[2].split()
            return fields[0], (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, IndexError, ValueError):
            return "", 0.0


def read_stderr(fd: int, name: str) -> Callable[[], None]:
    """Log what a process says: bounded, and without digits or characters that could be a citizen's. Returns the end."""
    os.set_blocking(fd, False)
    loop = asyncio.get_running_loop()
    pending = bytearray()
    budget = [time.monotonic(), LINES_PER_SECOND]

    def readable() -> None:
        try:
            chunk = os.read(fd, 4096)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            finish()
            return
        pending.extend(chunk)
        *lines, rest = bytes(pending).split(b"\n")
        pending[:] = rest[:LINE_LENGTH]
        for line in lines:
            _log(name, line, budget)

    def finish() -> None:
        nonlocal fd
        if fd >= 0:
            loop.remove_reader(fd)
            with contextlib.suppress(OSError):
                if not os.get_blocking(fd):
                    for line in os.read(fd, 8192).split(b"\n"):
                        _log(name, line, budget)
            os.close(fd)
            fd = -1

    loop.add_reader(fd, readable)
    return finish


def _log(name: str, line: bytes, budget: list[float]) -> None:
    now = time.monotonic()
    if now - budget[0] >= 1.0:
        budget[:] = [now, LINES_PER_SECOND]
    if budget[1] <= 0 or not line.strip():
        return
    budget[1] -= 1
    LOG.info("%s says: %s", name, without_personal_values(line[:LINE_LENGTH].decode("utf-8", "replace")))


def without_personal_values(text: str) -> str:
    """Long numbers and anything but plain ASCII are blotted out."""
    return _PERSONAL.sub("…", text)
