"""The repository is the house the owner fixed: folders, sizes, nothing of this or that machine, no real person."""

from __future__ import annotations

import ast
import datetime as dt
import re
import subprocess
from pathlib import Path

import pytest

from kiosk.contracts.value import is_identity_number

ROOT = Path(__file__).parents[2]
TOP = {"kiosk", "drivers", "fleet_server", "assets", "packaging", "tests", ".ci"}
LONGEST_FILE = 400
LONGEST_QML = 250
LONGEST_FUNCTION = 60
FULLEST_FOLDER = 12
CROWDED_FOR_A_REASON = {
    "drivers": "one room for each device class",
    "fleet_server": "the rooms and root pages its layout draws",
    "kiosk/contracts": "one page for each part of the language both programs speak",
    "tests/drivers": "one room for each device class",
}
NOT_COUNTED = {"README.md", "__init__.py", "__main__.py", "qmldir"}
INVENTED_BORN_BEFORE = "1911"


def tracked(*patterns: str) -> list[Path]:
    """Files git knows or would take, as they are now."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=30,
    ).stdout.split("\n")  # fmt: skip
    found = [ROOT / name for name in listed if name and (ROOT / name).is_file()]
    assert found, f"saw no file for {patterns}: the check looks in the wrong place"
    return found


def product_code() -> list[Path]:
    return [file for file in tracked("kiosk/*.py", "drivers/*.py", "fleet_server/*.py") if "versions" not in file.parts]


def test_only_the_fixed_folders_stand_at_the_top() -> None:
    assert {file.relative_to(ROOT).parts[0] for file in tracked() if len(file.relative_to(ROOT).parts) > 1} <= TOP


def test_packages_that_must_stay_empty() -> None:
    assert not (ROOT / "packaging" / "__init__.py").exists(), "it would hide the library of that name: delete it"
    assert (ROOT / "kiosk" / "__init__.py").read_text() == "", "the server imports kiosk.contracts: keep it empty"


def test_files_are_short() -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for file in product_code()
        if (lines := len(file.read_text().splitlines())) > LONGEST_FILE
    }
    assert not long, f"split these files: {long}"
    long = {
        str(file.relative_to(ROOT)): lines
        for file in tracked("*.qml")
        if (lines := len(file.read_text().splitlines())) > LONGEST_QML
    }
    assert not long, f"split these pages: {long}"


def test_functions_are_short() -> None:
    long = []
    for file in product_code():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    long.append(f"{file.relative_to(ROOT)}:{node.name} ({lines})")
    assert not long, f"split these functions: {long}"


def test_folders_are_not_crowded() -> None:
    entries: dict[Path, set[str]] = {}
    for file in [*product_code(), *tracked("*.qml")]:
        here = file
        while here.parent != ROOT:
            entries.setdefault(here.parent, set()).add(here.name)
            here = here.parent
    crowded = {
        str(folder.relative_to(ROOT)): len(names - NOT_COUNTED)
        for folder, names in entries.items()
        if len(names - NOT_COUNTED) > FULLEST_FOLDER and str(folder.relative_to(ROOT)) not in CROWDED_FOR_A_REASON
    }
    assert not crowded, f"more than {FULLEST_FOLDER} entries: {crowded}"


def test_no_registry_address_and_no_path_of_a_machine() -> None:
    address = re.compile(r"https?://[^\s\"']+(?:\.whl|\.tar\.gz|\.tgz|\.deb|/simple/?)(?:[\"'\s]|$)")
    here = re.compile(rf"(?<![\w.:/-]){re.escape(str(ROOT))}(?![\w-])")
    for file in tracked():
        try:
            content = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        name = file.relative_to(ROOT)
        assert not address.search(content), f"{name}: a package registry's address"
        assert not here.search(content), f"{name}: a path of this machine"
    assert not (ROOT / "uv.lock").exists()


def test_nobody_real_stands_in_the_repository() -> None:
    seen = 0
    for file in tracked():
        try:
            content = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number in re.findall(r"(?<![0-9A-Za-z])\d{17}[\dX](?![0-9A-Za-z])", content):
            if is_identity_number(number, dt.date.max):
                seen += 1
                born = number[6:10]
                assert born < INVENTED_BORN_BEFORE, f"{file.relative_to(ROOT)}: {number} could be a living person's"
    assert seen > 5


@pytest.mark.parametrize(
    "file", ["README.md", "pyproject.toml", "Makefile", "requirements.lock", "LICENSE", "CHANGELOG.md"]
)
def test_the_root_holds_what_it_must(file: str) -> None:
    assert (ROOT / file).is_file()


def test_locked_requirements_carry_hashes_and_the_right_libraries() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "pyside6-essentials==6.11.3" in lock
    assert "--hash=sha256:" in lock
    for unwanted in ("\npyside6==", "\npyside6-addons", "\nescpos==", "\npycups", "\npymupdf"):
        assert unwanted not in lock.lower(), f"{unwanted.strip()} must not be a requirement"
