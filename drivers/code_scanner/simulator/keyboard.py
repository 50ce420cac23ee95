"""The peer of `code_scanner/hid`: an input device in umockdev's test bed that types what it is shown.

This kernel border needs no uinput module and no root. Processes started after `start` see the device, by way of two
environment variables that stand until `stop`; a process that runs already does not. The order `environment` names them
for a shell. Orders else as the serial scanner's: `scan TEXT`, `place TEXT`, `remove`, `fault NAME`, `clear`.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from typing import Final

from evdev import ecodes

from drivers.code_scanner.hid_keys import DOWN, UP, keys_for
from drivers.errors import DeviceAbsent

LINK: Final = "/dev/input/by-id/usb-Yizhan_Scanner-event-kbd"
LIBRARY: Final = "libumockdev.so.0"
PRELOAD: Final = "libumockdev-preload.so.0"
SHOWN_SECONDS: Final = 0.4
BURST: Final = 5
START_SECONDS: Final = 20.0
ANOTHER_CODE: Final = "YIZHAN-ANOTHER-CODE"
_KEYS_AT_ONCE: Final = 60
_ENDINGS: Final = {"enter": ecodes.KEY_ENTER, "tab": ecodes.KEY_TAB, "gap": None}


class KeyboardSimulator:
    """Implements `drivers.protocols.Simulator`. Options: `code`, held before the window from the start; `suffix`."""

    faults = frozenset({"wrong_code", "burst", "partial", "endless", "strange_keys", "lost_keys", "silent", "unplug"})

    def __init__(self, *, code: str = "", suffix: str = "enter") -> None:
        if suffix not in _ENDINGS:
            raise ValueError(f"suffix is one of {', '.join(_ENDINGS)}, not {suffix!r}")
        self._ending = _ENDINGS[suffix]
        self._held = code
        self._active: set[str] = set()
        self._plugged = True
        self._bed: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._environment: dict[str, str] = {}
        self._before: dict[str, str | None] = {}

    async def start(self) -> str:
        """Raises `DeviceAbsent` (`library_missing`) where umockdev is not installed."""
        try:
            ctypes.CDLL(LIBRARY)
        except OSError as error:
            raise DeviceAbsent(
                "the peer of a keyboard scanner needs umockdev: install it", "library_missing"
            ) from error
        self._bed = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "drivers.code_scanner.simulator.keyboard_bed",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env={**os.environ, "LD_PRELOAD": PRELOAD},
        )  # fmt: skip
        assert self._bed.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            root = (await self._bed.stdout.readline()).decode().strip()
        if not root:
            raise DeviceAbsent("umockdev could not make its test bed", "library_missing")
        self._environment = {"LD_PRELOAD": PRELOAD, "UMOCKDEV_DIR": root}
        self._before = {name: os.environ.get(name) for name in self._environment}
        os.environ.update(self._environment)
        self._task = asyncio.create_task(self._show())
        return LINK

    async def order(self, verb: str, argument: str = "") -> str:
        match verb:
            case "scan":
                await self._scan(argument)
            case "place":
                self._held = argument
            case "remove":
                self._held = ""
            case "fault":
                if argument not in self.faults:
                    raise ValueError(f"no fault is called {argument!r}: choose one of {', '.join(sorted(self.faults))}")
                self._active.add(argument)
                if argument == "endless":
                    await self._tell("endless")
                if argument == "unplug" and self._plugged:
                    self._plugged = False
                    await self._tell("unplug")
            case "clear":
                self._active.clear()
                await self._tell("quiet")
                if not self._plugged:
                    await self._tell("plug")
                    self._plugged = True
            case "environment":
                return " ".join(f"{name}={value}" for name, value in self._environment.items())
            case _:
                raise ValueError(f"no order is called {verb!r}: scan, place, remove, fault, clear, environment")
        return "ok"

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        for name, value in self._before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        self._before = {}
        bed, self._bed = self._bed, None
        if bed is not None and bed.stdin is not None:
            bed.stdin.close()
            try:
                async with asyncio.timeout(5):
                    await bed.wait()
            except TimeoutError:
                bed.kill()
                await bed.wait()

    async def type_keys(self, events: list[tuple[int, int]]) -> None:
        """(code, value) as they are."""
        for begin in range(0, len(events), _KEYS_AT_ONCE):
            await self._tell(
                "keys " + " ".join(f"{code}:{value}" for code, value in events[begin : begin + _KEYS_AT_ONCE])
            )

    async def _show(self) -> None:
        while True:
            if self._held and "endless" not in self._active:
                await self._scan(self._held)
            await asyncio.sleep(SHOWN_SECONDS)

    async def _scan(self, text: str) -> None:
        if "silent" in self._active or not self._plugged:
            return
        if "wrong_code" in self._active:
            text = ANOTHER_CODE
        events = keys_for(text)
        if "partial" in self._active:
            await self.type_keys(events[: len(events) // 2])
            return
        if "strange_keys" in self._active:
            events = [(ecodes.KEY_F5, DOWN), (ecodes.KEY_F5, UP), *events]
        if self._ending is not None:
            events += [(self._ending, DOWN), (self._ending, UP)]
        if "lost_keys" in self._active:
            await self.type_keys(events[:2])
            await self._tell("dropped")
            await self.type_keys(events[2:])
            return
        for _ in range(BURST if "burst" in self._active else 1):
            await self.type_keys(events)

    async def _tell(self, order: str) -> None:
        async with self._lock:
            if self._bed is None or self._bed.stdin is None or self._bed.stdout is None:
                return
            self._bed.stdin.write(f"{order}\n".encode())
            await self._bed.stdin.drain()
            await self._bed.stdout.readline()
