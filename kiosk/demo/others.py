"""The devices no citizen of the demonstration needs: which there are, and how machine.toml names them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

SHOWN = ("id_card_reader/sdt", "face_matcher/dlib", "receipt_printer/escpos", "document_printer/ipp",
         "document_scanner/document_camera")  # fmt: skip
"""What the demonstration's terminal has from the beginning."""
THE_SCREEN = "signature_pad/touchscreen"
"""A device of the demonstration's terminal as well: the glass itself, with nothing on another end."""
ONE_CAMERA = frozenset({"face_camera", "face_matcher"})
"""Classes that look through the same camera: the face check's process holds it."""
NO_WIRE = frozenset({"code_scanner/hid"})
"""Its peer is seen only by processes that were started inside its test bed."""
FURTHER: dict[str, dict[str, str]] = {"payment_terminal/zvt": {"state_path": "{data}/payment_terminal.json"}}
"""What a driver is told besides its address; {data} is the terminal's own folder."""


WRITERS: dict[str, tuple[str, str]] = {
    "permit": ("card_rewriter/serial_rewriter", "port"),
    "social_security": ("smart_card_reader/pcsc", "reader"),
}
"""What writes each kind of card: its driver, and the option that is its address."""
MATTERS = Path(__file__).parents[2] / "assets" / "matters"


def writers() -> dict[str, tuple[str, str]]:
    """Name in machine.toml → driver and option of the devices that write the cards of this catalogue's matters."""
    texts = [file.read_text(encoding="utf-8") for file in MATTERS.glob("*/*/matter.yaml")]
    wanted = [text for text in texts if "kind: write_card" in text]
    return {
        driver.partition("/")[0]: (driver, option)
        for card, (driver, option) in WRITERS.items()
        if any(f"card: {card}\n" in text for text in wanted)
    }


def others(simulated: Iterable[str]) -> dict[str, str]:
    """Name in machine.toml → driver: the class's own name, numbered where the class has been named before."""
    named = {driver.partition("/")[0]: 1 for driver in (*SHOWN, THE_SCREEN)}
    found = {}
    for driver in simulated:
        device_class = driver.partition("/")[0]
        if driver in (*SHOWN, THE_SCREEN) or driver in NO_WIRE or device_class in ONE_CAMERA:
            continue
        named[device_class] = number = named.get(device_class, 0) + 1
        found[device_class if number == 1 else f"{device_class}_{number}"] = driver
    return found


def section(name: str, driver: str, option: str | None, address: str, data: str) -> str:
    """A device of machine.toml; `option` is what its driver calls the address."""
    options = (
        {"driver": driver}
        | ({option: address} if option else {})
        | {key: value.replace("{data}", data) for key, value in FURTHER.get(driver, {}).items()}
    )
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in options.items()]
    return "\n".join(["", f"[devices.{name}]", *lines, ""])
