"""Handwritten signatures (device-classes C.8)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from drivers.messages import Ink, Signature, SignatureBox, Stroke
from drivers.protocols.common import Device


class SignaturePad(Device, Protocol):
    """A pad with its own pen, or the touchscreen whose strokes the screen hands in."""

    def capture(
        self, *, document_sha256: str, box: SignatureBox, timeout_seconds: float = 120.0
    ) -> AsyncGenerator[Ink | Signature, None]:
        """All ink so far, again and again, and at the end the signature, bound to the hash of what was shown.

        The first ink is empty: the pad is armed. Raises `CommandTimedOut`, `CommandCancelled`, `MediaError` (`empty`,
        `too_short`, `outside_box`, `too_large`, `points_lost`, `document_changed`), `NeedsAttention` (`pen_missing`),
        `Unsupported` (`box_too_large`, `document_hash_wrong`).
        """
        ...

    async def feed_ink(self, stroke: Stroke) -> None:
        """A stroke written on the screen; dropped while nothing is captured.

        Raises `Unsupported` where the pad has its own surface, `MediaError` (`too_large`).
        """
        ...

    async def clear_ink(self) -> None:
        """The citizen writes again."""
        ...

    async def confirm_ink(self, document_sha256: str) -> None:
        """The citizen has confirmed.

        Raises `MediaError`: `document_changed` when another document is shown now, which ends the capture too, or
        `not_asked` while nothing is captured.
        """
        ...
