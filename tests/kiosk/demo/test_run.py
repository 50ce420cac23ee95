"""Where a demo may write, and how many citizens come."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.__main__ import main
from kiosk.demo.processes import DemoFailed
from kiosk.demo.run import fresh


def test_a_demo_clears_an_earlier_demos_folder_and_nobody_elses(tmp_path: Path) -> None:
    own, other = tmp_path / "build" / "demo", tmp_path / "home"
    fresh(own)
    (own / "server").mkdir()
    (own / "receipt.png").touch()
    (own / "notes.txt").touch()
    fresh(own)
    assert sorted(path.name for path in own.iterdir()) == ["notes.txt", "screens"]
    (other / "server").mkdir(parents=True)
    with pytest.raises(DemoFailed, match="something else than a demo"):
        fresh(other)
    assert (other / "server").exists()


@pytest.mark.parametrize("journeys", ["0", "-1", "x"])
def test_at_least_one_citizen_comes(journeys: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["demo", "--journeys", journeys])
    assert "--journeys" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["demo", "--out", str(tmp_path / "file" / "out")]) == 1
    assert "--out" in " ".join(capsys.readouterr().out.split())
