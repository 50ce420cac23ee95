"""A matter where it lies: its folder, the icon, door and area it names, its papers and scenarios; said with lines and
cures."""

from __future__ import annotations

import difflib
import functools
import importlib.util
import re
import string
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from fleet_server.matters.folder import load_file, read_text
from kiosk.contracts.errors import MatterInvalid
from kiosk.contracts.matter import CallServiceStep, FillFormStep, Matter, PayStep, ReviewStep, SignStep, places_in
from kiosk.contracts.scenario import load_scenario
from kiosk.contracts.yaml_marks import Mistake, mistakes_of, read_marked

ASSETS = Path(__file__).resolve().parents[2] / "assets"
ICONS = "assets/theme/icons.svg"
WORDS = "assets/i18n/flow.yaml"
REGIONS = "assets/authoring/regions.yaml"
FILE = "matter.yaml"

_CODE = re.compile(r'^code: *"?([0-9A-Z]+)"?', re.MULTILINE)
_FREE = ("免费", "不收费", "无")
_CERTIFICATE = re.compile(r"\bcertificate\.(\w+)\.(\w+)")

Found = list[tuple[str, str]]
"""Path in the matter, and what is wrong there with its cure."""


def check_matters(paths: Iterable[Path], asked_in_vain: Callable[[Matter], Found]) -> tuple[list[str], bool]:
    """A line or more for every matter, and whether all are in order. Directories are searched for matter.yaml.

    `asked_in_vain` says what a matter asks of authorities that none of them offers.
    """
    said: list[str] = []
    good = True
    for path in paths:
        files = sorted(path.glob(f"**/{FILE}")) if path.is_dir() else [path]
        lost = _without_matter(path)
        said += [f"{folder}: holds no {FILE}: name the file so, or remove the folder" for folder in lost]
        if not files and not lost:
            said.append(f"{path}: holds no {FILE}: give a matter's folder, or begin one with `matter new`")
        good = good and bool(files) and not lost
        for file in files:
            try:
                matter = check_file(file, asked_in_vain)
            except MatterInvalid as error:
                said.append(str(error))
                good = False
            else:
                said.append(f"{file}: {matter.id} version {matter.version} is in order")
    return said, good


def check_file(file: Path, asked_in_vain: Callable[[Matter], Found]) -> Matter:
    """The matter, when it and everything in its folder is in order. Raises `MatterInvalid` with every mistake."""
    matter = load_file(file)
    found = name_mistakes(matter) + asked_in_vain(matter) + _place_mistakes(matter, file)
    marked = read_marked(read_text(file))
    mistakes = [(path, marked.line_of(path), message) for path, message in found]
    if mistakes:
        raise MatterInvalid(str(file), sorted(mistakes, key=lambda item: item[1]))
    for story in sorted(file.parent.glob("scenarios/*.yaml")):
        load_scenario(read_text(story), str(story), matter)
    for paper in sorted(file.parent.glob("templates/*.yaml")):
        _refuse_bad_paper(paper)
    return matter


def name_mistakes(matter: Matter) -> Found:
    """What the matter names that is nowhere: an icon nobody drew, a door, an area, an item of a certificate."""
    found: Found = []
    icons, doors, regions = icon_names(), door_names(), region_names()
    if matter.icon not in icons:
        found.append(("icon", f"no icon is called {matter.icon!r}: {_instead(matter.icon, icons, ICONS)}"))
    if matter.life_event not in doors:
        where = f"{WORDS}, words life_…"
        cure = _instead(matter.life_event, doors, where)
        found.append(("life_event", f"no door is called {matter.life_event!r}: {cure}"))
    if matter.region not in regions:
        cure = _instead(matter.region, regions, REGIONS)
        found.append(("region", f"no area has the code {matter.region!r}: {cure}"))
    fee = matter.guide.fee
    is_free = fee.zh_cn.rstrip("。") in _FREE or fee.en.rstrip(".").lower() in ("free", "free of charge")
    if is_free and any(isinstance(step, PayStep) for step in matter.steps):
        found.append(("guide.fee", "says it is free of charge, and a step takes money: say what it costs"))
    return found + _certificate_mistakes(matter) + _unseen_values(matter)


def icon_names() -> list[str]:
    return re.findall(r'<g id="(\w+)"', (ASSETS / "theme" / "icons.svg").read_text(encoding="utf-8"))


def door_names() -> list[str]:
    return re.findall(r"^  life_(\w+):", (ASSETS / "i18n" / "flow.yaml").read_text(encoding="utf-8"), re.MULTILINE)


@functools.cache
def region_names() -> tuple[str, ...]:
    return tuple(code for group in _yaml(ASSETS / "authoring" / "regions.yaml").values() for code in group)


# --- the folder ----------------------------------------------------------------------------------------------------


