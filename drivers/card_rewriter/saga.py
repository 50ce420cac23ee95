"""One endorsement, from the card's chip to its print (domain.md 3.4).

    compare → authorise → write → read back → erase → print → note that it is printed

The chip decides what is to be done: the job's id is written with the endorsement in one stroke. A job whose id is there
is never written again; it is printed, if its print is pending. So the saga may be cut anywhere and begun again.
"""

from __future__ import annotations

from typing import Final

from drivers.card_rewriter import chip
from drivers.card_rewriter.chip import ChipState, Slot
from drivers.card_rewriter.commands import LINE_BYTES
from drivers.card_rewriter.unit import Unit
from drivers.errors import CommandCancelled, CommandTimedOut, DeviceError, MediaError
from drivers.messages import RewriteJob, RewriteOutcome, RewriteResult
from drivers.watch import Watch

PRINT_SECONDS: Final = 8.0
"""A chip is not written when less is left for its print."""


class Saga:
    """Blocking; on the thread of the commands."""

    def __init__(self, unit: Unit, job: RewriteJob, watch: Watch) -> None:
        self._unit = unit
        self._job = job
        self._watch = watch

    def run(self) -> RewriteResult:
        """Raises `CommandCancelled` only; everything else has an outcome."""
        prepared: tuple[int, bytes] | None = None
        try:
            lines = self._encoded_lines()
            self._unit.take_card(self._watch)
            slot = self._unit.read_chip()
            known = self._outcome_on(slot.state)
            if known.outcome is RewriteOutcome.FAILED:
                if known.reason != "not_written":
                    return known
                prepared = self._prepare(slot)
        except CommandCancelled:
            raise
        except DeviceError as error:
            return self._result(RewriteOutcome.FAILED, error.reason)
        if known.outcome is RewriteOutcome.COMPLETED:
            return known
        if prepared is not None:
            written = self._commit(*prepared)
            if isinstance(written, RewriteResult):
                return written
            slot = written
        return self._print(slot, lines)

    def find(self) -> RewriteResult:
        """What the chip says. Changes nothing; raises `CommandCancelled` only."""
        try:
            self._unit.take_card(self._watch)
            found = self._outcome_on(self._unit.read_chip().state)
        except CommandCancelled:
            raise
        except DeviceError as error:
            return self._result(RewriteOutcome.UNCERTAIN, error.reason)
        if found.reason == "wrong_card":
            return self._result(RewriteOutcome.UNCERTAIN, "wrong_card")
        return self._result(RewriteOutcome.FAILED, "not_written") if found.reason == "other_print_pending" else found

    def _outcome_on(self, state: ChipState) -> RewriteResult:
        """Of this job on this card, as it is now."""
        if state.card_number != self._job.card_number:
            return self._result(RewriteOutcome.FAILED, "wrong_card")
        if self._job.job_id not in state.jobs:
            reason = "other_print_pending" if state.print_pending else "not_written"
            return self._result(RewriteOutcome.FAILED, reason)
        if state.print_pending and state.last_job == self._job.job_id:
            return self._result(RewriteOutcome.PRINT_PENDING)
        return self._result(RewriteOutcome.COMPLETED)

    def _encoded_lines(self) -> list[bytes]:
        if not 0 < len(self._job.job_id) <= chip.LONGEST_JOB_ID:
            raise MediaError(f"a job id has at most {chip.LONGEST_JOB_ID} characters", "invalid_data")
        lines = [line.encode("gb18030", "replace") for line in self._job.print_lines]
        if any(len(line) > LINE_BYTES for line in lines):
            raise MediaError("a line is too long for the card", "invalid_data")
        return lines

    # --- the chip ----------------------------------------------------------------------------------------------------

    def _prepare(self, slot: Slot) -> tuple[int, bytes]:
        """All that can fail without a trace. The card remains what it was."""
        self._unit.check_fit()
        if self._watch.remaining_seconds < PRINT_SECONDS:
            raise CommandTimedOut("too little time is left to write and print the card", "timed_out")
        self._unit.authorise(self._job.token)
        prepared = self._unit.write_body(slot, slot.state.endorsed(self._job))
        self._watch.check("too little time is left to write and print the card", "timed_out")
        return prepared

    def _commit(self, start: int, head: bytes) -> Slot | RewriteResult:
        """The one stroke, and what the chip says of it: only that decides."""
        failure = ""
        try:
            self._unit.commit(start, head)
        except DeviceError as error:
            failure = error.reason
        try:
            slot = self._unit.read_chip()
        except DeviceError as error:
            return self._result(RewriteOutcome.UNCERTAIN, failure or error.reason)
        found = self._outcome_on(slot.state)
        if found.outcome is RewriteOutcome.PRINT_PENDING:
            return slot
        return self._result(
            RewriteOutcome.UNCERTAIN if found.reason == "wrong_card" else RewriteOutcome.FAILED,
            failure or "verify_failed",
        )

    # --- the film ----------------------------------------------------------------------------------------------------

    def _print(self, slot: Slot, lines: list[bytes]) -> RewriteResult:
        """From here nothing is worse than a pending print."""
        try:
            self._unit.check_fit()
            self._watch.check()
            self._unit.erase()
            for number, line in enumerate(lines):
                self._watch.check()
                self._unit.print_line(number, line)
            self._unit.commit(*self._unit.write_body(slot, slot.state.printed()))
            found = self._outcome_on(self._unit.read_chip().state)
        except CommandCancelled:
            raise
        except DeviceError as error:
            return self._result(RewriteOutcome.PRINT_PENDING, error.reason)
        if found.outcome is RewriteOutcome.COMPLETED:
            return found
        return self._result(RewriteOutcome.PRINT_PENDING, "verify_failed")

    def _result(self, outcome: RewriteOutcome, reason: str = "") -> RewriteResult:
        return RewriteResult(job_id=self._job.job_id, outcome=outcome, reason=reason)
