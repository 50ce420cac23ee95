"""The house's side of the nursery: one small process that forks a device's process in milliseconds.

Its children share what it has loaded. They end with it (PR_SET_PDEATHSIG): their supervisors start them again, from the
next nursery. It dies itself with the thread that opened it, which must live as long as the devices.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections import deque

from drivers.host.lives.forking import ANSWER, MARK_LENGTH
from drivers.host.lives.started import Started
from drivers.host.lives.system import MARK, clean_environment, read_stderr

LOG = logging.getLogger("drivers.host")
ANSWER_SECONDS = 15.0
REAP_SECONDS = 2.0
TRIES = 2
"""The first may meet a nursery that is just ending."""


class Nursery:
    """Shared by the devices of a house. Started when first needed, and again when it was lost."""

    def __init__(self) -> None:
        self._life: _Life | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        return self._life.pid if self._life is not None and self._life.alive else None

    def open(self) -> None:
        """Let it load, some 0.3 s of its own, while other things are done. A fork and an exec. Raises `OSError`."""
        if self._closed:
            raise OSError(errno.ESHUTDOWN, os.strerror(errno.ESHUTDOWN))
        if self._life is None or not self._life.alive:
            self._life = _Life()

    async def start(self) -> Started:
        """A new process that waits for its configuration. Raises `OSError`."""
        for _ in range(TRIES):
            self.open()
            assert self._life is not None
            with contextlib.suppress(ConnectionError):
                return await self._life.start()
        raise OSError(errno.ECONNRESET, "the nursery does not stay alive")

    def close(self) -> None:
        """End it, and with it every child that still lives. Idempotent."""
        self._closed = True
        if self._life is not None:
            self._life.end()


class _Life:
    def __init__(self) -> None:
        if not hasattr(os, "pidfd_open"):
            raise OSError(errno.ENOSYS, "this system has no pidfd")
        self._waiting: deque[asyncio.Future[tuple[int, int]]] = deque()
        """One for each request that is not answered yet, in their order: pid and pidfd."""
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        errors, stderr = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "drivers.host.lives.forking", str(theirs.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                env={**clean_environment(), MARK: "0" * MARK_LENGTH},
            )
        except OSError:
            self._connection.close()
            os.close(errors)
            raise
        finally:
            theirs.close()
            os.close(stderr)
        self.alive = True
        self._connection.setblocking(False)
        self._stop_reading = read_stderr(errors, "the nursery")
        asyncio.get_running_loop().add_reader(self._connection, self._hear)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def start(self) -> Started:
        """Raises `ConnectionError` when the nursery ended, `OSError` when it cannot fork or does not answer."""
        ours, theirs = socket.socketpair()
        errors, stderr = os.pipe()
        mark = secrets.token_hex(MARK_LENGTH // 2)
        try:
            pid, pidfd = await self._ask(mark, [theirs.fileno(), stderr])
        except BaseException:
            ours.close()
            os.close(errors)
            raise
        finally:
            theirs.close()
            os.close(stderr)
        return Started(pid, pidfd, ours, errors, mark)

    async def _ask(self, mark: str, descriptors: list[int]) -> tuple[int, int]:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGCONT)  # one that somebody stopped
        try:
            socket.send_fds(self._connection, [mark.encode()], descriptors)
        except ConnectionError:
            self.end()
            raise
        answer: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer
        except TimeoutError:
            LOG.warning("the nursery does not answer: it is killed, and its children with it")
            self.end()
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from None
        except asyncio.CancelledError:
            if answer.done() and not answer.cancelled() and answer.exception() is None:
                _kill(answer.result()[1])
            raise

    def _hear(self) -> None:
        try:
            message, descriptors, *_ = socket.recv_fds(self._connection, ANSWER.size, 1, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return
        except OSError:
            message = b""
        if len(message) < ANSWER.size or not self._waiting:
            self.end()
            return
        pid, error = ANSWER.unpack(message)
        answer = self._waiting.popleft()
        if error:
            if not answer.done():
                answer.set_exception(OSError(error, os.strerror(error)))
        elif answer.done():
            _kill(descriptors[0])  # nobody waits for it any more
        else:
            answer.set_result((pid, descriptors[0]))

    def end(self) -> None:
        """Milliseconds."""
        if not self.alive:
            return
        self.alive = False
        asyncio.get_running_loop().remove_reader(self._connection)
        self._connection.close()
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(REAP_SECONDS)
        self._stop_reading()
        for answer in self._waiting:
            if not answer.done():
                answer.set_exception(ConnectionResetError(errno.ECONNRESET, "the nursery has ended"))


def _kill(pidfd: int) -> None:
    """One that has no driver yet and has started nothing."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    os.close(pidfd)
