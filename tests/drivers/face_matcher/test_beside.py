"""The card's picture encoded in a fork: its answer, its loss, and that nothing of it stays."""

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

from drivers.face_matcher.beside import Beside, CardEncoding, LostBeside, card_of, encoded_card
from drivers.face_matcher.engine import Vector

VECTOR = np.linspace(-1, 1, 128)


class Engine:
    """Answers from whichever process it runs in."""

    can_fork = True

    def __init__(self, fails_beside: bool = False) -> None:
        self.home = os.getpid()
        self.calls_at_home = 0
        self.fails_beside = fails_beside

    def encode_card(self, png: bytes) -> Vector | None:
        if os.getpid() == self.home:
            self.calls_at_home += 1
        elif self.fails_beside:
            os.kill(os.getpid(), signal.SIGKILL)
        return None if png == b"nobody" else VECTOR.copy()


@pytest.fixture(autouse=True)
def as_in_a_device_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")


def spend(_part: str, work: Callable[[], Any]) -> Any:
    return work()


async def reference(engine: Engine, png: bytes = b"picture") -> Vector | None:
    card = CardEncoding(engine, png, spend)
    try:
        await card.begin()
        found = await card.vector()
        assert card.is_unusable == (found is None)
        return None if found is None else found.copy()
    finally:
        await card.wipe()


def test_the_fork_computes_and_this_process_does_not() -> None:
    engine = Engine()
    assert np.array_equal(asyncio.run(reference(engine)), VECTOR)
    assert engine.calls_at_home == 0


def test_a_picture_of_no_use_is_known_without_a_word_about_it() -> None:
    engine = Engine()
    assert asyncio.run(reference(engine, b"nobody")) is None
    assert engine.calls_at_home == 0


def test_a_lost_fork_costs_time_and_not_the_check() -> None:
    engine = Engine(fails_beside=True)
    assert np.array_equal(asyncio.run(reference(engine)), VECTOR)
    assert engine.calls_at_home == 1


def test_an_engine_that_must_not_be_forked_works_here() -> None:
    engine = Engine()
    engine.can_fork = False
    assert np.array_equal(asyncio.run(reference(engine)), VECTOR)
    assert engine.calls_at_home == 1


def test_where_numbers_are_computed_on_several_threads_nothing_is_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    engine = Engine()
    assert np.array_equal(asyncio.run(reference(engine)), VECTOR)
    assert engine.calls_at_home == 1


def test_what_is_taken_back_ends_at_once_and_leaves_no_process() -> None:
    class Slow(Engine):
        def encode_card(self, png: bytes) -> Vector | None:
            time.sleep(60)
            return None

    async def story() -> None:
        card = CardEncoding(Slow(), b"picture", spend)
        await card.begin()
        assert card._beside is not None
        pid = card._beside._pid
        await card.wipe()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    files = len(list(Path("/proc/self/fd").iterdir()))
    asyncio.run(asyncio.wait_for(story(), 10))
    assert len(list(Path("/proc/self/fd").iterdir())) <= files


def test_the_reference_is_overwritten() -> None:
    async def story() -> Vector:
        card = CardEncoding(Engine(), b"picture", spend)
        await card.begin()
        found = await card.vector()
        assert found is not None
        assert found.any()
        await card.wipe()
        return found

    assert not asyncio.run(story()).any()


def test_an_answer_that_never_comes_is_lost() -> None:
    beside = Beside(lambda: os._exit(3))
    with pytest.raises(LostBeside):
        beside.take()
    beside.end()
    beside.end()
    beside.close()


def test_vectors_cross_as_they_are() -> None:
    assert np.array_equal(card_of(encoded_card(Engine(), b"picture")), VECTOR)
    assert card_of(encoded_card(Engine(), b"nobody")) is None
