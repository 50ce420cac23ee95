"""A second process of the same engine, on another core: face libraries hold the interpreter while they compute.

A fork has the loaded models at no cost and lives for one check; what it held goes with it. It begins while no camera is
open and does nothing but compute: whatever a lock of another thread protects is not its business.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import threading
import time
from collections.abc import Callable, Sequence

PATIENCE_SECONDS = 5.0
PIPE_BYTES = 1 << 20
"""As much as an unprivileged process may have: a frame of 720p crosses in three pieces."""

LENGTH = struct.Struct("<I")
Part = bytes | memoryview


class LostBeside(Exception):
    """The fork ended without an answer, or was too late."""


class Beside:
    """A fork that answers questions, one after another. `ask` from any thread; `end` always, then `close`.

    `waiting` is for who shares questions out: how many were given to it and are not answered.
    """

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        theirs, self._questions = os.pipe()
        self._answers, ours = os.pipe()
        self._turn = threading.Lock()
        self.waiting = 0
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._questions)  # with the parent's end gone, the fork reads to the end and is gone too
            os.close(self._answers)
            _serve(answer, theirs, ours)
        os.close(theirs)
        os.close(ours)
        for end in (self._questions, self._answers):
            os.set_blocking(end, False)
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._questions, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def ask(self, question: Sequence[Part]) -> bytes:
        """The answer to a question, given in parts; waits its turn. Raises `LostBeside`."""
        with self._turn:
            late = time.monotonic() + PATIENCE_SECONDS
            length = sum(len(memoryview(part).cast("B")) for part in question)
            try:
                for part in (LENGTH.pack(length), *question):
                    self._put(memoryview(part).cast("B"), late)
                (expected,) = LENGTH.unpack(self._get(LENGTH.size, late))
                return self._get(expected, late)
            except OSError as error:
                raise LostBeside from error

    def _put(self, part: memoryview, late: float) -> None:
        while part:
            _await(self._questions, select.POLLOUT, late)
            part = part[os.write(self._questions, part) :]

    def _get(self, length: int, late: float) -> bytes:
        got = bytearray()
        while len(got) < length:
            _await(self._answers, select.POLLIN, late)
            part = os.read(self._answers, length - len(got))
            if not part:
                raise LostBeside
            got += part
        return bytes(got)

    def end(self) -> None:
        """The fork is gone when this returns; whoever still waits for it is told. Idempotent."""
        if self._pid > 0:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._pid, 0)
            self._pid = -1

    def close(self) -> None:
        """After `end`, and when nobody asks any more."""
        for end in (self._questions, self._answers):
            if end >= 0:
                os.close(end)
        self._questions = self._answers = -1


def _await(end: int, what: int, late: float) -> None:
    ready = select.poll()
    ready.register(end, what)
    if not ready.poll(max(late - time.monotonic(), 0) * 1000):
        raise LostBeside


def _serve(answer: Callable[[bytes], bytes], questions: int, answers: int) -> None:
    """In the fork: compute, answer, until nobody asks; nothing of the parent's is run or flushed."""
    status = 1
    try:
        while header := _read(questions, LENGTH.size):
            (length,) = LENGTH.unpack(header)
            content = answer(_read(questions, length))
            content = LENGTH.pack(len(content)) + content
            while content:
                content = content[os.write(answers, content) :]
        status = 0
    finally:
        os._exit(status)


def _read(end: int, length: int) -> bytes:
    """So many bytes, or fewer when nobody writes any more."""
    got = bytearray()
    while len(got) < length:
        part = os.read(end, length - len(got))
        if not part:
            break
        got += part
    return bytes(got)
