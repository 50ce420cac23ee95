"""What the demo starts ends with it, however it ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

STARTS_ONE = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from kiosk.demo.processes import Program

with ThreadPoolExecutor() as pool:
    arguments = ["drivers", "simulate", "id_card_reader/sdt"]
    program = pool.submit(Program, "reader", arguments, log=Path(sys.argv[1])).result()
program.answer()
assert program.order("remove")["ok"], "it lives on when the thread that asked for it has ended"
print(program.pid, flush=True)
threading.Event().wait()
"""
END_SECONDS = 20.0


def test_a_demo_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-c", STARTS_ONE, str(tmp_path / "reader.log")], stdout=subprocess.PIPE, text=True
    )
    with demo:
        assert demo.stdout is not None
        program = int(demo.stdout.readline())
        pidfd = os.pidfd_open(program)
        demo.kill()
        assert demo.wait(END_SECONDS) == -signal.SIGKILL
    ended, _, _ = select.select([pidfd], [], [], END_SECONDS)
    os.close(pidfd)
    assert ended, "the simulator lives on without its demo"
