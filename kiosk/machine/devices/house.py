"""The devices of this machine: opened, watched, handed to the flow by what they can do.

Each device lives in its own process (drivers.host). The machine comes up with any of them missing; what is wrong is in
their statuses, and `faults` names it for the screen and the fleet. What the flow takes from here belongs to one visit:
the first command claims its device, `wipe` ends the visit everywhere, and what is left of an old visit is refused.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterable
from typing import Any, cast

from drivers.errors import DeviceError
from drivers.host import DeviceConfig, Hotplug, Limits, Nursery, SupervisedDevice
from drivers.messages import DeviceClass, DeviceState, DeviceStatus, Fault
from drivers.protocols import (
    CardRewriter,
    CodeScanner,
    DocumentPrinter,
    DocumentScanner,
    FaceCheck,
    IdCardReader,
    PaymentTerminal,
    ReceiptPrinter,
    SignaturePad,
    SmartCardReader,
)

LOG = logging.getLogger("kiosk.machine.devices")

OPEN_SECONDS = 10.0
WIPE_SECONDS = 2.0
LOOK_SECONDS = 0.1
WATCHED_ONLY = frozenset({"payment_terminal/gateway_qr"})
"""Codes are paid at the centre's till, with lines, payee and delivery; the course's payment terminal takes cards."""

ChangeListener = Callable[[str, DeviceStatus], None]


class Devices:
    """All configured devices. Of each class the first one configured serves the flow."""

    def __init__(self, configs: Iterable[DeviceConfig], *, limits: Limits | None = None) -> None:
        self._listeners: list[ChangeListener] = []
        self._limits = limits
        self._configs = {config.name: config for config in configs}
        self._devices: dict[str, SupervisedDevice] = {}
        self._nursery = Nursery()
        self._hotplug = Hotplug(self._devices.values)
        self._visit = _new_visit()

    async def open(self, *, timeout_seconds: float = OPEN_SECONDS) -> dict[str, str]:
        """Start all at once; return the failures, all together, by device name. Never raises for a missing device."""
        for name, config in self._configs.items():
            self._devices[name] = SupervisedDevice(
                config, limits=self._limits, on_change=self._tell, nursery=self._nursery
            )
        self._hotplug.start()
        names = list(self._devices)
        results = await asyncio.gather(*(self._open(name, timeout_seconds) for name in names))
        failures = {name: failure for name, failure in zip(names, results, strict=True) if failure}
        for name, failure in failures.items():
            LOG.warning("device %s does not serve: %s", name, failure)
        return failures

    async def _open(self, name: str, timeout_seconds: float) -> str:
        device = self._devices[name]
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_seconds
        try:
            await device.open(timeout_seconds=timeout_seconds)
        except DeviceError as error:
            return str(error)
        status = await device.status()
        while status.device is DeviceState.STARTING and loop.time() < deadline:
            await asyncio.sleep(LOOK_SECONDS)
            status = await device.status()
        return "" if status.is_fit else ", ".join(fault.code for fault in status.faults) or status.device.value

    # --- what the flow uses -----------------------------------------------------------------------------------------

    @property
    def card_reader(self) -> IdCardReader | None:
        return cast("IdCardReader | None", self._proxy(DeviceClass.ID_CARD_READER))

    @property
    def face_check(self) -> FaceCheck | None:
        return cast("FaceCheck | None", self._proxy(DeviceClass.FACE_MATCHER))

    @property
    def receipt_printer(self) -> ReceiptPrinter | None:
        return cast("ReceiptPrinter | None", self._proxy(DeviceClass.RECEIPT_PRINTER))

    @property
    def document_printer(self) -> DocumentPrinter | None:
        return cast("DocumentPrinter | None", self._proxy(DeviceClass.DOCUMENT_PRINTER))

    @property
    def document_scanner(self) -> DocumentScanner | None:
        return cast("DocumentScanner | None", self._proxy(DeviceClass.DOCUMENT_SCANNER))

    @property
    def signature_pad(self) -> SignaturePad | None:
        return cast("SignaturePad | None", self._proxy(DeviceClass.SIGNATURE_PAD))

    @property
    def payment_terminal(self) -> PaymentTerminal | None:
        return cast("PaymentTerminal | None", self._proxy(DeviceClass.PAYMENT_TERMINAL))

    @property
    def code_scanner(self) -> CodeScanner | None:
        return cast("CodeScanner | None", self._proxy(DeviceClass.CODE_SCANNER))

    @property
    def card_rewriter(self) -> CardRewriter | None:
        return cast("CardRewriter | None", self._proxy(DeviceClass.CARD_REWRITER))

    @property
    def smart_card_reader(self) -> SmartCardReader | None:
        return cast("SmartCardReader | None", self._proxy(DeviceClass.SMART_CARD_READER))

    def is_fit(self, device_class: DeviceClass) -> bool:
        """True when the device of this class can serve a citizen now. False when none is configured."""
        device = self._first(device_class)
        return device is not None and device.cached_status().is_fit

    def faults_of(self, device_class: DeviceClass) -> tuple[Fault, ...]:
        """What is wrong with the device of this class, most important first. Empty when none is configured."""
        device = self._first(device_class)
        return () if device is None else device.cached_status().faults

    def _first(self, device_class: DeviceClass) -> SupervisedDevice | None:
        matching = (
            device
            for device in self._devices.values()
            if device.config.device_class == device_class and device.config.driver not in WATCHED_ONLY
        )
        first = next(matching, None)
        if first is None and device_class is DeviceClass.FACE_CAMERA:
            return self._first(DeviceClass.FACE_MATCHER)  # camera and engine live in one process (spike-face 4)
        return first

    def _proxy(self, device_class: DeviceClass) -> Any:
        device = self._first(device_class)
        return None if device is None else device.proxy_of(self._visit)

    # --- what the machine uses --------------------------------------------------------------------------------------

    def statuses(self) -> dict[str, DeviceStatus]:
        """The last known state of every configured device. Never waits."""
        return {name: device.cached_status() for name, device in self._devices.items()}

    @property
    def faults(self) -> dict[str, tuple[Fault, ...]]:
        """What is wrong now, by device name; devices without a fault are left out."""
        return {name: status.faults for name, status in self.statuses().items() if status.faults}

    def on_change(self, callback: ChangeListener) -> None:
        """Call `callback(device name, status)` in the event loop whenever a device's state has changed and lasted."""
        self._listeners.append(callback)

    def _tell(self, name: str, status: DeviceStatus) -> None:
        for listener in self._listeners:
            listener(name, status)

    def pids(self) -> dict[str, int]:
        """The live device processes."""
        return {name: device.pid for name, device in self._devices.items() if device.pid is not None}

    def device(self, name: str) -> SupervisedDevice:
        """One device by its configured name. Raises `KeyError`."""
        return self._devices[name]

    def recycle(self, name: str | None = None) -> None:
        """Kill and restart one device's process, or all: nothing they held survives."""
        for device in self._devices.values() if name is None else [self._devices[name]]:
            device.recycle()

    async def wipe(self) -> None:
        """The visit ends: every device is released and forgets. A process that does not confirm in time is killed."""
        self._visit = _new_visit()
        await asyncio.gather(*(self._wipe(device) for device in self._devices.values()))

    async def _wipe(self, device: SupervisedDevice) -> None:
        try:
            async with asyncio.timeout(WIPE_SECONDS):
                await device.wipe()
        except (DeviceError, TimeoutError) as error:
            LOG.warning("device %s did not confirm the wipe (%s): recycled", device.config.name, type(error).__name__)
            device.recycle()

    async def close(self) -> None:
        """Release all hardware and end all processes. Idempotent."""
        self._hotplug.close()
        await asyncio.gather(*(device.close() for device in self._devices.values()))
        self._nursery.close()


def _new_visit() -> str:
    """A name for one citizen's time at the machine; it says nothing of them."""
    return f"visit-{secrets.token_hex(4)}"
