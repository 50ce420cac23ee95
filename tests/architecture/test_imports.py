"""The import laws hold, and each is broken by the import it forbids."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("drivers", "kiosk", "fleet_server")

PROVOCATIONS = {
    "Inside kiosk, imports go down": ("kiosk/machine/provoked.py", "import kiosk.flow.stage"),
    "Inside drivers, imports go down and device classes do not know one another": (
        "drivers/id_card_reader/provoked.py",
        "import drivers.receipt_printer.escpos",
    ),
    "Inside fleet_server, imports go down": (
        "fleet_server/security/provoked.py",
        "import fleet_server.terminals.service",
    ),
    "Drivers stand on nothing of ours": ("drivers/provoked.py", "import kiosk.contracts.value"),
    "The server sees of the kiosk only the contracts": (
        "fleet_server/staff/provoked.py",
        "import kiosk.machine.settings",
    ),
    "The terminal never carries the server or its libraries": ("kiosk/machine/provoked.py", "import fastapi"),
    "Qt stays in kiosk.ui": ("kiosk/flow/provoked.py", "import PySide6.QtCore"),
    "Contracts, messages and errors touch no I/O": ("kiosk/contracts/provoked.py", "import sqlite3"),
    "Contracts take only messages from drivers": ("kiosk/contracts/provoked.py", "import drivers.protocols"),
    "Screen and server never touch drivers directly": ("kiosk/ui/provoked.py", "import drivers.messages"),
    "The flow speaks no HTTP and no SQL": ("kiosk/flow/provoked.py", "import httpx"),
}


def lint(root: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    arguments = [part for contract in contracts for part in ("--contract", contract)]
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", *arguments],
        cwd=root, capture_output=True, text=True, check=False, timeout=100,
        env=os.environ | {"PYTHONPATH": str(root), "COLUMNS": "200"},
    )  # fmt: skip


def test_the_house_keeps_its_laws() -> None:
    found = lint(ROOT)
    assert found.returncode == 0, found.stdout
    assert f"Contracts: {len(PROVOCATIONS)} kept" in found.stdout


def test_every_law_is_provoked_below() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert {contract["name"] for contract in contracts} == set(PROVOCATIONS)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("house")
    for room in ROOMS:
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


@pytest.mark.parametrize("law", list(PROVOCATIONS))
def test_a_law_breaks_when_provoked(law: str, house: Path) -> None:
    path, line = PROVOCATIONS[law]
    file = house / path
    file.write_text(line + "\n")
    try:
        found = lint(house)
    finally:
        file.unlink()
    assert found.returncode == 1, found.stdout + found.stderr
    assert f"{law} BROKEN" in found.stdout, found.stdout
