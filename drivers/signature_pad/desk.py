"""What every pad shares: one sheet at a time, ink handed out as it grows, confirmed by whoever shows the document."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from drivers.errors import CommandCancelled, CommandTimedOut, DeviceBusy, DeviceError, DeviceOffline, MediaError
from drivers.messages import Ink, Signature, SignatureBox, Stroke
from drivers.signature_pad.sheet import Least, Sheet

INK_PAUSE_SECONDS: Final = 1 / 30
"""Between two looks at the ink: a screen shows no more."""


class Desk:
    """All on the event loop. Ink that comes while nobody asked for a signature is dropped."""

    def __init__(self, least: Least) -> None:
        self._least = least
        self._sheet: Sheet | None = None
        self._unfinished: Stroke | None = None
        self._news = asyncio.Event()
        self._confirmed = False
        self._failure: DeviceError | None = None
        self._is_closed = False

    @property
    def is_armed(self) -> bool:
        return self._sheet is not None

    async def capture(
        self, document_sha256: str, box: SignatureBox, timeout_seconds: float, pad: str
    ) -> AsyncGenerator[Ink | Signature, None]:
        """The first ink is empty: the pad is armed. Raises as the protocol says."""
        if self._is_closed:
            raise DeviceOffline("the signature pad was closed")
        if self._sheet is not None:
            raise DeviceBusy("the pad waits for a signature already")
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + timeout_seconds
        sheet = self._sheet = Sheet(document_sha256, box, self._least)
        self._news, self._confirmed, self._failure, self._unfinished = asyncio.Event(), False, None, None
        try:
            yield Ink(strokes=())
            while True:
                try:
                    async with asyncio.timeout_at(ends_at):
                        await self._news.wait()
                except TimeoutError:
                    raise CommandTimedOut("nobody signed in time") from None
                self._news.clear()
                if not self._confirmed and loop.time() > ends_at:
                    raise CommandTimedOut("nobody signed in time")
                if self._failure is not None:
                    raise self._failure
                if self._confirmed:
                    yield await asyncio.to_thread(sheet.seal, pad)
                    return
                yield Ink(strokes=(*sheet.strokes, *([self._unfinished] if self._unfinished else ())))
                if not self._confirmed:
                    await asyncio.sleep(INK_PAUSE_SECONDS)
        finally:
            sheet.clear()
            self._sheet, self._unfinished, self._failure = None, None, None

    def add(self, stroke: Stroke) -> None:
        """A whole stroke. Raises `MediaError` (`too_large`)."""
        if self._sheet is not None and not self._confirmed and self._failure is None:
            self._unfinished = None
            self._sheet.add(stroke)
            self._news.set()

    def show(self, unfinished: Stroke | None) -> None:
        """The stroke that is being written now."""
        if self._sheet is not None and not self._confirmed and self._failure is None:
            self._unfinished = unfinished
            self._news.set()

    def clear(self) -> None:
        if self._sheet is not None and not self._confirmed and self._failure is None:
            self._unfinished = None
            self._sheet.clear()
            self._news.set()

    def confirm(self, document_sha256: str) -> None:
        """Raises `MediaError`: `not_asked`, or `document_changed`, which ends the capture as well."""
        if self._sheet is None:
            raise MediaError("nobody asked for a signature", "not_asked")
        if document_sha256 != self._sheet.document_sha256:
            changed = MediaError(
                "another document is shown than the one the signature was asked for: nothing was signed",
                "document_changed",
            )
            self.fail(changed)
            raise changed
        self._confirmed = True
        self._news.set()

    def fail(self, failure: DeviceError) -> None:
        """End the capture with this error."""
        if self._sheet is not None and self._failure is None:
            self._failure = failure
            self._unfinished = None
            self._sheet.clear()
            self._news.set()

    def take_back(self) -> None:
        self.fail(CommandCancelled("the signature was taken back"))

    def close(self) -> None:
        self._is_closed = True
        self.take_back()
