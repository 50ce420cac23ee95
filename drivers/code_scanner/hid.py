"""Code scanners that pose as keyboards, read from their event node and from nowhere else (device-classes C.7).

The node is opened and taken exclusively (EVIOCGRAB) as long as this driver lives: what such a scanner types never
reaches the screen, where a printed code could fill in forms. A scanner that cannot be taken is not used.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import Final, Literal

from evdev import ecodes
from pydantic import Field, field_validator

from drivers.code_scanner.armed import ArmedScanner, Watch
from drivers.code_scanner.hid_keys import KEY_COUNT, KeyReader
from drivers.code_scanner.hid_node import BY_USB, EventNode, InputEvent, open_scanner
from drivers.code_scanner.payload import (
    MENDED_QUIET_SECONDS,
    NAMED_BY_AIM,
    NOISE_SECONDS,
    QUIET_SECONDS,
    code_of,
    invalid,
)
from drivers.errors import DeviceError, HardwareFault
from drivers.messages import Message, ScannedCode

LOOK_SECONDS: Final = 0.5
QUIET_EVENTS: Final = 4 * KEY_COUNT


class HidOptions(Message):
    device: str = Field(description="/dev/input/by-id/…-event-kbd, or usb:VVVV:PPPP (vendor and product, hexadecimal)")
    suffix: Literal["enter", "tab", "gap"] = Field(default="enter", description="what the scanner types after a code")
    gap_seconds: float = Field(default=0.3, ge=0.05, le=2.0, description="silence that ends, or gives up, a code")
    aim_prefix: bool = Field(default=False, description="the scanner names each code's kind before it (]Q1 …)")

    @field_validator("device")
    @classmethod
    def _is_place(cls, text: str) -> str:
        if not text.startswith("/") and BY_USB.fullmatch(text) is None:
            raise ValueError("a path such as /dev/input/by-id/…-event-kbd, or usb:VVVV:PPPP")
        return text


class HidScanner(ArmedScanner):
    """Layout: United States, as scanners leave the factory. Chinese comes as Alt and keypad, so set the scanner."""

    Options = HidOptions

    def __init__(self, options: HidOptions) -> None:
        super().__init__(
            _KeyboardSource(options),
            driver="code_scanner/hid",
            features=frozenset({"exclusive"}),
            knows_symbology=NAMED_BY_AIM if options.aim_prefix else frozenset(),
        )


class _KeyboardSource:
    def __init__(self, options: HidOptions) -> None:
        self._options = options
        self._keys = KeyReader(ends_with_tab=options.suffix == "tab")
        self._node: EventNode | None = None
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    @property
    def parts(self) -> dict[str, str]:
        return {"scanner": "on" if self._node is not None else "unknown", "window": "unknown"}

    def look(self, *, after_fault: bool) -> None:
        self._open()
        try:
            if after_fault:
                self._drop_until_quiet(LOOK_SECONDS, MENDED_QUIET_SECONDS)
            else:
                self._events(0)
        finally:
            self.forget()

    def next_code(self, watch: Watch) -> ScannedCode:
        self._plugged()
        try:
            self._drop_until_quiet(min(NOISE_SECONDS, watch.left()), QUIET_SECONDS)
            return self._typed(watch)
        finally:
            self.forget()

    def interrupt(self) -> None:
        with contextlib.suppress(OSError):
            os.eventfd_write(self._wake, 1)

    def forget(self) -> None:
        self._keys.forget()

    def close(self) -> None:
        self._let_go()
        if self._wake >= 0:
            os.close(self._wake)
            self._wake = -1

    def _open(self) -> None:
        if self._node is None:
            self._node = open_scanner(self._options.device)

    def _plugged(self) -> None:
        """Opened again where the scanner was taken away, and perhaps put back, since the last look."""
        self._open()
        try:
            self._events(0)
        except DeviceError:
            self._open()

    def _let_go(self) -> None:
        self._keys.unplugged()
        node, self._node = self._node, None
        if node is not None:
            node.close()

    def _drop_until_quiet(self, patience_seconds: float, quiet_seconds: float) -> None:
        """Raises `HardwareFault` (`wrong_device`): no scanner types without end."""
        with contextlib.suppress(BlockingIOError):  # an interrupt that came too late for the read before
            os.eventfd_read(self._wake)
        noisy_until = time.monotonic() + patience_seconds
        dropped = 0
        while events := self._events(quiet_seconds):
            dropped += len(events)
            for event in events:
                self._feed(event)
            self.forget()
            if dropped > QUIET_EVENTS or time.monotonic() > noisy_until:
                raise _endless()

    def _typed(self, watch: Watch) -> ScannedCode:
        while True:
            left = watch.left()
            within = self._keys.is_within_code
            events = self._events(min(left, self._options.gap_seconds) if within else left)
            watch.left()
            if not events and within:
                if self._options.suffix != "gap":
                    raise invalid("the code came without its ending: it was cut short, or the suffix is set wrong")
                return self._code(self._keys.take())
            for event in events:
                text = self._feed(event)
                if text or (text is not None and self._keys.is_damaged):
                    return self._code(text)
            if self._keys.is_too_long:
                raise _endless()

    def _feed(self, event: InputEvent) -> str | None:
        if event.kind == ecodes.EV_SYN and event.code == ecodes.SYN_DROPPED:
            self._keys.damage()
        return self._keys.feed(event.code, event.value) if event.kind == ecodes.EV_KEY else None

    def _code(self, text: str) -> ScannedCode:
        if self._keys.is_damaged:
            raise invalid("the scanner typed keys that are no characters, or some were lost")
        return code_of(text, aim_prefix=self._options.aim_prefix)

    def _events(self, seconds: float) -> list[InputEvent]:
        """What was typed, as soon as there is something. Raises `DeviceOffline` (`unplugged`)."""
        assert self._node is not None
        try:
            return self._node.read(seconds, self._wake)
        except DeviceError:
            self._let_go()
            raise


def _endless() -> HardwareFault:
    return HardwareFault("the code scanner types without end: look what is on its port", "wrong_device")
