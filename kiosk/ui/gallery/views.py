"""Sample Views: every page and every kind of screen, for pictures and for the audit."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter

from kiosk.flow.screens import PreviewScreen, Reason, StageKind, Tile, TimeOutWarning, View
from kiosk.ui.gallery.effect_screens import EFFECT_SCREENS
from kiosk.ui.gallery.question_screens import QUESTION_SCREENS
from kiosk.ui.gallery.screens import SCREENS as OTHER_SCREENS
from kiosk.ui.gallery.tiles import DOORS, TILES, text

SCREENS = OTHER_SCREENS | EFFECT_SCREENS | QUESTION_SCREENS
NO_HOUSE = text("无房证明", "無房證明", "Proof of no property")
PERMIT = text("居住证签注", "居住證簽注", "Residence permit endorsement")


def page_png() -> bytes:
    """An invented certificate with its red seal, as bytes of a PNG."""
    image = QImage(1240, 1754, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def write(y: int, size: int, line: str, *, bold: bool = False, left: bool = False) -> None:
        font = QFont("Noto Serif CJK SC")
        font.setPixelSize(size)
        font.setBold(bold)
        painter.setFont(font)
        flag = Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag.AlignHCenter
        painter.drawText(QRectF(150, y, 940, size * 2), int(flag), line)

    write(170, 58, "不动产登记信息查询结果证明", bold=True)
    for index, line in enumerate((
        "编号：3502-1902-000017", "", "　　经查询，截至出具之日，林*试（350*************17）",
        "在厦门市行政区域内无不动产登记信息。", "", "　　查询用途：子女入学", "　　本证明自出具之日起三十日内有效。",
    )):  # fmt: skip
        write(360 + index * 78, 34, line, left=True)
    write(1220, 34, "　　　　　　　　　　　　厦门市不动产登记中心（样张）", left=True)
    painter.setPen(QColor("#C4161C"))
    painter.drawEllipse(QRectF(760, 1080, 270, 270))
    write(1420, 26, "扫描二维码可验证本证明真伪", left=True)
    painter.end()
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(content.data())


def _around(**more: Any) -> View:
    facts: dict[str, Any] = {
        "stage": StageKind.HOME, "tiles": TILES, "doors": DOORS,
        "favourites": tuple(tile.matter for tile in TILES[:8]),
        "site": "见福便利店 · 样例路店", "terminal": "XM-0017", "catalogue": "5f2c91",
    }  # fmt: skip
    return View(**(facts | more))


def _greyed() -> tuple[Tile, ...]:
    reason = text("打印机缺纸，暂不能办", "印表機缺紙，暫不能辦", "The printer is out of paper")
    return tuple(
        replace(tile, enabled=False, reason=reason) if index in (0, 3) else tile for index, tile in enumerate(TILES)
    )


NAMES = ("attract", "home", "home_greyed", "home_few", *SCREENS, "time_out", "out_of_service")


@lru_cache(maxsize=1)
def views() -> dict[str, View]:
    """Name → View, in the order a visit goes."""
    around = {
        "attract": _around(stage=StageKind.ATTRACT),
        "home": _around(),
        "home_few": _around(tiles=TILES[:2], doors=DOORS[:2]),
        "home_greyed": _around(tiles=_greyed(), online=False),
    }
    sessions = {}
    for name, screen in SCREENS.items():
        shown = replace(screen, page_png=page_png()) if isinstance(screen, PreviewScreen) else screen
        sessions[name] = _around(
            stage=StageKind.SESSION, screen=shown, matter_title=PERMIT if name == "form" else NO_HOUSE,
            transaction_number="XM0017-1902-0003", citizen="" if name == "card" else "林*试",
        )  # fmt: skip
    after = {
        "time_out": replace(sessions["form"], warning=TimeOutWarning(seconds_left=18, seconds_total=30)),
        "out_of_service": _around(
            stage=StageKind.OUT_OF_SERVICE,
            reasons=(
                Reason(text=text("读卡器没有回应", "讀卡機沒有回應", "The card reader does not answer"), code="A12"),
                Reason(
                    text=text("回执打印机缺纸", "回執印表機缺紙", "The receipt printer is out of paper"), code="D45"
                ),
            ),
        ),
    }
    return around | sessions | after
