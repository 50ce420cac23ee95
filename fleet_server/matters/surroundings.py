"""What an author names that lies outside the matter: the icon it is drawn with, the door it stands behind."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from kiosk.contracts.errors import MatterInvalid
from kiosk.contracts.matter import Matter
from kiosk.contracts.yaml_marks import read_marked

ASSETS = Path(__file__).resolve().parents[2] / "assets"
ICONS = "assets/theme/icons.svg"
WORDS = "assets/i18n/flow.yaml"


def icon_names() -> list[str]:
    return re.findall(r'<g id="(\w+)"', (ASSETS / "theme" / "icons.svg").read_text(encoding="utf-8"))


def door_names() -> list[str]:
    return re.findall(r"^  life_(\w+):", (ASSETS / "i18n" / "flow.yaml").read_text(encoding="utf-8"), re.MULTILINE)


def refuse_unknown_names(matter: Matter, file: Path) -> None:
    """Raises `MatterInvalid` for an icon nobody drew and a life event without a door, with lines and cures."""
    found = []
    icons, doors = icon_names(), door_names()
    if matter.icon not in icons:
        found.append(("icon", f"no icon is called {matter.icon!r}: {_instead(matter.icon, icons, ICONS)}"))
    if matter.life_event not in doors:
        where = f"{WORDS}, words life_…"
        found.append(
            ("life_event", f"no door is called {matter.life_event!r}: {_instead(matter.life_event, doors, where)}")
        )
    if found:
        marked = read_marked(file.read_text(encoding="utf-8"))
        raise MatterInvalid(str(file), [(path, marked.line_of(path), message) for path, message in found])


def _instead(name: str, known: list[str], where: str) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}? All of them: {where}" if near else f"take one of {where}"
