"""The page "A matter in ten minutes", followed to the letter as a newcomer would: each listing and command in order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from fleet_server.__main__ import main as fleet_server
from fleet_server.matters.folder import load_file
from kiosk.contracts.scenario import load_scenario
from tests.fleet_server.gateway import test_scenarios
from tests.fleet_server.gateway.test_scenarios import House

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "assets" / "matters" / "TEN_MINUTES.md"
FOLDER = Path("assets/matters/civil_affairs/park_pass")
BLOCK = re.compile(r"^```(\w+)[ ]?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

house = test_scenarios.house


class Newcomer:
    """A person with an empty folder and the page."""

    def __init__(self, folder: Path, house: House, said: pytest.CaptureFixture[str]) -> None:
        self._folder, self._house, self._said = folder, house, said
        self.scenarios_run = 0

    def follow(self, kind: str, title: str, text: str) -> None:
        match kind, title.split():
            case "console", []:
                for command, expected in re.findall(r"^\$ ([^\n]+)\n((?:(?!\$ )[^\n]*\n)*)", text, re.MULTILINE):
                    self._type(command, expected)
            case "yaml", [name, "replace"]:
                file = self._folder / FOLDER / name
                before, _, after = text.partition("---\n")
                content = file.read_text(encoding="utf-8")
                before, after = (before.rstrip("\n"), after.rstrip("\n"))
                assert content.count(before) == 1, f"the page replaces what stands there once: {before}"
                file.write_text(content.replace(before, after), encoding="utf-8")
            case "yaml", [name]:
                (self._folder / FOLDER / name).write_text(text, encoding="utf-8")
            case _:
                raise AssertionError(f"nobody knows how to follow {kind} {title}")

    def _type(self, command: str, expected: str) -> None:
        words = shlex.split(command)
        if words[0] == "pytest":
            self._run_scenarios()
            return
        assert words[:3] == ["python", "-m", "fleet_server"]
        fleet_server(words[3:])
        said = self._said.readouterr().out
        pattern = ".*".join(re.escape(part) for part in expected.strip().split("…"))
        assert re.search(pattern, said, re.DOTALL), said

    def _run_scenarios(self) -> None:
        """What the command runs, on a house that stands already."""
        matter = load_file(self._folder / FOLDER / "matter.yaml")
        for file in sorted((self._folder / FOLDER).glob("scenarios/*.yaml")):
            scenario = load_scenario(file.read_text(encoding="utf-8"), file.name, matter)
            assert self._house.run(matter, scenario) == scenario.expect.model_dump()
            self.scenarios_run += 1


@pytest.fixture
def newcomer(
    tmp_path: Path, house: House, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Newcomer:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return Newcomer(tmp_path, house, capfd)


def test_the_page_can_be_followed_from_beginning_to_end(newcomer: Newcomer, tmp_path: Path) -> None:
    for kind, title, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        newcomer.follow(kind, title, text)
    assert newcomer.scenarios_run == 2
    for mode in ("standard", "elder"):
        pictures = sorted(file.name for file in (tmp_path / "build" / "preview" / mode).iterdir())
        assert any("questions-choose" in name for name in pictures), pictures
        assert any("form-form" in name for name in pictures), pictures


@pytest.mark.parametrize("place", ["Civil Affairs/pass", "civil_affairs/Pass", "civil_affairs/p"])
def test_a_bad_place_for_a_matter_is_refused_with_its_cure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    assert fleet_server(["matter", "new", str(tmp_path / place)]) == 1
    assert "small letters" in capsys.readouterr().err
    assert not (tmp_path / place).exists()


def test_a_matter_that_is_there_is_never_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "civil_affairs" / "park_pass"
    assert fleet_server(["matter", "new", str(folder)]) == 0
    (folder / "matter.yaml").write_text("mine", encoding="utf-8")
    assert fleet_server(["matter", "new", str(folder)]) == 1
    assert "is there already" in capsys.readouterr().err
    assert (folder / "matter.yaml").read_text(encoding="utf-8") == "mine"
