"""The surface of an invented head: a chart of angle and height, its relief, its points and normals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.face_camera.invented.shape import Shape

Field = NDArray[Any]
"""Numbers over the chart, or over a list of its points."""

ACROSS, DOWN = 500, 660
TOP, BOTTOM = 128.0, -175.0
FARTHEST_ANGLE = np.deg2rad(105)
ROUNDNESS = 2.25


def bell(x: Field, y: Field, cx: float, cy: float, sx: float, sy: float) -> Field:  # noqa: PLR0917 (a formula)
    """A soft spot at (cx, cy)."""
    return np.asarray(np.exp(-(((x - cx) / sx) ** 2 + ((y - cy) / sy) ** 2) / 2), dtype=np.float32)


def ramp(start: float | Field, end: float | Field, x: Field) -> Field:
    """From 0 at `start` to 1 at `end`, smoothly."""
    t = np.clip((x - start) / (end - start), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)


@dataclass(frozen=True)
class Chart:
    """Every point of the head before its relief: `x` across, `y` up from the eye line, `z` forward (millimetres)."""

    angle: Field
    x: Field
    y: Field
    z: Field
    width: Field
    hair: Field
    strands: Field

    @property
    def aside(self) -> Field:
        return np.abs(self.x)


@dataclass(frozen=True)
class Surface:
    """Points and unit normals (n × 3) and how open to the light each point lies (n)."""

    points: Field
    normals: Field
    openness: Field


def chart_of(shape: Shape) -> Chart:
    angle = np.linspace(-FARTHEST_ANGLE, FARTHEST_ANGLE, ACROSS)[None, :].astype(np.float32)
    height = np.linspace(TOP, BOTTOM, DOWN)[:, None].astype(np.float32)
    width, depth = _outline(shape, height)
    sine, cosine = np.sin(angle), np.cos(angle)
    radius = (np.abs(sine) ** ROUNDNESS + np.abs(cosine) ** ROUNDNESS) ** (-1 / ROUNDNESS)
    x, z = width * sine * radius, depth * cosine * radius
    y = np.broadcast_to(height, x.shape)
    strands = _strands(shape.grain + 5)
    return Chart(angle, x, y, z, width, _hair(shape, x, y, width), strands)


def _outline(shape: Shape, height: Field) -> tuple[Field, Field]:
    """Half width and depth of the head at each height."""
    chin = shape.chin_height
    heights = np.array(
        [-180, chin - 16, chin - 6, chin + 3, chin + 14, chin + 32, -55, -20, 20, 60, 90, 110, 122, 129.0]
    )
    jaw = shape.jaw
    widths = np.array([60, 52, 50, 34 * jaw, 45 * jaw, 56 * jaw, 64 * jaw**0.6, 70, 71.5, 71, 62, 45, 24, 1.0]) * (
        shape.width / 70
    )
    widths[:3] = 60, 52, 46
    depths = np.array([30, 38, 58, 84, 90, 90, 90, 89, 91, 94, 86, 66, 38, 2.0])

    def smooth(values: NDArray[np.float64], blur: float) -> Field:
        line = np.interp(height[::-1, 0], heights, values)[::-1].astype(np.float32).reshape(-1, 1)
        return cv2.GaussianBlur(line, (1, 43), blur).astype(np.float32)

    return smooth(widths, 6), smooth(depths, 5)


def _strands(seed: int) -> Field:
    chance = np.random.default_rng(seed)
    noise = chance.normal(size=(DOWN // 4, ACROSS)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), sigmaX=1.2, sigmaY=9)
    return np.asarray(cv2.resize(soft / soft.std(), (ACROSS, DOWN)), dtype=np.float32)


def _hair(shape: Shape, x: Field, y: Field, width: Field) -> Field:
    """1 where hair grows."""
    aside = np.abs(x)
    line = shape.hairline - 0.0022 * aside**2 * (1 + shape.side * 0.4) + 5 * np.sin(aside * 0.12 + shape.grain % 7)
    if shape.fringe > 0.25:
        slope = x * (1 if shape.grain % 2 else -1)
        line = np.minimum(line, shape.brow_height + 14 + 16 * (1.3 - shape.fringe) + 0.18 * slope)
    hair = ramp(-2.5, 2.5, y - line)
    temples = width * (0.955 - 0.04 * max(shape.side, 0))
    hair = np.maximum(hair, ramp(-3, 3, aside - temples) * ramp(-38 + 18 * shape.side, -20 + 18 * shape.side, y))
    if shape.long > 0.1:
        hair = np.maximum(hair, ramp(-3, 3, aside - width * 0.93) * ramp(-178, -170, y))
    return np.asarray(hair)


def surface_of(shape: Shape, chart: Chart) -> Surface:
    relief = _nose(shape, chart) + _bones(shape, chart) + _mouth(shape, chart)
    relief += chart.hair * (5 + 0.5 * chart.strands)
    if shape.long > 0.1:
        relief += chart.hair * ramp(-178, -60, chart.y) * ramp(-20, -60, chart.y) * 16
    reach = np.maximum(ramp(1.45, 1.1, np.abs(chart.angle)), chart.hair)
    x = chart.x + relief * np.sin(chart.angle) * reach
    z = chart.z + relief * np.cos(chart.angle) * reach
    points = np.stack([x, chart.y, z], -1).astype(np.float32)
    normals = np.cross(np.gradient(points, axis=1), np.gradient(points, axis=0))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True) + 1e-9
    if normals[DOWN // 2, ACROSS // 2, 2] < 0:
        normals = -normals
    wide = np.clip((cv2.GaussianBlur(relief, (0, 0), 9) - relief) / 9, -0.6, 1)
    near = np.clip((cv2.GaussianBlur(relief, (0, 0), 2.6) - relief) / 3, -0.5, 1)
    shade = 1 - 0.42 * np.maximum(wide, 0) - 0.3 * np.maximum(near, 0) + 0.08 * np.maximum(-wide, 0)
    return Surface(
        points.reshape(-1, 3), normals.reshape(-1, 3).astype(np.float32),
        np.clip(shade, 0.35, 1.1).reshape(-1).astype(np.float32),
    )  # fmt: skip


def _nose(shape: Shape, chart: Chart) -> Field:
    aside, y, base = chart.aside, chart.y, shape.nose
    along = np.clip((8 - y) / (8 - base - 6), 0, 1)
    within = ramp(14, 2, y) * ramp(base - 9, base + 3, y)
    height = 1.5 + (shape.nose_relief - 1.5) * along**1.5
    width = 5.2 + (shape.nose_width * 0.52 - 2.0) * along**2
    bridge = within * height * np.exp(-((aside / width) ** 2.2) / 1.6)
    wings = bell(aside, y, shape.nose_width * 0.82, base + 4, shape.nose_width * 0.3, 5.5) * shape.nose_relief * 0.42
    tip = bell(chart.x, y, 0, base + 5, shape.nose_width * 0.5, 6) * shape.nose_relief * 0.2
    return np.asarray(bridge + wings + tip, dtype=np.float32)


def _bones(shape: Shape, chart: Chart) -> Field:
    aside, y, eye = chart.aside, chart.y, shape.eye_gap
    relief = -bell(aside, y, eye - 2, 3, 15, 11) * shape.socket
    relief += bell(aside, y, eye, 0, shape.eye_width * 0.75, 8.5) * 6
    relief += bell(aside, y, eye - 3, shape.brow_height + 1, 17, 5) * shape.ridge
    relief += bell(aside, y, 42, -24, 15, 13) * shape.cheek
    relief -= bell(aside, y, 46, -62, 13, 18) * (1.5 + 3 * shape.age)
    relief += bell(chart.x, y, 0, shape.chin_height + 9, 15, 8) * 5
    return np.asarray(relief - fold_of(shape, chart, 2.6) * (0.5 + 2.2 * shape.age))


def fold_of(shape: Shape, chart: Chart, softness: float) -> Field:
    """The fold from the nose to the corner of the mouth."""
    distance = np.abs(chart.aside - (shape.nose_width + 7 + (shape.nose + 2 - chart.y) * 0.42))
    within = ramp(shape.mouth - 14, shape.mouth + 8, chart.y) * ramp(shape.nose + 8, shape.nose - 2, chart.y)
    return np.asarray(np.exp(-((distance / softness) ** 2)) * within, dtype=np.float32)


def _mouth(shape: Shape, chart: Chart) -> Field:
    aside, y, mouth = chart.aside, chart.y, shape.mouth
    nowhere = chart.x * 0
    width = np.sqrt(np.clip(1 - (aside / (shape.mouth_width * 1.12)) ** 2, 0, 1))
    relief = bell(aside, y, 0, mouth, shape.mouth_width * 0.9, 13) * 3
    relief += width * bell(nowhere, y, 0, mouth + shape.lip * 0.55, 1, shape.lip * 0.42) * 3.2
    relief += width * bell(nowhere, y, 0, mouth - shape.lip * 0.62, 1, shape.lip * 0.5) * 4.0
    line = np.exp(-(((y - mouth - 0.05 * aside) / 1.3) ** 2))
    relief -= ramp(1.08, 0.92, aside / shape.mouth_width) * line * 3.5
    relief -= bell(chart.x, y, 0, mouth + 15, 2.2, 7) * 1.6
    relief -= bell(chart.x, y, 0, mouth - shape.lip - 7, 15, 4.5) * 3.6
    return np.asarray(relief, dtype=np.float32)
