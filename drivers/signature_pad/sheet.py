"""One signature in the making: the box, the strokes, and what makes them a signature of this document.

Bound (device-classes C.8): `sha256` is SHA-256 over canonical bytes of the document's hash, the box and every point, in
whole micrometres, thousandths of pressure and milliseconds, so that anybody can compute it again.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw

from drivers.errors import MediaError, Unsupported
from drivers.messages import PenPoint, Signature, SignatureBox, Stroke

SHA256: Final = re.compile(r"[0-9a-f]{64}")
POINTS: Final = 20_000
STROKES: Final = 1_000
"""More than any name has; what writes more is no hand."""
WIDEST_MM: Final = 400.0
OUTSIDE_SHARE: Final = 0.1
PIXELS_PER_MM: Final = 10
_FINER: Final = 2
_THIN_MM, _THICK_MM = 0.3, 0.9
_BLACK: Final = 255


@dataclass(frozen=True)
class Least:
    """What a signature has at least."""

    points: int = 8
    length_mm: float = 10.0
    milliseconds: int = 200


class Sheet:
    """Raises `Unsupported` (`document_hash_wrong`, `box_too_large`) when it is made of anything else."""

    def __init__(self, document_sha256: str, box: SignatureBox, least: Least) -> None:
        if SHA256.fullmatch(document_sha256) is None:
            raise Unsupported("a signature needs the SHA-256 of what is shown", "document_hash_wrong")
        if max(box.width_mm, box.height_mm) > WIDEST_MM:
            raise Unsupported(f"a signature box is {WIDEST_MM:g} mm wide and high at most", "box_too_large")
        self.document_sha256 = document_sha256
        self.box = box
        self._least = least
        self._strokes: list[Stroke] = []
        self._points = 0

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        return tuple(self._strokes)

    def add(self, stroke: Stroke) -> None:
        """Raises `MediaError` (`too_large`)."""
        if not stroke.points:
            return
        if self._points + len(stroke.points) > POINTS or len(self._strokes) >= STROKES:
            raise MediaError("more was written than any signature holds: clear the pad and sign again", "too_large")
        self._strokes.append(stroke)
        self._points += len(stroke.points)

    def clear(self) -> None:
        self._strokes.clear()
        self._points = 0

    def seal(self, pad: str) -> Signature:
        """The signature. Raises `MediaError` (`empty`, `outside_box`, `too_short`). Draws: takes some milliseconds."""
        points = [point for stroke in self._strokes for point in stroke.points]
        if not points:
            raise MediaError("nothing was written: sign in the box", "empty")
        outside = sum(not _is_within(point, self.box) for point in points)
        if outside > OUTSIDE_SHARE * len(points):
            raise MediaError("the signature lies outside its box: sign again, in the box", "outside_box")
        duration = max(point.milliseconds for point in points) - min(point.milliseconds for point in points)
        least = self._least
        if len(points) < least.points or duration < least.milliseconds or self._length_mm() < least.length_mm:
            raise MediaError("that is too short for a signature: sign again", "too_short")
        return Signature(
            document_sha256=self.document_sha256,
            box=self.box,
            strokes=self.strokes,
            image_png=draw(self.box, self.strokes),
            points=len(points),
            duration_ms=duration,
            pad=pad,
            sha256=hashlib.sha256(canonical_bytes(self.document_sha256, self.box, self.strokes)).hexdigest(),
        )

    def _length_mm(self) -> float:
        return sum(
            math.dist((one.x_mm, one.y_mm), (other.x_mm, other.y_mm))
            for stroke in self._strokes
            for one, other in zip(stroke.points, stroke.points[1:], strict=False)
        )


def canonical_bytes(document_sha256: str, box: SignatureBox, strokes: tuple[Stroke, ...]) -> bytes:
    """ASCII JSON, keys sorted, no spaces: box [w, h], document, strokes [[[x, y, pressure, time] …] …], version 1."""
    value = {
        "version": 1,
        "document": document_sha256,
        "box": [_thousandths(box.width_mm), _thousandths(box.height_mm)],
        "strokes": [
            [
                [_thousandths(point.x_mm), _thousandths(point.y_mm), _thousandths(point.pressure), point.milliseconds]
                for point in stroke.points
            ]
            for stroke in strokes
        ],
    }
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def is_bound(signature: Signature, document_sha256: str) -> bool:
    """True when this signature was written for that document and nothing of it was changed."""
    expected = hashlib.sha256(canonical_bytes(document_sha256, signature.box, signature.strokes)).hexdigest()
    return signature.document_sha256 == document_sha256 and signature.sha256 == expected


def draw(box: SignatureBox, strokes: tuple[Stroke, ...]) -> bytes:
    """PNG, black on transparent, 10 pixels to the millimetre; what lies outside the box is cut off."""
    size = (max(round(box.width_mm * PIXELS_PER_MM), 1), max(round(box.height_mm * PIXELS_PER_MM), 1))
    scale = PIXELS_PER_MM * _FINER
    ink = Image.new("L", (size[0] * _FINER, size[1] * _FINER), 0)
    pen = ImageDraw.Draw(ink)
    for stroke in strokes:
        for one, other in zip(stroke.points, (*stroke.points[1:], stroke.points[-1]), strict=True):
            width = (_THIN_MM + (_THICK_MM - _THIN_MM) * other.pressure) * scale
            start, end = (one.x_mm * scale, one.y_mm * scale), (other.x_mm * scale, other.y_mm * scale)
            pen.line((start, end), fill=_BLACK, width=max(round(width), 1))
            pen.ellipse((end[0] - width / 2, end[1] - width / 2, end[0] + width / 2, end[1] + width / 2), fill=_BLACK)
    drawn = Image.merge("LA", (Image.new("L", size, 0), ink.resize(size, Image.Resampling.BOX)))
    png = io.BytesIO()
    drawn.save(png, "PNG", optimize=False, compress_level=6)
    return png.getvalue()


def _is_within(point: PenPoint, box: SignatureBox) -> bool:
    return 0 <= point.x_mm <= box.width_mm and 0 <= point.y_mm <= box.height_mm


def _thousandths(value: float) -> int:
    return round(value * 1000)
