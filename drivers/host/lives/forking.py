"""The nursery's own process: it has loaded what all device processes share, and forks one for each that is asked for.

`python -m drivers.host.lives.forking SOCKET_FD PARENT_PID`. A request is a mark with two descriptors, the device's
channel and its standard error; the answer is pid and errno, with the child's pidfd. It has one thread, runs no event
loop, and no value of a citizen ever comes here: what the house says to a device goes by the device's own channel.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import faulthandler
import gc
import os
import resource
import select
import signal
import socket
import struct
import sys
from pathlib import Path

from drivers.host import device_process
from drivers.host.lives.system import MARK, children

ANSWER = struct.Struct("ii")
MARK_LENGTH = 16
OPEN_FILES = 512
PR_SET_PDEATHSIG, PR_SET_NAME, PR_SET_CHILD_SUBREAPER = 1, 15, 36
FIRST_TO_GO = "700"
"""When memory runs out, the kernel takes a device's process before the house (oom_score_adj, 0 to 1000)."""

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.getenv.restype = ctypes.c_void_p


def main() -> None:
    connection_fd, parent = int(sys.argv[1]), int(sys.argv[2])
    gc.disable()  # a collection would write into every page; the children have it on
    _die_with(parent, "yizhan-nursery")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    limit = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    os.set_inheritable(connection_fd, False)
    gc.collect()
    gc.freeze()
    device_process.trim()
    _Forking(socket.socket(fileno=connection_fd)).run()
    os._exit(0)  # its children end with it


def _die_with(parent: int, name: str) -> None:
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    _LIBC.prctl(PR_SET_NAME, name.encode(), 0, 0, 0)
    _LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # what a driver hides in a session of its own stays its descendant


class _Forking:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._children: dict[int, int] = {}
        """The living ones, pid by pidfd."""
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)

    def run(self) -> None:
        """Until the house closes the socket."""
        while True:
            for fd, _ in self._poll.poll():
                if fd in self._children:
                    self._collect(fd)
                    continue
                mark, descriptors, *_ = socket.recv_fds(self._connection, MARK_LENGTH, 2, socket.MSG_CMSG_CLOEXEC)
                if not mark:
                    return
                try:
                    self._answer(mark, descriptors)
                except ConnectionError:
                    return
                finally:
                    for descriptor in descriptors:
                        os.close(descriptor)

    def _answer(self, mark: bytes, descriptors: list[int]) -> None:
        try:
            pid, pidfd = self._fork(mark, descriptors)
        except OSError as error:
            self._connection.send(ANSWER.pack(0, error.errno or errno.EIO))
        else:
            socket.send_fds(self._connection, [ANSWER.pack(pid, 0)], [pidfd])

    def _fork(self, mark: bytes, descriptors: list[int]) -> tuple[int, int]:
        """Raises `OSError`."""
        parent = os.getpid()
        pid = os.fork()
        if not pid:
            _live(parent, mark, descriptors)
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
        self._children[pidfd] = pid
        self._poll.register(pidfd, select.POLLIN)
        return pid, pidfd

    def _collect(self, pidfd: int) -> None:
        """While a dead child is not collected, its group's number is nobody else's."""
        pid = self._children[pidfd]
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        self._end_orphans()  # first: when the child is collected, the house may end this process
        os.waitpid(pid, 0)
        del self._children[pidfd]
        self._poll.unregister(pidfd)
        os.close(pidfd)

    def _end_orphans(self) -> None:
        """What a dead child had started, wherever it hid and whatever it forgot, was handed to this process."""
        while orphans := [pid for pid in children(os.getpid()) if pid not in self._children.values()]:
            for pid in orphans:
                with contextlib.suppress(ProcessLookupError, PermissionError, ChildProcessError):
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)


def _live(parent: int, mark: bytes, descriptors: list[int]) -> None:
    """In the child: a device's process from here on. Never returns."""
    status = 1
    try:
        channel, errors = descriptors
        os.setsid()
        _die_with(parent, "yizhan-device")
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (errors, 1), (errors, 2)):
            os.dup2(source, target)
        _close_all_but(channel)
        _wear(mark)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(FIRST_TO_GO)
        faulthandler.enable()
        gc.enable()
        sys.argv[1:] = []
        status = device_process.serve(channel)
    except BaseException as error:  # noqa: BLE001 - told by name and place, as everywhere
        device_process.report(error)
    finally:
        os._exit(status)  # threads stuck in a vendor's library must not keep the process


def _close_all_but(kept: int) -> None:
    """The nursery's socket, other children's pidfds. One by one: what is told of a close by libc hears of these too."""
    for link in list(Path("/proc/self/fd").iterdir()):
        if int(link.name) > 2 and int(link.name) != kept:
            with contextlib.suppress(OSError):  # the listing's own
                os.close(int(link.name))


def _wear(mark: bytes) -> None:
    """Its own mark over the nursery's: in the bytes that /proc shows as its environment, and for what it starts."""
    place = _LIBC.getenv(MARK.encode())
    if place and len(os.environ[MARK]) == len(mark):
        ctypes.memmove(place, mark, len(mark))
    os.environ[MARK] = mark.decode()


if __name__ == "__main__":
    main()
