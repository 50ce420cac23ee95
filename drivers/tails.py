"""The last word of a freed block, which the C library's own overwriting (malloc's perturb) leaves as it was."""

from __future__ import annotations

import ctypes
from typing import Final

PROBE_BYTES: Final = 120_000
"""The largest block that still comes from an arena and not from a mapping of its own (mmap_threshold)."""
PROBES_IN_A_ROW, MOST_PROBES = 8, 64
BLOCK_BYTES: Final = (32_760, 8_184, 2_040, 504, 248, 120, 88, 56)
"""Sizes taken one after another, each filling its chunk; in what is smaller no tail can lie between two others."""
MOST_BYTES, MOST_BLOCKS = 16 << 20, 20_000


def overwrite_tails() -> None:
    """Take what lies free between the blocks in use, and give it back: both overwrite it (malloc's perturb).

    A freed block is overwritten but for its last word. That is read again as the size of the gap; where the next block
    was free already, both become one gap and the word stays. Reaches the calling thread's arena, in some milliseconds.
    """
    libc = ctypes.PyDLL(None)
    malloc, free = libc.malloc, libc.free
    malloc.restype, malloc.argtypes = ctypes.c_void_p, (ctypes.c_size_t,)
    free.restype, free.argtypes = None, (ctypes.c_void_p,)
    taken: list[int] = []
    in_a_row = top = 0
    while in_a_row < PROBES_IN_A_ROW and len(taken) < MOST_PROBES:  # one behind the other: nothing is in use above
        taken.append(malloc(PROBE_BYTES) or 0)
        is_next = len(taken) > 1 and 0 < taken[-1] - taken[-2] <= PROBE_BYTES + 32
        in_a_row, top = (in_a_row + 1, top) if is_next else (0, taken[-1])
    for size in BLOCK_BYTES:
        for _ in range(min(MOST_BYTES // size, MOST_BLOCKS)):
            taken.append(malloc(size) or 0)
            if taken[-1] > top:
                break
    for block in taken:
        free(block)
