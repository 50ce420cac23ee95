"""Pages set by typst from a template and words; the words are data (JSON), never code."""

from __future__ import annotations

import datetime as dt
import io
import json
import threading
from pathlib import Path
from typing import Any, NamedTuple

import segno
import typst

TEMPLATES = Path(__file__).parents[3] / "assets" / "templates"
FONT_DIRECTORIES = (
    Path("/usr/share/fonts/opentype/noto"),
    Path("/usr/share/fonts/noto-cjk"),
    Path("/usr/share/fonts/google-noto-cjk"),
)
SEAL_PIXELS_PER_INCH = 400


class SealPlace(NamedTuple):
    """Where the seal's centre goes: page from 1, millimetres from the top left corner."""

    page: int
    x_mm: float
    y_mm: float


class Typesetter:
    """Holds the fonts; compiling takes some milliseconds afterwards. May be called from several threads."""

    def __init__(self) -> None:
        directories = [directory for directory in FONT_DIRECTORIES if directory.is_dir()]
        if not directories:
            raise RuntimeError("no Noto CJK fonts are installed: install the package fonts-noto-cjk")
        self._fonts = typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=list(directories)
        )
        self._lock = threading.Lock()

    def page(self, template: str, words: dict[str, Any], made_at: dt.datetime) -> tuple[bytes, SealPlace]:
        """A PDF/A-2b document and where its seal goes."""
        inputs = {"d": json.dumps(words, ensure_ascii=False)}
        with self._lock:
            compiler = typst.Compiler(str(TEMPLATES / template), font_paths=self._fonts, sys_inputs=inputs)
            pdf = compiler.compile(format="pdf", pdf_standards=["a-2b"], timestamp=int(made_at.timestamp()))
            place = json.loads(compiler.query("<seal>", field="value", one=True))
        return _only(pdf), SealPlace(place["page"], place["x"], place["y"])

    def seal_picture(self, name: str, line: str, code: str) -> bytes:
        """A red round seal as a PNG with a clear background, 42 mm across at SEAL_PIXELS_PER_INCH."""
        inputs = {"d": json.dumps({"name": name, "line": line, "code": code}, ensure_ascii=False)}
        with self._lock:
            compiler = typst.Compiler(str(TEMPLATES / "seal.typ"), font_paths=self._fonts, sys_inputs=inputs)
            return _only(compiler.compile(format="png", ppi=SEAL_PIXELS_PER_INCH))


def qr_picture(content: str) -> str:
    """A QR code as SVG text without a quiet zone; the page leaves it room."""
    out = io.BytesIO()
    segno.make(content, error="m", micro=False).save(out, kind="svg", border=0, xmldecl=False, dark="#1a1a1a")
    return out.getvalue().decode()


def _only(compiled: bytes | list[bytes] | None) -> bytes:
    if not isinstance(compiled, bytes):
        raise TypeError("the template did not give exactly one file")
    return compiled
