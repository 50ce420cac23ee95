"""Every reader of bytes has met a bounded sample of damaged ones here, and a million of them in `make campaign`."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODEC_NAME = re.compile(r"(.*_)?(codec|frames|packets|apdu|replies|payload|text_block|channel|pnm|hid_keys)")
"""What a module that takes bytes apart is called."""
FURTHER = frozenset({"drivers.document_scanner.escl_status", "drivers.document_scanner.sane_facts"})
"""Modules that take bytes apart under another name."""
NOT_BYTES = frozenset({"drivers.code_scanner.frames"})
"""Pictures, which OpenCV takes apart."""


def modules() -> list[str]:
    found = {
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for file in (ROOT / "drivers").rglob("*.py")
        if CODEC_NAME.fullmatch(file.stem) and "simulator" not in file.parts
    }
    return sorted((found | FURTHER) - NOT_BYTES)


def fuzzed() -> dict[str, set[str]]:
    """Module → the fuzz tests that import it."""
    found: dict[str, set[str]] = {}
    for file in (ROOT / "tests" / "drivers").rglob("test_*_fuzz.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                    found.setdefault(name, set()).add(str(file))
    return found


@pytest.mark.parametrize("module", modules())
def test_a_codec_has_its_fuzz_test_and_its_campaign(module: str) -> None:
    files = fuzzed().get(module, set())
    assert files, f"{module}: write tests/drivers/<class>/test_<codec>_fuzz.py with tests.drivers.mutations"
    texts = [Path(file).read_text(encoding="utf-8") for file in files]
    assert any("pytest.mark.campaign" in text for text in texts), f"{module}: its fuzz test has no campaign"
    assert any("test_a_million" in text for text in texts), f"{module}: a campaign is a million frames"


def test_the_modules_are_there() -> None:
    found = modules()
    assert len(found) > 8
    for module in found:
        assert (ROOT / Path(*module.split("."))).with_suffix(".py").is_file(), f"{module} is gone: correct the list"
