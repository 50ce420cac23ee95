"""A PDF as pictures, seal included, for the preview before it is printed."""

from __future__ import annotations

import io
import threading
from typing import Any

import pypdfium2

from kiosk.contracts.errors import Garbled

MAXIMUM_PAGES = 20
MAXIMUM_PIXELS = 40_000_000

_pdfium: Any = pypdfium2
_one_at_a_time = threading.Lock()
"""PDFium is not thread-safe."""


def page_pngs(pdf: bytes, dpi: float = 110, *, maximum_pages: int = MAXIMUM_PAGES) -> list[bytes]:
    """The first pages, each as a PNG at `dpi`. Blocking, about 20 ms a page. Raises `Garbled` for what is no PDF."""
    with _one_at_a_time:
        try:
            document = _pdfium.PdfDocument(pdf)
        except pypdfium2.PdfiumError as error:
            raise Garbled("the document cannot be shown", reason="garbled") from error
        try:
            document.init_forms()  # the seal is a form field: without this it is not drawn
            count = min(len(document), maximum_pages, MAXIMUM_PAGES)
            return [_png(document[index], dpi / 72) for index in range(count)]
        except (pypdfium2.PdfiumError, ValueError, MemoryError) as error:
            raise Garbled("the document cannot be shown", reason="garbled") from error
        finally:
            document.close()


def _png(page: Any, scale: float) -> bytes:
    width, height = page.get_size()
    if width * height * scale * scale > MAXIMUM_PIXELS:
        raise ValueError("the page is too large to be shown")
    bitmap = page.render(scale=scale, may_draw_forms=True)
    try:
        content = io.BytesIO()
        bitmap.to_pil().save(content, "PNG", compress_level=1)
        return content.getvalue()
    finally:
        bitmap.close()
        page.close()
