"""Who sat on each port when the terminal last ran: a device that was exchanged while it was off is noticed.

It serves (whoever exchanged it started the terminal); the journal has a word of it. Where only one device may serve,
machine.toml names it: `expected_device`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from drivers.errors import DeviceError
from drivers.messages import Capabilities, DeviceStatus
from kiosk.contracts.errors import JournalFull
from kiosk.machine.devices.house import Devices
from kiosk.machine.fleet.identity import write_durably

FILE = "devices.json"
SAID = ("vendor", "model", "serial")
DRIVER = "driver"

log = logging.getLogger(__name__)

_KNOWN: TypeAdapter[dict[str, dict[str, str]]] = TypeAdapter(dict[str, dict[str, str]])
"""Device → its driver and what it said of itself."""


class Acquaintances:
    """Listens to the devices from its making on. `record(event, **data)` writes into the journal."""

    def __init__(self, devices: Devices, folder: Path, record: Callable[..., Any]) -> None:
        self._devices = devices
        self._file = folder / FILE
        self._record = record
        self._known = self._read()
        self._met: set[str] = set()
        self._meeting: set[asyncio.Task[None]] = set()
        devices.on_change(self._changed)

    def _changed(self, name: str, status: DeviceStatus) -> None:
        if status.is_fit:
            meeting = asyncio.get_running_loop().create_task(self._meet(name))
            self._meeting.add(meeting)
            meeting.add_done_callback(self._meeting.discard)

    async def _meet(self, name: str) -> None:
        device = self._devices.device(name)
        with contextlib.suppress(DeviceError):
            said = said_of(await device.capabilities()) | {DRIVER: device.config.driver}
            before = self._known.get(name, {})
            self._notice(name, before, said)
            known = (before if said[DRIVER] == before.get(DRIVER) else {}) | said
            if known != before:
                self._known[name] = known
                self._write()
            self._met.add(name)

    def _notice(self, name: str, before: dict[str, str], said: dict[str, str]) -> None:
        """While the terminal runs, another device is refused until it is accepted: that has its own word."""
        changed = [part for part in SAID if part in said and before.get(part, said[part]) != said[part]]
        if name in self._met or not changed or before.get(DRIVER) != said[DRIVER]:
            return
        log.warning("%s: another device than at the last run: %s changed", name, ", ".join(changed))
        with contextlib.suppress(JournalFull):
            self._record("device_exchanged", device=name, changed=",".join(changed))

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            return _KNOWN.validate_json(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError) as error:
            log.warning("%s cannot be read (%s): whoever is met first is known", FILE, type(error).__name__)
            return {}

    def _write(self) -> None:
        with contextlib.suppress(OSError):
            write_durably(self._file, json.dumps(self._known, ensure_ascii=False).encode())


def said_of(capabilities: Capabilities) -> dict[str, str]:
    """What a device says of itself; what it does not say is left out."""
    return {part: value for part in SAID if (value := getattr(capabilities, part))}
