"""Starting a device's process, and one spare that waits with everything common already loaded.

A spare has no driver and holds nothing; it saves the start of Python when a device must be back quickly.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass

from drivers.host.lives.system import MARK, clean_environment, marked

LOG = logging.getLogger("drivers.host")
REPLENISH_SECONDS = 2.0
REAP_SECONDS = 2.0


@dataclass(frozen=True)
class Started:
    """A process that waits for its configuration; `errors` is the read end of its standard error."""

    process: subprocess.Popen[bytes]
    connection: socket.socket
    errors: int
    mark: str

    def kill(self) -> None:
        """With everything in its group. A process that is gone is no error."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def kill_strays(self) -> None:
        """What it started and what has left its group since; blocking, a few milliseconds."""
        for pid in marked(self.mark):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def start_process() -> Started:
    """A fork and an exec: milliseconds. Raises `OSError`."""
    ours, theirs = socket.socketpair()
    errors, stderr = os.pipe()
    mark = secrets.token_hex(8)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "drivers.host.device_process", str(theirs.fileno()), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
            env={**clean_environment(), MARK: mark},
        )
    except OSError:
        ours.close()
        os.close(errors)
        raise
    finally:
        theirs.close()
        os.close(stderr)
    return Started(process, ours, errors, mark)


class Spare:
    """One process in waiting, shared by the devices of a house."""

    def __init__(self) -> None:
        self._waiting: Started | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        return self._waiting.process.pid if self._waiting is not None else None

    def take(self) -> Started:
        """The spare when it lives, a new process otherwise. Raises `OSError`."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None and _lives(waiting):
            return waiting
        if waiting is not None:
            _discard(waiting)
        return start_process()

    def replenish(self) -> None:
        """Start a spare a little later, when the device that just came up has the processor no more."""
        if self._timer is None and not self._closed:
            self._timer = asyncio.get_running_loop().call_later(REPLENISH_SECONDS, self._start)

    def close(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._waiting is not None:
            _discard(self._waiting)
            self._waiting = None

    def _start(self) -> None:
        self._timer = None
        if self._waiting is None:
            try:
                self._waiting = start_process()
            except OSError as error:
                LOG.warning("no spare process can be started: %s", error.strerror)


def _lives(started: Started) -> bool:
    """A stopped spare is no help either."""
    if started.process.poll() is not None:
        return False
    try:
        with open(f"/proc/{started.process.pid}/stat") as file:  # noqa: PTH123 - read once
            return file.read().rpartition(")")[2].split()[0] not in ("T", "Z")
    except (OSError, IndexError):
        return False


def _discard(started: Started) -> None:
    started.kill()
    started.connection.close()
    os.close(started.errors)
    with contextlib.suppress(subprocess.TimeoutExpired):
        started.process.wait(REAP_SECONDS)
