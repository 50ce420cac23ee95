"""Printed and shown codes (device-classes C.7)."""

from __future__ import annotations

from typing import Protocol

from drivers.messages import CodePurpose, ScannedCode, Symbology
from drivers.protocols.common import Device


class CodeScanner(Device, Protocol):
    """Reads one code when asked for; what is shown to it at other times is dropped (armed input)."""

    async def read(
        self,
        *,
        purpose: CodePurpose,
        symbologies: tuple[Symbology, ...] = (),
        pattern: str = "",
        timeout_seconds: float = 30.0,
    ) -> ScannedCode:
        """The next code. `pattern` is a regular expression the whole text must match; no symbology means any.

        A scanner without the feature `symbology` cannot tell kinds apart: it gives `unknown` whatever was asked. Raises
        `CommandTimedOut`, `MediaError` (`wrong_symbology`, `pattern_mismatch`, `barcode_invalid`), `Unsupported`
        (`wrong_symbology`: it reads none of these kinds; `pattern_wrong`), `NeedsAttention` (`window_obstructed`).
        """
        ...
