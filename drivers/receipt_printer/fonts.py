"""Finds the Chinese fonts the receipt is drawn with: Noto Sans CJK, or the file the settings name."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

from drivers.errors import DeviceAbsent

FOLDERS = (
    "/usr/share/fonts/opentype/noto",
    "/usr/share/fonts/noto-cjk",
    "/usr/share/fonts/google-noto-cjk",
    "/usr/share/fonts/truetype/noto",
)
FAMILY = "Noto Sans CJK SC"
MONOSPACED = "Noto Sans Mono CJK SC"
FACES_PER_FILE = 12
FC_MATCH_SECONDS = 10


@dataclass(frozen=True)
class Fonts:
    """Two weights. `bold` may be the regular file: then bold text is drawn with a thicker stroke."""

    regular: Path
    bold: Path

    @property
    def has_bold(self) -> bool:
        return self.bold != self.regular

    def face(self, size: int, *, bold: bool = False, family: str = FAMILY) -> ImageFont.FreeTypeFont:
        return _face(str(self.bold if bold else self.regular), size, family)


@lru_cache(maxsize=16)
def _face(path: str, size: int, family: str) -> ImageFont.FreeTypeFont:
    first = ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
    if not path.endswith((".ttc", ".otc")) or first.getname()[0] == family:
        return first
    for index in range(1, FACES_PER_FILE):
        try:
            face = ImageFont.truetype(path, size, index=index, layout_engine=ImageFont.Layout.BASIC)
        except OSError:
            break
        if face.getname()[0] == family:
            return face
    return first


def find_fonts(configured: str | None = None) -> Fonts:
    """The fonts to draw with. Raises `DeviceAbsent` (reason `font_missing`) when there is none with Chinese."""
    if configured:
        path = Path(configured)
        if not path.is_file():
            raise DeviceAbsent("receipt printer: the font file named in the settings does not exist", "font_missing")
        return Fonts(path, _beside(path))
    for folder in FOLDERS:
        path = Path(folder, "NotoSansCJK-Regular.ttc")
        if path.is_file():
            return Fonts(path, _beside(path))
    found = _ask_fontconfig()
    if found is None:
        raise DeviceAbsent(
            "receipt printer: no Chinese font found; install fonts-noto-cjk or set font_path", "font_missing"
        )
    return Fonts(found, _beside(found))


def _beside(regular: Path) -> Path:
    bold = regular.with_name(regular.name.replace("Regular", "Bold"))
    return bold if bold.is_file() else regular


def _ask_fontconfig() -> Path | None:
    program = shutil.which("fc-match")
    if program is None:
        return None
    try:
        answer = subprocess.run(
            [program, "--format=%{file}|%{lang}", f"{FAMILY}:lang=zh-cn"],
            capture_output=True, text=True, timeout=FC_MATCH_SECONDS, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    file, _, languages = answer.stdout.partition("|")
    return Path(file) if "zh" in languages and Path(file).is_file() else None
