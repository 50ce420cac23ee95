"""Can this processor run the libraries at all? Asked before any of them is imported."""

from __future__ import annotations

from pathlib import Path

from drivers.errors import HardwareFault


def refuse_without_avx() -> None:
    """Without AVX the libraries die with an illegal instruction: say so before loading them."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return
    if "flags" in flags and " avx" not in flags:
        raise HardwareFault("this processor has no AVX: face comparison cannot run here; use another way", "no_avx")
