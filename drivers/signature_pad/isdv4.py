"""The serial protocol of Wacom's built-in pens, ISDV4, pen part.

Source: linuxwacom project, wiki page "ISDV4 Protocol" (requests, packets, 38400 baud), kept by the maker's developers;
100 points to the millimetre as Linux reports it for these pens. A packet's first byte has bit 7 set, its others have
not; bit 6 tells an answer (11 bytes) from a pen packet (9 bytes), bit 4 a finger's from a pen's. There is no checksum:
ranges and bit 7 are all there is. Not tried on a real pad.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

STOP, START, QUERY = b"0", b"1", b"*"
POINTS_PER_MM: Final = 100
LEAD, ANSWER, READY, FINGER, TIP = 0x80, 0x40, 0x20, 0x10, 0x01
PEN_BYTES: Final = 9
ANSWER_BYTES: Final = 11
FINGER_BYTES: Final = 13
"""The longest packet a finger makes."""
STRAY_BYTES: Final = 6
"""So many without a beginning were a packet; fewer are noise between two."""
_SEVEN_BITS: Final = 0x7F


@dataclass(frozen=True)
class Panel:
    """What the pad answers to a query: greatest co-ordinates and pressure, and its firmware."""

    x: int
    y: int
    pressure: int
    firmware: int


@dataclass(frozen=True)
class PenPacket:
    """Where the pen is. `is_near`: the pad feels it; `is_down`: its tip touches."""

    x: int
    y: int
    pressure: int
    is_near: bool
    is_down: bool


class PacketParser:
    """Bytes in, whole packets out; finds its way again after lost and foreign bytes. Holds ten bytes at most."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._stray = 0
        self.damaged = 0
        """Packets that were cut short, or whose beginning was lost."""
        self.foreign = 0
        """Bytes that belonged to no packet, since the last that did."""

    def feed(self, data: bytes) -> list[Panel | PenPacket]:
        packets: list[Panel | PenPacket] = []
        for byte in data:
            if byte & LEAD:
                self.damaged += bool(self._held)
                self.foreign += len(self._held)
                self._stray = 0
                self._held[:] = bytes([byte])
                continue
            if not self._held:
                self.foreign += 1
                self._stray += 1
                self.damaged += self._stray > 0 and self._stray % STRAY_BYTES == 0
                continue
            self._held.append(byte)
            lead = self._held[0]
            if lead & FINGER and not lead & ANSWER:  # of several lengths: let go by until the next begins
                self._held.clear()
                self._stray = -FINGER_BYTES
            elif len(self._held) == (ANSWER_BYTES if lead & ANSWER else PEN_BYTES):
                packets.append(_panel(self._held) if lead & ANSWER else _pen(self._held))
                self._held.clear()
                self.foreign = 0
        return packets

    def forget(self) -> None:
        self._held[:] = bytes(len(self._held))
        self._held.clear()
        self._stray = self.damaged = self.foreign = 0


def _pen(packet: bytearray) -> PenPacket:
    x, y, pressure = _position(packet)
    return PenPacket(x, y, pressure, is_near=bool(packet[0] & READY), is_down=bool(packet[0] & TIP))


def _panel(packet: bytearray) -> Panel:
    return Panel(*_position(packet), firmware=packet[9] << 7 | packet[10])


def _position(packet: bytearray) -> tuple[int, int, int]:
    x = packet[1] << 9 | packet[2] << 2 | packet[6] >> 5 & 0x03
    y = packet[3] << 9 | packet[4] << 2 | packet[6] >> 3 & 0x03
    return x, y, packet[5] | (packet[6] & 0x07) << 7


def encode_pen(packet: PenPacket) -> bytes:
    """The nine bytes a pad sends, tilt left at nought."""
    lead = LEAD | (READY if packet.is_near else 0) | (TIP if packet.is_down else 0)
    return bytes([lead, *_fields(packet.x, packet.y, packet.pressure), 0, 0])


def encode_panel(panel: Panel) -> bytes:
    """The eleven bytes a pad answers."""
    firmware = panel.firmware >> 7 & _SEVEN_BITS, panel.firmware & _SEVEN_BITS
    return bytes([LEAD | ANSWER, *_fields(panel.x, panel.y, panel.pressure), 0, 0, *firmware])


def _fields(x: int, y: int, pressure: int) -> tuple[int, ...]:
    low = (x & 3) << 5 | (y & 3) << 3 | pressure >> 7 & 7
    high_x, high_y = x >> 2, y >> 2
    return (
        high_x >> 7 & _SEVEN_BITS, high_x & _SEVEN_BITS, high_y >> 7 & _SEVEN_BITS, high_y & _SEVEN_BITS,
        pressure & _SEVEN_BITS, low,
    )  # fmt: skip
