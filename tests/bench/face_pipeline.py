"""The usual pipeline on every 720p frame (face_locations, face_encodings) beside ours: a small grey detection, five
points, quality gates, and one frame in ten encoded, by the matcher's own `Encodings`. Both see the same pictures, turn
about; a frame's time is how long it holds up the next one.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import time
import warnings
from collections.abc import Callable
from typing import Any

import cv2

from drivers.face_camera.invented import frame
from drivers.face_matcher.dlib_models import DlibEngine
from drivers.face_matcher.encodings import Encodings
from drivers.face_matcher.quality import MATCHING, hindrance
from tests.bench.measure import Measure, measured, percentile, spread

ROUNDS = 16
OURS_A_ROUND, NAIVE_A_ROUND = 10, 2
ENCODED_ONE_IN = 10
GOAL = 5.0
YAWS = (0.0, 2.0, -2.0, 4.0)


def run(tell: Callable[[str], None]) -> list[Measure]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its dependency announces its own end
        naive = importlib.import_module("face_recognition")
    engine = DlibEngine()
    engine.warm_up()
    pictures = [frame("lin", yaw, 1280, 720) for yaw in YAWS]
    _naively(naive, pictures[0])
    ours, theirs = asyncio.run(_turn_about(engine, naive, pictures, tell))
    ours_p95, theirs_p95 = percentile(ours, 0.95), percentile(theirs, 0.95)
    return [
        measured(
            "face pipeline per frame, p95, against the usual one", ours_p95, "ms", floor=theirs_p95,
            ratio=theirs_p95 / ours_p95, at_least=GOAL, detail={"ours": spread(ours), "usual": spread(theirs)},
        )
    ]  # fmt: skip


async def _turn_about(
    engine: DlibEngine, naive: Any, pictures: list[Any], tell: Callable[[str], None]
) -> tuple[list[float], list[float]]:
    ours: list[float] = []
    theirs: list[float] = []
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as in a device process: the fork beside needs it
    encodings = Encodings(engine, lambda _part, work: work())
    try:
        for number in range(ROUNDS):
            tell(f"face pipelines {number + 1} of {ROUNDS}")
            for index in range(OURS_A_ROUND):
                encodes = index % ENCODED_ONE_IN == 0
                ours.append(await _ours(engine, encodings, pictures[index % len(pictures)], encodes=encodes))
            theirs += [_naively(naive, pictures[(number + index) % len(pictures)]) for index in range(NAIVE_A_ROUND)]
    finally:
        await encodings.wipe()
    return ours, theirs


async def _ours(engine: DlibEngine, encodings: Encodings, picture: Any, *, encodes: bool) -> float:
    begun = time.perf_counter()
    faces = await asyncio.to_thread(engine.detect, picture)
    reason = hindrance(picture, faces, MATCHING)
    if encodes and not reason:
        await encodings.of_frame(picture, faces[0])
    taken = time.perf_counter() - begun
    if reason:
        raise RuntimeError(f"a picture that should pass the gates does not: {reason}")
    return taken * 1000


def _naively(library: Any, picture: Any) -> float:
    begun = time.perf_counter()
    rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    places = library.face_locations(rgb)
    encodings = library.face_encodings(rgb, places)
    taken = time.perf_counter() - begun
    if not encodings:
        raise RuntimeError("the usual pipeline found no face")
    return taken * 1000
