"""The page's corners on invented pictures: within a pixel where it can be seen, nothing where it cannot."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from drivers.document_scanner.page_finder import CARD_RATIO, PAPER_RATIO, find_page, ordered, true_ratio
from drivers.document_scanner.page_quality import (
    GREATEST_JPEG_BYTES,
    Limits,
    defect,
    packed,
    sharpness,
    straightened,
    turned,
)
from drivers.document_scanner.simulator import HEIGHT, WIDTH, on_mat

MOST_PIXELS_OFF = 1.0


def laid(width: int, height: int, *, mat: int = 50, paper: int = 230, lean: float = 7.0) -> np.ndarray:
    """A blank rectangle on a mat, 1600 × 1200."""
    scene = np.full((1200, 1600, 3), mat, np.uint8)
    box = cv2.boxPoints(((800, 600), (width, height), lean))
    cv2.fillPoly(scene, [np.round(box * 16).astype(np.int32)], (paper, paper, paper), cv2.LINE_AA, 4)
    noise = np.random.default_rng(3).normal(0, 2, scene.shape)
    return np.clip(scene + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("mat", [40, 110])
@pytest.mark.parametrize(("name", "lean"), [("permit", -31.0), ("permit", 44.0), ("tenancy", 84.0), ("tenancy", 96.0)])
def test_corners_are_found_to_a_pixel_at_any_lean(name: str, lean: float, mat: int) -> None:
    picture, corners = on_mat(name, lean_degrees=lean, mat=mat)
    quad = find_page(picture)
    assert quad is not None
    assert float(np.linalg.norm(quad - ordered(corners), axis=1).max()) <= MOST_PIXELS_OFF


@pytest.mark.parametrize("mat", [180, 205, 236])
def test_on_a_light_mat_the_page_is_found_rightly_or_not_at_all(mat: int) -> None:
    picture, corners = on_mat("tenancy", mat=mat)
    uneven = np.linspace(0.75, 1.0, WIDTH)[None, :, None]
    quad = find_page((picture * uneven).astype(np.uint8))
    if quad is not None:
        assert float(np.linalg.norm(quad - ordered(corners), axis=1).max()) <= 5


def test_an_empty_mat_gives_nothing() -> None:
    assert find_page(on_mat("nothing")[0]) is None
    assert find_page(np.zeros((1200, 1600, 3), np.uint8)) is None
    assert find_page(np.random.default_rng(1).integers(0, 255, (1200, 1600, 3), np.uint8)) is None


@pytest.mark.parametrize(
    ("what", "picture"),
    [
        ("a till receipt", laid(220, 900)),
        ("a square note", laid(500, 500)),
        ("a stamp", laid(60, 42)),
        ("a dark folder on a light table", laid(700, 495, mat=220, paper=60)),
        ("a page that hangs over the edge", laid(1500, 1060, lean=20)),
        ("a page beside which nothing is seen", laid(1700, 1300, lean=0)),
    ],
)
def test_what_is_no_whole_page_is_refused(what: str, picture: np.ndarray) -> None:
    assert find_page(picture) is None, what


def test_a_page_under_a_hand_is_refused_rather_than_cut() -> None:
    picture, corners = on_mat("tenancy")
    corner = tuple(int(value) for value in corners[0])
    cv2.circle(picture, corner, 420, (52, 52, 52), -1)
    quad = find_page(picture)
    assert quad is None or float(np.linalg.norm(quad - ordered(corners), axis=1).max()) <= 5


def test_rounded_corners_of_a_card_do_not_move_the_cut() -> None:
    scene = np.full((1200, 1600, 3), 50, np.uint8)
    left, top, width, height, radius = 400, 350, 800, 504, 30
    cv2.rectangle(scene, (left + radius, top), (left + width - radius, top + height), (230, 230, 230), -1)
    cv2.rectangle(scene, (left, top + radius), (left + width, top + height - radius), (230, 230, 230), -1)
    for x in (left + radius, left + width - radius):
        for y in (top + radius, top + height - radius):
            cv2.circle(scene, (x, y), radius, (230, 230, 230), -1)
    quad = find_page(scene)
    assert quad is not None
    expected = np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]])
    assert float(np.abs(quad - expected).max()) <= 1.5


def test_known_shapes_are_told_apart() -> None:
    paper = ordered([[0, 0], [1000, 0], [1000, 1414], [0, 1414]])
    card = ordered([[0, 0], [856, 0], [856, 540], [0, 540]])
    assert true_ratio(paper) == PAPER_RATIO
    assert true_ratio(card) == CARD_RATIO
    assert true_ratio(ordered([[0, 0], [1000, 0], [1000, 1000], [0, 1000]])) is None


def test_the_straightened_page_shows_what_was_printed_where_it_was_printed() -> None:
    picture, _ = on_mat("permit", lean_degrees=12.0)
    quad = find_page(picture)
    assert quad is not None
    page = straightened(picture, quad)
    assert page.shape[1] / page.shape[0] == pytest.approx(CARD_RATIO, rel=0.005)
    head, body = page[10, 20].astype(int), page[-12, -20].astype(int)
    assert head[0] - head[2] > 30, "the blue head is at the top left"
    assert abs(body[0] - body[2]) < 20, "the paper is grey at the bottom right"


def test_sharpness_is_blind_to_brightness_and_sees_blur() -> None:
    picture, _ = on_mat("tenancy")
    grey = cv2.cvtColor(picture[400:1500, 700:1900], cv2.COLOR_BGR2GRAY)
    clear = sharpness(grey)
    assert sharpness((grey * 0.6).astype(np.uint8)) == pytest.approx(clear, rel=0.15)
    values = [sharpness(cv2.GaussianBlur(grey, (0, 0), sigma)) for sigma in (1.0, 2.0, 4.0, 8.0)]
    assert clear > values[0] > values[1] > values[2] > values[3] >= 1
    assert values[0] > Limits().least_sharpness > values[2]


def test_defects_are_named() -> None:
    picture, _ = on_mat("permit")
    quad = find_page(picture)
    assert quad is not None
    page = straightened(picture, quad)
    assert defect(page, Limits()) == ""
    assert defect((page * 0.25).astype(np.uint8), Limits()) == "too_dark"
    assert defect(np.asarray(cv2.GaussianBlur(page, (0, 0), 6), np.uint8), Limits()) == "too_blurred"
    burnt = page.copy()
    cv2.circle(burnt, (300, 150), 60, (255, 255, 255), -1)
    assert defect(burnt, Limits()) == "glare"


def test_a_page_full_of_detail_still_fits() -> None:
    noisy = np.random.default_rng(5).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    jpeg, width, height = packed(noisy)
    assert len(jpeg) < GREATEST_JPEG_BYTES
    shape = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape
    assert (shape[1], shape[0]) == (width, height)


def test_turning_is_clockwise() -> None:
    page = np.zeros((2, 3, 3), np.uint8)
    page[0, 0] = 255
    assert turned(page, 90)[0, 1].all()
    assert turned(page, 180)[1, 2].all()
    assert turned(page, 270)[2, 0].all()
    assert turned(page, 0)[0, 0].all()
