"""Driver for ESC/POS receipt printers on a serial line, a pty, TCP or USB (device-classes C.4).

A job is `printed` only when the printer answers the barrier behind its cut. Before the first byte an obstacle ends the
job as `failed`; after it, everything short of that answer is `uncertain`: a printer whose back-channel cannot give such
an answer leaves every slip `uncertain` (`not_confirmed`), however well it went.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from drivers.errors import DeviceAbsent, DeviceBusy, DeviceError
from drivers.messages import Capabilities, DeviceStatus, PrintJob, PrintOutcome, PrintResult
from drivers.receipt_printer.byte_builder import BARRIER, INITIALISE, PUSH_STATUS, RETRACT
from drivers.receipt_printer.composition import compose
from drivers.receipt_printer.conversation import STATUS_SECONDS, SYNC_SECONDS, Conversation, LinkBlocked
from drivers.receipt_printer.fonts import find_fonts
from drivers.receipt_printer.health import BLIND, PRESENTED, UNKNOWN_PARTS, FaultBook, Health, status_of
from drivers.receipt_printer.link import LinkLost, open_link
from drivers.receipt_printer.options import EscposOptions, capabilities_of
from drivers.receipt_printer.typesetting import Typesetter

REMEMBERED_JOBS = 512
POLL_SECONDS = 0.5
WIPE_SECONDS = 0.5
TICK_SECONDS = 0.1
WATCH_SECONDS = 3.0  # a usual slip is out by then
BITS_PER_BYTE = 10

T = TypeVar("T")


class EscposPrinter:
    """Implements `drivers.protocols.ReceiptPrinter`. Blocking work runs on worker threads, one command at a time."""

    Options = EscposOptions

    def __init__(self, options: EscposOptions) -> None:
        """Raises `DeviceAbsent` (reason `font_missing`) when no Chinese font is there; does not open the port."""
        self._options = options
        self._typesetter = Typesetter(find_fonts(options.font_path), options.width_dots, options.dpi)
        self._lock = threading.Lock()
        self._printing = threading.Event()
        self._conversation: Conversation | None = None
        self._results: OrderedDict[str, PrintResult] = OrderedDict()
        self._unconfirmed: str | None = None
        """The job that was sent whole and whose barrier has not been answered yet."""
        self._unseen = False
        """A job was sent whole to a printer that cannot say whether it came out."""
        self._leftover = False
        """Bytes of a job that nobody waits for may still be in the printer."""
        self._stop = threading.Event()
        self._faults = FaultBook()
        self._health: Health | None = None
        self._unreachable = "disconnected"
        """Why there is no health: a code of `health.ACTIONS`."""
        self._absent = False
        self._presented_since: float | None = None

    async def capabilities(self) -> Capabilities:
        return capabilities_of(self._options)

    async def status(self) -> DeviceStatus:
        return await asyncio.to_thread(self._status)

    async def print_receipt(self, job: PrintJob, *, timeout_seconds: float = 20.0) -> PrintResult:
        """Print and cut. The same `job_id` again never prints: it returns what is known, and looks for a late answer.

        A job that failed was never sent, and may be tried again under its id.
        """
        stop = threading.Event()
        deadline = time.monotonic() + timeout_seconds
        return await _in_thread(lambda: self._print(job, deadline, stop), stop)

    async def wipe(self) -> None:
        await asyncio.to_thread(self._wipe)

    async def close(self) -> None:
        await asyncio.to_thread(self._close)

    # --- on worker threads, under the lock -------------------------------------------------------------------------

    def _talk(self) -> Conversation:
        """The open conversation. Raises `DeviceError` when the port cannot be opened."""
        if self._conversation is not None and self._conversation.is_lost:
            self._close_conversation()
        if self._conversation is None:
            options = self._options
            self._conversation = Conversation(
                open_link(options.port, options.baud_rate),
                options.back_channel,
                presenter=options.presenter != "none",
            )
        return self._conversation

    def _status(self) -> DeviceStatus:
        if not self._printing.is_set() and self._lock.acquire(timeout=STATUS_SECONDS):
            try:
                self._ask()
                if self._leftover and self._health and not self._health.obstacle:
                    self._settle()
            finally:
                self._lock.release()
        talk = self._conversation
        health = (talk.pushed if talk and self._printing.is_set() else None) or self._health
        codes = health.faults if health else (self._unreachable,)
        if self._leftover and health and not self._printing.is_set():
            codes = (*codes, "unfinished_job")
        return status_of(
            codes,
            self._faults.faults(codes, health.vendor_code if health else None),
            health.parts if health else UNKNOWN_PARTS,
            busy=self._printing.is_set(),
            absent=self._absent,
        )

    def _ask(self) -> None:
        """Refresh `_health`; None when the printer cannot be reached, does not answer, or answers nonsense."""
        self._health, self._absent, self._unreachable = None, False, "disconnected"
        try:
            talk = self._talk()
            if self._options.back_channel == "none":
                self._health = BLIND
                return
            noise = talk.noise
            self._health = talk.ask_health()
            if self._health is None and talk.in_doubt and self._unconfirmed is None:
                talk.clear()  # the question may have been swallowed by a picture that was cut off
                self._health = talk.ask_health()
            if self._health is None and talk.noise != noise:
                self._unreachable = "wrong_device"
            self._mind_the_mouth()
        except DeviceAbsent as error:
            self._absent = True
            if error.reason == "permission_denied":
                self._unreachable = error.reason
        except DeviceBusy as error:
            self._unreachable = error.reason
        except (DeviceError, LinkLost, LinkBlocked):
            self._close_conversation()

    def _mind_the_mouth(self) -> None:
        """A slip that hangs in the presenter too long is a fault."""
        if self._health is None or self._health.parts["media"] != PRESENTED:
            self._presented_since = None
            return
        self._presented_since = self._presented_since or time.monotonic()
        if time.monotonic() - self._presented_since >= self._options.take_seconds:
            self._health = replace(self._health, faults=(*self._health.faults, "not_taken"))

    def _settle(self) -> bool:
        """True when the printer is known to hold nothing of an earlier job, as far as it can tell."""
        try:
            talk = self._talk()
            if self._options.back_channel != "full":
                return self._settle_unheard(talk)
            if not self._leftover and (not talk.in_doubt or talk.synchronise()):
                self._confirm_earlier()
                return True
            self._unconfirmed, self._leftover = None, True
            self._leftover = not talk.clear() and not talk.synchronise()
            return not self._leftover and talk.synchronise()
        except (DeviceError, LinkLost, LinkBlocked):
            self._close_conversation()
            return False

    def _settle_unheard(self, talk: Conversation) -> bool:
        """Without a barrier: cleared when the printer says so, or when it has taken all that ends a cut-off picture."""
        if self._leftover:
            talk.clear()
            talk.in_doubt = self._leftover = False
        return True

    def _print(self, job: PrintJob, deadline: float, stop: threading.Event) -> PrintResult:
        with self._lock:
            known = self._results.get(job.job_id)
            if known is not None:
                return self._look_again(known, deadline)
            obstacle = "cancelled" if stop.is_set() else self._obstacle()
            if obstacle:
                return PrintResult(job_id=job.job_id, outcome=PrintOutcome.FAILED, reason=obstacle)
            data = compose(job, self._typesetter, self._options.profile, self._options.ending)
            if self._options.back_channel == "full":
                data[len(INITIALISE) : len(INITIALISE)] = PUSH_STATUS
                data += BARRIER
            if time.monotonic() + self._line_seconds(len(data)) > deadline:
                return PrintResult(job_id=job.job_id, outcome=PrintOutcome.FAILED, reason="line_too_slow")
            self._stop = stop
            self._printing.set()
            try:
                result = self._send(job.job_id, data, deadline, stop)
            finally:
                self._printing.clear()
                data[:] = bytes(len(data))
            return result if result.outcome is PrintOutcome.FAILED else self._remember(result)

    def _line_seconds(self, length: int) -> float:
        """How long the bytes are on the line at least; a job that cannot end in time is not begun."""
        return 0.0 if "://" in self._options.port else length * BITS_PER_BYTE / self._options.baud_rate

    def _obstacle(self) -> str:
        """Why nothing may be sent now; empty when the printer is fit, idle and empty."""
        self._ask()
        if self._health is None:
            return self._unreachable
        if self._health.obstacle:
            return self._health.obstacle
        if self._health.parts["media"] == PRESENTED:
            return "not_taken"
        return "" if self._settle() else "unfinished_job"

    def _send(self, job_id: str, data: bytearray, deadline: float, stop: threading.Event) -> PrintResult:
        talk = self._talk()
        seen, noise = talk.barrier_count(), talk.noise
        talk.in_doubt = self._leftover = True
        try:
            if talk.send(data, deadline, stop):
                self._leftover = False
                if self._options.back_channel != "full":
                    self._unseen, talk.in_doubt = True, False
                    return _uncertain(job_id, self._watch(talk, deadline, stop))
                self._unconfirmed = job_id
                return self._await_barrier(talk, job_id, (seen, noise), deadline, stop)
            reason = "cancelled" if stop.is_set() else "timed_out"
            self._give_up(talk)
        except (LinkLost, LinkBlocked):
            reason = "disconnected"
            self._unconfirmed, self._leftover = None, talk.sent > 0
            self._close_conversation()
        if talk.sent == 0:
            self._leftover = False
            return PrintResult(job_id=job_id, outcome=PrintOutcome.FAILED, reason=reason)
        return _uncertain(job_id, reason)

    def _watch(self, talk: Conversation, deadline: float, stop: threading.Event) -> str:
        """Why a slip that nobody can confirm is uncertain: an obstacle the printer tells of while it should print."""
        ends_at = min(deadline, time.monotonic() + WATCH_SECONDS)
        while self._options.back_channel == "partial" and time.monotonic() < ends_at:
            if stop.wait(min(POLL_SECONDS, max(0.0, ends_at - time.monotonic()))):
                self._give_up(talk)
                return "cancelled"
            self._health = talk.ask_health()
            if self._health is None:
                return "no_answer"
            if self._health.obstacle:
                return self._health.obstacle
        return "not_confirmed"

    def _await_barrier(
        self, talk: Conversation, job_id: str, before: tuple[int, int], deadline: float, stop: threading.Event
    ) -> PrintResult:
        """`before`: the answers and the noise heard before the job."""
        seen, noise = before
        reason = "no_answer"
        asked = time.monotonic()
        while (left := deadline - time.monotonic()) > 0:
            if talk.wait_barrier(seen, min(left, TICK_SECONDS)):
                talk.in_doubt = False
                self._unconfirmed = None
                if talk.noise != noise:  # an answer among nonsense is none
                    return _uncertain(job_id, "no_answer")
                return PrintResult(job_id=job_id, outcome=PrintOutcome.PRINTED)
            if stop.is_set():
                self._give_up(talk)
                return _uncertain(job_id, "cancelled")
            if time.monotonic() - asked >= POLL_SECONDS:
                asked = time.monotonic()
                self._health = talk.ask_health(min(left, STATUS_SECONDS))
                reason = (self._health.obstacle if self._health else "") or "no_answer"
        return _uncertain(job_id, reason)

    def _give_up(self, talk: Conversation) -> None:
        """The job was cut off on our side: take the rest out of the printer."""
        self._unconfirmed, self._leftover = None, True
        with suppress(LinkBlocked):
            self._leftover = not talk.clear() and not talk.synchronise()

    def _look_again(self, known: PrintResult, deadline: float) -> PrintResult:
        """The same id once more: never printed again, but a late answer of the printer settles it."""
        if known.outcome is not PrintOutcome.UNCERTAIN or self._unconfirmed != known.job_id:
            return known
        with suppress(DeviceError, LinkLost, LinkBlocked):
            if self._talk().synchronise(max(0.0, min(SYNC_SECONDS, deadline - time.monotonic()))):
                self._confirm_earlier()
        return self._results.get(known.job_id, known)

    def _confirm_earlier(self) -> None:
        if self._unconfirmed is not None:
            self._remember(PrintResult(job_id=self._unconfirmed, outcome=PrintOutcome.PRINTED))
            self._unconfirmed = None

    def _remember(self, result: PrintResult) -> PrintResult:
        self._results[result.job_id] = result
        while len(self._results) > REMEMBERED_JOBS:
            self._results.popitem(last=False)
        return result

    def _wipe(self) -> None:
        self._stop.set()
        with self._lock:
            self._take_back_in()
            if self._unseen:
                self._unseen, self._leftover = False, True
            if self._unconfirmed is None and not self._leftover:
                return
            with suppress(DeviceError, LinkLost, LinkBlocked):
                if not self._leftover and self._talk().synchronise(WIPE_SECONDS):
                    self._confirm_earlier()
                    return
            self._unconfirmed, self._leftover = None, True
            self._settle()

    def _take_back_in(self) -> None:
        """No slip may wait in the presenter for the next citizen."""
        if self._options.presenter == "none":
            return
        self._ask()
        if self._health is not None and self._health.parts["media"] == PRESENTED:
            with suppress(DeviceError, LinkLost, LinkBlocked):
                self._talk().tell(RETRACT)
            self._presented_since = None

    def _close(self) -> None:
        self._stop.set()
        with self._lock:
            self._close_conversation()

    def _close_conversation(self) -> None:
        if self._conversation is not None:
            self._conversation.close()
            self._conversation = None


def _uncertain(job_id: str, reason: str) -> PrintResult:
    return PrintResult(job_id=job_id, outcome=PrintOutcome.UNCERTAIN, reason=reason)


async def _in_thread(work: Callable[[], T], stop: threading.Event) -> T:
    """Run blocking work; when the task is cancelled, tell the work to stop and wait until it has."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait({running})
        raise
