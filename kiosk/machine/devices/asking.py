"""`python -m kiosk devices`: what a maintainer at the machine asks the running terminal through its hatch."""

from __future__ import annotations

import socket
from pathlib import Path

from pydantic import ValidationError

from drivers.messages import FaultAction
from kiosk.contracts.errors import KioskError
from kiosk.contracts.fault_words import fault_words
from kiosk.contracts.value import Language
from kiosk.machine.devices.hatch import ANSWER_BYTES, Answer, Asked, Seen, address_in
from kiosk.machine.settings import MachineSettings

DONE, NOT_DONE, NOT_REACHED = 0, 1, 2
PATIENCE_SECONDS = 30.0
WHO = {
    FaultAction.WAIT: "nobody, it mends itself", FaultAction.CLEAR: "clerk", FaultAction.CONFIGURATION: "operator",
    FaultAction.MAINTENANCE: "engineer",
}  # fmt: skip


def run_devices(config: Path, action: str, device: str) -> tuple[int, str]:
    """Exit code and what to print. 1: nothing was done; 2: the terminal does not run, or its settings are wrong."""
    try:
        folder = MachineSettings.load(config).machine.data
    except KioskError as error:
        return NOT_REACHED, str(error)
    try:
        answer = ask(folder, Asked.model_validate({"ask": action, "device": device}))
    except (OSError, ValidationError):
        return NOT_REACHED, f"no terminal runs on {folder}: start it, or run this as the account it runs as"
    lines = [answer.told] if answer.told else []
    lines += [line for seen in answer.devices for line in _described(seen)]
    return DONE if answer.is_done else NOT_DONE, "\n".join(lines or ["no device is configured"])


def ask(folder: Path, asked: Asked) -> Answer:
    """Raises `OSError` when nobody listens, `ValidationError` for a broken answer."""
    with address_in(folder) as address, socket.socket(socket.AF_UNIX) as line:
        line.settimeout(PATIENCE_SECONDS)
        line.connect(address)
        line.sendall(asked.model_dump_json().encode() + b"\n")
        received = bytearray()
        while len(received) <= ANSWER_BYTES and (part := line.recv(65536)):
            received += part
    return Answer.model_validate_json(bytes(received))


def _described(seen: Seen) -> list[str]:
    said = " ".join(seen.said.values())
    lines = [f"{seen.name}: {seen.status.device}, {seen.driver}" + (f", {said}" if said else "")]
    if seen.stranger:
        lines.append(f"  {seen.stranger}: put the right one back, or: python -m kiosk devices accept {seen.name}")
    for fault in seen.status.faults:
        words = fault_words(seen.driver.partition("/")[0], fault.code)
        sentence = f": {words.staff.in_language(Language.EN)}" if words else ""
        lines.append(f"  {fault.code} ({WHO[fault.action]}){sentence}")
    return lines
