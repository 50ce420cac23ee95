"""What a driver's `Options` say, asked of the driver without being at its mercy.

Importing a package's driver runs its code. On the bench that happens in a program of its own, with a limit: a driver
that prints, hangs or ends its program while it is imported is named, and takes nobody with it. Built-in drivers are
imported.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any, Final

from drivers.errors import ERROR_KINDS, DeviceError, HardwareFault
from drivers.host.lives.system import clean_environment
from drivers.registry import BUILT_IN, Entry, find_driver

IMPORT_SECONDS: Final = 20.0


@cache
def option_names(driver: str) -> tuple[str, ...]:
    """The options a driver has, in its own order. Raises `DeviceError` when it cannot be loaded."""
    entry = find_driver(driver)
    return tuple(entry.options().model_fields) if entry.source == BUILT_IN else _asked_outside(entry)


def _asked_outside(entry: Entry) -> tuple[str, ...]:
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__, entry.name],
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=IMPORT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _misbehaves(entry, f"does not end within {IMPORT_SECONDS:g} s") from error
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        raise _misbehaves(entry, f"ends the program (exit code {done.returncode})") from error
    if "error" in answer:
        raise ERROR_KINDS.get(answer["kind"], DeviceError)(answer["error"], answer["reason"])
    return tuple(answer["options"])


def _misbehaves(entry: Entry, deed: str) -> HardwareFault:
    module = entry.target.partition(":")[0]
    return HardwareFault(f"{entry.name}: importing {module} {deed}: a driver's module only defines", "driver_broken")


def main() -> None:
    """In the program of its own: one JSON object on standard output, whatever the driver prints there."""
    answers_to = os.dup(1)
    os.dup2(2, 1)
    try:
        answer: dict[str, Any] = {"options": list(find_driver(sys.argv[1]).options().model_fields)}
    except DeviceError as error:
        answer = {"error": str(error), "kind": error.kind, "reason": error.reason}
    os.write(answers_to, json.dumps(answer).encode())
    os._exit(0)  # threads a driver has started keep nobody


if __name__ == "__main__":
    main()
