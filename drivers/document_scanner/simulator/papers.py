"""Invented papers that the simulators lay before the camera and on the glass: a residence permit, a lease, and the
travel documents of assets/samples, each as `travel_` and its name there."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from drivers.document_scanner.simulator import travel_documents

PX_PER_MM = 6.2
DRAWN_PX_PER_MM = PX_PER_MM * 1.5
PAPER = 236
NOTHING = "nothing"
SIZES_MM: dict[str, tuple[float, float]] = {
    "permit": (85.6, 53.98),
    "tenancy": (210.0, 297.0),
    **{paper: travel_documents.size_mm(paper) for paper in travel_documents.known_documents()},
}
FONT_FOLDERS = (
    "/usr/share/fonts/opentype/noto",
    "/usr/share/fonts/noto-cjk",
    "/usr/share/fonts/google-noto-cjk",
    "/usr/share/fonts/truetype/noto",
)
PERMIT_LINES = (
    ("姓名", "林测试"), ("性别", "男"), ("出生", "1901年2月3日"), ("户籍地址", "样例省样例县样例路1号"),
    ("居住地址", "厦门市思明区样例路1号101室"), ("公民身份号码", "350203190102030017"),
)  # fmt: skip
TENANCY_LINES = (
    "出租人（甲方）：样例物业有限公司", "承租人（乙方）：林测试",
    "一、甲方将厦门市思明区样例路1号101室出租给乙方居住使用。", "二、租赁期限自2024年1月1日起至2026年12月31日止。",
    "三、租金每月人民币贰仟元整，乙方应于每月五日前付清。", "四、乙方不得擅自改变房屋结构，不得转租。",
    "五、合同期满，乙方应将房屋及附属设施完好交还甲方。", "六、本合同一式贰份，双方各执壹份，签字后生效。",
)  # fmt: skip


def known(page: str) -> str:
    if page not in SIZES_MM and page != NOTHING:
        raise ValueError(f"no page is called {page!r}: choose one of {', '.join((*SIZES_MM, NOTHING))}")
    return page


@lru_cache(maxsize=4)
def drawn(name: str) -> Pillow.Image:
    width, height = (round(side * DRAWN_PX_PER_MM) for side in SIZES_MM[name])
    paper = Pillow.new("RGB", (width, height), (PAPER, PAPER, PAPER - 6))
    draw = ImageDraw.Draw(paper)
    if name.startswith(travel_documents.PREFIX):
        travel_documents.draw_document(name, paper, DRAWN_PX_PER_MM, _font(height // 14))
    else:
        (_draw_permit if name == "permit" else _draw_tenancy)(draw, width, height)
    return paper


def _draw_permit(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    line = height // 9
    draw.rectangle((0, 0, width, line + 14), fill=(150, 190, 214))
    draw.text((width // 2, 8), "居住证（样例）", font=_font(line - 8), fill=(30, 44, 70), anchor="ma")
    for index, (label, value) in enumerate(PERMIT_LINES):
        top = line * 1.5 + index * line * 1.2
        draw.text((24, top), label, font=_font(line * 4 // 9), fill=(60, 90, 130))
        draw.text((24 + line * 3, top), value, font=_font(line * 5 // 9), fill=(24, 24, 24))
    draw.rectangle((width - line * 2.4, line * 1.6, width - 20, line * 4.6), fill=(196, 204, 210))


def _draw_tenancy(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    draw.text((width // 2, height // 14), "房屋租赁合同", font=_font(height // 26), fill=(20, 20, 20), anchor="ma")
    margin, step = width // 10, height // 18
    for index, line in enumerate(TENANCY_LINES):
        draw.text((margin, height // 6 + index * step), line, font=_font(height // 62), fill=(28, 28, 28))
    around = (width * 0.66, height * 0.72, width * 0.66 + height * 0.13, height * 0.85)
    draw.ellipse(around, outline=(200, 40, 40), width=9)
    draw.text((width * 0.69, height * 0.775), "样例专用章", font=_font(height // 58), fill=(200, 40, 40))


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    for folder in FONT_FOLDERS:
        path = Path(folder, "NotoSansCJK-Regular.ttc")
        if path.is_file():
            return ImageFont.truetype(str(path), size, index=2)
    raise ValueError("no Chinese font to draw papers with: install fonts-noto-cjk")
