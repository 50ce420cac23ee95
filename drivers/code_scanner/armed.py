"""What all code scanners share: armed only during a read, one read at a time, taken back at once.

A scanner itself is a `Source`: blocking, used by one thread. Codes are never logged and never kept: a payer's code is
money (device-classes C.7).
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol, TypeVar

from drivers.code_scanner.health import Health
from drivers.errors import (
    CommandCancelled,
    CommandTimedOut,
    DeviceBusy,
    DeviceError,
    DeviceOffline,
    MediaError,
    Unsupported,
)
from drivers.messages import (
    Capabilities,
    CodePurpose,
    DeviceClass,
    DeviceStatus,
    ScannedCode,
    Symbology,
)

VERSION: Final = "1.0"
STATUS_SECONDS: Final = 1.2
PATTERN_LENGTH: Final = 500

Result = TypeVar("Result")


class Watch:
    """How long a command may take, and whether it was taken back. Thread-safe."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds
        self._taken_back = threading.Event()

    def cancel(self) -> None:
        self._taken_back.set()

    def left(self) -> float:
        """Seconds. Raises `CommandCancelled`, or `CommandTimedOut` when there are none."""
        if self._taken_back.is_set():
            raise CommandCancelled("the read was taken back")
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise CommandTimedOut("no code was shown in time")
        return left


class Source(Protocol):
    """One scanner. All but `interrupt` are called on one thread; all may raise `DeviceError`."""

    @property
    def parts(self) -> dict[str, str]: ...

    def look(self, *, after_fault: bool) -> None:
        """Open what is not open, notice what is lost, drop what came unasked. Within a second."""

    def next_code(self, watch: Watch) -> ScannedCode:
        """The next code shown from now on. Raises also what `watch` raises."""
        ...

    def interrupt(self) -> None:
        """End a wait at once. From any thread."""

    def forget(self) -> None:
        """Overwrite what is held of a code."""

    def close(self) -> None: ...


class ArmedScanner:
    """Implements `drivers.protocols.CodeScanner` over a source. Its own thread speaks with the device."""

    def __init__(
        self, source: Source, *, driver: str, features: frozenset[str], knows_symbology: frozenset[Symbology]
    ) -> None:
        self._source = source
        self._knows = knows_symbology
        self._capabilities = Capabilities(
            device_class=DeviceClass.CODE_SCANNER,
            driver=driver,
            version=VERSION,
            status_source="inferred",
            poll_safe_in_motion=True,
            cancellable=frozenset({"read"}),
            features=features
            | ({"symbology"} if knows_symbology else set())
            | {symbology.value for symbology in knows_symbology},
        )
        self._health = Health()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="code-scanner")
        self._running: Watch | None = None
        self._looking: asyncio.Future[None] | None = None
        self._is_closed = False

    async def capabilities(self) -> Capabilities:
        return self._capabilities

    async def status(self) -> DeviceStatus:
        """From memory while a read waits: a look would take codes from it."""
        if self._running is None and not self._is_closed:
            if self._looking is None or self._looking.done():
                self._looking = asyncio.ensure_future(self._on_worker(self._look))
            await asyncio.wait({self._looking}, timeout=STATUS_SECONDS)
        return self._health.status(is_busy=self._running is not None, parts=dict(self._source.parts))

    async def read(
        self,
        *,
        purpose: CodePurpose,
        symbologies: tuple[Symbology, ...] = (),
        pattern: str = "",
        timeout_seconds: float = 30.0,
    ) -> ScannedCode:
        wanted = _compiled(pattern)
        if self._knows and symbologies and not self._knows & set(symbologies):
            raise Unsupported("this scanner reads no code of the kinds asked for", "wrong_symbology")
        code = await self._command(self._source.next_code, timeout_seconds)
        if self._knows and symbologies and code.symbology not in symbologies:
            raise MediaError(
                "the code is of another kind than the one asked for: show the right one", "wrong_symbology"
            )
        if wanted is not None and wanted.fullmatch(code.text) is None:
            raise MediaError("the code is not the one asked for: show the right one", "pattern_mismatch")
        return code

    async def wipe(self) -> None:
        """Also takes back a read: it belongs to the session that ends."""
        if self._is_closed:
            return
        self._take_back()
        await self._on_worker(self._source.forget)

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._take_back()
        await self._on_worker(self._source.close)
        self._worker.shutdown(wait=False)

    async def _command(self, work: Callable[[Watch], Result], timeout_seconds: float) -> Result:
        if self._is_closed:
            raise DeviceOffline("the code scanner was closed")
        if self._running is not None:
            raise DeviceBusy("the code scanner waits for a code already")
        self._running = watch = Watch(timeout_seconds)
        try:
            return await self._on_worker(self._noting, work, watch)
        except asyncio.CancelledError:
            self._take_back()
            raise
        finally:
            self._running = None

    def _take_back(self) -> None:
        if self._running is not None:
            self._running.cancel()
            self._source.interrupt()

    def _on_worker(self, work: Callable[..., Result], *arguments: object) -> asyncio.Future[Result]:
        return asyncio.get_running_loop().run_in_executor(self._worker, work, *arguments)

    def _noting(self, work: Callable[[Watch], Result], watch: Watch) -> Result:
        try:
            result = work(watch)
        except DeviceError as error:
            self._source.forget()
            self._health.note(error)
            raise
        self._health.note(None)
        return result

    def _look(self) -> None:
        try:
            self._source.look(after_fault=not self._health.is_good)
        except DeviceError as error:
            self._health.note(error)
        else:
            self._health.note(None)


def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Raises `Unsupported` (`pattern_wrong`)."""
    if len(pattern) > PATTERN_LENGTH:
        raise Unsupported("the pattern of the code is too long", "pattern_wrong")
    try:
        return re.compile(pattern) if pattern else None
    except re.error as error:
        raise Unsupported(f"the pattern of the code is no regular expression: {error}", "pattern_wrong") from error
