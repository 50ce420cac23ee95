"""Pictures of an invented person: turned, lit, before a wall; and the portrait as a card holds it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.face_camera.invented.paint import CLOTHS, Painter
from drivers.face_camera.invented.relief import Field, Surface, chart_of, surface_of
from drivers.face_camera.invented.shape import Shape, shape_of

Image = NDArray[np.uint8]

EYE_LINE = 0.44
DISTANCE_MM = 900.0
PIVOT_MM = 20.0
FINER = 2
WALL = (150, 160, 165)
HEAD_BOX_MM = (290, 330)
"""What is drawn around the head; beyond it are wall and shoulders alone."""


@dataclass(frozen=True)
class Head:
    shape: Shape
    surface: Surface
    colours: Field
    gloss: Field


@lru_cache(maxsize=4)
def head_of(name: str) -> Head:
    shape = shape_of(name)
    chart = chart_of(shape)
    painter = Painter(shape, chart)
    return Head(
        shape, surface_of(shape, chart), painter.colours.reshape(-1, 3).astype(np.float32),
        painter.gloss.reshape(-1).astype(np.float32),
    )  # fmt: skip


def frame(
    name: str, yaw_degrees: float = 0.0, width: int = 1280, height: int = 720, *, across: float = 0.5,
    scale: float = 1.45,
) -> Image:  # fmt: skip
    """What a camera sees, BGR. Positive yaw: the person has turned to their own left, so the nose moves right.

    `across` places the head (0…1 of the width); `scale` is pixels per millimetre in a picture 720 pixels high.
    """
    per_mm = scale * height / 720
    picture = _wall(head_of(name).shape, width, height, per_mm, across)
    box = round(HEAD_BOX_MM[0] * per_mm), round(HEAD_BOX_MM[1] * per_mm)
    left, top = round(width * across - box[0] / 2), round(height * EYE_LINE - box[1] * EYE_LINE)
    drawn, cover = _draw(head_of(name), yaw_degrees, box, per_mm)
    _paste(picture, drawn, cover, (left, top))
    return picture


def portrait_png(name: str) -> bytes:
    """102 × 126, as the chip's picture: head width 207/358 of the picture's (domain.md 1.8)."""
    large = frame(name, 0.0, 408, 504, scale=408 / 358 * 207 / 150 * 720 / 504)
    small = cv2.resize(large, (102, 126), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".png", small)[1].tobytes())


def _wall(shape: Shape, width: int, height: int, per_mm: float, across: float) -> Image:
    light = np.linspace(1.08, 0.9, height, dtype=np.float32)[:, None, None]
    picture = np.clip(np.ones((height, width, 3), np.float32) * np.array(WALL, np.float32) * light, 0, 255)
    mask = np.zeros((height, width), np.uint8)
    centre = round(width * across), round(height * EYE_LINE + 225 * per_mm)
    cv2.ellipse(mask, centre, (round(175 * per_mm), round(88 * per_mm)), 0, 0, 360, 255, -1)
    soft = (cv2.GaussianBlur(mask, (0, 0), 2).astype(np.float32) / 255)[..., None]
    cloth = np.array(CLOTHS[shape.grain % len(CLOTHS)], np.float32) * 0.62
    return np.asarray(picture * (1 - soft) + cloth * soft, dtype=np.uint8)


def _paste(picture: Image, drawn: Field, cover: Field, corner: tuple[int, int]) -> None:
    left, top = corner
    (height, width), box = picture.shape[:2], drawn.shape[1::-1]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + box[0], width), min(top + box[1], height)
    if x0 >= x1 or y0 >= y1:
        return
    inner = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    share = cover[inner][..., None]
    picture[y0:y1, x0:x1] = np.clip(picture[y0:y1, x0:x1] * (1 - share) + drawn[inner] * share, 0, 255)


def _draw(head: Head, yaw_degrees: float, box: tuple[int, int], per_mm: float) -> tuple[Field, Field]:
    """The head alone and how much each pixel is covered by it, drawn finer and reduced."""
    width, height, fine = box[0] * FINER, box[1] * FINER, per_mm * FINER
    points, normals = head.surface.points, head.surface.normals
    turn = np.deg2rad(yaw_degrees)
    cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    x = points[:, 0] * cosine + (points[:, 2] - PIVOT_MM) * sine
    z = -points[:, 0] * sine + (points[:, 2] - PIVOT_MM) * cosine
    facing = np.stack(
        [normals[:, 0] * cosine + normals[:, 2] * sine, normals[:, 1], -normals[:, 0] * sine + normals[:, 2] * cosine],
        1,
    )
    nearer = DISTANCE_MM / (DISTANCE_MM - z)
    u, v = width / 2 + x * nearer * fine, height * EYE_LINE - points[:, 1] * nearer * fine
    seen = np.flatnonzero((facing[:, 2] > -0.12) & (u >= 0) & (u < width - 1) & (v >= 0) & (v < height - 1))
    seen = seen[np.argsort(z[seen], kind="stable")]
    lit = _lit(head, facing)
    drawn, cover = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.uint8)
    rows, columns = v[seen].astype(np.int32), u[seen].astype(np.int32)
    drawn[rows, columns], cover[rows, columns] = lit[seen], 1
    closed = cv2.morphologyEx(cover, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    holes = (closed > 0) & (cover == 0)
    weight = cv2.GaussianBlur(cover.astype(np.float32), (0, 0), 1.2)
    drawn[holes] = (cv2.GaussianBlur(drawn, (0, 0), 1.2) / (weight[..., None] + 1e-6))[holes]
    edge = np.minimum(cv2.GaussianBlur(closed.astype(np.float32), (0, 0), 1.0), closed)
    return cv2.resize(drawn, box, interpolation=cv2.INTER_AREA), cv2.resize(edge, box, interpolation=cv2.INTER_AREA)


def _lit(head: Head, facing: Field) -> Field:
    """Colours under one lamp above, a weaker one beside, and what the room gives."""
    sideways = head.shape.light * 0.5
    lamp = np.array([sideways, 0.55, 1.0])
    lamp /= np.linalg.norm(lamp)
    direct = np.clip(facing @ lamp, 0, 1)
    beside = np.clip(-facing[:, 0] * 0.6 * np.sign(sideways + 1e-6) + facing[:, 2] * 0.8, 0, 1)
    half = lamp + np.array([0, 0, 1.0])
    half /= np.linalg.norm(half)
    shine = np.clip(facing @ half, 0, 1) ** 22 * head.gloss
    shade = (0.24 + 0.10 * facing[:, 1] + 0.62 * direct + 0.16 * beside) * head.surface.openness
    return np.asarray(head.colours * shade[:, None] + shine[:, None] * 190, dtype=np.float32)
