"""The course of a face check as a table: what was seen, and what follows."""

from __future__ import annotations

import pytest

from drivers.face_matcher.liveness import Direction, FaceCourse, Next, Rules, Seen

FRAME = 0.04
STRAIGHT = Seen("", "", 0.01, (640, 320), 230)
NOBODY = Seen("NO_FACE", "NO_FACE")
TWO = Seen("MULTI_FACE", "MULTI_FACE", 0.01, (640, 320), 230)


def turned(parallax: float) -> Seen:
    return Seen("", "POSE", parallax, (640 + 200 * parallax, 320), 230)


def turned_straight(parallax: float) -> Seen:
    """Fit to be encoded, and yet not quite straight."""
    return Seen("", "", parallax, (640, 320), 230)


def run(frames: list[Seen], *turns: Direction, rules: Rules | None = None) -> list[Next]:
    course = FaceCourse(rules or Rules(), turns, 0.0)
    said: list[Next] = []
    for index, seen in enumerate(frames, 1):
        said.append(course.feed(seen, index * FRAME))
        if said[-1].is_over:
            break
    return said


def seconds(count: float, seen: Seen) -> list[Seen]:
    return [seen] * round(count / FRAME)


def test_without_the_turn_three_steady_frames_are_encoded() -> None:
    said = run(seconds(2, STRAIGHT))
    assert said[-1].phase == "done"
    assert sum(step.encode for step in said) == 3


def test_a_living_head_that_follows_both_prompts_passes_and_is_encoded_at_rest_three_times() -> None:
    left, right = turned(0.15), turned(-0.13)
    frames = [*[STRAIGHT] * 9, *[left] * 4, *[STRAIGHT] * 3, *[right] * 4, *[STRAIGHT] * 3]
    said = run(frames, "left", "right")
    assert said[-1].phase == "done"
    assert sum(step.encode and not step.turned for step in said) == 3
    assert sum(step.turned for step in said) == 2
    prompts = [step.prompt for step in said]
    assert [p for i, p in enumerate(prompts) if not i or prompts[i - 1] != p] == [
        "LOOK_STRAIGHT", "TURN_LEFT", "RETURN", "TURN_RIGHT", "RETURN", "HOLD_STILL",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        (seconds(7, NOBODY), "POSITION_TIMEOUT"),
        (seconds(7, TWO), "MULTI_FACE"),
        (seconds(7, Seen("TOO_SMALL", "TOO_SMALL", 0, (640, 320), 60)), "POSITION_TIMEOUT"),
        ([*seconds(0.4, STRAIGHT), *seconds(6, STRAIGHT)], "STEP_TIMEOUT"),
        ([*seconds(0.4, STRAIGHT), *seconds(1, turned(-0.2))], "WRONG_DIRECTION"),
        ([*seconds(0.4, STRAIGHT), *seconds(2, NOBODY)], "FACE_LOST"),
        ([*seconds(0.4, STRAIGHT), TWO], "MULTI_FACE"),
        ([*seconds(0.4, STRAIGHT), Seen("", "", 0.01, (300, 320), 230)], "DISCONTINUITY"),
        ([*seconds(0.4, STRAIGHT), Seen("", "", 0.01, (640, 320), 400)], "DISCONTINUITY"),
        ([*seconds(0.4, STRAIGHT), *seconds(0.3, turned(0.15)), *seconds(6, turned(0.15))], "STEP_TIMEOUT"),
    ],
)
def test_each_way_to_fail_has_its_reason(frames: list[Seen], reason: str) -> None:
    assert run(frames, "left")[-1].failure == reason


def test_a_tilted_print_never_passes() -> None:
    """Its nose does not move against its eyes: the parallax stays within what a print shows (spike-face 4)."""
    print_tilted = [turned(0.05 * (-1) ** index) for index in range(200)]
    assert run([*[STRAIGHT] * 9, *print_tilted], "left")[-1].failure == "STEP_TIMEOUT"


def test_the_straight_look_is_the_median_of_six_frames() -> None:
    """One trembling landmark in the first frame must not make a straight head a turned one."""
    trembling = [STRAIGHT, STRAIGHT, turned_straight(0.12), *[STRAIGHT] * 5]
    said = run([*trembling, *[turned(0.15)] * 3], "left")
    assert [step.phase for step in said[:8]] == ["position"] * 2 + ["neutral"] * 5 + ["turn"]
    assert sum(step.encode for step in said[:8]) == 1
    assert said[-1].phase == "return", "0.15 against a median of 0.01 is a turn; against 0.12 it would be none"


def test_a_short_glance_is_not_a_turn() -> None:
    said = run([*[STRAIGHT] * 9, turned(0.15), *[STRAIGHT] * 3, turned(0.15), *[STRAIGHT] * 3], "left")
    assert said[-1].phase == "turn"


def test_a_lost_frame_or_two_is_forgiven() -> None:
    frames = [*[STRAIGHT] * 9, *[turned(0.15)] * 2, NOBODY, NOBODY, *[turned(0.15)] * 4, *[STRAIGHT] * 3]
    assert run(frames, "left")[-1].phase == "done"


def test_frames_that_are_not_fit_are_not_encoded() -> None:
    said = run([*[STRAIGHT] * 2, *[Seen("", "BLUR", 0, (640, 320), 230)] * 20, *[STRAIGHT] * 4])
    encoded = [index for index, step in enumerate(said) if step.encode]
    assert encoded == [0, 1, 22]


def test_without_the_turn_nothing_is_encoded_before_someone_fit_stands_there() -> None:
    said = run([*[NOBODY] * 3, *[Seen("", "POSE", 0.12, (640, 320), 230)] * 2, *[STRAIGHT] * 3])
    assert [index for index, step in enumerate(said) if step.encode] == [5, 6, 7]


def test_without_the_turn_nobody_may_be_exchanged_once_encoding_began() -> None:
    said = run([STRAIGHT, Seen("", "", 0.01, (300, 320), 230), *[STRAIGHT] * 3])
    assert said[-1].failure == "DISCONTINUITY"
