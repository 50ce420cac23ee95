"""Walk what is visible on a window and list what breaks the rules of the look (DESIGN 3; domain.md 5.7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QAccessible, QColor, QFontMetricsF, QImage
from PySide6.QtQuick import QQuickItem

from kiosk.ui.gallery.__main__ import Gallery

GLYPH_MM = {False: 6.0, True: 8.0}
TARGET_MM = {False: 15.0, True: 20.0}
ELDER_GAP_MM = 3.0
CONTRAST = 7.0
ROUNDING_MM = 0.3


@dataclass(frozen=True)
class Fault:
    rule: str
    where: str
    what: str


@dataclass(frozen=True)
class Seen:
    item: QQuickItem
    box: QRectF
    shown: QRectF
    path: str


def audit(gallery: Gallery) -> list[Fault]:
    """Every fault of the present page. Sees nothing outside what a veil leaves reachable."""
    window = gallery.kiosk.window
    picture = window.grabWindow()
    everything = QRectF(0, 0, window.width(), window.height())
    seen: list[Seen] = []
    _walk(window.contentItem(), everything, "", seen)
    sheet = gallery.kiosk.stage.sheet or gallery.kiosk.stage.seconds_left >= 0
    if sheet:
        veil = min(index for index, each in enumerate(seen) if each.path.split("/")[-1].endswith("Sheet"))
        seen = seen[veil:]
    mm = gallery.kiosk.window.width() / gallery.kiosk.settings.width_mm
    elder = gallery.kiosk.look.elder
    texts = [each for each in seen if each.item.inherits("QQuickText") and each.item.property("text")]
    targets = [each for each in seen if each.item.property("isTouchable") is True]
    faults = _sizes(texts, mm, elder) + _contrast(texts, picture) + _cut(texts) + _overlap(texts)
    faults += _targets(targets, mm, elder) + _names(texts, targets) + _outgrown(texts, targets)
    return faults


def _walk(item: QQuickItem, clip: QRectF, path: str, seen: list[Seen]) -> None:
    if not item.isVisible() or item.opacity() == 0:
        return
    box = item.mapRectToScene(QRectF(0, 0, item.width(), item.height()))
    kind = item.metaObject().className().split("_QMLTYPE")[0]
    path = f"{path}/{kind}{':' + item.objectName() if item.objectName() else ''}"
    shown = box.intersected(clip)
    if not shown.isEmpty():
        seen.append(Seen(item, box, shown, path))
    inner = shown if item.clip() else clip
    for child in item.childItems():
        _walk(child, inner, path, seen)


def _name(each: Seen) -> str:
    said = each.item.property("text") or each.item.property("name") or ""
    return "/".join(each.path.split("/")[-3:]) + f" {str(said)[:24]!r}"


def _sizes(texts: list[Seen], mm: float, elder: bool) -> list[Fault]:
    faults = []
    for each in texts:
        ink = QFontMetricsF(each.item.property("font")).tightBoundingRect("国").height() / mm
        if ink < GLYPH_MM[elder] - 0.05:
            faults.append(Fault("glyph", _name(each), f"{ink:.1f} mm"))
    return faults


def _ink_box(each: Seen) -> QRectF:
    """Where the glyphs of a text lie, in the window."""
    item = each.item
    left, right = item.property("leftPadding") or 0, item.property("rightPadding") or 0
    width = min(item.property("contentWidth"), item.width())
    x = left + ((item.width() - left - right - width) / 2 if item.property("centred") else 0)
    return item.mapRectToScene(QRectF(x, 0, width, min(item.property("contentHeight"), item.height())))


def _contrast(texts: list[Seen], picture: QImage) -> list[Fault]:
    faults = []
    for each in texts:
        box = _ink_box(each).intersected(each.shown)
        if box.isEmpty() or each.shown.height() < each.box.height() * 0.8:
            continue
        ground = _commonest(picture, box)
        ratio = contrast(each.item.property("color"), ground)
        if ratio < CONTRAST:
            faults.append(Fault("contrast", _name(each), f"{ratio:.1f} on {ground.name()}"))
    return faults


def _commonest(picture: QImage, box: QRectF) -> QColor:
    counts: dict[int, int] = {}
    for row in range(1, 8):
        for column in range(40):
            x = min(int(box.x() + box.width() * column / 39), picture.width() - 1)
            y = min(int(box.y() + box.height() * row / 8), picture.height() - 1)
            pixel = picture.pixel(max(x, 0), max(y, 0))
            counts[pixel] = counts.get(pixel, 0) + 1
    return QColor.fromRgb(max(counts, key=lambda pixel: counts[pixel]))


def contrast(one: QColor, other: QColor) -> float:
    """WCAG contrast ratio."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: QColor) -> float:
    linear = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in (colour.redF(), colour.greenF(), colour.blueF())
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _cut(texts: list[Seen]) -> list[Fault]:
    faults = []
    for each in texts:
        item = each.item
        wide = item.property("contentWidth") > item.width() + 1.5
        high = item.property("contentHeight") > item.height() + 1.5
        beyond = each.shown.width() < _ink_box(each).width() - 2
        if item.property("truncated") or wide or high or beyond:
            faults.append(Fault("cut", _name(each), f"{item.property('contentWidth'):.0f} in {item.width():.0f} px"))
    return faults


