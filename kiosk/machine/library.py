"""Installed bundles of matters: verified, installed whole, activated between citizens, rolled back by themselves.

On disk: `bundles/HASH/` holds one bundle and its matters and is never edited, with a listing for the home page beside
them; `active.json` is the pointer, swapped atomically. Whatever is refused, what is active keeps serving; everything
starts from the disk without a network. All bytes are checked at the start, and a matter is read when it is opened.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from drivers.messages import DeviceClass
from kiosk.contracts.bundle import DesiredState, SignedDesiredState, read_bundle, verify_desired_state
from kiosk.contracts.errors import BundleRejected, Expired, JournalFull, OlderVersion, UnknownKind
from kiosk.contracts.fleet import EnrolmentAnswer, ReportedState
from kiosk.contracts.listing import ListedMatter
from kiosk.contracts.matter import Matter
from kiosk.contracts.value import Contract
from kiosk.machine.fleet.identity import write_durably
from kiosk.machine.fleet.installed import InstalledBundle, keep_bundle, list_matters, read_installed
from kiosk.machine.fleet.repository import Fetch, Repository
from kiosk.machine.journal import Journal

POINTER_FILE = "active.json"
FAILURES_TO_ROLL_BACK = 2
"""A new bundle is on trial until one session succeeds; this many failures before that bring the old one back."""

log = logging.getLogger(__name__)


class Considered(StrEnum):
    UNCHANGED = "unchanged"
    READY = "ready"  # installed on disk, waits for `activate`
    REFUSED = "refused"


class Pointer(Contract):
    """What is active, what was before, and whether the active one still has to prove itself."""

    bundle: str | None = None
    generation: int = 0
    applied_at_sequence: int = 0
    previous: str | None = None
    previous_generation: int = 0
    failures: int = 0
    is_on_trial: bool = False
    rolled_back: str | None = None


@dataclass(frozen=True)
class _Refusal:
    bundle: str
    generation: int
    reason: str
    detail: str


class Library:
    """Matters this machine offers. Used on the event loop's thread; made by `Library.open`."""

    def __init__(
        self, directory: Path, *, enrolment: EnrolmentAnswer | None, journal: Journal | None,
        devices: frozenset[DeviceClass] | None, now: Callable[[], dt.datetime],
    ) -> None:  # fmt: skip
        self._directory = directory
        self._enrolment = enrolment
        self._journal = journal
        self._devices = devices
        self._now = now
        self._pointer = _read_pointer(directory / POINTER_FILE)
        self._active: InstalledBundle | None = None
        self._staged: tuple[InstalledBundle, DesiredState] | None = None
        self._refusal: _Refusal | None = None
        self._listeners: list[Callable[[], None]] = []
        self._considering = asyncio.Lock()

    @staticmethod
    def open(
        directory: Path, *, enrolment: EnrolmentAnswer | None = None, journal: Journal | None = None,
        devices: frozenset[DeviceClass] | None = None, now: Callable[[], dt.datetime] | None = None,
    ) -> Library:  # fmt: skip
        """What is on the disk, offline. A damaged active bundle gives way to the one before it.

        `devices` are the classes this machine has (None: not checked); `now` is the server's time.
        """
        (directory / "bundles").mkdir(parents=True, exist_ok=True)
        for leftover in (directory / "bundles").glob(".*"):
            shutil.rmtree(leftover, ignore_errors=True)
        clock = now or (lambda: dt.datetime.now(dt.UTC))
        library = Library(directory, enrolment=enrolment, journal=journal, devices=devices, now=clock)
        library.load()
        return library

    # --- what the flow reads ---------------------------------------------------------------------------------------

    def matters(self) -> Sequence[ListedMatter]:
        """The active bundle's matters, in its order, as the home page lists them."""
        return self._active.matters if self._active else ()

    def matter(self, matter_id: str) -> Matter | None:
        """The whole matter, read now; None for one that is not there, or that the disk has lost since the start."""
        try:
            return self._active.matter(matter_id) if self._active else None
        except (OSError, BundleRejected):
            log.exception("matter %s cannot be read from the disk", matter_id)
            return None

    @property
    def bundle_hash(self) -> str | None:
        return self._pointer.bundle if self._active else None

    @property
    def generation(self) -> int:
        return self._pointer.generation

    @property
    def is_ready(self) -> bool:
        """A verified bundle waits on the disk for `activate`."""
        return self._staged is not None

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever other matters are active."""
        self._listeners.append(listener)

    def reported(self) -> ReportedState:
        """What this machine truly runs, for the heartbeat."""
        pointer, refusal = self._pointer, self._refusal
        bundle = self.bundle_hash
        state = ReportedState(
            generation=pointer.generation, bundle=bundle, result="installed" if bundle else "none",
            applied_at_sequence=pointer.applied_at_sequence,
        )  # fmt: skip
        if refusal is not None:
            return state.model_copy(
                update={"result": "refused", "reason": refusal.reason, "detail": refusal.detail,
                        "refused_bundle": refusal.bundle}
            )  # fmt: skip
        if pointer.rolled_back:
            return state.model_copy(update={"result": "rolled_back", "refused_bundle": pointer.rolled_back})
        return state

    # --- what changes it -------------------------------------------------------------------------------------------

    async def consider(self, signed: SignedDesiredState, fetch: Fetch) -> Considered:
        """Verify the director's sentence and the bundle it names, and install it beside the active one.

        Never raises for a bad bundle: it is refused, journalled, reported, and the active one serves on. Raises
        `Unreachable` when something did not arrive.
        """
        async with self._considering:
            try:
                state = self._accepted(signed)
                if state is None:
                    self._refusal = None
                    return Considered.READY if self._staged else Considered.UNCHANGED
                installed = await self._installed(state, fetch)
            except BundleRejected as rejection:
                self._refuse(signed.state, rejection)
                return Considered.REFUSED
            self._staged = (installed, state)
            self._refusal = None
            return Considered.READY

    def activate(self) -> bool:
        """Make the waiting bundle the active one. Call only when no citizen is served.

        False when none waits, or when the journal has no room to say so: then it goes on waiting.
        """
        if self._staged is None:
            return False
        installed, state = self._staged
        before = self._pointer
        is_new = state.bundle != self.bundle_hash
        facts: dict[str, Any] = {
            "bundle": state.bundle,
            "generation": state.generation,
            "matters": len(installed.matters),
        }
        try:
            sequence = self._journal.append("bundle_installed", **facts).sequence if self._journal is not None else 0
        except JournalFull:
            return False
        self._staged = None
        previous = (before.bundle, before.generation) if is_new else (before.previous, before.previous_generation)
        pointer = Pointer(
            bundle=state.bundle, generation=state.generation, applied_at_sequence=sequence, previous=previous[0],
            previous_generation=previous[1], is_on_trial=is_new and before.bundle is not None,
        )  # fmt: skip
        self._point(pointer)
        self._active = installed
        self._clean()
        self._changed()
        return True

    def report_session(self, ok: bool) -> bool:
        """Tell, between citizens, how a session with the active bundle went. True when that rolled it back."""
        pointer = self._pointer
        if not pointer.is_on_trial:
            return False
        if ok:
            self._point(pointer.model_copy(update={"is_on_trial": False, "failures": 0}))
            return False
        pointer = pointer.model_copy(update={"failures": pointer.failures + 1})
        self._point(pointer)
        return pointer.failures >= FAILURES_TO_ROLL_BACK and self._roll_back("first_sessions_failed")

    def load(self) -> None:
        """Read the active bundle from the disk, or the one before it when that is damaged."""
        self._active = self._load(self._pointer.bundle)
        if self._active is None and self._pointer.bundle is not None:
            self._roll_back("damaged")

    # --- inside ----------------------------------------------------------------------------------------------------

    def _accepted(self, signed: SignedDesiredState) -> DesiredState | None:
        """The state when it asks for something new, else None. Raises a `BundleRejected`."""
        assert self._enrolment is not None, "a machine that is not enrolled is told nothing"
        pointer, now = self._pointer, self._now()
        journalled = self._journal.applied()[1] if self._journal is not None else 0
        is_active = signed.state.bundle == self.bundle_hash
        try:
            state = verify_desired_state(
                signed, director_key=base64.b64decode(self._enrolment.director_key),
                terminal=self._enrolment.terminal, now=now,
                installed_generation=max(pointer.generation, journalled),
            )  # fmt: skip
        except Expired:
            if is_active or now < signed.state.not_before:
                return None
            raise
        if state.generation == pointer.generation:
            if state.bundle not in (pointer.bundle, pointer.rolled_back):
                raise OlderVersion(f"generation {state.generation} is taken: a new bundle needs a new generation")
            return None
        if self._staged is not None and self._staged[1] == state:
            return None
        return state

    async def _installed(self, state: DesiredState, fetch: Fetch) -> InstalledBundle:
        kept = await asyncio.to_thread(self._load, state.bundle)
        if kept is None or state.bundle != self.bundle_hash:
            assert self._enrolment is not None
            repository = Repository(self._directory / "trust", self._enrolment.repository_root)
            files = await repository.download(state.bundle, fetch, self._now())
            bundle = read_bundle(files[0][1], state.bundle)
            matters = await asyncio.to_thread(list_matters, bundle, dict(files))
            self._check_devices(matters)
            home = self._directory / "bundles" / state.bundle
            await asyncio.to_thread(keep_bundle, home, files, matters)
            kept = InstalledBundle(home, bundle, matters)
        return kept

    def _check_devices(self, matters: Sequence[ListedMatter]) -> None:
        if self._devices is None:
            return
        for matter in matters:
            missing = sorted(matter.needs - self._devices)
            if missing:
                raise UnknownKind(f"matter {matter.id} needs what this machine has not: {', '.join(missing)}")

    def _load(self, bundle_hash: str | None) -> InstalledBundle | None:
        home = self._directory / "bundles" / (bundle_hash or "none")
        if not home.exists():
            return None
        try:
            return read_installed(home)
        except (OSError, BundleRejected) as error:
            log.warning("bundle %s cannot be read from the disk: %s", home.name[:12], error)
            return None

    def _roll_back(self, reason: str) -> bool:
        """Back to the bundle before; False when there is none to go back to."""
        pointer = self._pointer
        before = self._load(pointer.previous)
        if before is None:
            return False
        if self._journal is not None:
            with contextlib.suppress(JournalFull):
                self._journal.append("bundle_rolled_back", bundle=pointer.bundle, reason=reason)
        changes: dict[str, Any] = {
            "bundle": pointer.previous, "previous": None, "previous_generation": 0, "failures": 0,
            "is_on_trial": False, "rolled_back": pointer.bundle,
        }  # fmt: skip
        self._point(pointer.model_copy(update=changes))
        self._active = before
        self._changed()
        return True

    def _refuse(self, state: DesiredState, rejection: BundleRejected) -> None:
        refusal = _Refusal(state.bundle, state.generation, rejection.reason, str(rejection)[:500])
        if self._journal is not None and refusal != self._refusal:
            with contextlib.suppress(JournalFull):
                self._journal.append(
                    "bundle_refused", bundle=state.bundle, generation=state.generation, reason=refusal.reason,
                    detail=refusal.detail,
                )  # fmt: skip
        self._refusal = refusal

    def _point(self, pointer: Pointer) -> None:
        write_durably(self._directory / POINTER_FILE, pointer.model_dump_json().encode())
        self._pointer = pointer

    def _clean(self) -> None:
        """Keep the active bundle, the one before it, and the one that waits."""
        kept = {self._pointer.bundle, self._pointer.previous}
        for folder in (self._directory / "bundles").iterdir():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _changed(self) -> None:
        for listener in self._listeners:
            listener()


def _read_pointer(path: Path) -> Pointer:
    try:
        content: Any = path.read_bytes()
        return Pointer.model_validate_json(content)
    except FileNotFoundError:
        return Pointer()
    except (OSError, ValidationError) as error:
        log.warning("%s cannot be read (%s): the machine begins without matters", path, type(error).__name__)
        return Pointer()
