"""How soon the screen answers and a device returns, told apart from a machine that is busy with something else."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field

import psutil

BACK_SECONDS = 3.0
ANSWER_SECONDS = 0.5
QUIET_CORES = 0.3
"""What other programs may use of the processors while the limits hold as they are."""
LEAST_SHARE = 0.2


def used_by_others() -> float:
    """Processor seconds since the start of the machine that neither these tests nor their children used."""
    whole = psutil.cpu_times()
    ours = 0.0
    us = psutil.Process()
    for process in (us, *us.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            ours += sum(process.cpu_times()[:4])
    return whole.user + whole.nice + whole.system - ours


@dataclass
class Watch:
    """Every sentence that stood on the screen, and how long (seconds) the screen took to answer at its slowest."""

    slowest: float = 0.0
    at: str = ""
    looks: int = 0
    sentences: list[str] = field(default_factory=list)
    failure: str = ""
    others: float = 0.0
    """Cores that other programs used meanwhile."""

    def looked(self, sentence: str, took: float) -> None:
        self.looks += 1
        if took > self.slowest:
            self.slowest, self.at = took, sentence
        if sentence and sentence not in self.sentences[-1:]:
            self.sentences.append(sentence)

    @property
    def share(self) -> float:
        """The part of the machine that was ours: limits for a quiet machine are divided by it."""
        if self.others <= QUIET_CORES:
            return 1.0
        return max(LEAST_SHARE, 1 - self.others / (os.cpu_count() or 1))

    def assert_never_frozen(self) -> None:
        assert not self.failure
        assert self.looks >= 10
        assert self.slowest <= ANSWER_SECONDS / self.share, f"the screen stood still for {self.slowest:.2f} s"

    def __str__(self) -> str:
        slowest = f"the slowest of {self.looks} answers took {self.slowest * 1000:.0f} ms, at {self.at!r}"
        return f"{slowest}; others used {self.others:.2f} cores"
