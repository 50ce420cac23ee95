"""The schemas authors' editors use are those of the contracts."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.contracts.schema import SCHEMAS, main, schema_text

SCHEMA_FILES = Path(__file__).parents[3] / "assets" / "schemas"


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schema_file_is_fresh(name: str) -> None:
    written = (SCHEMA_FILES / f"{name}.schema.json").read_text(encoding="utf-8")
    assert written == schema_text(name), f"stale: run python -m kiosk.contracts.schema {name} > assets/schemas/…"


def test_an_unknown_name_is_answered_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nothing"]) == 2
    assert "matter" in capsys.readouterr().err
