"""Zones in pictures: before the camera and on the glass as the simulators draw them; and set by Typst, then spoilt.

What counts is that nothing wrong is believed; a refusal costs the citizen a second try.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import cv2
import numpy as np
import pytest
import typst

from drivers.document_scanner.page_finder import find_page
from drivers.document_scanner.page_quality import straightened
from drivers.document_scanner.simulator import on_mat
from drivers.document_scanner.simulator.travel_documents import FONT, known_documents, zone_of
from drivers.document_scanner.zone.codec import composed
from drivers.document_scanner.zone.reader import read_zone
from drivers.errors import CommandTimedOut, MediaError
from drivers.messages import MachineReadableZone

PX_PER_MM = 7.5
PAPER_WORDS = "Fujian Xiamen 1907 specimen of invented persons, not valid for travel. 样例 "


def laid(name: str, lean_degrees: float) -> Any:
    picture, _ = on_mat(name, lean_degrees=lean_degrees)
    quad = find_page(picture)
    assert quad is not None
    return straightened(picture, quad)


def typeset(zone: MachineReadableZone) -> Any:
    """The document as Typst draws it, upright, in the middle of a light page with other print above."""
    lines = composed(zone)
    wide, high = (85.6, 54) if len(lines) == 3 else (125, 88)
    written = "#linebreak()".join(f'#raw("{line}")' for line in lines)
    source = f"""
#set page(width: {wide}mm, height: {high}mm, margin: (x: 4mm, y: 4mm), fill: rgb("#eef1ea"))
#set text(size: 7pt)
{PAPER_WORDS * 4}
#place(bottom + left, dx: 0.6mm, dy: -1mm)[
  #show raw: set text(font: "OCR B", size: 2.54mm / 0.723)
  #set par(leading: 1.9mm)
  {written}
]"""
    png = typst.compile(source.encode(), format="png", ppi=25.4 * PX_PER_MM, font_paths=[str(FONT.parent)])
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)


def spoilt(page: Any, chance: np.random.Generator) -> Any:
    """Photographed askew: turned any way, farther at one end, softly lit from one side, grainy, and packed."""
    height, width = page.shape
    side = int(np.hypot(height, width) * 1.1)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    lean = chance.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(lean), -np.sin(lean)], [np.sin(lean), np.cos(lean)]], np.float32)
    seen = (corners - corners.mean(axis=0)) @ turn.T + side / 2 + chance.normal(0, 0.004 * width, (4, 2))
    move = cv2.getPerspectiveTransform(corners, seen.astype(np.float32))
    picture = cv2.warpPerspective(page, move, (side, side), borderValue=70).astype(np.float32)
    way = chance.uniform(0, 2 * np.pi)
    across, down = np.linspace(-1, 1, side)[None, :], np.linspace(-1, 1, side)[:, None]
    picture *= 0.85 + 0.15 * (across * np.cos(way) + down * np.sin(way))
    picture = cv2.GaussianBlur(picture, (0, 0), chance.uniform(0.5, 1.1)) + chance.normal(0, 5, picture.shape)
    packed = cv2.imencode(".jpg", np.clip(picture, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 75])[1]
    return cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)


def outcomes(count: int, seed: int) -> Counter[str]:
    chance = np.random.default_rng(seed)
    names, counted = sorted(known_documents()), Counter[str]()
    for index in range(count):
        zone = zone_of(names[index % len(names)])
        try:
            said = read_zone(spoilt(typeset(zone), chance))
        except MediaError as error:
            counted[error.reason] += 1
        else:
            same = (said.number, said.birth, said.expiry) == (zone.number, zone.birth, zone.expiry)
            counted["right" if same else "wrong"] += 1
    return counted


@pytest.mark.parametrize(
    ("name", "lean"), [("travel_leung", 4.0), ("travel_chen", 176.0), ("travel_sample", -85.0), ("travel_stranger", 0)]
)
def test_documents_before_the_camera_are_read_whichever_way_they_lie(name: str, lean: float) -> None:
    assert read_zone(laid(name, lean)) == zone_of(name)


def test_documents_drawn_otherwise_and_photographed_askew_are_read() -> None:
    counted = outcomes(6, 20)
    assert counted["wrong"] == 0
    assert counted["right"] >= 5, counted


@pytest.mark.campaign
def test_four_hundred_documents_photographed_askew() -> None:
    counted = outcomes(400, 21)
    assert counted["wrong"] == 0
    assert counted["right"] >= 380, counted


def test_a_search_ends_at_its_limit() -> None:
    with pytest.raises(CommandTimedOut):
        read_zone(laid("tenancy", 90.0), until=time.monotonic())


def test_other_papers_have_no_zone() -> None:
    for picture in (laid("permit", 3.0), np.full((600, 900), 240, np.uint8), np.zeros((40, 40), np.uint8)):
        with pytest.raises(MediaError) as told:
            read_zone(picture)
        assert told.value.reason == "zone_not_found"


def test_a_zone_with_a_finger_on_it_or_blurred_is_refused() -> None:
    page = laid("travel_leung", 2.0)
    blurred = cv2.GaussianBlur(page, (0, 0), 5)
    page[228:252, 130:180] = (150, 160, 190)
    for picture in (page, blurred):
        with pytest.raises(MediaError) as told:
            read_zone(picture)
        assert told.value.reason in ("zone_unreadable", "zone_not_found")
