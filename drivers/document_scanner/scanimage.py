"""`scanimage` as a killable child: pages come through named pipes, so that no picture ever is a file (Decision 6).

It writes page N to `N.pnm.part` and renames it; here that name is a pipe. A page counts when scanimage has confirmed
it on standard output after its last byte. Source: scanimage(1) of sane-backends 1.1.1.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from drivers.document_scanner.pnm import head_of
from drivers.document_scanner.sane_status import error_of
from drivers.errors import CommandTimedOut, DeviceAbsent, DeviceError, DeviceOffline, HardwareFault, MediaError

PIPE_BYTES = 1 << 20
LONGEST_WORDS = 64 * 1024
CANCEL_SECONDS = 0.6
"""scanimage tells the scanner to stop when interrupted; after this it is killed."""
FOLDER = re.compile(r"yizhan-sane-(\d+)-")


def sweep() -> None:
    """Remove the folders of processes that were killed: settings and empty pipes, no pictures."""
    for folder in Path(tempfile.gettempdir()).glob("yizhan-sane-*"):
        named = FOLDER.match(folder.name)
        with contextlib.suppress(OSError):
            if named and folder.stat().st_uid == os.geteuid() and not Path("/proc", named[1]).exists():
                shutil.rmtree(folder)


class Scanimage:
    """One scanner: a SANE name, or the address of an eSCL scanner, for which the settings of sane-airscan are made."""

    def __init__(self, device: str, config_dir: str, silence_seconds: float) -> None:
        self._address = device if urlsplit(device).scheme in ("http", "https") else ""
        self._device = "airscan:e0:Scanner" if self._address else device
        self._config_dir = config_dir
        self._silence_seconds = silence_seconds

    async def all_options(self, timeout_seconds: float) -> str:
        """What the device offers. Raises as `error_of`, `CommandTimedOut`."""
        with self._folder() as folder:
            child = self._started(folder, ["--all-options"])
            try:
                async with asyncio.timeout(timeout_seconds):
                    await asyncio.gather(child.ended, child.answer.done, child.said.done)
            except TimeoutError as error:
                raise CommandTimedOut("the scanner took too long to open") from error
            finally:
                await child.stop()
            wrong = child.error()
            if wrong is not None:
                raise wrong
            return child.answer.text()

    async def pages(
        self, settings: Sequence[str], most_pages: int, timeout_seconds: float
    ) -> AsyncGenerator[bytearray, None]:
        """Every page as a portable anymap; the caller overwrites it. Ends when the source is empty.

        Raises as `error_of`; `CommandTimedOut`; `DeviceOffline` (`scanner_stalled`) after a silence.
        """
        deadline = time.monotonic() + max(timeout_seconds - CANCEL_SECONDS, timeout_seconds / 2)
        with self._folder() as folder:
            for number in range(1, most_pages + 1):
                os.mkfifo(folder / f"{number}.pnm.part", 0o600)
            arguments = [
                "--format=pnm", *settings, f"--batch={folder}/%d.pnm", f"--batch-count={most_pages}", "--batch-print",
            ]  # fmt: skip
            pipe: _PagePipe | None = None
            number = 0
            child = self._started(folder, arguments)
            try:
                for number in range(1, most_pages + 1):
                    pipe = _PagePipe(folder / f"{number}.pnm.part")
                    if not await self._page(child, pipe, f"{folder}/{number}.pnm", deadline):
                        break
                    data, pipe.data = pipe.data, bytearray()
                    yield data
                await self._end(child, deadline)
                error = child.error()
                if error is not None and not (number > 1 and isinstance(error, MediaError)):
                    raise error
            finally:
                pipes = [pipe, _PagePipe(folder / f"{min(number + 1, most_pages)}.pnm.part")]
                for each in filter(None, pipes):
                    each.discard()
                await child.stop()
                for each in filter(None, pipes):
                    each.close()

    async def _page(self, child: _Child, pipe: _PagePipe, name: str, deadline: float) -> bool:
        """True when the page came whole; False when scanimage ended instead."""
        while not pipe.done.done():
            waited_for = {pipe.done} if child.ended.done() else {pipe.done, child.ended}
            await asyncio.wait(waited_for, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
            if child.ended.done():
                pipe.end()
            if time.monotonic() > deadline:
                raise CommandTimedOut("the scanner took longer than the limit")
            if time.monotonic() - pipe.heard_at > self._silence_seconds:
                raise DeviceOffline("the scanner sends nothing: switch it off and on", "scanner_stalled")
        await pipe.done
        return await child.answer.has_line(name)

    async def _end(self, child: _Child, deadline: float) -> None:
        try:
            async with asyncio.timeout(max(deadline - time.monotonic(), 0)):
                await asyncio.gather(child.ended, child.said.done)
        except TimeoutError as error:
            raise CommandTimedOut("the scanner took longer than the limit") from error

    def _started(self, folder: Path, arguments: Sequence[str]) -> _Child:
        program, keeper = shutil.which("scanimage"), shutil.which("setpriv")
        if program is None:
            raise DeviceAbsent("scanimage is not installed: install sane-utils", "library_missing")
        command = [*([keeper, "--pdeathsig", "KILL"] if keeper else []), program, f"--device-name={self._device}"]
        return _Child([*command, *arguments], self._environment(folder))

    def _environment(self, folder: Path) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
        kept |= {"HOME": str(folder), "LC_ALL": "C"}
        if self._config_dir or self._address:
            kept["SANE_CONFIG_DIR"] = self._config_dir or str(folder)
        return kept

    @contextlib.contextmanager
    def _folder(self) -> Iterator[Path]:
        """For pipes and, where the scanner is an address, the settings that name it alone (sane-airscan(5))."""
        with tempfile.TemporaryDirectory(prefix=f"yizhan-sane-{os.getpid()}-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            if self._address:
                (folder / "dll.conf").write_text("airscan\n", encoding="ascii")
                (folder / "airscan.conf").write_text(
                    f'[devices]\n"Scanner" = {self._address}, eSCL\n[options]\ndiscovery = disable\n', encoding="ascii"
                )
            yield folder


class _Child:
    """A running program, watched through descriptors of the loop.

    asyncio's own subprocesses of Python 3.11 never end when they are cancelled while they begin.
    """

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        loop = asyncio.get_running_loop()
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self.answer, self.said = _Words(self._process.stdout), _Words(self._process.stderr)
        self.ended: asyncio.Future[None] = loop.create_future()
        self._watch = os.pidfd_open(self._process.pid)
        loop.add_reader(self._watch, self._gone)

    def _gone(self) -> None:
        asyncio.get_running_loop().remove_reader(self._watch)
        os.close(self._watch)
        self._process.wait()
        self.ended.set_result(None)

    def error(self) -> DeviceError | None:
        return error_of(self._process.returncode or 0, self.said.text())

    async def stop(self) -> None:
        """Interrupt, so that the scanner is told; then kill. However the task around it ends, the child does first."""
        if not self.ended.done():
            self._process.send_signal(signal.SIGINT)
            try:
                await asyncio.wait({self.ended}, timeout=CANCEL_SECONDS)
            finally:
                if not self.ended.done():
                    self._process.kill()
                    asyncio.get_running_loop().remove_reader(self._watch)
                    self._gone()
        self.answer.close()
        self.said.close()


class _Words:
    """What a program writes, bounded: what comes beyond is read and dropped."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stream: IO[bytes] | None = stream
        self._kept = bytearray()
        self._news = asyncio.Event()
        os.set_blocking(stream.fileno(), False)
        asyncio.get_running_loop().add_reader(stream.fileno(), self._readable)

    def _readable(self) -> None:
        assert self._stream is not None
        chunk = self._stream.read(8192)
        if chunk is None:
            return
        self._kept += chunk[: LONGEST_WORDS - len(self._kept)]
        self._news.set()
        if not chunk:
            self.close()

    def close(self) -> None:
        if self._stream is not None:
            asyncio.get_running_loop().remove_reader(self._stream.fileno())
            self._stream.close()
            self._stream = None
        if not self.done.done():
            self.done.set_result(None)
        self._news.set()

    def text(self) -> str:
        return self._kept.decode("utf-8", "replace")

    async def has_line(self, line: str) -> bool:
        """True as soon as it was written; False when the program ended without."""
        while line not in self.text().splitlines():
            if self._stream is None:
                return False
            self._news.clear()
            await self._news.wait()
        return True


