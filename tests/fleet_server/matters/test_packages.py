"""A package is published whole: what the terminal gets is composed of its members and signed by two people."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet_server.matters import reading, service
from fleet_server.matters.folder import load_file, members_first
from kiosk.contracts.bundle import read_matter
from kiosk.contracts.errors import MatterInvalid
from kiosk.contracts.value import Language
from tests.fleet_server.conftest import MATTER as FILE
from tests.fleet_server.conftest import PASSWORD, World
from tests.fleet_server.matters.test_publishing import MATTER, Terminal, review

OTHER = "other_matter"


def package(text: str) -> str:
    head = text.partition("\nsteps:")[0].replace(f"id: {MATTER}", "id: both_at_once")
    return f"{head}\npackage:\n  parts:\n    - {{matter: {MATTER}}}\n    - {{matter: {OTHER}}}\n"


def other(text: str) -> str:
    return text.replace(f"id: {MATTER}", f"id: {OTHER}")


def test_what_a_terminal_gets_is_the_whole_package(world: World, tmp_path: Path) -> None:
    terminal = Terminal(world, tmp_path / "terminal")
    drafts = [world.draft(2), world.draft(2, change=other), world.draft(2, change=package)]
    with world.database.writing() as session:
        number = service.submit(session, world.app.state.repository, drafts, by="author", password=PASSWORD).id or 0
    review(world, number, "reviewer")
    with world.database.reading() as session:
        bundle = terminal.bundle(service.submissions(session)[0].bundle)
        titles = reading.titles(session, Language.ZH_CN)
    reference = next(each for each in bundle.matters if each.id == "both_at_once")
    matter = read_matter(terminal.fetch(reference.path), reference)
    assert [part.id for part in matter.parts] == [MATTER, OTHER]
    assert {step.kind for step in matter.steps} == set(reference.step_kinds)
    assert set(titles) == {MATTER, OTHER, "both_at_once"}


def test_a_package_takes_its_members_from_what_is_published(world: World) -> None:
    world.publish(2)
    with pytest.raises(MatterInvalid) as refused:
        world.draft(2, change=package)
    assert f"no matter has the id '{OTHER}'" in str(refused.value)
    world.draft(2, change=other)
    assert world.draft(2, change=package)


def test_a_folder_of_matters_is_read_with_its_packages(tmp_path: Path) -> None:
    text = FILE.read_text(encoding="utf-8")
    for id, made in ((MATTER, text), (OTHER, other(text)), ("a_package", package(text))):
        file = tmp_path / "natural_resources" / id / "matter.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(made, encoding="utf-8")
    files = members_first(tmp_path.glob("*/*/matter.yaml"))
    assert [file.parent.name for file in files] == [MATTER, OTHER, "a_package"]
    assert len(load_file(files[-1]).parts) == 2
    files[1].write_text("id: [broken", encoding="utf-8")
    with pytest.raises(MatterInvalid) as refused:
        load_file(files[-1])
    assert OTHER in refused.value.file, "a member's mistake is told in the member's file"
