"""The colours of an invented head: skin, beard, lips, nostrils, eyes, brows, hair and cloth, in that order (BGR)."""

from __future__ import annotations

import cv2
import numpy as np

from drivers.face_camera.invented.relief import ACROSS, DOWN, Chart, Field, bell, fold_of, ramp
from drivers.face_camera.invented.shape import Shape

CLOTHS = ((90, 70, 50), (60, 60, 70), (120, 110, 100), (60, 50, 110), (70, 95, 80))


class Painter:
    """Paints one head; `colours` (rows × columns × 3) and `gloss` are the result."""

    def __init__(self, shape: Shape, chart: Chart) -> None:
        self.shape, self.chart = shape, chart
        self._chance = np.random.default_rng(shape.grain + 1)
        self.colours = self._skin()
        self._mean = self.colours.mean((0, 1))
        tint = np.array([40, 62, 96.0]) if shape.grain % 3 else np.array([150, 152, 155.0])
        self._hair = np.array([28, 30, 38.0]) * (1 - shape.hair_tone) + tint * shape.hair_tone
        self._open = np.zeros_like(chart.x)
        self._beard()
        self._lips()
        self._nostrils()
        self._eyes()
        self._brows()
        locks = self._hair[None, None] * (1 + 0.22 * np.clip(chart.strands, -2.2, 2.2))[..., None]
        self.colours = self.colours * (1 - chart.hair[..., None]) + locks * chart.hair[..., None]
        cloth = ramp(-150, -154, chart.y - 0.02 * chart.aside)
        self._mix(cloth, np.array(CLOTHS[shape.grain % len(CLOTHS)], dtype=float))
        self.gloss = (1 - chart.hair) * (1 - cloth) * 0.16 + self._open * 0.2 + chart.hair * 0.1

    def _mix(self, mask: Field, colour: Field) -> None:
        self.colours = self.colours * (1 - mask[..., None]) + np.asarray(colour) * mask[..., None]

    def _skin(self) -> Field:
        shape, chart = self.shape, self.chart
        light, dark = np.array([158, 184, 224.0]), np.array([62, 92, 142.0])
        skin = (light * (1 - shape.tone) + dark * shape.tone)[None, None] * np.ones((*chart.x.shape, 1))
        flush = (
            bell(chart.aside, chart.y, 38, -32, 14, 12) * 0.5 + bell(chart.x, chart.y, 0, shape.nose + 4, 10, 8) * 0.5
        )
        flush += bell(chart.aside, chart.y, shape.eye_gap, -10, 12, 5) * 0.3 * shape.age
        skin = skin * (1 - flush[..., None] * np.array([0.16, 0.14, 0.02]))
        spots = sum(self._noise(size) * share for size, share in ((2, 0.05), (6, 0.035), (30, 0.03)))
        skin = skin * (1 + np.asarray(spots) * 1.6)[..., None]
        if shape.age > 0.5:
            lines = sum(
                np.exp(-(((chart.y - shape.brow_height - up - 2 * np.cos(chart.x * 0.05)) / 0.9) ** 2))
                for up in (14, 22, 30)
            ) * ramp(45, 25, chart.aside)
            skin = skin * (1 - (lines * 0.44 * (shape.age - 0.5)))[..., None]
        skin = skin * (1 - fold_of(shape, chart, 1.6) * (0.06 + 0.22 * shape.age))[..., None]
        return np.asarray(skin, dtype=np.float32)

    def _noise(self, size: int) -> Field:
        grain = self._chance.normal(size=(DOWN // size, ACROSS // size)).astype(np.float32)
        return cv2.resize(cv2.GaussianBlur(grain, (0, 0), 1.2), (ACROSS, DOWN)).astype(np.float32)

    def _beard(self) -> None:
        shape, chart = self.shape, self.chart
        aside, y, mouth = chart.aside, chart.y, shape.mouth
        texture = 0.85 + 0.12 * np.clip(chart.strands, -1.2, 1.2)
        if shape.beard > 0:
            cheeks = np.maximum(
                ramp(0.3, 0.62, aside / chart.width), ramp(mouth - shape.lip - 6, mouth - shape.lip - 14, y)
            )
            lips = ramp(1.1, 0.9, aside / shape.mouth_width) * ramp(mouth - shape.lip - 3, mouth - shape.lip + 1, y)
            lips = lips * ramp(mouth + 9, mouth + 5, y)
            chin = ramp(shape.chin_height - 14, shape.chin_height - 4, y)
            mask = ramp(mouth + 22, mouth - 2, y) * cheeks * chin * (1 - lips)
            self._mix(mask * (0.35 + 0.5 * shape.beard) * texture, self._hair * 1.1)
        if shape.moustache > 0.2:
            mask = np.exp(-(((y - (mouth + shape.lip + 4.5 - 0.05 * aside)) / 3.6) ** 4))
            mask = mask * ramp(shape.mouth_width * 1.1, shape.mouth_width * 0.8, aside)
            self._mix(mask * (0.3 + 0.55 * shape.moustache) * texture, self._hair)

    def _lips(self) -> None:
        shape, chart = self.shape, self.chart
        above = chart.y - shape.mouth - 0.04 * chart.aside
        nowhere = chart.y * 0
        bow = 1 - 0.18 * bell(chart.x, nowhere, 0, 0, 4, 1) + 0.12 * bell(chart.aside, nowhere, 6, 0, 4, 1)
        span = np.clip(1 - (chart.aside / shape.mouth_width) ** 2, 0, 1) ** 0.6
        upper = ramp(0.15, -0.15, above / (shape.lip * 0.95 * span * bow + 1e-3) - 1) * (above >= 0) * (span > 0)
        lower = ramp(0.15, -0.15, -above / (shape.lip * 1.15 * span + 1e-3) - 1) * (above < 0) * (span > 0)
        red, pale = np.array([0.62, 0.58, 0.86]), np.array([0.82, 0.80, 0.92])
        colour = self._mean * (red * shape.lip_red + pale * (1 - shape.lip_red))
        self._mix(np.clip(upper + lower, 0, 1) * 0.85, colour)
        self._mix(upper * 0.25, colour * 0.6)
        line = np.exp(-((above / 1.1) ** 2)) * ramp(1.06, 0.93, chart.aside / shape.mouth_width)
        self._mix(line * 0.8, self._mean * 0.28)

    def _nostrils(self) -> None:
        shape, chart = self.shape, self.chart
        hole = bell(chart.aside, chart.y, shape.nose_width * 0.48, shape.nose - 1.5, shape.nose_width * 0.2, 1.9)
        self._mix(np.clip(hole * 1.4, 0, 1) * 0.85, np.array([18, 20, 32.0]))
        ring = np.hypot(
            (chart.aside - shape.nose_width * 0.8) / (shape.nose_width * 0.38), (chart.y - shape.nose - 4) / 7.5
        )
        wing = np.exp(-(((ring - 1) / 0.22) ** 2)) * ramp(shape.nose_width * 0.7, shape.nose_width, chart.aside)
        self._mix(wing * 0.3, self._mean * 0.45)

    def _eyes(self) -> None:
        shape, chart = self.shape, self.chart
        side = np.sign(chart.x)
        x = (chart.x - side * shape.eye_gap) * side
        y = chart.y - shape.eye_tilt * x
        span = np.clip(1 - (x / shape.eye_width) ** 2, 0, 1)
        upper, lower = shape.eye_height * span**0.62, -shape.eye_height * 0.72 * span**0.85
        open_ = ramp(-0.5, 0.5, upper - y) * ramp(-0.5, 0.5, y - lower) * (span > 0)
        self._open = open_
        self._mix(open_, np.array([196, 202, 208.0]))
        self._mix(open_ * bell(x, y, -shape.eye_width * 0.95, 0, 3, 3) * 0.7, np.array([90, 100, 170.0]))
        iris = np.hypot(x, y - 0.4)
        self._mix(open_ * ramp(6.6, 5.8, iris), np.array([34, 46, 66.0]))
        self._mix(open_ * ramp(6.7, 5.9, iris) * ramp(4.6, 5.6, iris) * 0.6, np.array([16, 20, 28.0]))
        self._mix(open_ * ramp(3.0, 2.3, iris), np.array([8, 8, 8.0]))
        self._mix(open_ * np.exp(-(((upper - y) / 2.2) ** 2)) * 0.55, np.array([30, 34, 44.0]))
        lash = np.exp(-(((y - upper - 0.3) / (1.0 + 0.5 * (1 - shape.age))) ** 2)) * (span > 0) * ramp(0, 0.12, span)
        self._mix(lash * 0.9, np.array([18, 20, 28.0]))
        self._mix(np.exp(-(((y - lower) / 0.9) ** 2)) * (span > 0.02) * 0.45, self._mean * 0.4)
        wider = np.clip(1 - (x / (shape.eye_width * 1.12)) ** 2, 0, 1)
        crease = np.exp(-(((y - upper - 3.2 - 1.5 * shape.lid) / 0.9) ** 2)) * ramp(0, 0.3, wider)
        self._mix(crease * (0.12 + 0.45 * shape.lid), self._mean * 0.4)
        self._mix(bell(x * side, y, -2.2, 2.2, 0.9, 0.9) * open_ * 0.9, np.array([240, 240, 240.0]))

    def _brows(self) -> None:
        shape, chart = self.shape, self.chart
        x = (chart.aside - shape.eye_gap) / (shape.eye_width * 1.35)
        y = chart.y - (shape.brow_height + shape.brow_tilt * (chart.aside - shape.eye_gap) - 3.2 * (x - 0.15) ** 2)
        thickness = shape.brow_thickness * np.clip(1.15 - 0.75 * np.clip(x + 0.2, 0, 1.2), 0.12, 2)
        hairs = self._noise(2)
        hairs = hairs / hairs.std()
        mask = np.exp(-((y / thickness) ** 4)) * ramp(-1.12, -0.85, x) * ramp(1.2, 0.85, x)
        self._mix(np.clip(mask * shape.brow_darkness * (1 + 0.18 * hairs), 0, 1), self._hair * 0.9 + 4)
