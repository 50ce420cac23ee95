"""Sample Views: every page and every kind of screen, for pictures and for the audit."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter

from kiosk.flow.course.helper import Helper
from kiosk.flow.screens import PreviewScreen, Reason, StageKind, Tile, TimeOutWarning, View
from kiosk.ui.gallery.effect_screens import EFFECT_SCREENS
from kiosk.ui.gallery.extreme_screens import CITIZEN, EXTREME_SCREENS, LONG_TITLE
from kiosk.ui.gallery.question_screens import QUESTION_SCREENS
from kiosk.ui.gallery.screens import SCREENS as OTHER_SCREENS
from kiosk.ui.gallery.sign_in_screens import SIGN_IN_SCREENS
from kiosk.ui.gallery.tiles import DOORS, TILES, text

SCREENS = OTHER_SCREENS | SIGN_IN_SCREENS | EFFECT_SCREENS | QUESTION_SCREENS | EXTREME_SCREENS
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


def _many() -> tuple[Tile, ...]:
    """Two hundred matters, the first with long names; every third cannot be done now."""
    reason = text(
        "不动产登记中心的系统没有回应，暂不能办",
        "不動產登記中心的系統沒有回應，暫不能辦",
        "The register does not answer now",
    )
    return tuple(
        replace(tile, matter=f"many_{number}", title=LONG_TITLE if number < 20 else tile.title,
                enabled=number % 3 != 0, reason=reason)
        for number, tile in enumerate(TILES[number % 12] for number in range(200))
    )  # fmt: skip


_CALLING = text("正在呼叫远程协助员，请稍等", "正在呼叫遠端協助員，請稍等", "Calling a remote helper. Please wait")
_POINTS = text("请点亮起来的这个。", "請點亮起來的這個。", "Please touch the part that is marked.")
_NOBODY = text(
    "现在没有协助员有空。请叫店员，或拨打 12345。", "現在沒有協助員有空。請叫店員，或撥打 12345。",
    "No helper is free now. Ask the clerk, or call 12345.",
)  # fmt: skip
HELPED = {
    "helper_calling": ("form", Helper(state="calling", note=_CALLING)),
    "helper_points": ("material_ways", Helper(state="talking", note=_CALLING, message=_POINTS, point="option:phone")),
    "helper_field": ("form", Helper(state="talking", note=_CALLING, message=_POINTS, point="field:employer")),
    "helper_ended": ("review", Helper(state="ended", note=_NOBODY)),
}
"""Name → the View it stands over, and the remote helper."""
NAMES = ("attract", "home", "home_greyed", "home_few", "home_long", *SCREENS, *HELPED, "time_out", "out_of_service")


@lru_cache(maxsize=1)
def views() -> dict[str, View]:
    """Name → View, in the order a visit goes."""
    around = {
        "attract": _around(stage=StageKind.ATTRACT),
        "home": _around(),
        "home_few": _around(tiles=TILES[:2], doors=DOORS[:2]),
        "home_long": _around(
            tiles=_many(), favourites=tuple(f"many_{number}" for number in range(8)), online=False, catalogue="many"
        ),
        "home_greyed": _around(tiles=_greyed(), online=False),
    }
    sessions = {}
    for name, screen in SCREENS.items():
        shown = replace(screen, page_png=page_png()) if isinstance(screen, PreviewScreen) else screen
        sessions[name] = _around(
            stage=StageKind.SESSION, screen=shown,
            matter_title=LONG_TITLE if name in EXTREME_SCREENS else PERMIT if name == "form" else NO_HOUSE,
            transaction_number="XM0017-1902-0003",
            citizen="" if name == "card" else CITIZEN if name in EXTREME_SCREENS else "林*试",
            online=name not in EXTREME_SCREENS,
        )  # fmt: skip
    sessions |= {name: replace(sessions[over], helper=helper) for name, (over, helper) in HELPED.items()}
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
