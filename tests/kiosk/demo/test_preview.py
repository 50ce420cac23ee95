"""What an author's preview walks through, and what it says where it cannot go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet_server.matters.folder import load_file
from kiosk.demo.preview import rehearsed, stuck_at

MATTERS = Path(__file__).parents[3] / "assets" / "matters"


def walked(folder: Path, scenario: Path, tmp_path: Path) -> list[str]:
    """Where each walk stuck; empty for one that came to its end."""
    file = tmp_path / "matter.json"
    file.write_text(load_file(folder / "matter.yaml").model_dump_json(by_alias=True, exclude_none=True), "utf-8")
    return [stuck_at(views) for _, views in rehearsed(file, scenario, "zh-CN")]


@pytest.mark.parametrize("name", ["civil_affairs/marriage_appointment", "data_administration/cross_region_application"])
def test_what_a_made_up_authority_does_not_offer_is_no_obstacle(name: str, tmp_path: Path) -> None:
    folder = MATTERS / name
    assert walked(folder, folder / "scenarios" / "happy.yaml", tmp_path) == ["", ""]


def test_an_entry_that_is_refused_is_told_with_its_field(tmp_path: Path) -> None:
    folder = MATTERS / "civil_affairs" / "marriage_appointment"
    text = (folder / "scenarios" / "happy.yaml").read_text(encoding="utf-8")
    scenario = tmp_path / "happy.yaml"
    scenario.write_text(text.replace("partner_id_number: ", "partner_id_number: 1"), encoding="utf-8")
    assert scenario.read_text(encoding="utf-8") != text
    for said in walked(folder, scenario, tmp_path):
        assert "step form, partner_id_number: " in said
        assert "scenarios/happy.yaml" in said
