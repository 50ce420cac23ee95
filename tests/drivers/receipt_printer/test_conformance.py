"""The suite a hardware maker runs, against the driver with either back-channel and its simulated printer."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.mark.timeout(240)
@pytest.mark.parametrize("back_channel", ["full", "partial"])
def test_the_driver_keeps_the_contract(back_channel: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "drivers", "check", "receipt_printer/escpos", "--simulate", "--print", "--json",
         "--option", f"back_channel={back_channel}"],
        capture_output=True, timeout=220, check=False,
    )  # fmt: skip
    verdict = json.loads(done.stdout.splitlines()[-1])
    broken = [finding for finding in verdict["checks"] if finding["outcome"] == "broken"]
    assert (done.returncode, broken) == (0, []), done.stderr
    assert {"a test slip is printed, once", "printed is said only when the paper moved"} <= {
        finding["check"] for finding in verdict["checks"] if finding["outcome"] == "kept"
    }
