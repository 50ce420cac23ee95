"""A third party's driver package on the path of the device processes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ENTRY_POINTS = """[yizhan.drivers]
id_card_reader/misbehaving = misbehaving_drivers:Reader
id_card_reader/slow_to_load = misbehaving_drivers:SlowToLoad
receipt_printer/misbehaving = misbehaving_drivers:Printer
document_printer/misbehaving = misbehaving_drivers:PagePrinter
document_scanner/misbehaving = misbehaving_drivers:Scanner
id_card_reader/without_library = driver_of_a_library_not_installed:Reader
id_card_reader/sdt = misbehaving_drivers:Reader
"""


@pytest.fixture
def driver_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    information = folder / "misbehaving_drivers-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: misbehaving-drivers\nVersion: 1.0\nSummary: Bad\n"
    )
    (information / "entry_points.txt").write_text(ENTRY_POINTS)
    shutil.copy(Path(__file__).parent / "host" / "misbehaving.py", folder / "misbehaving_drivers.py")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]))
    return folder
