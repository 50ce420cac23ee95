"""The measures of an invented head, in millimetres and shares, and the people whose measures are told apart well."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RANGES: dict[str, tuple[float, float]] = {
    "width": (62, 80), "jaw": (0.78, 1.22), "chin": (-10, 10), "eye_gap": (27, 36.5), "eye_width": (11.5, 17.5),
    "eye_height": (3.6, 7.2), "eye_tilt": (-0.08, 0.2), "brow_height": (15, 25), "brow_thickness": (1.6, 5.5),
    "brow_tilt": (-0.18, 0.2), "brow_darkness": (0.45, 0.95), "nose_length": (40, 56), "nose_width": (10.5, 18),
    "nose_relief": (14, 26), "mouth_width": (19, 32), "lip": (4.5, 12), "mouth_offset": (-3, 3), "cheek": (0, 8),
    "hairline": (48, 82), "fringe": (-1, 1.3), "side": (-1, 1), "long": (-1, 1), "beard": (-1.5, 1),
    "moustache": (-1.2, 1), "age": (0, 1), "tone": (0, 1), "hair_tone": (0, 0.9), "lid": (0, 1), "lip_red": (0, 1),
    "socket": (4, 11), "ridge": (1, 6), "light": (-0.5, 0.5),
}  # fmt: skip

NAMES: dict[str, int] = {
    "lin": 10, "ouyang": 103, "chen": 135, "huang": 88, "aydin": 49, "guo": 72, "sample": 35, "invented": 163,
}  # fmt: skip
"""Seeds whose encodings lie at least 0.5 apart from one another (dlib's model) and that show their turns clearly."""

MORE_NAMES: dict[str, int] = {
    "zheng": 214, "su": 251, "he": 295, "pan": 350, "fang": 452, "luo": 461, "qiu": 471, "tang": 483, "yan": 648,
    "gao": 784, "jiang": 873, "wen": 903, "feng": 912, "leung": 916, "hexiao": 920, "shi": 924, "ye": 942, "lau": 961,
}  # fmt: skip
"""The other sample cards: found, shown turning and matched with their portraits, though some lie but 0.42 apart."""


@dataclass(frozen=True)
class Shape:
    """`grain` seeds hair, skin and cloth. Heights are measured upwards from the eye line."""

    grain: int
    width: float
    jaw: float
    chin: float
    eye_gap: float
    eye_width: float
    eye_height: float
    eye_tilt: float
    brow_height: float
    brow_thickness: float
    brow_tilt: float
    brow_darkness: float
    nose_length: float
    nose_width: float
    nose_relief: float
    mouth_width: float
    lip: float
    mouth_offset: float
    cheek: float
    hairline: float
    fringe: float
    side: float
    long: float
    beard: float
    moustache: float
    age: float
    tone: float
    hair_tone: float
    lid: float
    lip_red: float
    socket: float
    ridge: float
    light: float

    @property
    def mouth(self) -> float:
        """Height of the mouth line."""
        return self.mouth_offset - self.nose_length - 22

    @property
    def nose(self) -> float:
        """Height of the nose's base."""
        return -self.nose_length

    @property
    def chin_height(self) -> float:
        return -114 - self.chin


def shape_of(name: str) -> Shape:
    """The measures that belong to a name: always the same ones."""
    seed = (NAMES | MORE_NAMES).get(name, sum(ord(letter) * (place + 1) for place, letter in enumerate(name)) % 100_000)
    chance = np.random.default_rng(seed + 1000)
    measures = {
        measure: float(least + (most - least) * chance.beta(0.35, 0.35)) for measure, (least, most) in RANGES.items()
    }
    return Shape(grain=seed, **measures)
