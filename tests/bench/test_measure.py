"""How numbers become a measure, and what the file says. Nothing here is timed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bench.__main__ import SUITES
from tests.bench.measure import failed, machine, measured, pairwise_ratio, percentile, spread, written

KEYS = {"name", "value", "unit", "floor", "ratio", "goal", "kept", "detail"}


def test_the_file_holds_each_measure_whole_and_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "build" / "bench.json"
    measures = [
        measured("a", 30.0, "ms", floor=20.0, at_most=1.5),
        measured("b", 60.0, "ms", at_most=50, detail={"rounds": 3}),
        measured("c", 7.0, "MB"),
        failed("d", RuntimeError("no camera")),
    ]
    written(path, measures, machine({"before": 0.5, "after": 1.0}))
    said = json.loads(path.read_text(encoding="utf-8"))
    assert set(said) == {"measures", "machine"}
    assert all(set(each) == KEYS for each in said["measures"])
    assert [each["kept"] for each in said["measures"]] == [True, False, True, False]
    assert said["measures"][0]["ratio"] == 1.5
    assert said["measures"][1]["detail"] == {"rounds": 3, "goal_is": "at most"}
    assert said["measures"][3]["detail"] == {"error": "RuntimeError: no camera"}
    assert {"cores", "memory_mb", "python", "load_before", "load_after"} <= set(said["machine"])


@pytest.mark.parametrize(
    ("goal", "ratio", "kept"),
    [
        ({"at_most": 2.0}, 2.0, True),
        ({"at_most": 2.0}, 2.001, False),
        ({"at_least": 0.8}, 0.8, True),
        ({"at_least": 0.8}, 0.799, False),
    ],
)
def test_a_goal_bounds_the_ratio_where_there_is_one(goal: dict[str, Any], ratio: float, kept: bool) -> None:
    assert measured("x", 1000.0, "ms", floor=1.0, ratio=ratio, **goal).kept is kept


def test_without_a_floor_a_goal_bounds_the_value() -> None:
    assert measured("x", 50.0, "ms", at_most=50).kept
    assert measured("x", 50.1, "ms", at_most=50).kept is False
    assert measured("x", 50.0, "ms", at_most=50).ratio is None


def test_percentiles_are_values_that_were_seen() -> None:
    values = [float(value) for value in range(1, 101)]
    assert (percentile(values, 0.95), percentile(values, 1.0), percentile(values, 0.0)) == (95, 100, 1)
    assert percentile([3.0], 0.95) == 3.0
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)
    assert spread([1.0, 9.0, 2.0]) == {"median": 2.0, "p95": 9.0, "least": 1.0, "greatest": 9.0, "rounds": 3}


def test_a_disturbed_round_disturbs_both_of_its_sides_and_not_the_ratio() -> None:
    assert pairwise_ratio([10.0, 500.0, 11.0], [10.0, 400.0, 10.0]) == pytest.approx(1.1)
    with pytest.raises(ValueError, match=r"shorter|longer"):
        pairwise_ratio([1.0], [1.0, 2.0])


def test_every_suite_named_is_there() -> None:
    for name in SUITES:
        assert (Path(__file__).parent / f"{name}.py").is_file()
