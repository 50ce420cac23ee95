"""Encodings computed in a fork: its answers, its loss, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drivers.face_matcher.beside import Beside, LostBeside
from drivers.face_matcher.encodings import Encodings, answered, frame_question, vector_of
from drivers.face_matcher.engine import Face, Image, Vector

VECTOR = np.linspace(-1, 1, 128)
FACE = Face(1, 2, 30, 40, 0.9, ((1, 2), (3, 4), (5, 6), (7, 8), (9, 10)))
PATIENCE = 10


def picture(value: int) -> Image:
    return np.full((72, 128, 3), value, dtype=np.uint8)


class Engine:
    """Answers from whichever process it runs in: 128 numbers that say which picture, which face and where."""

    can_fork = True

    def __init__(self, fails_beside: bool = False) -> None:
        self.home = os.getpid()
        self.calls_at_home = 0
        self.fails_beside = fails_beside

    def _count(self) -> None:
        if os.getpid() == self.home:
            self.calls_at_home += 1
        elif self.fails_beside:
            os.kill(os.getpid(), signal.SIGKILL)

    def encode_card(self, png: bytes) -> Vector | None:
        self._count()
        return None if png == b"nobody" else VECTOR.copy()

    def encode(self, image: Image, face: Face) -> Vector:
        self._count()
        assert face == FACE
        return np.array([float(image[71, 127, 2]), float(image.shape[1]), float(os.getpid())])


@pytest.fixture(autouse=True)
def as_in_a_device_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")


def same(one: Vector | None, other: Vector) -> bool:
    return one is not None and np.array_equal(one, other)


def spend(_part: str, work: Callable[[], Any]) -> Any:
    return work()


async def checked(engine: Engine, png: bytes = b"picture", frames: int = 0) -> tuple[Vector | None, list[Vector]]:
    """What one check gets for a card and some frames; wiped after."""
    encodings = Encodings(engine, spend)  # type: ignore[arg-type]
    try:
        await encodings.begin_card(png)
        begun = [await encodings.of_frame(picture(number), FACE) for number in range(frames)]
        card = await encodings.card()
        assert encodings.card_is_unusable == (card is None)
        return None if card is None else card.copy(), [each.copy() for each in await encodings.vectors(begun)]
    finally:
        await encodings.wipe()


def test_the_fork_computes_the_card_and_this_process_does_not() -> None:
    engine = Engine()
    card, _ = asyncio.run(checked(engine))
    assert same(card, VECTOR)
    assert engine.calls_at_home == 0


def test_a_picture_of_no_use_is_known_without_a_word_about_it() -> None:
    engine = Engine()
    assert asyncio.run(checked(engine, b"nobody"))[0] is None
    assert engine.calls_at_home == 0


def test_frames_are_shared_out_and_come_in_their_order() -> None:
    engine = Engine()
    _, vectors = asyncio.run(checked(engine, frames=5))
    assert [vector[:2].tolist() for vector in vectors] == [[number, 128.0] for number in range(5)]
    assert len({vector[2] for vector in vectors}) == min(2, os.cpu_count() or 1)
    assert engine.calls_at_home == 0


def test_a_lost_fork_costs_time_and_not_the_check() -> None:
    engine = Engine(fails_beside=True)
    card, vectors = asyncio.run(checked(engine, frames=3))
    assert same(card, VECTOR)
    assert [vector[0] for vector in vectors] == [0, 1, 2]
    assert engine.calls_at_home == 4


def test_an_engine_that_must_not_be_forked_works_here() -> None:
    engine = Engine()
    engine.can_fork = False
    card, vectors = asyncio.run(checked(engine, frames=2))
    assert same(card, VECTOR)
    assert len(vectors) == 2
    assert engine.calls_at_home == 3


def test_where_numbers_are_computed_on_several_threads_nothing_is_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    engine = Engine()
    assert same(asyncio.run(checked(engine))[0], VECTOR)
    assert engine.calls_at_home == 1


def test_what_is_taken_back_ends_at_once_and_leaves_no_process() -> None:
    class Slow(Engine):
        def encode_card(self, png: bytes) -> Vector | None:
            time.sleep(60)
            return None

    async def story() -> None:
        encodings = Encodings(Slow(), spend)  # type: ignore[arg-type]
        await encodings.begin_card(b"picture")
        pids = [beside._pid for beside in encodings._besides]
        assert pids
        await encodings.of_frame(picture(1), FACE)
        await encodings.wipe()
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)

    files = len(list(Path("/proc/self/fd").iterdir()))
    asyncio.run(asyncio.wait_for(story(), PATIENCE))
    assert len(list(Path("/proc/self/fd").iterdir())) <= files


def test_every_vector_is_overwritten() -> None:
    async def story() -> list[Vector]:
        encodings = Encodings(Engine(), spend)  # type: ignore[arg-type]
        await encodings.begin_card(b"picture")
        begun = [await encodings.of_frame(picture(9), FACE) for _ in range(2)]
        card = await encodings.card()
        assert card is not None
        held = [card, *await encodings.vectors(begun)]
        assert all(vector.any() for vector in held)
        await encodings.wipe()
        return held

    assert not any(vector.any() for vector in asyncio.run(story()))


def test_a_question_larger_than_the_pipe_is_answered() -> None:
    beside = Beside(lambda question: question[::-1])
    long = os.urandom(3_000_000)
    assert beside.ask((long[:10], long[10:])) == long[::-1]
    assert beside.ask((b"",)) == b""
    beside.end()
    beside.close()


@pytest.mark.parametrize("size", [1, 4_000_000], ids=["short", "larger than the pipe"])
def test_an_answer_that_never_comes_is_lost(size: int) -> None:
    beside = Beside(lambda _question: os._exit(3))
    with pytest.raises(LostBeside):
        beside.ask((bytes(size),))
    with pytest.raises(LostBeside):
        beside.ask((b"again",))
    beside.end()
    beside.end()
    beside.close()


def test_a_fork_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.face_matcher.beside.PATIENCE_SECONDS", 0.05)
    beside = Beside(lambda _question: signal.pause() or b"")  # type: ignore[func-returns-value]
    with pytest.raises(LostBeside):
        beside.ask((b"question",))
    beside.end()
    beside.close()


def test_the_fork_ends_with_the_process_that_asks() -> None:
    told, tell = os.pipe()
    asker = os.fork()
    if asker == 0:
        beside = Beside(lambda question: question)
        os.write(tell, str(beside._pid).encode())
        signal.pause()
    pid = int(os.read(told, 20))
    os.kill(asker, signal.SIGKILL)
    os.waitpid(asker, 0)
    deadline = time.monotonic() + PATIENCE
    while Path(f"/proc/{pid}").exists() and "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(
        encoding="ascii"
    ):
        assert time.monotonic() < deadline
    os.close(told)
    os.close(tell)


def test_vectors_cross_as_they_are() -> None:
    engine: Any = Engine()
    assert same(vector_of(answered(engine, b"cpicture")), VECTOR)
    assert vector_of(answered(engine, b"cnobody")) is None
    question = b"".join(bytes(part) for part in frame_question(picture(7), FACE))
    assert vector_of(answered(engine, question)).tolist() == [7.0, 128.0, float(os.getpid())]  # type: ignore[union-attr]
