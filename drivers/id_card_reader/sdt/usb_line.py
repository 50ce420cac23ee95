"""A reader on USB without a serial port of its own: the serial line's frames in transfers (domain.md 2.1).

`usb://VID:PID`, four hexadecimal digits each: ids differ from vendor to vendor and stand in machine.toml, never here.
Framings: `bulk` carries a whole frame in one transfer, answers are taken in up to 4,096 bytes; `hid` in reports of 64
bytes, the last one padded; `two_pipe` sends preamble and length on the first pair of pipes, the rest on the second.
"""

from __future__ import annotations

import contextlib
import errno
import re
import time
from collections.abc import Iterator
from typing import Any, Final

import usb.backend.libusb1
import usb.core
import usb.util

from drivers.errors import DeviceAbsent, DeviceBusy, DeviceError, DeviceOffline, HardwareFault
from drivers.id_card_reader.sdt.frames import LENGTH_BYTES, PREAMBLE, Framing

ADDRESS: Final = re.compile(r"usb://([0-9A-Fa-f]{4}):([0-9A-Fa-f]{4})")
POLL_MILLISECONDS: Final = 50
WRITE_MILLISECONDS: Final = 1000
DRAIN_SECONDS: Final = 0.1
ANSWER_BYTES: Final = 4096
REPORT_BYTES: Final = 64
BEGINNING_BYTES: Final = len(PREAMBLE) + LENGTH_BYTES
SET_REPORT: Final = (0x21, 0x09, 0x0301, 0)
"""Readers without an OUT pipe take their reports by this control transfer."""
PAIRS: Final = {"bulk": 1, "hid": 1, "two_pipe": 2}


