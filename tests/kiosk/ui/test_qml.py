"""The QML files themselves: clean by the linter, plain text only, no raw sizes in a page, words that exist."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk.flow.screens import Screen
from kiosk.ui.drawing.pictures import read_icons
from kiosk.ui.engine import QML
from kiosk.ui.words import read_words

FILES = sorted(QML.rglob("*.qml"))
LINT = Path(sys.executable).parent / "pyside6-qmllint"


def test_there_is_something_to_check() -> None:
    assert len(FILES) > 35


def test_the_linter_has_nothing_to_say() -> None:
    done = subprocess.run([LINT, "-W", "0", "-I", QML, *FILES], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_linter_would_say_something(tmp_path: Path) -> None:
    broken = tmp_path / "Broken.qml"
    broken.write_text("import QtQuick\nItem { Text { text: nothingOfTheKind } }\n")
    done = subprocess.run([LINT, "-W", "0", "-I", QML, broken], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_page_keeps_the_house_rules(path: Path) -> None:
    source = path.read_text()
    assert len(source.splitlines()) <= 250
    if path.stem != "Label":
        assert not re.search(r"\bText \{", source), "use Label: it is always plain text"
        assert not re.search(r"pixelSize: \d", source), "sizes come from Theme, in millimetres"
    if path.parent.name in ("Pages", "Screens", "Sheets"):
        assert not re.search(r"\b(width|height|spacing|radius|x|y|anchors\.\w+Margin): \d{2,}", source)
    assert "RichText" not in source


def test_a_label_is_plain_text() -> None:
    assert "textFormat: Text.PlainText" in (QML / "Kiosk" / "Controls" / "Label.qml").read_text()


def test_every_word_used_exists_and_every_word_is_used() -> None:
    used = {word for path in FILES for word in re.findall(r"Ui\.w\.(\w+)", path.read_text())}
    words = set(read_words())
    places = {word for word in words if word.startswith("place_")}
    assert used - words == set()
    assert words - used - places == set()


def test_places_in_a_sentence_are_the_same_in_every_language() -> None:
    for key, text in read_words().items():
        counts = {tuple(sorted(re.findall(r"%\d", each))) for each in (text.zh_cn, text.zh_tw, text.en)}
        assert len(counts) == 1, key


def test_a_word_without_all_languages_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "words.json"
    table.write_text(json.dumps({"help": {"zh-CN": "帮助", "en": "Help"}}))
    with pytest.raises(ValueError, match="zh-TW"):
        read_words(table)


def test_every_icon_named_in_a_page_is_drawn() -> None:
    icons = read_icons()
    named = {name for path in FILES for name in re.findall(r'(?:icon|name): "([a-z_0-9]+)"', path.read_text())}
    assert len(named) > 20
    assert named - set(icons) == set()


def test_every_kind_of_screen_has_its_file() -> None:
    for kind in Screen.__args__:  # type: ignore[attr-defined]
        assert (QML / "Kiosk" / "Screens" / f"{kind.__name__}.qml").is_file()
