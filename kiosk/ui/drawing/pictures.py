"""What Python draws for QML: icons in any colour, the camera's mirror picture, the page to be looked at.

Camera and page are painted items, not image URLs: nothing of them enters an image cache, and `forget` leaves nothing.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import Property, QByteArray, QObject, QRectF, QSize, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath
from PySide6.QtQml import qmlRegisterType
from PySide6.QtQuick import QQuickImageProvider, QQuickItem, QQuickPaintedItem
from PySide6.QtSvg import QSvgRenderer

from kiosk.ui.words import ASSETS, readable

ICONS_FILE = ASSETS / "theme" / "icons.svg"
UNKNOWN_ICON = "document"
_GROUP = re.compile(r'<g id="(?P<name>\w+)"(?: data-as="(?P<same>\w+)"/>|>(?P<inside>.*?)</g>)', re.DOTALL)


class Picture(Protocol):
    """A camera preview: width × height RGB888 rows without padding."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    @property
    def rgb(self) -> bytes: ...


def read_icons(path: Path = ICONS_FILE) -> dict[str, str]:
    """Icon name → its drawing (SVG elements on a 24 × 24 grid). A group with `data-as` is another name for one."""
    icons, others = {}, {}
    for group in _GROUP.finditer(path.read_text(encoding="utf-8")):
        name, same, inside = group.group("name", "same", "inside")
        if same:
            others[name] = same
        else:
            icons[name] = inside
    return icons | {name: icons[same] for name, same in others.items()}


class IconProvider(QQuickImageProvider):
    """`image://icon/<name>/<colour without #>`; `sourceSize` decides the pixels. Unknown names draw a document."""

    def __init__(self, icons: dict[str, str]) -> None:
        super().__init__(QQuickImageProvider.ImageType.Image)
        self._icons = icons

    def requestImage(self, id: str, size: QSize, requested: QSize) -> QImage:  # noqa: N802
        name, _, colour = id.partition("/")
        inside = self._icons.get(name) or self._icons[UNKNOWN_ICON]
        ink = f"#{colour}" if re.fullmatch(r"[0-9a-fA-F]{6}", colour) else "#000000"
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
            f'stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round">{inside}</svg>'
        ).replace("currentColor", ink)
        side = max(requested.width(), requested.height(), 8)
        # Made from zeroes: `fill` would first load the thousand names of Qt's namespace, which takes 20 ms.
        clear = QImage(bytes(4 * side * side), side, side, QImage.Format.Format_ARGB32_Premultiplied)
        image = clear.copy()
        painter = QPainter(image)
        QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, side, side))
        painter.end()
        return image


class Pictures(QObject):
    """The page and the camera picture of the present screen; both in memory, both forgotten with it."""

    page_changed = Signal()
    camera_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._png = b""
        self.page = QImage()
        self.camera = QImage()
        self._camera_bytes = b""

    def show_page(self, png: bytes) -> None:
        if png != self._png:
            self._png = png
            self.page = QImage.fromData(png) if png else QImage()
            self.page_changed.emit()

    def show_camera(self, picture: Picture | None) -> None:
        if picture is None:
            if not self.camera.isNull():
                self.camera, self._camera_bytes = QImage(), b""
                self.camera_changed.emit()
            return
        if len(picture.rgb) != picture.width * picture.height * 3:
            return
        # The image borrows the bytes: both are kept together.
        self._camera_bytes = picture.rgb
        self.camera = QImage(
            self._camera_bytes, picture.width, picture.height, picture.width * 3, QImage.Format.Format_RGB888
        )
        self.camera_changed.emit()

    page_ratio = readable(
        float, lambda self: self.page.height() / self.page.width() if self.page.width() else 1.414, notify=page_changed
    )
    has_camera = readable(bool, lambda self: not self.camera.isNull(), notify=camera_changed)


class _PictureItem(QQuickPaintedItem):
    """Draws one image of `pictures`, which QML sets once."""

    pictures_changed = Signal()

    def __init__(self, parent: QQuickItem | None = None) -> None:
        super().__init__(parent)
        self._pictures: Pictures | None = None
        self.setAntialiasing(True)

    def _get(self) -> QObject | None:
        return self._pictures

    def _set(self, pictures: Any) -> None:
        if pictures is self._pictures or not isinstance(pictures, Pictures):
            return
        self._pictures = pictures
        self._changed_signal(pictures).connect(self._repaint)
        self.pictures_changed.emit()
        self.update()

    def _repaint(self) -> None:
        self.update()

    def _changed_signal(self, pictures: Pictures) -> Any:
        raise NotImplementedError

    pictures = Property(QObject, _get, _set, notify=pictures_changed)


class PagePicture(_PictureItem):
    """The whole page, fitted to the item."""

    def _changed_signal(self, pictures: Pictures) -> Any:
        return pictures.page_changed

    def paint(self, painter: QPainter) -> None:
        if self._pictures and not self._pictures.page.isNull():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(self.boundingRect(), self._pictures.page)


class CameraPicture(_PictureItem):
    """The camera's picture cut to an upright oval, so that people see at once where the face belongs."""

    def _changed_signal(self, pictures: Pictures) -> Any:
        return pictures.camera_changed

    def paint(self, painter: QPainter) -> None:
        bounds = self.boundingRect()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        oval = QPainterPath()
        oval.addEllipse(bounds)
        painter.setClipPath(oval)
        painter.fillRect(bounds, QColor("#D5E3EC"))
        if self._pictures and not self._pictures.camera.isNull():
            image = self._pictures.camera
            scale = max(bounds.width() / image.width(), bounds.height() / image.height())
            width, height = image.width() * scale, image.height() * scale
            painter.drawImage(
                QRectF((bounds.width() - width) / 2, (bounds.height() - height) / 2, width, height), image
            )


def register_items() -> None:
    """Make the painted items known to QML; calling again changes nothing."""
    if not getattr(register_items, "done", False):
        qmlRegisterType(PagePicture, "Kiosk.Drawing", 1, 0, "PagePicture")  # type: ignore[call-overload]
        qmlRegisterType(CameraPicture, "Kiosk.Drawing", 1, 0, "CameraPicture")  # type: ignore[call-overload]
        register_items.done = True  # type: ignore[attr-defined]