class UsbLine:
    """Implements `drivers.id_card_reader.sdt.line.Line`."""

    def __init__(self, port: str, framing: Framing) -> None:
        """Raises `DeviceAbsent` (`library_missing`, `bad_address`, `device_absent`, `permission_denied`),
        `DeviceBusy` (`port_busy`), `HardwareFault` (`wrong_device`: it has not the pipes of this framing)."""
        self._name = port
        self._framing = framing
        self._received = bytearray()
        self._beginning = bytearray()
        self._body_bytes = 0
        with self._naming(opening=True):
            self._device = _find(port)
            try:
                self._ins, self._outs = self._claim()
            except BaseException:
                usb.util.dispose_resources(self._device)
                raise

    def read(self, size: int) -> bytes:
        if not self._received:
            self._received += self._transfer(POLL_MILLISECONDS)
        taken = bytes(self._received[:size])
        self._forget(len(taken))
        return taken

    def write(self, data: bytes) -> None:
        with self._naming():
            match self._framing:
                case "bulk":
                    self._outs[0].write(data, WRITE_MILLISECONDS)
                case "two_pipe":
                    self._outs[0].write(data[:BEGINNING_BYTES], WRITE_MILLISECONDS)
                    self._outs[1].write(data[BEGINNING_BYTES:], WRITE_MILLISECONDS)
                case "hid":
                    for begin in range(0, len(data), REPORT_BYTES):
                        self._send_report(data[begin : begin + REPORT_BYTES].ljust(REPORT_BYTES, b"\0"))

    def drain(self) -> None:
        """Also the padding of the last answer, and what a bad start left in the pipes."""
        until = time.monotonic() + DRAIN_SECONDS
        self._forget(len(self._received))
        with self._naming():
            while time.monotonic() < until and any(_received(pipe, self._report_bytes, 1) for pipe in self._ins):
                pass
        self._beginning.clear()
        self._body_bytes = 0

    def close(self) -> None:
        self._forget(len(self._received))
        with contextlib.suppress(usb.core.USBError):
            usb.util.dispose_resources(self._device)

    @property
    def _report_bytes(self) -> int:
        return REPORT_BYTES if self._framing == "hid" else ANSWER_BYTES

    def _transfer(self, milliseconds: int) -> bytes:
        with self._naming():
            if self._framing != "two_pipe":
                return _received(self._ins[0], self._report_bytes, milliseconds)
            if self._body_bytes:
                body = _received(self._ins[1], ANSWER_BYTES, milliseconds)
                self._body_bytes = max(0, self._body_bytes - len(body))
                return body
            beginning = _received(self._ins[0], ANSWER_BYTES, milliseconds)
            self._note_beginning(beginning)
            return beginning

    def _note_beginning(self, received: bytes) -> None:
        """The length says how much follows on the other pipe; what is no beginning is the parser's to judge."""
        self._beginning += received
        if len(self._beginning) >= BEGINNING_BYTES:
            if self._beginning.startswith(PREAMBLE):
                self._body_bytes = int.from_bytes(self._beginning[len(PREAMBLE) : BEGINNING_BYTES], "big")
            self._beginning.clear()

    def _send_report(self, report: bytes) -> None:
        if self._outs:
            self._outs[0].write(report, WRITE_MILLISECONDS)
        else:
            self._device.ctrl_transfer(*SET_REPORT, report, WRITE_MILLISECONDS)

    def _claim(self) -> tuple[list[Any], list[Any]]:
        """The pipes of the first interface that has what the framing needs, by their addresses."""
        for interface in _configuration(self._device):
            pipes = sorted(interface, key=lambda pipe: int(pipe.bEndpointAddress))
            ins, outs = (
                [pipe for pipe in pipes if usb.util.endpoint_direction(pipe.bEndpointAddress) == direction]
                for direction in (usb.util.ENDPOINT_IN, usb.util.ENDPOINT_OUT)
            )
            pairs = PAIRS[self._framing]
            if len(ins) < pairs or (len(outs) < pairs and self._framing != "hid"):
                continue
            number = interface.bInterfaceNumber
            with contextlib.suppress(NotImplementedError):
                if self._device.is_kernel_driver_active(number):
                    self._device.detach_kernel_driver(number)
            usb.util.claim_interface(self._device, number)
            return ins, outs
        raise HardwareFault(
            f"{self._name} has not the pipes of {self._framing}: correct the ids or the framing", "wrong_device"
        )

    def _forget(self, count: int) -> None:
        self._received[:count] = bytes(count)
        del self._received[:count]

    @contextlib.contextmanager
    def _naming(self, *, opening: bool = False) -> Iterator[None]:
        try:
            yield
        except usb.core.USBError as error:
            raise self._renamed(error.errno, opening=opening) from error

    def _renamed(self, number: int | None, *, opening: bool) -> DeviceError:
        match number:
            case errno.EACCES | errno.EPERM:
                return DeviceAbsent(f"{self._name} may not be opened by this account", "permission_denied")
            case errno.EBUSY:
                return DeviceBusy(f"{self._name} is held by another program", "port_busy")
            case errno.ETIMEDOUT:
                return DeviceOffline(f"the reader on {self._name} takes no requests: unplug it and plug it in again")
            case _ if opening:
                return DeviceOffline(f"{self._name} cannot be opened: unplug the reader and plug it in again")
            case _:
                return DeviceOffline(f"the reader on {self._name} was unplugged or its line was cut", "unplugged")


def find_backend() -> Any:
    """libusb, or `DeviceAbsent` (`library_missing`) saying what to install."""
    backend = usb.backend.libusb1.get_backend()
    if backend is None:
        raise DeviceAbsent("readers on USB need libusb: install the package libusb-1.0-0", "library_missing")
    return backend


def _find(port: str) -> Any:
    address = ADDRESS.fullmatch(port)
    if address is None:
        raise DeviceAbsent(f"{port} is not an address of the form usb://VID:PID (hexadecimal)", "bad_address")
    backend = find_backend()
    vendor, product = (int(part, 16) for part in address.groups())
    device = usb.core.find(idVendor=vendor, idProduct=product, backend=backend)
    if device is None:
        raise DeviceAbsent(f"there is no {port}: plug the reader in, or correct its ids")
    return device


def _configuration(device: Any) -> Any:
    try:
        return device.get_active_configuration()
    except usb.core.USBError:
        device.set_configuration()
        return device.get_active_configuration()


def _received(pipe: Any, size: int, milliseconds: int) -> bytes:
    try:
        return bytes(pipe.read(size, milliseconds))
    except usb.core.USBTimeoutError:
        return b""
