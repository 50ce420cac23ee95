"""Simulated paper: executes ESC/POS commands into dots, as a thermal head would, and shows the slip as a picture.

Understood: raster bit images (GS v 0), graphics (GS ( L, GS 8 L), QR (GS ( k), text in code page 437 and GB18030,
styles, feeds and cuts.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable
from dataclasses import dataclass, field

import segno
from PIL import Image, ImageDraw

from drivers.receipt_printer.fonts import MONOSPACED, Fonts, find_fonts
from drivers.receipt_printer.simulator.stream import REAL_TIME, CommandStream, Token

LINE_DOTS = 34  # 1/6 inch
CELL_DOTS = 24
MARGIN_DOTS = 32
GAP_DOTS = 48
LONGEST_DOTS = 60_000  # 7.5 m of paper: a runaway job ends here
QR_LEVELS = {48: "l", 49: "m", 50: "q", 51: "h"}
IGNORED = frozenset(
    {"control", "\x1b2", "\x1b=", "\x1bt", "\x1bR", "\x1bM", "\x1b ", "\x1bc", "\x1bp", "\x1da", "\x1dr", "\x1dI",
     "\x1dP", "\x1dH", "\x1dh", "\x1dw", "\x1df", "\x1cS", "\x1cC", "\x1b3", "\x1bG", "\x1bV", "\x1b{", "\x1db"}
)  # fmt: skip


@dataclass
class Style:
    align: int = 0
    bold: bool = False
    wide: int = 1
    tall: int = 1
    chinese: bool = False
    chinese_wide: int = 1
    chinese_tall: int = 1


def _print_mode(style: Style, data: bytes) -> None:
    style.bold, style.tall, style.wide = bool(data[0] & 8), 1 + (data[0] >> 4 & 1), 1 + (data[0] >> 5 & 1)


def _align(style: Style, data: bytes) -> None:
    style.align = data[0] & 3


def _bold(style: Style, data: bytes) -> None:
    style.bold = bool(data[0] & 1)


def _size(style: Style, data: bytes) -> None:
    style.wide, style.tall = (data[0] >> 4 & 7) + 1, (data[0] & 7) + 1


def _chinese_mode(style: Style, data: bytes) -> None:
    style.chinese_wide, style.chinese_tall = 1 + (data[0] >> 2 & 1), 1 + (data[0] >> 3 & 1)


def _chinese_quadruple(style: Style, data: bytes) -> None:
    style.chinese_wide = style.chinese_tall = 1 + (data[0] & 1)


def _chinese_on(style: Style, _: bytes) -> None:
    style.chinese = True


def _chinese_off(style: Style, _: bytes) -> None:
    style.chinese = False


STYLES: dict[str, Callable[[Style, bytes], None]] = {
    "\x1b!": _print_mode,
    "\x1ba": _align,
    "\x1bE": _bold,
    "\x1d!": _size,
    "\x1c!": _chinese_mode,
    "\x1cW": _chinese_quadruple,
    "\x1c&": _chinese_on,
    "\x1c.": _chinese_off,
}


@dataclass(frozen=True)
class Glyph:
    character: str
    width: int
    height: int
    bold: bool


@dataclass
class Paper:
    """`text` keeps the decoded rows in order; `unknown` the commands no table holds; `slips` the cut pieces."""

    width_dots: int = 576
    fonts: Fonts = field(default_factory=find_fonts)
    text: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    unknown: list[bytes] = field(default_factory=list)
    slips: list[Image.Image] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._start_slip()
        self._reset()

    def _start_slip(self) -> None:
        self.height = 0
        self._pieces: list[Image.Image] = []

    def _reset(self) -> None:
        self._style = Style()
        self._row: list[Glyph] = []
        self._decoder = codecs.getincrementaldecoder("gb18030")("replace")
        self._code_content, self._code_size, self._code_level = b"", 3, 48
        self._graphic: Image.Image | None = None

    @property
    def has_ink(self) -> bool:
        return bool(self._pieces or self._row)

    def discard(self) -> None:
        """Buffers cleared: what is on paper stays, styles and half rows go."""
        self._reset()

    def execute(self, token: Token) -> None:
        name, data = token.name, token.data
        if name in STYLES:
            STYLES[name](self._style, data)
            return
        match name:
            case "text":
                self._write(data)
            case "control" if data == b"\n":
                self._feed_row()
            case "\x1b@":
                self._reset()
            case "\x1bd":
                self._feed_row()
                self._append(self._blank(LINE_DOTS * max(data[0] - 1, 0)))
            case "\x1bJ":
                self._feed_row(data[0])
            case "\x1dV":
                self.cut()
            case "\x1de" if data[0] == 3:
                self.cut()
            case "\x1de" if data[0] in (2, 5):
                pass
            case "\x1dv":
                self._picture(data[6:], int.from_bytes(data[2:4], "little"), int.from_bytes(data[4:6], "little"))
            case "\x1d(" | "\x1d8":
                self._function(token)
            case _ if name not in IGNORED and name not in REAL_TIME:
                self.unknown.append(token.raw[:16])

    # --- text ------------------------------------------------------------------------------------------------------

    def _write(self, data: bytes) -> None:
        characters = self._decoder.decode(data) if self._style.chinese else data.decode("cp437")
        for character in characters:
            self._place(character)

    def _place(self, character: str) -> None:
        style = self._style
        if character.isascii() or not style.chinese:
            glyph = Glyph(character, CELL_DOTS // 2 * style.wide, CELL_DOTS * style.tall, style.bold)
        else:
            size = (CELL_DOTS * style.chinese_wide, CELL_DOTS * style.chinese_tall)
            glyph = Glyph(character, *size, style.bold)
        if sum(item.width for item in self._row) + glyph.width > self.width_dots:
            self._feed_row()
        self._row.append(glyph)

    def _feed_row(self, least: int = LINE_DOTS) -> None:
        height = max([least, *(glyph.height + LINE_DOTS - CELL_DOTS for glyph in self._row)])
        row = self._blank(height)
        left = self._left(sum(glyph.width for glyph in self._row))
        if self._row:
            self.text.append("".join(glyph.character for glyph in self._row))
        for glyph in self._row:
            row.paste(self._draw(glyph), (left, height - glyph.height - 5))
            left += glyph.width
        self._row = []
        self._append(row)

    def _draw(self, glyph: Glyph) -> Image.Image:
        cell = Image.new("L", (CELL_DOTS, CELL_DOTS), 255)
        face = self.fonts.face(CELL_DOTS, bold=glyph.bold, family=MONOSPACED)
        ImageDraw.Draw(cell).text((0, CELL_DOTS - 4), glyph.character, fill=0, font=face, anchor="ls")
        if glyph.character.isascii():
            cell = cell.crop((0, 0, CELL_DOTS // 2, CELL_DOTS))
        return cell.resize((glyph.width, glyph.height), Image.Resampling.NEAREST).point(lambda v: v > 150 and 255, "1")

    # --- pictures and codes ----------------------------------------------------------------------------------------

    def _picture(self, dots: bytes, width_bytes: int, height: int) -> None:
        if width_bytes and height:
            self._paste(Image.frombytes("1", (width_bytes * 8, height), bytes(byte ^ 0xFF for byte in dots)))

    def _paste(self, picture: Image.Image) -> None:
        if self._row:
            self._feed_row()
        band = self._blank(picture.height)
        band.paste(picture, (self._left(picture.width), 0))
        self._append(band)

    def _function(self, token: Token) -> None:
        data = token.data[3:] if token.name == "\x1d(" else token.data[5:]
        match token.data[:1], data[:2]:
            case b"k", b"1C":
                self._code_size = data[2]
            case b"k", b"1E":
                self._code_level = data[2]
            case b"k", b"1P":
                self._code_content = data[3:]
            case b"k", b"1Q":
                self._print_code()
            case b"k", b"1A":
                pass
            case b"L", b"0p":
                width, height = int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
                size = ((width + 7) // 8 * 8, height)
                self._graphic = Image.frombytes("1", size, bytes(byte ^ 0xFF for byte in data[10:]))
            case b"L", b"02" | b"0\x02":
                if self._graphic is not None:
                    self._paste(self._graphic)
            case _:
                self.unknown.append(token.raw[:16])

    def _print_code(self) -> None:
        content = self._code_content
        self.codes.append(content.decode("utf-8", "replace"))
        code = segno.make_qr(content, error=QR_LEVELS.get(self._code_level, "l"), boost_error=False)
        buffer = io.BytesIO()
        code.save(buffer, kind="png", scale=self._code_size, border=0)
        self._paste(Image.open(buffer).convert("1"))

    # --- the roll --------------------------------------------------------------------------------------------------

    def _left(self, width: int) -> int:
        return max(0, (self.width_dots - width) * self._style.align // 2)

    def _blank(self, height: int) -> Image.Image:
        return Image.new("1", (self.width_dots, max(height, 0)), 1)

    def _append(self, piece: Image.Image) -> None:
        if self.height + piece.height <= LONGEST_DOTS:
            self._pieces.append(piece)
            self.height += piece.height

    def cut(self) -> None:
        if self._row:
            self._feed_row()
        if self._pieces:
            self.slips.append(self._joined())
        self._start_slip()

    def _joined(self) -> Image.Image:
        sheet = self._blank(self.height)
        top = 0
        for piece in self._pieces:
            sheet.paste(piece, (0, top))
            top += piece.height
        return sheet

    def picture(self) -> Image.Image:
        """All slips so far, and the one still in the printer, as grey pictures of white paper with margins."""
        slips = [*self.slips, *([self._joined()] if self._pieces else [])]
        height = sum(slip.height + 2 * MARGIN_DOTS for slip in slips) + GAP_DOTS * max(len(slips) - 1, 0)
        sheet = Image.new("L", (self.width_dots + 2 * MARGIN_DOTS, max(height, 2 * MARGIN_DOTS)), 255)
        top = 0
        for number, slip in enumerate(slips):
            if number:
                ImageDraw.Draw(sheet).rectangle((0, top, sheet.width, top + GAP_DOTS - 1), fill=200)
                top += GAP_DOTS
            sheet.paste(slip, (MARGIN_DOTS, top + MARGIN_DOTS))
            top += slip.height + 2 * MARGIN_DOTS
        return sheet


def interpret(data: bytes, width_dots: int = 576) -> Paper:
    """The paper after all of `data`: its text, codes, unknown commands and slips."""
    paper = Paper(width_dots)
    for token in CommandStream().feed(data):
        paper.execute(token)
    return paper


def render(data: bytes, width_dots: int = 576) -> Image.Image:
    """The slips that `data` prints on a head of `width_dots`, as one grey picture of white paper."""
    return interpret(data, width_dots).picture()
