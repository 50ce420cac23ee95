"""dlib against pictures: the public set where it lies beside the repository, invented people everywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drivers.face_camera.invented import NAMES, frame, portrait_png
from drivers.face_matcher.decision import judge
from drivers.face_matcher.dlib_models import DlibEngine
from drivers.face_matcher.engine import Face
from drivers.face_matcher.quality import MATCHING, POSITION, hindrance
from drivers.messages import FaceDecision

FACES = Path(__file__).parents[4] / "shared" / "faces"
needs_faces = pytest.mark.skipif(not (FACES / "manifest.json").exists(), reason="the public face set is not here")


@pytest.fixture(scope="module")
def engine() -> DlibEngine:
    return DlibEngine()


def prepared(name: str) -> Any:
    image = cv2.imread(str(FACES / name))
    if "astronaut" in name:
        return image
    image[(image == (0, 255, 0)).all(axis=2)] = 200
    image[np.abs(image.astype(int) - (0, 255, 0)).sum(axis=2) < 120] = 200
    return cv2.copyMakeBorder(image, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=(200, 200, 200))


def vector(engine: DlibEngine, name: str) -> Any:
    image = cv2.resize(prepared(name), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    face = engine.detect(image)[0]
    return engine.encode(image, face)


@needs_faces
def test_same_people_are_accepted_and_others_rejected(engine: DlibEngine) -> None:
    manifest = json.loads((FACES / "manifest.json").read_text())
    names = ["jia_0.png", "jia_3.png", "stefan_0.png", "stefan_2.png", "astronaut.png"]
    vectors = {name: vector(engine, name) for name in names}
    checked = 0
    for one, other, same, _ in manifest["distances_original"]:
        if one in vectors and other in vectors:
            checked += 1
            decision = judge([vectors[one]], vectors[other], accept_at=0.5, retry_at=0.6).decision
            assert decision is (FaceDecision.ACCEPT if same else FaceDecision.REJECT), (one, other)
    assert checked == 10


def test_invented_people_are_told_apart_and_found_on_their_cards(engine: DlibEngine) -> None:
    names = list(NAMES)[:4]
    live = {}
    for name in names:
        image = frame(name)
        faces = engine.detect(image)
        assert hindrance(image, faces, MATCHING) == "", name
        live[name] = engine.encode(image, faces[0])
        card = engine.encode_card(portrait_png(name))
        assert card is not None
        assert engine.compare(live[name], card) < 0.35, name
    for name in names:
        for other in names:
            if name != other:
                assert engine.compare(live[name], live[other]) > 0.5, (name, other)


def test_a_head_that_turns_moves_its_nose_against_its_eyes(engine: DlibEngine) -> None:
    name = next(iter(NAMES))
    straight, left, right = (engine.detect(frame(name, yaw))[0].parallax for yaw in (0, 24, -24))
    assert left - straight > 0.10
    assert straight - right > 0.10


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda image: (image * 0.12).astype(np.uint8), "TOO_DARK"),
        (lambda image: np.clip(image.astype(int) * 3 + 120, 0, 255).astype(np.uint8), "TOO_BRIGHT"),
        (lambda image: cv2.GaussianBlur(image, (0, 0), 16), "BLUR"),
        (lambda image: np.roll(image, 420, axis=1), "OFF_CENTRE"),
    ],
)
def test_what_hinders_is_named(engine: DlibEngine, change: Any, reason: str) -> None:
    image = frame(next(iter(NAMES)))
    faces = engine.detect(image)
    moved = change(image)
    if reason == "OFF_CENTRE":
        faces = engine.detect(moved)
    assert hindrance(moved, faces, POSITION) == reason


def test_nobody_two_and_too_far_are_named(engine: DlibEngine) -> None:
    image = frame(next(iter(NAMES)))
    (face,) = engine.detect(image)
    assert hindrance(image, [], POSITION) == "NO_FACE"
    assert hindrance(image, [face, face], POSITION) == "MULTI_FACE"
    far = Face(600, 300, 690, 390, 1.0, face.points)
    assert hindrance(image, [far], POSITION) == "TOO_SMALL"
    near = Face(300, 60, 900, 660, 1.0, face.points)
    assert hindrance(image, [near], POSITION) == "TOO_CLOSE"


def test_a_card_picture_that_says_nothing_is_unusable(engine: DlibEngine) -> None:
    grey = np.full((126, 102, 3), 128, np.uint8)
    assert engine.encode_card(cv2.imencode(".png", grey)[1].tobytes()) is None
    assert engine.encode_card(b"not a picture") is None


def test_the_grey_zone_and_an_exchanged_person_lead_to_another_try() -> None:
    card = np.zeros(128)
    near, grey, far = np.zeros(128), np.zeros(128), np.zeros(128)
    near[0], grey[0], far[0] = 0.3, 0.55, 0.7
    limits = {"accept_at": 0.5, "retry_at": 0.6}
    assert judge([near], card, **limits).decision is FaceDecision.ACCEPT
    assert judge([grey], card, **limits).reason == "GREY_ZONE"
    assert judge([far], card, **limits).reason == "NO_MATCH"
    assert judge([near, far + near], card, **limits).reason == "IDENTITY_CHANGED"
    assert judge([near], card, turned=[far + near], **limits).reason == "IDENTITY_CHANGED"
    assert judge([near], card, turned=[grey], **limits).decision is FaceDecision.ACCEPT


def test_a_print_held_up_before_and_after_someone_elses_turn_is_noticed(engine: DlibEngine) -> None:
    names = list(NAMES)[:2]
    straight, other = frame(names[0]), frame(names[1], 20)
    shown = engine.encode(straight, engine.detect(straight)[0])
    turned = engine.encode(other, engine.detect(other)[0])
    own = frame(names[0], 20)
    limits = {"accept_at": 0.5, "retry_at": 0.6}
    assert judge([shown] * 3, shown, turned=[turned], **limits).decision is FaceDecision.RETRY
    own_turned = engine.encode(own, engine.detect(own)[0])
    assert judge([shown] * 3, shown, turned=[own_turned], **limits).decision is FaceDecision.ACCEPT
