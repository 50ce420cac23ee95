"""Sets a receipt: the lines of a `PrintJob` become black-and-white pictures as wide as the head.

Sizes are millimetres turned into dots by the head's resolution, so one layout serves 180, 203 and 300 dpi. Text is
drawn in greys and cut at a threshold: strokes stay even where a one-bit rasteriser would break them. No row begins
with a closing mark or ends with an opening one (GB/T 15834).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import segno
from PIL import Image, ImageDraw, ImageFont

from drivers.errors import Unsupported
from drivers.messages import Align, Line, PairLine, QrLine, RuleLine, SpaceLine, TextLine
from drivers.receipt_printer.fonts import Fonts

MM_PER_INCH = 25.4
MARGIN_MM = 2.0
BODY_MM = 3.5
FONT_A_DOTS = 24
HALF_EMPTY_LAST = frozenset("，。、；：）》〉」』】〕")
HEADING_MM = 5.5
CAPTION_MM = 2.9
LEADING = 1.5
RULE_MM = 0.25
RULE_SPACE_MM = 1.8
PAIR_GAP_MM = 3.0
QR_MODULE_MM = 0.75
QR_WIDEST_SHARE = 0.6
QR_SPACE_MM = 3.0
NARROWEST_VALUE_SHARE = 0.45
INK_BELOW = 150  # of 255: a little heavier than the drawn shape, thermal heads print thin strokes pale

NEVER_FIRST = frozenset("，。、；：？！）》〉」』】〕”’…—·％%,.;:?!)]}")
NEVER_LAST = frozenset("（《〈「『【〔“‘([{￥¥$")
UNIT = re.compile(r"[A-Za-z0-9_@#&*+./:=\-]+|\s+|.")
HANG_BACK_LIMIT = 4
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # commands, direction overrides, halves of characters


class Typesetter:
    """Draws single lines; each picture is `width_dots` wide, mode "1", black on white.

    `like_printer`: in the size and measure of the printer's own font A, for lines that stand among such text.
    """

    def __init__(self, fonts: Fonts, width_dots: int, dpi: int, *, like_printer: bool = False) -> None:
        self._fonts = fonts
        self.width_dots = width_dots
        self._dpi = dpi
        self._margin = 0 if like_printer else self.dots(MARGIN_MM)
        self._measure = width_dots - 2 * self._margin
        self._body = FONT_A_DOTS if like_printer else self.dots(BODY_MM)
        self._heading = 2 * FONT_A_DOTS if like_printer else self.dots(HEADING_MM)

    def dots(self, millimetres: float) -> int:
        return max(1, round(millimetres * self._dpi / MM_PER_INCH))

    def like_printer(self) -> Typesetter:
        return Typesetter(self._fonts, self.width_dots, self._dpi, like_printer=True)

    def draw(self, line: Line) -> Image.Image:
        match line:
            case TextLine():
                return self._text(line)
            case PairLine():
                return self._pair(line)
            case RuleLine():
                return self._rule()
            case SpaceLine():
                return self._sheet(self.dots(max(line.millimetres, 0)))
            case QrLine():
                return self._qr(line)

    def _sheet(self, height: int) -> Image.Image:
        return Image.new("1", (self.width_dots, height), 1)

    def _text(self, line: TextLine) -> Image.Image:
        heading = line.scale == 2
        face = self._fonts.face(self._heading if heading else self._body, bold=line.bold or heading)
        rows = break_lines(line.text, self._measure, face.getlength)
        return self._rows([(row, self._left(row, face, line.align)) for row in rows], face, bold=line.bold or heading)

    def _left(self, row: str, face: ImageFont.FreeTypeFont, align: Align) -> int:
        if align is Align.CENTRE:
            return self._margin + round((self._measure - face.getlength(row)) / 2)
        return self._margin

    def _pair(self, line: PairLine) -> Image.Image:
        face = self._fonts.face(self._body)
        gap = self.dots(PAIR_GAP_MM)
        label_rows = break_lines(line.label, self._measure, face.getlength)
        label_width = max((round(face.getlength(row)) for row in label_rows), default=0)
        room = self._measure - label_width - gap
        length = face.getlength(line.value)
        beside = len(label_rows) == 1 and (
            room >= length or (length > self._measure and room >= self._measure * NARROWEST_VALUE_SHARE)
        )
        value_rows = break_lines(line.value, room if beside else self._measure, face.getlength)
        value_width = max((round(_ink_length(row, face)) for row in value_rows), default=0)
        right = self.width_dots - self._margin
        placed = [(row, right - value_width) for row in value_rows]
        labels = [(row, self._margin) for row in label_rows]
        if beside:
            return self._rows(placed, face, beside=labels)
        return self._rows(labels + placed, face)

    def _rows(
        self,
        rows: list[tuple[str, int]],
        face: ImageFont.FreeTypeFont,
        *,
        bold: bool = False,
        beside: list[tuple[str, int]] | None = None,
    ) -> Image.Image:
        step = round(face.size * LEADING)
        grey = Image.new("L", (self.width_dots, step * max(len(rows), 1)), 255)
        pen = ImageDraw.Draw(grey)
        stroke = 0.5 if bold and not self._fonts.has_bold else 0
        for column in (rows, beside or []):
            for number, (text, left) in enumerate(column):
                baseline = step * number + round((step - face.size) / 2 + face.size * 0.88)
                pen.text((left, baseline), text, fill=0, font=face, anchor="ls", stroke_width=stroke)
        return grey.point([0 if value < INK_BELOW else 255 for value in range(256)], "1")

    def _rule(self) -> Image.Image:
        space, thickness = self.dots(RULE_SPACE_MM), max(2, self.dots(RULE_MM))
        sheet = self._sheet(2 * space + thickness)
        ImageDraw.Draw(sheet).rectangle(
            (self._margin, space, self.width_dots - self._margin - 1, space + thickness - 1), fill=0
        )
        return sheet

    def caption(self, text: str) -> Image.Image:
        """The small centred words under a code."""
        face = self._fonts.face(self.dots(CAPTION_MM))
        rows = break_lines(text, self._measure, face.getlength)
        return self._rows([(row, self._left(row, face, Align.CENTRE)) for row in rows], face)

    def module_dots(self, modules: int) -> int:
        """Dots per QR module, so that the code stays within its share of the width (ISO/IEC 18004: ≥ 2 for a scan)."""
        return max(2, min(self.dots(QR_MODULE_MM), int(self._measure * QR_WIDEST_SHARE / modules)))

    def _qr(self, line: QrLine) -> Image.Image:
        rows = [bytes(row) for row in qr_matrix(line.content)]
        size = len(rows)
        modules = Image.frombytes("L", (size, size), bytes(0 if cell else 255 for row in rows for cell in row))
        scale = self.module_dots(size)
        code = modules.resize((size * scale, size * scale), Image.Resampling.NEAREST).convert("1")
        space = max(self.dots(QR_SPACE_MM), 4 * scale)
        caption = self.caption(line.caption) if line.caption else None
        height = code.height + 2 * space
        sheet = self._sheet(height + (caption.height if caption else 0))
        sheet.paste(code, ((self.width_dots - code.width) // 2, space))
        if caption:
            sheet.paste(caption, (0, height - self.dots(1)))
        return sheet


def _ink_length(row: str, face: ImageFont.FreeTypeFont) -> float:
    """A closing mark fills the left half of its square: without this its row would seem to stop short of the edge."""
    return face.getlength(row) - (face.size * 0.5 if row[-1:] in HALF_EMPTY_LAST else 0)


def qr_matrix(content: str) -> tuple[bytearray, ...]:
    """Modules of a QR code of level M, 1 for dark, without its quiet zone.

    Raises `Unsupported` (`code_unprintable`).
    """
    try:
        if not content:
            raise ValueError("empty")  # noqa: TRY301
        return segno.make_qr(content, error="m").matrix
    except ValueError as error:
        raise Unsupported("receipt printer: the QR content is empty or too long", "code_unprintable") from error


def break_lines(text: str, measure: float, width: Callable[[str], float]) -> list[str]:
    """Rows of `text`, none wider than `measure` by `width(row)`. Line feeds in the text begin a new row."""
    rows: list[str] = []
    for paragraph in text.splitlines() or [""]:
        visible = "".join(" " if unicodedata.category(character) in INVISIBLE else character for character in paragraph)
        rows.extend(_break_paragraph(visible, measure, width))
    return rows


def _break_paragraph(paragraph: str, measure: float, width: Callable[[str], float]) -> list[str]:
    rows: list[str] = []
    row: list[str] = []
    for unit in _units(paragraph, measure, width):
        if row and width("".join(row) + unit.rstrip()) > measure:
            carried = _carry(row, unit)
            if width("".join(carried) + unit.rstrip()) > measure:  # narrower than a word with its marks: break anywhere
                row, carried = row + carried, []
            rows.append("".join(row).rstrip())
            row = carried
        if row or unit.strip() or not rows:
            row.append(unit)
    rows.append("".join(row).rstrip())
    return rows


def _units(paragraph: str, measure: float, width: Callable[[str], float]) -> list[str]:
    """Words that fit a row stay whole; longer ones fall into characters."""
    units: list[str] = []
    for unit in UNIT.findall(paragraph):
        units.extend([unit] if width(unit) <= measure else list(unit))
    return units


def _carry(row: list[str], unit: str) -> list[str]:
    """Units that must go down together with `unit`, taken off the end of `row`."""
    carried: list[str] = []
    first = unit
    while len(row) > 1 and len(carried) < HANG_BACK_LIMIT and (first[0] in NEVER_FIRST or row[-1][-1] in NEVER_LAST):
        first = row.pop()
        carried.insert(0, first)
    return carried