def _place_mistakes(matter: Matter, file: Path) -> Found:
    """The folder says the department and the id; a code is one matter's alone."""
    folder = file.resolve().parent
    if file.name != FILE:
        return []
    found: Found = []
    if folder.name != matter.id:
        found.append(("id", f"{matter.id!r} lies in the folder {folder.name!r}: give both one name"))
    if folder.parent.name != matter.department:
        message = f"{matter.department!r} lies in the folder {folder.parent.name!r}: give both one name"
        found.append(("department", message))
    for other in sorted(folder.parents[1].glob(f"*/*/{FILE}")):
        code = _CODE.search(other.read_text(encoding="utf-8", errors="replace")) if other.parent != folder else None
        if code is not None and code.group(1) == matter.code:
            found.append(("code", f"{other.parent.name!r} has the code {matter.code} already: give this one its own"))
    return found


def _without_matter(path: Path) -> list[Path]:
    """Folders that an author filled and that hold no matter: a misspelt file would be passed over in silence."""
    named = {"scenarios", "templates"}
    filled = {file.parent for file in path.glob("**/*.y*ml")} if path.is_dir() else set()
    return sorted(
        folder
        for folder in {folder.parent if folder.name in named else folder for folder in filled}
        if not (folder / FILE).is_file()
    )


def _unseen_values(matter: Matter) -> Found:
    """What a source gave in a form and an authority is handed must stand in a review: there it can be contested."""
    reviews = [step for step in matter.steps if isinstance(step, ReviewStep | SignStep)]
    if matter.parts or not reviews:
        return []
    shown = {place.removesuffix("_label") for step in reviews for each in step.show for place in places_in(each.value)}
    shown |= {place for step in reviews if isinstance(step, SignStep) for place in places_in(step.text.zh_cn)}
    sourced = {
        f"answer.{field.id}"
        for step in matter.steps
        if isinstance(step, FillFormStep)
        for field in step.fields
        if field.sources
    }
    submits = [step for step in matter.steps if isinstance(step, CallServiceStep) and step.effect == "submit"]
    sent = {value.removesuffix("_label") for step in submits for value in step.send.values()}
    place = f"steps[{matter.steps.index(reviews[0])}].show"
    return [
        (place, f"{source} is handed in and was never shown: show it, so that it can be contested")
        for source in sorted(sent & sourced - shown)
    ]


# --- papers and certificates -----------------------------------------------------------------------------------------


@functools.cache
def _certificate_items() -> dict[str, frozenset[str]]:
    """What a certificate of each type carries; empty where no library is described."""
    file = ASSETS / "samples" / "certificate_types.yaml"
    types = _yaml(file)["types"] if file.exists() else {}
    return {name: frozenset(described["fields"]) | {"identifier"} for name, described in types.items()}


def _certificate_mistakes(matter: Matter) -> Found:
    found: Found = []
    for index, step in enumerate(matter.steps):
        for type_, item in sorted(set(_CERTIFICATE.findall(step.model_dump_json()))):
            items = _certificate_items().get(type_)
            if items is not None and item not in items:
                cure = f"take one of {', '.join(sorted(items))}"
                found.append((f"steps[{index}]", f"a {type_} does not carry {item!r}: {cure}"))
    return found


def _refuse_bad_paper(file: Path) -> None:
    """Raises `MatterInvalid` for a paper the stand-in city could not set. Passed over where it is not installed."""
    if importlib.util.find_spec("fleet_server.sandbox") is None:
        return
    paper: Any = importlib.import_module("fleet_server.sandbox.documents").DocumentTemplate
    marked = read_marked(read_text(file))
    mistakes = list(marked.mistakes)
    try:
        paper.model_validate(marked.data)
    except ValidationError as error:
        if marked.data is not None:
            mistakes += mistakes_of(error.errors(include_url=False), marked, frozenset(paper.model_fields))
    else:
        mistakes += [Mistake(path, marked.line_of(path), said) for path, said in _paper_mistakes(marked.data)]
    if mistakes:
        raise MatterInvalid(str(file), list(mistakes))


def _paper_mistakes(data: dict[str, Any]) -> Found:
    layout = data.get("template", "certificate.typ")
    found: Found = []
    if not (ASSETS / "templates" / layout).is_file():
        found.append(("template", f"assets/templates has no {layout!r}: take certificate.typ, or add the layout"))
    lines = [(f"{name}[{at}]", line) for name in ("paragraphs", "notes") for at, line in enumerate(data.get(name, ()))]
    lines += [(f"facts[{at}]", fact[1]) for at, fact in enumerate(data.get("facts", ()))]
    for path, text in [*lines, ("number", data["number"])]:
        try:
            list(string.Formatter().parse(text))
        except ValueError:
            found.append((path, "a brace stands alone: write a place as {name}"))
    return found


def _yaml(file: Path) -> Any:
    return yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def _instead(name: str, known: Iterable[str], where: str) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]!r}? All of them: {where}" if near else f"take one of {where}"