class _PagePipe:
    """Reads one named pipe to its end. `done` ends when the writer has closed it, or fails when it sends no page."""

    def __init__(self, path: Path) -> None:
        self.data = bytearray()
        self.heard_at = time.monotonic()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._path = path
        self._is_kept = True
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC) if path.is_fifo() else -1
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                fcntl.fcntl(self._descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
            asyncio.get_running_loop().add_reader(self._descriptor, self._readable)

    def _readable(self) -> None:
        try:
            chunk = os.read(self._descriptor, PIPE_BYTES)
        except BlockingIOError:
            return
        self.heard_at = time.monotonic()
        if not chunk:
            self._finish(None)
        elif self._is_kept:
            self.data += chunk
            try:
                head = head_of(self.data)
                if head is not None and len(self.data) > head.total:
                    raise HardwareFault("the scanner sends without end: check its driver", "page_unreadable")  # noqa: TRY301
            except HardwareFault as error:
                self._finish(error)

    def _finish(self, error: DeviceError | None) -> None:
        self.close()
        if not self.done.done():
            if error is None:
                self.done.set_result(None)
            else:
                self.done.set_exception(error)

    def end(self) -> None:
        """The writer has gone, perhaps without ever opening it: read what is left, then the end."""
        with contextlib.suppress(OSError):
            os.close(os.open(self._path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC))

    def discard(self) -> None:
        """Read on without keeping anything, so that the writer is not stuck while it stops."""
        self._is_kept = False
        self.data[:] = bytes(len(self.data))

    def close(self) -> None:
        if self._descriptor >= 0:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1
        if self.done.done() and not self.done.cancelled():
            self.done.exception()
