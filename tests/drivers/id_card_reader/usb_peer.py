"""A USB host controller with one reader on it: pyusb's own backend interface, fed by the simulator's bytes.

Real USB cannot exist on a machine without a controller; everything above the transfers is the real thing.
"""

from __future__ import annotations

import errno
import select
import socket
import time
from types import SimpleNamespace
from typing import Any

import usb.backend
import usb.core

VENDOR, PRODUCT = 0x1D50, 0x6191
BULK, INTERRUPT = 2, 3
ENDPOINTS = {
    "bulk": [(0x02, BULK, 64), (0x81, BULK, 64)],
    "two_pipe": [(0x02, BULK, 64), (0x06, BULK, 64), (0x81, BULK, 64), (0x85, BULK, 64)],
    "hid": [(0x01, INTERRUPT, 64), (0x81, INTERRUPT, 64)],
    "hid without OUT": [(0x81, INTERRUPT, 64)],
    "mute": [(0x81, BULK, 64)],
}


class UsbPeer(usb.backend.IBackend):  # type: ignore[misc]
    """`address` is the simulator's TCP port. `refusal` is an errno every transfer or opening fails with."""

    def __init__(self, address: str, shape: str) -> None:
        self.shape = shape
        self.framing = shape.split(maxsplit=1)[0]
        host, _, port = address.removeprefix("socket://").partition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=5)
        self.pending = bytearray()
        self.owed = 0
        self.reports: list[bytes] = []
        self.taken_at = 0.0
        self.refusal = 0
        self.kernel_driver = self.framing == "hid"
        self.claimed: set[int] = set()
        self.opened = 0

    def close(self) -> None:
        self.socket.close()

    # --- descriptors ------------------------------------------------------------------------------------------------

    def enumerate_devices(self) -> Any:
        return ["reader"]

    def get_device_descriptor(self, dev: Any) -> Any:
        return SimpleNamespace(
            bLength=18, bDescriptorType=1, bcdUSB=0x110, bDeviceClass=0, bDeviceSubClass=0, bDeviceProtocol=0,
            bMaxPacketSize0=64, idVendor=VENDOR, idProduct=PRODUCT, bcdDevice=1, iManufacturer=0, iProduct=0,
            iSerialNumber=0, bNumConfigurations=1, address=2, bus=1, port_number=1, port_numbers=(1,), speed=2,
        )  # fmt: skip

    def get_configuration_descriptor(self, dev: Any, config: int) -> Any:
        if config:
            raise IndexError
        return SimpleNamespace(
            bLength=9, bDescriptorType=2, wTotalLength=32, bNumInterfaces=1, bConfigurationValue=1, iConfiguration=0,
            bmAttributes=0xC0, bMaxPower=50, extra_descriptors=[],
        )  # fmt: skip

    def get_interface_descriptor(self, dev: Any, intf: int, alt: int, config: int) -> Any:
        if intf or alt:
            raise IndexError
        return SimpleNamespace(
            bLength=9, bDescriptorType=4, bInterfaceNumber=0, bAlternateSetting=0,
            bNumEndpoints=len(ENDPOINTS[self.shape]), bInterfaceClass=3 if self.framing == "hid" else 0xFF,
            bInterfaceSubClass=0, bInterfaceProtocol=0, iInterface=0, extra_descriptors=[],
        )  # fmt: skip

    def get_endpoint_descriptor(self, dev: Any, ep: int, intf: int, alt: int, config: int) -> Any:
        address, kind, size = ENDPOINTS[self.shape][ep]
        return SimpleNamespace(
            bLength=7, bDescriptorType=5, bEndpointAddress=address, bmAttributes=kind, wMaxPacketSize=size,
            bInterval=1, bRefresh=0, bSynchAddress=0, extra_descriptors=[],
        )  # fmt: skip

    # --- the device -------------------------------------------------------------------------------------------------

    def open_device(self, dev: Any) -> Any:
        self._refuse()
        self.opened += 1
        return dev

    def close_device(self, dev_handle: Any) -> None:
        self.opened -= 1

    def get_configuration(self, dev_handle: Any) -> int:
        return 1

    def set_configuration(self, dev_handle: Any, config_value: int) -> None: ...

    def claim_interface(self, dev_handle: Any, intf: int) -> None:
        if self.kernel_driver:
            raise usb.core.USBError("busy", -6, errno.EBUSY)
        self.claimed.add(intf)

    def release_interface(self, dev_handle: Any, intf: int) -> None:
        self.claimed.discard(intf)

    def is_kernel_driver_active(self, dev_handle: Any, intf: int) -> bool:
        return self.kernel_driver

    def detach_kernel_driver(self, dev_handle: Any, intf: int) -> None:
        self.kernel_driver = False

    # --- transfers --------------------------------------------------------------------------------------------------

    def bulk_write(self, dev_handle: Any, ep: int, intf: int, data: Any, timeout: int) -> int:
        self._refuse()
        assert intf in self.claimed
        sent = bytes(data)
        if self.framing == "hid":
            assert len(sent) == 64, "a report is always whole"
            sent = sent[: 7 + int.from_bytes(sent[5:7], "big")]
        if sent.startswith(b"\xaa"):  # a request ends what was left of the answer before
            self.owed = 0
            self.pending.clear()
            self.reports.clear()
        self.socket.sendall(sent)
        return len(data)

    def intr_write(self, dev_handle: Any, ep: int, intf: int, data: Any, timeout: int) -> int:
        return self.bulk_write(dev_handle, ep, intf, data, timeout)

    def ctrl_transfer(self, dev_handle: Any, *request: Any) -> int:
        *setup, data, timeout = request
        assert setup == [0x21, 0x09, 0x0301, 0]
        return self.bulk_write(dev_handle, 0, 0, data, timeout)

    def bulk_read(self, dev_handle: Any, ep: int, intf: int, buff: Any, timeout: int) -> int:
        """One transfer ends with the answer's last byte, or when nothing more comes; reports are padded."""
        self._refuse()
        if self.framing == "two_pipe":
            return self._give(buff, self._of_pipe(ep, timeout))
        if self.framing == "hid":
            if not self.reports:
                self._fill(4096, timeout)
                self._pack_reports()
            return self._give(buff, self.reports.pop(0) if self.reports else b"")
        self._fill(len(buff), timeout)
        taken = bytes(self.pending[: len(buff)])
        del self.pending[: len(buff)]
        return self._give(buff, taken)

    def intr_read(self, dev_handle: Any, ep: int, intf: int, buff: Any, timeout: int) -> int:
        return self.bulk_read(dev_handle, ep, intf, buff, timeout)

    def _pack_reports(self) -> None:
        """A reader sends an answer's reports once it has the whole answer, or when no more of it will come."""
        if self.pending and (self._is_whole() or time.monotonic() - self.taken_at > 0.15):
            for begin in range(0, len(self.pending), 64):
                self.reports.append(bytes(self.pending[begin : begin + 64]).ljust(64, b"\0"))
            self.pending.clear()

    def _of_pipe(self, ep: int, timeout: int) -> bytes:
        """Noise and beginnings leave by the first pipe, what a length announced by the second."""
        if self.owed:
            self._receive(timeout if ep == 0x85 else 0)
            if ep != 0x85:
                return b""
            taken = bytes(self.pending[: self.owed])
            self.owed -= len(taken)
        else:
            self._receive(timeout if ep == 0x81 else 0)
            begin = self.pending.find(b"\xaa\xaa\xaa\x96\x69")
            if ep != 0x81 or (begin == 0 and len(self.pending) < 7):
                return b""
            taken = bytes(self.pending[:7] if begin == 0 else self.pending[: begin if begin > 0 else None])
            self.owed = int.from_bytes(taken[5:7], "big") if begin == 0 else 0
        del self.pending[: len(taken)]
        return taken

    def _receive(self, timeout: int) -> None:
        if not self.pending and select.select([self.socket], [], [], timeout / 1000)[0]:
            self._take()
        is_begun = self.pending.startswith(b"\xaa") and len(self.pending) < 7 and not self.owed
        if is_begun and select.select([self.socket], [], [], timeout / 1000)[0]:
            self._take()

    def _take(self) -> None:
        received = self.socket.recv(4096)
        if not received:
            raise usb.core.USBError("gone", -4, errno.ENODEV)
        self.pending += received
        self.taken_at = time.monotonic()

    def _fill(self, size: int, timeout: int) -> None:
        ends_at = time.monotonic() + timeout / 1000
        while len(self.pending) < size and not self._is_whole():
            if not select.select([self.socket], [], [], max(0.0, ends_at - time.monotonic()))[0]:
                return
            self._take()

    def _is_whole(self) -> bool:
        return len(self.pending) > 7 and len(self.pending) >= 7 + int.from_bytes(self.pending[5:7], "big")

    def _give(self, buff: Any, data: bytes) -> int:
        if not data:
            raise usb.core.USBTimeoutError("timed out", -7, errno.ETIMEDOUT)
        buff[: len(data)] = type(buff)("B", data)
        return len(data)

    def _refuse(self) -> None:
        if self.refusal:
            raise usb.core.USBError("refused", -1, self.refusal)
