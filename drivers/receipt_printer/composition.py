"""From a `PrintJob` to the bytes a printer takes, in one of two profiles.

`raster` draws every line and works on any head with any rare name character. `gb18030` sends text to the printer's own
Chinese font, and draws only the lines that font cannot hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from PIL import Image

from drivers.errors import Unsupported
from drivers.messages import Align, Line, PairLine, PrintJob, QrLine, RuleLine, SpaceLine, TextLine
from drivers.receipt_printer.byte_builder import CHINESE_OFF, CHINESE_ON, CUTS, INITIALISE, ByteBuilder
from drivers.receipt_printer.typesetting import Typesetter, break_lines, qr_matrix

BAND_DOTS = 128  # rows per raster command: small heads buffer no more
MOST_LINES = 200
MOST_LETTERS = 4_000  # about two metres of paper
BLANK_RUN_DOTS = 16
BLANK_WIDTH_DOTS = 8
COLUMN_DOTS = 12  # font A: a Chinese character takes two columns
PAIR_GAP_COLUMNS = 2
NARROWEST_VALUE_SHARE = 0.45
QR_LEVEL_M = 1


def compose(job: PrintJob, typesetter: Typesetter, profile: str, ending: bytes = CUTS["full"]) -> bytearray:
    """Everything from initialise to `ending` (a cut, or what stands for one); the caller adds the barrier. The result
    is the caller's to wipe.

    Raises `Unsupported`: `code_unprintable`, `receipt_too_long`.
    """
    if len(job.lines) > MOST_LINES or sum(_letters(line) for line in job.lines) > MOST_LETTERS:
        raise Unsupported("receipt printer: the receipt is too long", "receipt_too_long")
    builder = ByteBuilder(typesetter.width_dots)
    builder.command(INITIALISE)
    if profile == "gb18030":
        native = NativeText(builder, typesetter.like_printer())
        for line in job.lines:
            native.add(line)
    else:
        add_picture(builder, stack([typesetter.draw(line) for line in job.lines], typesetter.width_dots))
    builder.command(ending)
    return builder.data


def _letters(line: Line) -> int:
    match line:
        case TextLine():
            return len(line.text)
        case PairLine():
            return len(line.label) + len(line.value)
        case QrLine():
            return len(line.caption)
        case SpaceLine():
            return max(line.millimetres, 0)
        case RuleLine():
            return 0


def stack(pictures: list[Image.Image], width: int) -> Image.Image:
    sheet = Image.new("1", (width, sum(picture.height for picture in pictures)), 1)
    top = 0
    for picture in pictures:
        sheet.paste(picture, (0, top))
        top += picture.height
    return sheet


def add_picture(builder: ByteBuilder, picture: Image.Image) -> None:
    """Raster bands, each only as wide as its ink: paper that stays white costs next to nothing on a slow line."""
    for top, bottom, has_ink in _runs(picture):
        for start in range(top, bottom, BAND_DOTS):
            band = picture.crop((0, start, picture.width, min(start + BAND_DOTS, bottom)))
            box = Image.eval(band.convert("L"), lambda value: 255 - value).getbbox() if has_ink else None
            right = -(-box[2] // 8) * 8 if box else BLANK_WIDTH_DOTS
            builder.image(band.crop((0, 0, right, band.height)), impl="bitImageRaster")


def _runs(picture: Image.Image) -> Iterator[tuple[int, int, bool]]:
    """Consecutive (top, bottom, has ink); white gaps shorter than `BLANK_RUN_DOTS` stay with the ink."""
    stride = (picture.width + 7) // 8
    white = picture.crop((0, 0, picture.width, 1)).copy()
    white.paste(1, (0, 0, picture.width, 1))
    blank = white.tobytes()
    data = picture.tobytes()
    top = row = 0
    while row < picture.height:
        end = row
        while end < picture.height and data[end * stride : (end + 1) * stride] == blank:
            end += 1
        if end - row >= BLANK_RUN_DOTS or (end > row and end == picture.height):
            if row > top:
                yield top, row, True
            yield row, end, False
            top = end
        row = max(end, row + 1)
    if picture.height > top:
        yield top, picture.height, True


def columns(text: str) -> int:
    return sum(1 if character.isascii() else 2 for character in text)


def is_native(text: str) -> bool:
    """True when every character has a two-byte GBK code, which is what printers' Chinese fonts hold."""
    try:
        return text.encode("gbk") == text.encode("gb18030") and text.isprintable()
    except UnicodeEncodeError:
        return False


class NativeText:
    """Writes lines in the printer's own fonts: FS & … FS . around GB18030, sizes by GS ! and FS !."""

    def __init__(self, builder: ByteBuilder, typesetter: Typesetter) -> None:
        self._builder = builder
        self._typesetter = typesetter
        self._columns = typesetter.width_dots // COLUMN_DOTS

    def add(self, line: Line) -> None:
        match line:
            case TextLine() if is_native(line.text):
                self._text(line)
            case PairLine() if is_native(line.label + line.value):
                self._pair(line)
            case QrLine():
                self._qr(line)
            case TextLine() | PairLine() | RuleLine() | SpaceLine():
                add_picture(self._builder, self._typesetter.draw(line))
            case _:
                assert_never(line)

    def _text(self, line: TextLine) -> None:
        double = line.scale == 2
        self._style(align=line.align, double=double, bold=line.bold or double)
        measure = self._columns // 2 if double else self._columns
        for row in break_lines(line.text, measure, columns):
            self._row(row)
        self._style()

    def _pair(self, line: PairLine) -> None:
        room = self._columns - columns(line.label) - PAIR_GAP_COLUMNS
        length = columns(line.value)
        if room < length and (length <= self._columns or room < self._columns * NARROWEST_VALUE_SHARE):
            for row in break_lines(line.label, self._columns, columns):
                self._row(row)
            prefix, room = "", self._columns
        else:
            prefix = line.label
        rows = break_lines(line.value, room, columns)
        left = self._columns - max(map(columns, rows))
        for number, row in enumerate(rows):
            head = prefix if number == 0 else ""
            self._row(head + " " * (left - columns(head)) + row)

    def _qr(self, line: QrLine) -> None:
        gap = SpaceLine(millimetres=3)
        add_picture(self._builder, self._typesetter.draw(gap))
        self._style(align=Align.CENTRE)
        size = self._typesetter.module_dots(len(qr_matrix(line.content)))
        self._builder.qr(line.content, ec=QR_LEVEL_M, size=min(size, 16), native=True)
        self._style()
        add_picture(self._builder, self._typesetter.draw(gap))
        if line.caption:
            add_picture(self._builder, self._typesetter.caption(line.caption))

    def _style(self, *, align: Align = Align.LEFT, double: bool = False, bold: bool = False) -> None:
        self._builder.command(b"\x1ba" + bytes((1 if align is Align.CENTRE else 0,)))
        self._builder.command(b"\x1bE" + bytes((int(bold),)))
        self._builder.command(b"\x1d!" + bytes((0x11 if double else 0,)))
        self._builder.command(b"\x1c!" + bytes((0x0C if double else 0,)))

    def _row(self, text: str) -> None:
        self._builder.command(CHINESE_ON + text.encode("gb18030") + CHINESE_OFF + b"\n")
