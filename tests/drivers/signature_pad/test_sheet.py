"""What makes strokes a signature of this document, and of no other."""

from __future__ import annotations

import hashlib
import io
import json

import numpy as np
import pytest
from PIL import Image

from drivers.errors import MediaError, Unsupported
from drivers.messages import PenPoint, SignatureBox, Stroke
from drivers.signature_pad.sheet import POINTS, STROKES, Least, Sheet, canonical_bytes, draw, is_bound
from drivers.signature_pad.simulator.strokes import NAMES, mishandled, signature_of

SHOWN = hashlib.sha256(b"shown").hexdigest()
BOX = SignatureBox(width_mm=80, height_mm=40)


def sheet(*strokes: Stroke, least: Least | None = None) -> Sheet:
    made = Sheet(SHOWN, BOX, least or Least())
    for stroke in strokes:
        made.add(stroke)
    return made


def line(x: float, y: float, to_x: float, to_y: float, points: int = 20) -> Stroke:
    return Stroke(
        points=tuple(
            PenPoint(
                x_mm=x + (to_x - x) * at / (points - 1),
                y_mm=y + (to_y - y) * at / (points - 1),
                milliseconds=20 * at,
            )
            for at in range(points)
        )
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_signature_is_bound_to_its_document(name: str) -> None:
    signature = sheet(*signature_of(name)).seal("touchscreen")
    assert is_bound(signature, SHOWN)
    assert not is_bound(signature, hashlib.sha256(b"other").hexdigest())
    point = signature.strokes[0].points[3]
    forged = Stroke(points=(point.model_copy(update={"x_mm": point.x_mm + 0.001}), *signature.strokes[0].points[1:]))
    assert not is_bound(signature.model_copy(update={"strokes": (forged, *signature.strokes[1:])}), SHOWN)
    assert not is_bound(signature.model_copy(update={"strokes": signature.strokes[1:]}), SHOWN)
    assert not is_bound(signature.model_copy(update={"box": SignatureBox(width_mm=81, height_mm=40)}), SHOWN)
    assert not is_bound(signature.model_copy(update={"document_sha256": "0" * 64}), "0" * 64)


def test_the_canonical_bytes_are_these() -> None:
    """Written by hand: whoever checks a signature elsewhere must come to the same."""
    stroke = Stroke(points=(PenPoint(x_mm=1.5, y_mm=2.0004, pressure=0.25, milliseconds=7),))
    data = canonical_bytes("ab", SignatureBox(width_mm=80, height_mm=40.5), (stroke, Stroke(points=())))
    assert data == b'{"box":[80000,40500],"document":"ab","strokes":[[[1500,2000,250,7]],[]],"version":1}'
    assert json.loads(data)["version"] == 1


def test_the_same_strokes_are_the_same_bytes_and_the_same_picture() -> None:
    one, other = (sheet(*signature_of("lin")).seal("x") for _ in range(2))
    assert (one.sha256, one.image_png) == (other.sha256, other.image_png)
    assert one.points == sum(len(stroke.points) for stroke in one.strokes)
    assert one.duration_ms == one.strokes[-1].points[-1].milliseconds


@pytest.mark.parametrize("reason", ["empty", "too_short", "outside_box"])
def test_what_is_no_signature_is_refused(reason: str) -> None:
    with pytest.raises(MediaError) as caught:
        sheet(*mishandled(signature_of("lin"), reason)).seal("x")
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "strokes",
    [
        (line(10, 10, 40, 10, points=4),),  # long, but four points
        (line(10, 10, 12, 10),),  # a dot
        (
            Stroke(points=tuple(p.model_copy(update={"milliseconds": 5}) for p in line(10, 10, 40, 10).points)),
        ),  # no hand
    ],
)
def test_each_measure_of_a_signature_counts(strokes: tuple[Stroke, ...]) -> None:
    with pytest.raises(MediaError) as caught:
        sheet(*strokes).seal("x")
    assert caught.value.reason == "too_short"


def test_a_few_points_beyond_the_box_are_cut_off_not_refused() -> None:
    signature = sheet(line(60, 20, 81, 20, points=40)).seal("x")
    assert Image.open(io.BytesIO(signature.image_png)).size == (800, 400)


def test_after_clearing_only_what_is_written_then_counts() -> None:
    made = sheet(*signature_of("lin"))
    made.clear()
    with pytest.raises(MediaError):
        made.seal("x")
    made.add(line(10, 10, 40, 10))
    assert len(made.seal("x").strokes) == 1


def test_the_picture_shows_the_ink_where_it_was_written_and_nothing_else() -> None:
    picture = Image.open(io.BytesIO(draw(BOX, (line(10, 20, 70, 20),))))
    assert picture.mode == "LA"
    ink = np.asarray(picture)[:, :, 1]
    rows, columns = np.nonzero(ink > 128)
    assert (rows.min(), rows.max()) == pytest.approx((200, 200), abs=6)
    assert (columns.min(), columns.max()) == pytest.approx((100, 700), abs=6)
    assert not np.asarray(picture)[:, :, 0].any()


def test_pressure_makes_the_line_thicker() -> None:
    light, strong = (
        Stroke(points=tuple(p.model_copy(update={"pressure": pressure}) for p in line(10, 20, 70, 20).points))
        for pressure in (0.1, 1.0)
    )
    ink = [np.asarray(Image.open(io.BytesIO(draw(BOX, (stroke,)))))[:, :, 1].sum() for stroke in (light, strong)]
    assert ink[1] > 1.5 * ink[0]


def test_more_than_a_hand_writes_is_refused_and_not_kept() -> None:
    made = sheet()
    dot = line(1, 1, 2, 2, points=2)
    for _ in range(STROKES):
        made.add(dot)
    with pytest.raises(MediaError) as caught:
        made.add(dot)
    assert caught.value.reason == "too_large"
    with pytest.raises(MediaError):
        sheet(Stroke(points=dot.points * POINTS))
    assert len(made.strokes) == STROKES


def test_a_stroke_without_points_is_none() -> None:
    assert sheet(Stroke(points=())).strokes == ()


@pytest.mark.parametrize("wrong", ["", "0" * 63, "0" * 65, "G" * 64, SHOWN.upper(), SHOWN + "\n"])
def test_a_signature_of_nothing_is_refused(wrong: str) -> None:
    with pytest.raises(Unsupported) as caught:
        Sheet(wrong, BOX, Least())
    assert caught.value.reason == "document_hash_wrong"


def test_a_box_beyond_every_pad_is_refused() -> None:
    with pytest.raises(Unsupported) as caught:
        Sheet(SHOWN, SignatureBox(width_mm=401, height_mm=1), Least())
    assert caught.value.reason == "box_too_large"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_point_is_somewhere(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        PenPoint(x_mm=value, y_mm=0, milliseconds=0)


def test_ink_does_not_show_itself() -> None:
    assert "x_mm" not in repr(sheet(*signature_of("lin")).seal("x"))
