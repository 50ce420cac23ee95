"""What a citizen said does not outlive the citizen: freed memory is overwritten at once, and swept after a session.

Python's own allocator leaves freed blocks as they were, and the C library's keeps them in caches. A hardened process
uses the C library's allocator for everything (PYTHONMALLOC=malloc), without the caches that delay a free, and has it
overwrite each block it frees (perturb). All of that is read when a process starts, hence `reexec_hardened`. Perturb
spares the last word of a block, which is room enough for a texted code or a name: `drivers.tails` reaches it.

Values also linger in the part of a thread's stack that deeper calls used. Each thread can clear only its own:
`sweep` does so for the thread it runs on, `CleaningExecutor` for the threads blocking work runs on. A thread that just
ends does not: the C library keeps the upper end of its stack for the next thread.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import platform
import resource
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from drivers.tails import overwrite_tails

P = ParamSpec("P")
T = TypeVar("T")

_TUNABLES = {
    "glibc.malloc.tcache_count": "0",
    "glibc.malloc.mxfast": "0",
    "glibc.malloc.perturb": "165",
    "glibc.malloc.mmap_threshold": "131072",
    "glibc.malloc.trim_threshold": "131072",
    "glibc.malloc.arena_max": "4",
}
_CONTEXT_BYTES = 8192
_STACK_POINTER_AT = {"x86_64": 160, "aarch64": 432}
"""Offset of the stack pointer in glibc's ucontext_t."""
_MARGIN_BYTES = 2048
"""Left alone below the stack pointer: the calls that clear it stand there themselves."""


def hardened_environment() -> dict[str, str]:
    """Variables a process must be started with to overwrite what it frees. Merge them into its environment."""
    tunables = ":".join(f"{name}={value}" for name, value in _TUNABLES.items())
    return {"PYTHONMALLOC": "malloc", "GLIBC_TUNABLES": tunables}


def is_hardened() -> bool:
    """True when this process was started with `hardened_environment`."""
    return all(os.environ.get(name) == value for name, value in hardened_environment().items())


def reexec_hardened() -> None:
    """Start this very program anew, hardened; returns at once when it is. Call it first thing in the program."""
    if not is_hardened():
        sys.stdout.flush()
        sys.stderr.flush()
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **hardened_environment()})


def forbid_core_dumps() -> None:
    """A crash must not write the memory to the disk."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def settle() -> None:
    """Once, before the first citizen: what stands now stands for good and is not looked through by every sweep.

    Collecting the hundred thousand objects of a started terminal takes a tenth of a second, in which nothing else runs.
    """
    gc.collect()
    gc.freeze()


def sweep() -> None:
    """After a session, on each thread that served it: collect cycles, give free pages back, clear the stack.

    Some milliseconds once `settle` was called.
    """
    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        if hasattr(sys, name):
            delattr(sys, name)
    gc.collect()
    if is_hardened():
        overwrite_tails()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(ctypes.c_size_t(0))
    wipe_stack()


def wipe_stack() -> None:
    """Clear what deeper calls left on the calling thread's stack. Does nothing on a processor it does not know."""
    offset = _STACK_POINTER_AT.get(platform.machine())
    if offset is None or sys.platform != "linux":
        return
    libc = ctypes.PyDLL(None)
    context = ctypes.create_string_buffer(_CONTEXT_BYTES)
    if libc.getcontext(context) != 0:
        return
    pointer = int.from_bytes(context.raw[offset : offset + 8], sys.byteorder)
    start = _region_start(pointer)
    end = pointer - _MARGIN_BYTES
    last_page = end & -mmap.PAGESIZE
    if start is None or last_page < start:
        return
    libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(last_page - start), mmap.MADV_DONTNEED)
    libc.memset(ctypes.c_void_p(last_page), 0, ctypes.c_size_t(end - last_page))


def _region_start(address: int) -> int | None:
    for line in Path("/proc/self/maps").read_text(encoding="ascii", errors="replace").splitlines():
        low, _, high = line.split(" ", 1)[0].partition("-")
        if int(low, 16) <= address < int(high, 16):
            return int(low, 16)
    return None


class CleaningExecutor(ThreadPoolExecutor):
    """Threads for blocking work with personal data: each clears its stack after every piece of work.

    `loop.set_default_executor(CleaningExecutor(8))` makes `asyncio.to_thread` use it.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        def work() -> T:
            try:
                return fn(*args, **kwargs)
            finally:
                wipe_stack()

        return super().submit(work)
