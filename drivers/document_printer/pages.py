"""A sealed PDF as what a printer takes: the PDF itself, else pictures of its pages with their seals.

pypdfium2 draws a signature's stamp only when the forms are initialised before the pages are loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from PIL import Image

from drivers.document_printer import pwg_raster
from drivers.document_printer.ipp_codec import Attributes, Resolution, words_of

PDF = "application/pdf"
BEST_DPI = 300
MOST_DPI = 600
POINTS_PER_INCH = 72
MM_PER_INCH = 25.4
A4_MM = (210, 297)
MOST_PAGES = 100


class Unprintable(Exception):
    """The bytes are no PDF with pages that can be drawn."""


@dataclass(frozen=True)
class Form:
    """What a printer gets: `mime`, and for pictures their `dpi`, colour and the stand of the backs of sheets."""

    mime: str
    dpi: int = BEST_DPI
    colour: bool = False
    back: pwg_raster.BackSide | None = None


def form_for(attributes: Attributes) -> Form | None:
    """The best form this printer takes: PDF, else PWG raster; None when it takes neither."""
    formats = words_of(attributes, "document-format-supported")
    if PDF in formats:
        return Form(PDF)
    if pwg_raster.MIME not in formats:
        return None
    types = words_of(attributes, "pwg-raster-document-type-supported")
    return Form(
        pwg_raster.MIME,
        _dpi(attributes),
        colour="srgb_8" in types,
        back=pwg_raster.BACK_SIDES.get(next(iter(words_of(attributes, "pwg-raster-document-sheet-back")), "")),
    )


def _dpi(attributes: Attributes) -> int:
    values = attributes.get("pwg-raster-document-resolution-supported") or attributes.get(
        "printer-resolution-supported", ()
    )
    offered = sorted(
        content.across
        for content in (value.content for value in values)
        if isinstance(content, Resolution) and content.unit == 3 and content.across == content.along
    )
    fine = [dpi for dpi in offered if BEST_DPI <= dpi <= MOST_DPI]
    coarse = [dpi for dpi in offered if dpi < BEST_DPI]
    return fine[0] if fine else coarse[-1] if coarse else BEST_DPI


def in_form(pdf: bytes, form: Form, *, two_sided: bool) -> bytes:
    """The document as this printer takes it. Raises `Unprintable`."""
    if form.mime == PDF:
        return pdf
    with _opened(pdf) as opened:
        pages = _drawn(opened, form)
        return pwg_raster.document(pages, dpi=form.dpi, total_pages=len(opened), two_sided=two_sided, back=form.back)


def _opened(pdf: bytes) -> Any:
    import pypdfium2  # noqa: PLC0415 - only printers that take no PDF need it

    try:
        opened = pypdfium2.PdfDocument(pdf)  # type: ignore[no-untyped-call]
    except pypdfium2.PdfiumError as error:
        raise Unprintable("it cannot be opened") from error
    if not 0 < len(opened) <= MOST_PAGES:
        opened.close()  # type: ignore[no-untyped-call]
        raise Unprintable("it has no pages, or too many")
    opened.init_forms()  # type: ignore[no-untyped-call]
    return opened


def _drawn(opened: Any, form: Form) -> Iterator[Image.Image]:
    size = (round(A4_MM[0] / MM_PER_INCH * form.dpi), round(A4_MM[1] / MM_PER_INCH * form.dpi))
    for number in range(len(opened)):
        page = opened[number]
        width, height = page.get_size()
        scale = min(form.dpi / POINTS_PER_INCH, size[0] / width, size[1] / height)
        picture = page.render(scale=scale, grayscale=not form.colour, rev_byteorder=True).to_pil()
        page.close()
        sheet = Image.new("RGB" if form.colour else "L", size, "white")
        sheet.paste(picture, ((size[0] - picture.width) // 2, (size[1] - picture.height) // 2))
        yield sheet
