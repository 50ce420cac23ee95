"""The vectors of one check, computed in forks beside where the engine bears one, here elsewhere.

The card's picture and the live frames are shared out, so that the course goes on looking meanwhile. Nothing of it
outlives `wipe`.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np

from drivers.face_matcher.beside import LENGTH, Beside, LostBeside, Part
from drivers.face_matcher.engine import Face, FaceEngine, Image, Vector

FORKS = 2
USABLE, UNUSABLE = b"+", b"-"
CARD, FRAME = b"c", b"f"

Spend = Callable[[str, Callable[[], Any]], Any]
"""(part, work) → what the work gives; the part's time is added up."""


@dataclass
class Encoding:
    """One that was begun: computed here by `here` when the fork is lost."""

    part: str
    here: Callable[[], Vector | None]
    done: asyncio.Future[Vector | None]


class Encodings:
    """One check's. Begin with the card; the engine itself is used by one thread at a time."""

    def __init__(self, engine: FaceEngine, spend: Spend) -> None:
        self._engine, self._spend = engine, spend
        may_fork = getattr(engine, "can_fork", False) and _computes_on_one_thread()
        forks = min(FORKS, os.cpu_count() or 1) if may_fork else 0
        self._besides = [Beside(lambda question: answered(engine, question)) for _ in range(forks)]
        self._card: Encoding | None = None
        self._begun: list[Encoding] = []

    async def begin_card(self, png: bytes) -> None:
        """Return at once where the fork computes; after the encoding where it cannot be done beside."""
        self._card = await self._begin("encode_card", (CARD, png), lambda: self._engine.encode_card(png))

    @property
    def card_is_unusable(self) -> bool:
        """Known by now that the card's picture is of no use."""
        done = None if self._card is None else self._card.done
        if done is None or not done.done() or done.cancelled() or done.exception() is not None:
            return False
        return done.result() is None

    async def card(self) -> Vector | None:
        """The reference; None when the card's picture cannot be used. The engine must be idle."""
        assert self._card is not None
        return await self._vector(self._card)

    async def of_frame(self, image: Image, face: Face) -> Encoding:
        """Return when the engine may look at the next frame: at once, or, without a fork, after encoding this one."""
        return await self._begin("encode", frame_question(image, face), lambda: self._engine.encode(image, face))

    async def vectors(self, begun: Sequence[Encoding]) -> list[Vector]:
        """What came of them. The engine must be idle."""
        return [vector for each in begun if (vector := await self._vector(each)) is not None]

    async def _vector(self, encoding: Encoding) -> Vector | None:
        try:
            return await asyncio.shield(encoding.done)
        except LostBeside:
            encoding.done = asyncio.ensure_future(asyncio.to_thread(self._spend, encoding.part, encoding.here))
            return await asyncio.shield(encoding.done)

    async def wipe(self) -> None:
        """The forks are gone, nobody waits for them any more, and every vector is overwritten."""
        for beside in self._besides:
            beside.end()
        for encoding in self._begun:
            await asyncio.wait({encoding.done})
            if not encoding.done.cancelled() and encoding.done.exception() is None:
                vector = encoding.done.result()
                if vector is not None:
                    vector[:] = 0
        self._begun.clear()
        for beside in self._besides:
            beside.close()

    async def _begin(self, part: str, question: Sequence[Part], here: Callable[[], Vector | None]) -> Encoding:
        beside = min(self._besides, key=lambda each: each.waiting, default=None)
        if beside is None:
            work = asyncio.to_thread(self._spend, part, here)
        else:
            beside.waiting += 1
            work = asyncio.to_thread(self._spend, part, lambda: vector_of(beside.ask(question)))
        encoding = Encoding(part, here, asyncio.ensure_future(work))
        self._begun.append(encoding)
        if beside is None:
            await asyncio.wait({encoding.done})
        else:
            encoding.done.add_done_callback(functools.partial(_answered, beside))
        return encoding


def _answered(beside: Beside, _done: object) -> None:
    beside.waiting -= 1


def _computes_on_one_thread() -> bool:
    """As in every device process (drivers.host). OpenBLAS ends its threads before a fork: whoever is in the middle of a
    product of matrices then waits for ever."""
    return os.environ.get("OPENBLAS_NUM_THREADS") == "1"


def frame_question(image: Image, face: Face) -> tuple[Part, ...]:
    """Tag, length of the head, head (shape and face), pixels. The pixels are not copied."""
    head = json.dumps([image.shape, astuple(face)]).encode()
    return FRAME, LENGTH.pack(len(head)), head, np.ascontiguousarray(image).data


def answered(engine: FaceEngine, question: bytes) -> bytes:
    """What the fork answers."""
    if question[:1] == CARD:
        vector = engine.encode_card(question[1:])
    else:
        (length,) = LENGTH.unpack_from(question, 1)
        begins = 1 + LENGTH.size + length
        shape, (left, top, right, bottom, score, points) = json.loads(question[1 + LENGTH.size : begins])
        face = Face(left, top, right, bottom, score, tuple((x, y) for x, y in points))
        pixels = np.frombuffer(question, dtype=np.uint8, offset=begins).reshape(shape)
        vector = engine.encode(pixels, face)
    return UNUSABLE if vector is None else USABLE + np.asarray(vector, dtype=np.float64).tobytes()


def vector_of(answer: bytes) -> Vector | None:
    """The vector of such an answer, its own and writable; None when the picture could not be used."""
    return None if answer[:1] == UNUSABLE else np.frombuffer(answer[1:], dtype=np.float64).copy()
