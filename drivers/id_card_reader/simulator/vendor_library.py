"""Builds the library of `vendor_library.c` and plays the world around it: cards, misfortunes, what was called."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from drivers.errors import DeviceAbsent
from drivers.id_card_reader.simulator.cards import SampleCard

SOURCE = Path(__file__).with_name("vendor_library.c")
BUILD_SECONDS = 60


@dataclass(frozen=True)
class Vendor:
    family: str
    library: Path
    folder: Path

    @property
    def address(self) -> str:
        """As machine.toml states a library that may be loaded."""
        return f"{self.library}#sha256={hashlib.sha256(self.library.read_bytes()).hexdigest()}"

    def place(self, card: SampleCard, addresses: bytes | None = None) -> None:
        """Whole or not at all: the library may look at any moment."""
        told = addresses if addresses is not None else card.new_address
        if told:
            (self.folder / "address").write_bytes(told)
        else:
            (self.folder / "address").unlink(missing_ok=True)
        new = self.folder / "card.new"
        new.write_bytes(card.text + card.photo)
        new.rename(self.folder / "card")

    def remove(self) -> None:
        (self.folder / "card").unlink(missing_ok=True)

    def befall(self, *knobs: str) -> None:
        new = self.folder / "knobs.new"
        new.write_text("".join(f"{knob} 0\n" if len(knob.split()) == 2 else f"{knob}\n" for knob in knobs))
        new.rename(self.folder / "knobs")

    def calls(self) -> list[str]:
        log = self.folder / "calls"
        return log.read_text().split() if log.exists() else []


def build(folder: Path, family: str, *defines: str, beside: tuple[Path, ...] = (), name: str = "") -> Vendor:
    """Raises `DeviceAbsent` (`library_missing`) where there is no C compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise DeviceAbsent("the vendor's library is built here: install gcc", "library_missing")
    library = folder / (name or f"lib{family}.so")
    subprocess.run(
        [
            compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", f'-DFOLDER="{folder}"',
            f"-D{family.upper()}", *(f"-D{define}" for define in defines), "-o", str(library), str(SOURCE),
            f"-Wl,-soname,{library.name}", *(str(other) for other in beside),
        ],
        check=True, timeout=BUILD_SECONDS, capture_output=True,
    )  # fmt: skip
    return Vendor(family, library, folder)
