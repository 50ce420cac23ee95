"""The simulated citizen's hand: touches the terminal's real screen through its development socket."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

from kiosk.demo.processes import DemoFailed


class Hand:
    """JSON lines to `kiosk.ui.remote_hand`: state, tap, type, shot."""

    def __init__(self, path: Path, seconds: float = 60.0) -> None:
        self._path = path
        self._reach(seconds)

    def reach_again(self) -> None:
        """On a new line: the terminal frees what it held of the old one, and what was said on it."""
        self._file.close()
        self._socket.close()
        self._reach(10.0)

    def _reach(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            self._socket = socket.socket(socket.AF_UNIX)
            try:
                self._socket.connect(str(self._path))
                break
            except OSError as error:
                self._socket.close()
                if time.monotonic() > deadline:
                    raise DemoFailed(f"the terminal did not open its screen within {seconds:.0f} s") from error
                time.sleep(0.1)
        self._file = self._socket.makefile("rw", encoding="utf-8")

    def _do(self, **order: Any) -> dict[str, Any]:
        self._file.write(json.dumps(order, ensure_ascii=False) + "\n")
        self._file.flush()
        line = self._file.readline()
        if not line:
            raise DemoFailed("the terminal closed its screen")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def state(self) -> dict[str, Any]:
        return self._do(do="state")

    def tap(self, name: str) -> bool:
        """Touch an item; False when it is no longer there."""
        return bool(self._do(do="tap", name=name).get("ok"))

    def touch(self, across: float, down: float) -> bool:
        """Touch a place, in shares (0…1) of the screen's width and height."""
        return bool(self._do(do="touch", x=across, y=down).get("ok"))

    def sign(self, name: str) -> bool:
        """Write an invented name into a field."""
        return bool(self._do(do="sign", name=name).get("ok"))

    def type(self, name: str, text: str) -> bool:
        return bool(self._do(do="type", name=name, text=text).get("ok"))

    def shot(self, path: Path) -> None:
        self._do(do="shot", path=str(path))

    def close(self) -> None:
        self._file.close()
        self._socket.close()
