"""The field a citizen writes a name in, and the code a citizen scans: painted, kept in no cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import Property, QElapsedTimer, QObject, QPointF, QRectF, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtQml import qmlRegisterType
from PySide6.QtQuick import QQuickItem, QQuickPaintedItem

if TYPE_CHECKING:  # its names take a millisecond to load: not before the first picture
    from PySide6.QtGui import QMouseEvent

INK = QColor("#0F2130")
THIN_MM, THICK_MM = 0.5, 1.3
LEAST_STEP_MM = 0.25


class TakesStrokes(Protocol):
    """The session's view model."""

    def write(self, points: list[tuple[float, float, int]]) -> None: ...


class InkField(QQuickPaintedItem):
    """Draws ink at once where the finger is, and hands each finished stroke to `session` in millimetres.

    `field_width` is how many millimetres the item is wide for whoever takes the strokes. `ink` is what a pad with its
    own pen reports: [[[x, y, pressure], …], …]. What was written here dies with the item.
    """

    changed = Signal()

    def __init__(self, parent: QQuickItem | None = None) -> None:
        super().__init__(parent)
        self.setAntialiasing(True)
        self._session: Any = None
        self._field_width = 1.0
        self._writes_here = True
        self._ink: list[Any] = []
        self._strokes: list[list[tuple[float, float, int]]] = []
        self._is_down = False
        self._clock = QElapsedTimer()

    # --- what QML sets --------------------------------------------------------------------------------------------

    def _set_session(self, session: Any) -> None:
        self._session = session
        self.changed.emit()

    def _set_width(self, millimetres: float) -> None:
        self._field_width = max(float(millimetres), 1.0)
        self.changed.emit()
        self.update()

    def _set_writes(self, writes: bool) -> None:
        self._writes_here = writes
        from PySide6.QtCore import Qt  # noqa: PLC0415 (as below)

        self.setAcceptedMouseButtons(Qt.MouseButton.LeftButton if writes else Qt.MouseButton.NoButton)
        self.changed.emit()

    def _set_ink(self, ink: Any) -> None:
        self._ink = list(ink) if isinstance(ink, Sequence) else []
        self.changed.emit()
        self.update()

    session = Property(QObject, lambda self: self._session, _set_session, notify=changed)
    field_width = Property(float, lambda self: self._field_width, _set_width, notify=changed)
    writes_here = Property(bool, lambda self: self._writes_here, _set_writes, notify=changed)
    ink = Property("QVariantList", lambda self: self._ink, _set_ink, notify=changed)  # type: ignore[arg-type]
    is_empty = Property(bool, lambda self: not (self._strokes or self._ink), notify=changed)

    # --- the finger -----------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if not self._clock.isValid():
            self._clock.start()
        self._is_down = True
        self.setKeepMouseGrab(True)
        self._strokes.append([self._point(event.position())])
        self.changed.emit()
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        if not self._is_down:
            return
        x, y, _ = self._strokes[-1][-1]
        point = self._point(event.position())
        if abs(point[0] - x) + abs(point[1] - y) >= LEAST_STEP_MM:
            self._strokes[-1].append(point)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        del event
        self._lift()

    def mouseUngrabEvent(self) -> None:  # noqa: N802
        self._lift()

    def _lift(self) -> None:
        if self._is_down and self._session is not None:
            self._is_down = False
            self._session.write(self._strokes[-1])

    def _point(self, at: QPointF) -> tuple[float, float, int]:
        scale = self._field_width / max(self.width(), 1.0)
        return round(at.x() * scale, 2), round(at.y() * scale, 2), self._clock.elapsed()

    # --- the look -------------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scale = self.width() / self._field_width
        for stroke in (*self._ink, *self._strokes):
            points = [QPointF(point[0] * scale, point[1] * scale) for point in stroke]
            thick = THICK_MM if stroke in self._strokes else THIN_MM + (THICK_MM - THIN_MM) * stroke[-1][2]
            painter.setPen(_pen(thick * scale))
            if len(points) == 1:
                painter.drawPoint(points[0])
            else:
                painter.drawPolyline(points)


def _pen(thickness: float) -> QPen:
    from PySide6.QtCore import Qt  # noqa: PLC0415 (its thousand names take 20 ms: not before the first picture)

    return QPen(INK, thickness, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)


class CodePicture(QQuickPaintedItem):
    """A QR code of `text`, with the quiet zone its standard asks for. Nothing while the text is empty."""

    changed = Signal()
    QUIET = 4

    def __init__(self, parent: QQuickItem | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self._rows: tuple[bytearray, ...] = ()

    def _set_text(self, text: str) -> None:
        if text == self._text:
            return
        self._text = text
        self._rows = _matrix(text) if text else ()
        self.changed.emit()
        self.update()

    text = Property(str, lambda self: self._text, _set_text, notify=changed)

    def paint(self, painter: QPainter) -> None:
        if not self._rows:
            return
        modules = len(self._rows) + 2 * self.QUIET
        side = int(min(self.width(), self.height()) // modules)  # whole pixels: a scanner likes sharp edges
        left = (self.width() - side * modules) / 2 + side * self.QUIET
        top = (self.height() - side * modules) / 2 + side * self.QUIET
        painter.fillRect(self.boundingRect(), QColor("white"))
        for y, row in enumerate(self._rows):
            for x, dark in enumerate(row):
                if dark:
                    painter.fillRect(QRectF(left + x * side, top + y * side, side, side), QColor("black"))


def _matrix(text: str) -> tuple[bytearray, ...]:
    import segno  # noqa: PLC0415 (only where a code is shown)

    return tuple(segno.make(text, error="m", micro=False).matrix)


def register_ink() -> None:
    """Make the two items known to QML; calling again changes nothing."""
    if not getattr(register_ink, "done", False):
        qmlRegisterType(InkField, "Kiosk.Drawing", 1, 0, "InkField")  # type: ignore[call-overload]
        qmlRegisterType(CodePicture, "Kiosk.Drawing", 1, 0, "CodePicture")  # type: ignore[call-overload]
        register_ink.done = True  # type: ignore[attr-defined]
