"""From pen packets to strokes: what was lost is never invented, and counted."""

from __future__ import annotations

from typing import Final

from drivers.messages import PenPoint, Stroke
from drivers.signature_pad.isdv4 import POINTS_PER_MM, Panel, PenPacket

JUMP_MM: Final = 12.0
"""Farther than a hand moves between two samples; at 133 a second that is 1.6 m/s."""
LOST_SHARE: Final = 0.05
LOST_AT_LEAST: Final = 3


class PenTrack:
    """Follows the pen of one capture. Co-ordinates are those of the box, given by its corner on the pad."""

    def __init__(self, panel: Panel, left_mm: float, top_mm: float) -> None:
        self._panel = panel
        self._corner = (left_mm, top_mm)
        self._points: list[PenPoint] = []
        self._suspect: PenPoint | None = None
        self._begun_at: float | None = None
        self._seen = 0
        self._lost = 0
        self._waits_for_lift = False

    @property
    def unfinished(self) -> Stroke | None:
        return Stroke(points=tuple(self._points)) if self._points else None

    @property
    def is_down(self) -> bool:
        return bool(self._points or self._suspect)

    def lose(self, packets: int) -> None:
        """Packets that arrived damaged."""
        self._lost += packets

    @property
    def has_lost_much(self) -> bool:
        """More than a reader of handwriting could overlook."""
        return self._lost >= LOST_AT_LEAST and self._lost > LOST_SHARE * (self._seen + self._lost)

    def take(self, packet: PenPacket, at: float) -> list[Stroke]:
        """Strokes that ended with this packet. `at` is monotonic seconds."""
        if packet.x > self._panel.x or packet.y > self._panel.y or packet.pressure > max(self._panel.pressure, 1):
            self._lost += 1
            return []
        self._seen += 1
        if not (packet.is_near and packet.is_down):
            self._waits_for_lift = False
            return self.lift()
        if self._waits_for_lift:
            return []
        if self._begun_at is None:
            self._begun_at = at
        return self._go_on(self._point(packet, round((at - self._begun_at) * 1000)))

    def lift(self) -> list[Stroke]:
        """The pen is up, or gone: the stroke ends where it was last seen."""
        if self._suspect is not None and not self._points:
            self._points.append(self._suspect)
        self._suspect = None
        points, self._points = self._points, []
        return [Stroke(points=tuple(points))] if points else []

    def forget(self) -> None:
        """Begin anew: the citizen has cleared the pad. The rest of a stroke that is being written is no ink."""
        self._waits_for_lift = self.is_down
        self._points, self._suspect, self._begun_at = [], None, None
        self._seen = self._lost = 0

    def _go_on(self, point: PenPoint) -> list[Stroke]:
        """A point far away is believed when the next is near it: between the two, points were lost."""
        last = self._points[-1] if self._points else None
        suspect, self._suspect = self._suspect, None
        if suspect is not None:
            self._lost += 1
            if last is None or _apart_mm(suspect, point) < _apart_mm(last, point):
                strokes = self.lift()
                self._points = [suspect, point]
                return strokes
        if last is not None and _apart_mm(last, point) > JUMP_MM:
            self._suspect = point
            return []
        self._points.append(point)
        return []

    def _point(self, packet: PenPacket, milliseconds: int) -> PenPoint:
        return PenPoint(
            x_mm=packet.x / POINTS_PER_MM - self._corner[0],
            y_mm=packet.y / POINTS_PER_MM - self._corner[1],
            pressure=packet.pressure / self._panel.pressure if self._panel.pressure else 1.0,
            milliseconds=milliseconds,
        )


def _apart_mm(one: PenPoint, other: PenPoint) -> float:
    return float(((one.x_mm - other.x_mm) ** 2 + (one.y_mm - other.y_mm) ** 2) ** 0.5)
