"""What `matter check` says of a matter where it lies: every mistake with file, line and cure, and never a traceback."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fleet_server.__main__ import main
from fleet_server.matters.begin import begin_matter

ASSETS = Path(__file__).parents[3] / "assets"
PAPER = ASSETS / "matters" / "natural_resources" / "no_house_certificate" / "templates" / "document.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "samples" / "park_pass"
    begin_matter(folder)
    return folder


def checked(capsys: pytest.CaptureFixture[str], path: Path) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["matter", "check", str(path)])
    said = capsys.readouterr()
    assert said.err == ""
    return code, said.out


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (("id: park_pass", "id: pork_pass"), "id:", ["'park_pass'", "one name"]),
        (("department: samples", "department: simples"), "department:", ["'samples'", "one name"]),
        (('region: "350200"', 'region: "350299"'), "region:", ["no area has the code", "authoring/regions.yaml"]),
        (("icon: document", "icon: documnet"), "icon:", ["did you mean 'document'"]),
        (("life_event: certificate", "life_event: certifcate"), "life_event:", ["did you mean 'certificate'"]),
        (("sources: [card.name,", "sources: [certificate.residence_permit.adress,"), "  - id: form",
         ["residence_permit does not carry 'adress'", "address"]),
    ],
)  # fmt: skip
def test_a_name_that_is_nowhere_is_told_with_its_line(
    folder: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], line: str, words: list[str]
) -> None:
    good, bad = change
    file = folder / "matter.yaml"
    text = file.read_text(encoding="utf-8")
    assert good in text
    file.write_text(text.replace(good, bad, 1), encoding="utf-8")
    number = next(at for at, said in enumerate(file.read_text(encoding="utf-8").splitlines(), 1) if line in said)
    code, said = checked(capsys, folder)
    assert code == 1
    assert f"{file}:{number}: " in said
    assert all(word in said for word in words), said


def test_what_is_free_takes_no_money(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paid = ASSETS / "matters" / "public_security" / "identity_card_replacement" / "matter.yaml"
    text = paid.read_text(encoding="utf-8").replace("工本费 40 元,", "免费,", 1)
    folder = folder.parents[1] / "public_security" / "identity_card_replacement"
    folder.mkdir(parents=True)
    (folder / "matter.yaml").write_text(text, encoding="utf-8")
    code, said = checked(capsys, folder)
    assert code == 1
    assert "guide.fee: says it is free of charge" in said


def test_what_is_known_and_handed_in_is_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = ASSETS / "matters" / "data_administration" / "cross_region_application" / "matter.yaml"
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    folder = folder.parents[1] / "data_administration" / "cross_region_application"
    folder.mkdir(parents=True)
    kept = [line for line in lines if 'value: "{answer.address}"' not in line]
    assert len(kept) == len(lines) - 1
    for text, code in ((lines, 0), (kept, 1)):
        (folder / "matter.yaml").write_text("".join(text), encoding="utf-8")
        found, said = checked(capsys, folder)
        assert found == code
        assert ("answer.address is handed in and was never shown" in said) is bool(code)


def test_a_code_is_one_matters_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = folder.with_name("second_pass")
    shutil.copytree(folder, other)
    text = (other / "matter.yaml").read_text(encoding="utf-8")
    (other / "matter.yaml").write_text(text.replace("id: park_pass", "id: second_pass"), encoding="utf-8")
    code, said = checked(capsys, other)
    assert code == 1
    assert "'park_pass' has the code" in said


def _gbk(file: Path) -> None:
    file.write_bytes(file.read_text(encoding="utf-8").encode("gbk", "replace"))


def _misspelt(file: Path) -> None:
    file.rename(file.with_name("matter.yml"))


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _nul(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"version", b"ver\0sion"))


def _bomb(file: Path) -> None:
    file.write_text("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(_gbk, "save the file as UTF-8"), (_misspelt, "holds no matter.yaml"), (_folder, "correct the path"),
     (_nul, "U+0000"), (_bomb, "write the text out"), (Path.unlink, "holds no matter.yaml")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], None], words: str
) -> None:
    spoil(folder / "matter.yaml")
    code, said = checked(capsys, folder)
    assert code == 1
    assert words in said
    assert str(folder) in said


def test_a_path_that_leads_nowhere_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert checked(capsys, tmp_path) == (1, f"{tmp_path}: holds no matter.yaml: give a matter's folder, or begin one "
                                            "with `matter new`\n")  # fmt: skip
    code, said = checked(capsys, tmp_path / "none")
    assert code == 1
    assert "correct the path" in said


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_another_editors_habits_do_no_harm(folder: Path, capsys: pytest.CaptureFixture[str], mark: bytes) -> None:
    file = folder / "matter.yaml"
    file.write_bytes(mark + file.read_bytes().replace(b"\n", b"\r\n"))
    assert checked(capsys, folder)[0] == 0


@pytest.mark.parametrize(
    ("good", "bad", "words"),
    [
        ("{name}", "{name", "a brace stands alone"),
        ("seal_line:", "seal_lines:", "did you mean 'seal_line'"),
        ("kind:", "template: grand.typ\nkind:", "no 'grand.typ'"),
        ("paragraphs:", "paragraphs: [", "not YAML"),
    ],
)
def test_a_paper_that_cannot_be_set_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], good: str, bad: str, words: str
) -> None:
    paper = folder / "templates" / "document.yaml"
    paper.parent.mkdir()
    text = PAPER.read_text(encoding="utf-8")
    paper.write_text(text, encoding="utf-8")
    assert checked(capsys, folder)[0] == 0
    paper.write_text(text.replace(good, bad, 1), encoding="utf-8")
    code, said = checked(capsys, folder)
    assert code == 1
    assert f"{paper}:" in said
    assert words in said
