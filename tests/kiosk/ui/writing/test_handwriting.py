"""Handwritten characters: as written first, other stroke orders after."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.ui.writing.handwriting import Handwriting, HandwritingUnavailable, Stroke


def line(x1: float, y1: float, x2: float, y2: float) -> Stroke:
    return [(x1 + (x2 - x1) * part / 9, y1 + (y2 - y1) * part / 9) for part in range(10)]


ACROSS, DOWN = line(0.1, 0.5, 0.9, 0.5), line(0.5, 0.1, 0.5, 0.9)


def test_two_crossing_strokes_are_ten() -> None:
    assert Handwriting().recognize([ACROSS, DOWN])[0] == "十"


def test_the_other_order_still_finds_it() -> None:
    assert "十" in Handwriting().recognize([DOWN, ACROSS])[:10]


def test_nothing_written_is_nothing_recognized() -> None:
    assert Handwriting().recognize([]) == []
    assert Handwriting().recognize([[]]) == []


def test_very_many_points_do_not_matter() -> None:
    slow = [(0.1 + 0.8 * part / 5000, 0.5) for part in range(5000)]
    assert "一" in Handwriting().recognize([slow])[:3]


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(HandwritingUnavailable, match=r"missing\.model"):
        Handwriting(tmp_path / "missing.model")
