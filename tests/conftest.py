"""Where tests run side by side (`make test` has three workers): a file keeps together, and so does the one house."""

from __future__ import annotations

import os
import socket
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
    # An installed terminal carries its programs compiled; hundreds of processes here would each compile them anew.
    os.environ.setdefault("PYTHONPYCACHEPREFIX", str(Path(__file__).parents[1] / "build" / "compiled"))
    sys.dont_write_bytecode, sys.pycache_prefix = False, os.environ["PYTHONPYCACHEPREFIX"]

TOGETHER = "tests/journeys/"
"""They share one house of many processes, started once."""
DEALT_OUT = (
    "tests/fleet_server/gateway/test_scenarios.py",
    "tests/fleet_server/gateway/test_every_screen.py",
    "tests/kiosk/ui/test_audit.py",
    "tests/journeys/test_privacy_of_every_matter.py",
)
"""Long files whose tests stand each by itself: they are dealt out in parts."""
PARTS = 4
FIRST = (TOGETHER, "tests/drivers/test_fault_matrix.py")
"""What takes longest begins first, so that no worker stands idle at the end."""


def pytest_sessionstart(session: pytest.Session) -> None:
    """The worker counts re-runs over a line that writes twice, then reads: unmended, each short test waits 40 ms."""
    line = getattr(getattr(session.config, "failures_db", None), "sock", None)
    if isinstance(line, socket.socket):
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            if file in DEALT_OUT:
                return f"{file} {zlib.crc32(nodeid.encode()) % PARTS}"
            return TOGETHER if file.startswith(TOGETHER) else file

    return ByFile(config, log)
