"""An invented person in near infrared (850 to 940 nm) under the camera's lamp, and a screen, which shines none there.

Skin of any tone reflects strongly and evenly, eyes stay dark, cloth and walls are grey (spike-face 4).
"""

from __future__ import annotations

import cv2
import numpy as np

from drivers.face_camera.invented.picture import EYE_LINE, Image, frame

SKIN_LEVEL = 150.0
SCREEN_SHARE = (0.34, 0.86)
"""Of the picture's width and height: a tablet held up before the lens."""


def infrared(name: str, yaw_degrees: float = 0.0, width: int = 1280, height: int = 720) -> Image:
    """What the infrared camera beside the other one sees: grey, three equal channels, bright in the middle."""
    visible = frame(name, yaw_degrees, width, height)
    red = visible[..., 2].astype(np.float32) * 0.8 + visible[..., 1].astype(np.float32) * 0.2
    middle = red[round(height * 0.4) : round(height * 0.5), round(width * 0.46) : round(width * 0.54)]
    lit = red * (SKIN_LEVEL / max(float(np.median(middle)), 1.0)) * _lamp(width, height)
    return _three(np.clip(lit, 0, 255))


def screen_in_infrared(width: int = 1280, height: int = 720) -> Image:
    """A screen with a face on it, seen in infrared: a dark glass with a bright rim of the lamp, in somebody's hands."""
    picture = np.full((height, width), 46.0, np.float32) * _lamp(width, height)
    wide, high = round(width * SCREEN_SHARE[0]), round(height * SCREEN_SHARE[1])
    left, top = (width - wide) // 2, (height - high) // 2
    cv2.rectangle(picture, (left, top), (left + wide, top + high), 74, -1)
    cv2.rectangle(picture, (left + 14, top + 14), (left + wide - 14, top + high - 14), 16, -1)
    cv2.ellipse(picture, (width // 2 + 40, round(height * EYE_LINE)), (30, 18), 0, 0, 360, 120, -1)
    for x in (left - 10, left + wide + 10):
        cv2.ellipse(picture, (x, height // 2), (46, 90), 0, 0, 360, 140, -1)
    return _three(cv2.GaussianBlur(picture, (0, 0), 2.0))


def _lamp(width: int, height: int) -> Image:
    across = np.linspace(-1, 1, width, dtype=np.float32)[None, :] ** 2
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None] ** 2
    return np.asarray(1.0 - 0.35 * across - 0.25 * down)


def _three(grey: Image | cv2.typing.MatLike) -> Image:
    return np.repeat(np.asarray(grey, np.uint8)[..., None], 3, axis=2)
