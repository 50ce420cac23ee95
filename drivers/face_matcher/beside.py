"""Work beside this process, on another core: face libraries hold the interpreter while they compute.

A fork has the loaded models at no cost and lives for one piece of work; what it held goes with it. It begins while no
camera is open and does nothing but compute: whatever a lock of another thread protects is not its business.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from drivers.face_matcher.engine import FaceEngine, Vector

PATIENCE_SECONDS = 5.0
USABLE, UNUSABLE = b"+", b"-"


class LostBeside(Exception):
    """The fork ended without an answer, or was too late."""


class Beside:
    """One piece of work, begun at once. `take` once, and always `end`."""

    def __init__(self, work: Callable[[], bytes]) -> None:
        self._answer, answer = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _compute(work, answer)
        os.close(answer)

    def take(self) -> bytes:
        """Wait for the answer, in a thread. Raises `LostBeside`."""
        begun, parts = time.monotonic(), list[bytes]()
        while time.monotonic() - begun < PATIENCE_SECONDS:
            try:
                part = os.read(self._answer, 65536)
            except OSError:
                break
            if not part:
                break
            parts.append(part)
        if not parts:
            raise LostBeside
        return b"".join(parts)

    def end(self) -> None:
        """The fork is gone when this returns. Idempotent."""
        if self._pid > 0:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._pid, 0)
            self._pid = -1

    def close(self) -> None:
        """After `end` and `take`: nothing reads any more."""
        if self._answer >= 0:
            os.close(self._answer)
            self._answer = -1


def _compute(work: Callable[[], bytes], answer: int) -> None:
    """In the fork: compute, answer, be gone; nothing of the parent's is run or flushed."""
    status = 1
    try:
        content = work()
        while content:
            content = content[os.write(answer, content) :]
        status = 0
    finally:
        os._exit(status)


def _computes_on_one_thread() -> bool:
    """As in every device process (drivers.host). OpenBLAS ends its threads before a fork: whoever is in the middle of a
    product of matrices then waits for ever."""
    return os.environ.get("OPENBLAS_NUM_THREADS") == "1"


def encoded_card(engine: FaceEngine, png: bytes) -> bytes:
    """What the fork answers for a card's picture."""
    vector = engine.encode_card(png)
    return UNUSABLE if vector is None else USABLE + np.asarray(vector, dtype=np.float64).tobytes()


def card_of(answer: bytes) -> Vector | None:
    """The vector of such an answer, its own and writable; None when the picture could not be used."""
    return None if answer[:1] == UNUSABLE else np.frombuffer(answer[1:], dtype=np.float64).copy()


class CardEncoding:
    """The reference from the card's picture, computed beside the live ones where the engine bears a fork."""

    def __init__(self, engine: FaceEngine, png: bytes, spend: Callable[[str, Callable[[], Any]], Any]) -> None:
        self._engine, self._png, self._spend = engine, png, spend
        may_fork = getattr(engine, "can_fork", False) and _computes_on_one_thread()
        self._beside = Beside(lambda: encoded_card(engine, png)) if may_fork else None
        self._taking: asyncio.Future[Vector | None] | None = None

    async def begin(self) -> None:
        """Return at once where the fork computes; after the encoding where it cannot be done beside."""
        self._taking = asyncio.ensure_future(self._take())
        if self._beside is None:
            await asyncio.wait({self._taking})

    @property
    def is_unusable(self) -> bool:
        """Known by now that the picture is of no use."""
        taking = self._taking
        if taking is None or not taking.done() or taking.cancelled() or taking.exception() is not None:
            return False
        return taking.result() is None

    async def vector(self) -> Vector | None:
        """The reference; None when the picture cannot be used."""
        assert self._taking is not None
        try:
            return await asyncio.shield(self._taking)
        except LostBeside:
            self._taking = asyncio.ensure_future(asyncio.to_thread(self._here))
            return await asyncio.shield(self._taking)

    async def _take(self) -> Vector | None:
        if self._beside is None:
            return await asyncio.to_thread(self._here)
        return card_of(await asyncio.to_thread(self._spend, "encode_card", self._beside.take))

    def _here(self) -> Vector | None:
        vector: Vector | None = self._spend("encode_card", lambda: self._engine.encode_card(self._png))
        return vector

    async def wipe(self) -> None:
        """The fork is gone, its reader has ended, and the reference is overwritten."""
        if self._beside is not None:
            self._beside.end()
        if self._taking is not None:
            await asyncio.wait({self._taking})
            if not self._taking.cancelled() and self._taking.exception() is None:
                vector = self._taking.result()
                if vector is not None:
                    vector[:] = 0
        if self._beside is not None:
            self._beside.close()
        self._png = b""
