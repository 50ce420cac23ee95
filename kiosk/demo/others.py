"""The devices no citizen of the demonstration needs: which there are, and how machine.toml names them."""

from __future__ import annotations

import json
from collections.abc import Iterable

SHOWN = ("id_card_reader/sdt", "face_matcher/dlib", "receipt_printer/escpos", "document_printer/ipp",
         "document_scanner/document_camera")  # fmt: skip
"""What the demonstration's terminal has from the beginning."""
SAME_PEER = frozenset({"face_camera/uvc"})
"""Its camera is the face check's: one process holds both."""
FURTHER: dict[str, dict[str, object]] = {}
"""What a driver must be told besides its address."""


def others(simulated: Iterable[str]) -> dict[str, str]:
    """Name in machine.toml → driver: the class's own name, numbered where the class has been named before."""
    named = {driver.partition("/")[0]: 1 for driver in SHOWN}
    found = {}
    for driver in simulated:
        if driver in SHOWN or driver in SAME_PEER:
            continue
        device_class = driver.partition("/")[0]
        named[device_class] = number = named.get(device_class, 0) + 1
        found[device_class if number == 1 else f"{device_class}_{number}"] = driver
    return found


def section(name: str, driver: str, option: str | None, address: str) -> str:
    """A device of machine.toml; `option` is what its driver calls the address."""
    options = {"driver": driver} | ({option: address} if option else {}) | FURTHER.get(driver, {})
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in options.items()]
    return "\n".join(["", f"[devices.{name}]", *lines, ""])
