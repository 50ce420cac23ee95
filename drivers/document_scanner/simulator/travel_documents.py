"""Travel documents of invented citizens (assets/samples/travel_documents.yaml): the side with the zone, drawn."""

from __future__ import annotations

import datetime as dt
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import yaml
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from drivers.document_scanner.zone.codec import composed
from drivers.messages import MachineReadableZone, ZoneFormat

SAMPLES: Final = Path(__file__).resolve().parents[3] / "assets" / "samples"
DOCUMENTS: Final = SAMPLES / "travel_documents.yaml"
FONT: Final = SAMPLES / "ocr_b" / "OCRB.otf"
PREFIX: Final = "travel_"
SIZES_MM: Final = {ZoneFormat.TD1: (85.6, 53.98), ZoneFormat.TD3: (125.0, 88.0)}
PITCH_MM, LINE_MM = 2.54, 4.2
FIRST_SIGN_MM: Final = {ZoneFormat.TD1: 4.7, ZoneFormat.TD3: 6.6}
LAST_LINE_MM = 7.0
"""Middle of the last line above the lower edge (ICAO Doc 9303 part 3 section 4)."""


@cache
def known_documents() -> dict[str, dict[str, Any]]:
    entries: dict[str, dict[str, Any]] = yaml.load(DOCUMENTS.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {PREFIX + name: entry for name, entry in entries.items()}


def zone_of(paper: str) -> MachineReadableZone:
    """What the zone of this sample says. Raises `KeyError`."""
    entry = known_documents()[paper]
    passport = str(entry["document_code"]).startswith("P")
    return MachineReadableZone(
        format=ZoneFormat.TD3 if passport else ZoneFormat.TD1,
        birth=_printed(entry["birth_date"]),
        expiry=_printed(entry["valid_until"]),
        **{name: entry[name] for name in ("document_code", "issuer", "number", "nationality", "sex", "surname")},
        given_names=entry["given_names"],
        optional=entry.get("optional", ""),
    )


def _printed(day: dt.date) -> str:
    return day.strftime("%y%m%d")


def size_mm(paper: str) -> tuple[float, float]:
    return SIZES_MM[zone_of(paper).format]


def draw_document(paper: str, page: Pillow.Image, px_per_mm: float, heading: ImageFont.FreeTypeFont) -> None:
    """The side with the zone: a title, a pattern against copying, and the lines."""
    zone, draw = zone_of(paper), ImageDraw.Draw(page)
    width, height = page.size
    for at in range(0, width + height, 22):
        draw.line((at, 0, at - height, height), fill=(216, 226, 222), width=2)
    draw.text(
        (width // 2, height // 14), known_documents()[paper]["title"], font=heading, fill=(40, 60, 80), anchor="ma"
    )
    draw.rectangle((width * 0.06, height * 0.26, width * 0.3, height * 0.62), fill=(190, 200, 206))
    draw.text((width * 0.36, height * 0.36), "样例 SPECIMEN", font=heading, fill=(120, 130, 140))
    lines = composed(zone)
    for index, line in enumerate(reversed(lines)):
        middle = height - (LAST_LINE_MM + index * LINE_MM * (1.5 if len(lines) == 2 else 1)) * px_per_mm
        draw.text(
            (FIRST_SIGN_MM[zone.format] * px_per_mm, middle),
            line,
            font=ocr_b(px_per_mm),
            fill=(26, 26, 28),
            anchor="lm",
        )


@lru_cache(maxsize=4)
def ocr_b(px_per_mm: float) -> ImageFont.FreeTypeFont:
    """OCR-B whose signs stand 2.54 mm apart."""
    at_hundred = ImageFont.truetype(str(FONT), 100).getlength("M")
    return ImageFont.truetype(str(FONT), 100 * PITCH_MM * px_per_mm / at_hundred)
