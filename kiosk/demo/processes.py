"""Child processes of the demo: started, spoken to in JSON lines, ended by their own handle, or with the demo itself."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

START_SECONDS = 60.0
_STARTER = ThreadPoolExecutor(1, "starter")
"""Starts every program: the kernel ends a child with the thread that started it, and this one lives to the end."""


class DemoFailed(Exception):
    """The demo cannot go on; the message says what and where to look."""


class Program:
    """One `python -m …` in its own process, its diagnostics in a file, its answers read line by line."""

    def __init__(
        self, name: str, arguments: list[str], *, log: Path, environment: dict[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        keeper = shutil.which("setpriv")
        with log.open("ab") as errors:
            self._process = _STARTER.submit(
                subprocess.Popen[bytes],
                [*([keeper, "--pdeathsig", "TERM"] if keeper else []), sys.executable, "-m", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | (environment or {}),
                start_new_session=True,
            ).result()
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.decode(errors="replace").strip())

    def answer(self, seconds: float = START_SECONDS) -> dict[str, Any]:
        """The next JSON line it prints; other lines are passed over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                line = self._lines.get(timeout=0.2)
            except queue.Empty:
                self.must_live()
                continue
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        raise DemoFailed(f"{self.name} did not answer within {seconds:.0f} s; see {self.log}")

    def order(self, line: str) -> dict[str, Any]:
        """Tell a simulator something and read its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()
        return self.answer(10)

    def must_live(self) -> None:
        code = self._process.poll()
        if code is not None:
            tail = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
            raise DemoFailed(f"{self.name} ended with {code}; its last words, from {self.log}:\n{tail}")

    def wait(self, seconds: float) -> int:
        return self._process.wait(seconds)

    def stop(self, seconds: float = 10.0) -> None:
        """End it in good order, and hard when it does not listen."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
        self._release()

    def kill(self) -> None:
        """As a power cut would: SIGKILL to this process alone. Returns when it is gone."""
        self._process.kill()
        self._release()

    def _release(self) -> None:
        self._process.wait(5)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


def free_port() -> int:
    """A loopback port nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int, program: Program, seconds: float = START_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        program.must_live()
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise DemoFailed(f"{program.name} did not open port {port} within {seconds:.0f} s; see {program.log}")
