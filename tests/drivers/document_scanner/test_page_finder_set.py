"""A seeded set of hard pictures: uneven light, a hand, a shadow, something bright beside, dark to light mats.

What counts is that no outline is wrong; a refusal costs the citizen a second try.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import cv2
import numpy as np
import pytest

from drivers.document_scanner.page_finder import find_page, ordered
from drivers.document_scanner.simulator import HEIGHT, WIDTH, on_mat

MATS = (75, 205, 150, 185, 110, 225, 40, 236)
"""Grey values; the first few are the small set."""
DARK_ENOUGH = 110
MOST_PIXELS_OFF = 4.0
WIDE, HIGH = WIDTH // 2, HEIGHT // 2


def hard_picture(chance: np.random.Generator, name: str, mat: int, hindrance: int) -> tuple[Any, Any]:
    lean = chance.uniform(-40, 40) if name == "permit" else 90 + chance.uniform(-8, 8)
    picture, corners = on_mat(name, lean_degrees=float(lean), mat=mat)
    small, corners = cv2.resize(picture, (WIDE, HIGH), interpolation=cv2.INTER_AREA), corners / 2 - 0.25
    seen = small.astype(np.float32) * uneven(chance)
    corner = tuple(int(value) for value in corners[chance.integers(4)])
    if hindrance == 1:
        shadow = np.zeros((HIGH, WIDE), np.float32)
        size = int(chance.integers(75, 250)), int(chance.integers(50, 150))
        cv2.ellipse(shadow, corner, size, float(chance.uniform(0, 180)), 0, 360, 1, -1)
        seen *= (1 - 0.45 * cv2.GaussianBlur(shadow, (0, 0), 15))[..., None]
    elif hindrance == 2:
        cv2.circle(seen, corner, int(chance.integers(30, 200)), (110, 140, 190), -1)
    elif hindrance == 3:
        x, y = (int(value) for value in chance.integers(0, [WIDE - 250, HIGH - 230]))
        cv2.rectangle(seen, (x, y), (x + 225, y + 225), (210, 215, 220), -1)
    return np.clip(seen, 0, 255).astype(np.uint8), ordered(corners)


def uneven(chance: np.random.Generator) -> Any:
    way, least = chance.uniform(0, 2 * np.pi), chance.uniform(0.55, 0.95)
    across, down = np.linspace(-1, 1, WIDE)[None, :], np.linspace(-1, 1, HIGH)[:, None]
    slope = (across * np.cos(way) + down * np.sin(way)) / 1.42
    return ((1 + least) / 2 + (1 - least) / 2 * slope)[..., None].astype(np.float32)


def outcomes(pictures: int, seed: int) -> dict[int, Counter[str]]:
    chance = np.random.default_rng(seed)
    counted: dict[int, Counter[str]] = {mat: Counter() for mat in MATS}
    for index in range(pictures):
        mat = MATS[index // 2 % len(MATS)]
        picture, corners = hard_picture(chance, ("permit", "tenancy")[index % 2], mat, index % 5)
        quad = find_page(picture)
        off = 0.0 if quad is None else float(np.linalg.norm(quad - corners, axis=1).max())
        counted[mat]["refused" if quad is None else "right" if off <= MOST_PIXELS_OFF else "wrong"] += 1
    return counted


def test_no_outline_is_wrong_on_any_mat() -> None:
    counted = outcomes(6, seed=20)
    assert sum(sum(each.values()) for each in counted.values()) == 6
    assert not {mat: each for mat, each in counted.items() if each["wrong"]}
    dark = sum((each for mat, each in counted.items() if mat <= DARK_ENOUGH), Counter())
    assert dark["right"] >= dark["refused"]


@pytest.mark.campaign
def test_no_outline_is_wrong_in_the_large_set() -> None:
    counted = outcomes(480, seed=21)
    assert not {mat: each for mat, each in counted.items() if each["wrong"]}