def _outgrown(texts: list[Seen], targets: list[Seen]) -> list[Fault]:
    """Words that stand out of the tile or button they belong to."""
    faults = []
    for each in texts:
        own = next((target for target in reversed(targets) if _holds(target.item, each.item)), None)
        air = 0.2 * _ink_box(each).height() / max(1, each.item.property("lineCount"))
        if own and not own.box.adjusted(-1, -air, 1, air).contains(_ink_box(each)):
            faults.append(Fault("outgrown", _name(each), _name(own)))
    return faults


def _overlap(texts: list[Seen]) -> list[Fault]:
    faults = []
    boxes = [(each, _ink_box(each).intersected(each.shown)) for each in texts]
    for index, (each, box) in enumerate(boxes):
        # Lines of CJK fonts are taller than their ink: a quarter at both ends is air.
        slim = box.adjusted(1, box.height() * 0.25 / max(1, each.item.property("lineCount")), -1, 0)
        for other, other_box in boxes[index + 1 :]:
            lines = max(1, other.item.property("lineCount"))
            shared = slim.intersected(other_box.adjusted(1, other_box.height() * 0.25 / lines, -1, 0))
            if shared.width() > 2 and shared.height() > box.height() * 0.1:
                faults.append(Fault("overlap", _name(each), _name(other)))
    return faults


def _targets(targets: list[Seen], mm: float, elder: bool) -> list[Fault]:
    faults = []
    for index, each in enumerate(targets):
        width, height = each.box.width() / mm, each.box.height() / mm
        if min(width, height) < TARGET_MM[elder] - ROUNDING_MM:
            faults.append(Fault("target", _name(each), f"{width:.1f} × {height:.1f} mm"))
        if not elder:
            continue
        for other in targets[index + 1 :]:
            if _holds(each.item, other.item) or _holds(other.item, each.item):
                continue
            gap = _gap(each.shown, other.shown) / mm
            if gap < ELDER_GAP_MM - ROUNDING_MM:
                faults.append(Fault("gap", _name(each), f"{gap:.1f} mm to {_name(other)}"))
    return faults


def _holds(outer: QQuickItem, inner: QQuickItem) -> bool:
    above: QQuickItem | None = inner
    while above is not None:
        if above == outer:
            return True
        above = above.parentItem()
    return False


def _gap(one: QRectF, other: QRectF) -> float:
    across = max(one.left(), other.left()) - min(one.right(), other.right())
    down = max(one.top(), other.top()) - min(one.bottom(), other.bottom())
    return max(across, down)


def _names(texts: list[Seen], targets: list[Seen]) -> list[Fault]:
    faults = []
    for each in targets:
        said = _spoken(each.item)
        if not said or said[1] == QAccessible.Role.NoRole or not said[0]:
            faults.append(Fault("name", _name(each), "nothing to read aloud"))
        if not each.item.objectName():
            faults.append(Fault("name", _name(each), "no objectName"))
    for each in texts:
        inside_target = any(_holds(target.item, each.item) for target in targets)
        if not inside_target and not _spoken(each.item) and not _ignored_within(each.item):
            faults.append(Fault("name", _name(each), "a text nobody can hear"))
    return faults


def _ignored_within(item: QQuickItem) -> bool:
    """A text may be silent when something around it says the same."""
    above = item.parentItem()
    while above is not None:
        if (spoken := _spoken(above)) and spoken[0]:
            return True
        above = above.parentItem()
    return False


def _spoken(item: QQuickItem) -> tuple[str, Any] | None:
    interface = QAccessible.queryAccessibleInterface(item)
    if interface is None:
        return None
    return interface.text(QAccessible.Text.Name), interface.role()


def middle_of(each: Seen) -> QPointF:
    return each.box.center()
