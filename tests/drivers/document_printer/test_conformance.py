"""The suite a hardware maker runs, against each driver and its simulated printer."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from drivers.document_printer.cups_simulator import is_installed


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "driver",
    [
        "document_printer/ipp",
        pytest.param(
            "document_printer/cups",
            marks=pytest.mark.skipif(not is_installed(), reason="CUPS needs root and cups-daemon"),
        ),
    ],
)
def test_the_driver_keeps_the_contract(driver: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "drivers", "check", driver, "--simulate", "--print", "--json"],
        capture_output=True, timeout=220, check=False,
    )  # fmt: skip
    verdict = json.loads(done.stdout.splitlines()[-1])
    broken = [finding for finding in verdict["checks"] if finding["outcome"] == "broken"]
    assert (done.returncode, broken) == (0, []), done.stderr
    assert {"a test page is printed", "printed is said only when the paper moved"} <= {
        finding["check"] for finding in verdict["checks"] if finding["outcome"] == "kept"
    }
