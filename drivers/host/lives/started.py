"""A process that waits for its configuration. It is the nursery's child, not the house's: it is known by its pidfd."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
from dataclasses import dataclass

from drivers.host.lives.system import marked


@dataclass(frozen=True)
class Started:
    """`errors` is the read end of its standard error. A pid may be given anew, the process behind `pidfd` never is."""

    pid: int
    pidfd: int
    connection: socket.socket
    errors: int
    mark: str

    @property
    def has_ended(self) -> bool:
        poll = select.poll()  # unlike select, for descriptors beyond 1023 too
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(0))

    @property
    def is_gone(self) -> bool:
        """Ended and collected by its parent: nothing of it is left."""
        try:
            signal.pidfd_send_signal(self.pidfd, 0)
        except ProcessLookupError:
            return True
        return False

    def kill(self) -> None:
        """With everything in its group. One that is gone is no error: its group was killed when it was collected."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
            os.killpg(self.pid, signal.SIGKILL)

    def kill_strays(self) -> None:
        """What it started and what has left its group since; blocking, a few milliseconds."""
        for pid in marked(self.mark):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    def forget(self) -> None:
        """When it is gone: the last that the house holds of it."""
        os.close(self.pidfd)
