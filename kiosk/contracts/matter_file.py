"""From the text an author wrote to a `Matter`, or every mistake in it with path, line and cure (DESIGN 5).

Rules of sources, beyond the models' own:

  card.NAME             NAME is an item of the identity card; an `identify` step comes earlier
  certificate.TYPE.NAME a `collect_material` step asking for that certificate type comes earlier, or an earlier form
                        looked it up; a form field that names it as its source is such a look-up (type one of
                        CERTIFICATE_TYPES, holder identified before)
  service.STEP.NAME     a `call_service` step with that id comes earlier
  answer.FIELD          an earlier `fill_form` or `ask` step asks for that field, or the same form before;
                        a choice also gives answer.FIELD_label in words, and money (kept in fen) in yuan
  part.ID.NAME          in a package, after the parts' own steps: NAME is one of PART_NAMES
  material.STEP.NAME    a `collect_material` step with that id comes earlier; NAME is one of MATERIAL_NAMES
  transaction.NAME      NAME is one of TRANSACTION_NAMES
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from kiosk.contracts.compose import compose
from kiosk.contracts.errors import MatterInvalid
from kiosk.contracts.matter import Matter, MatterHead, Step
from kiosk.contracts.matter_rules import head_mistakes, part_mistakes, step_mistakes
from kiosk.contracts.package import PackageMatter
from kiosk.contracts.source_rules import PlacedStep, Unreadable
from kiosk.contracts.value import Contract
from kiosk.contracts.yaml_marks import Marked, Mistake, mistakes_of, read_marked

_STEP: TypeAdapter[Any] = TypeAdapter(Step)


def load_matter(text: str, file: str, *, members: Mapping[str, Matter] | None = None) -> Matter:
    """Parse one matter file. Raises `MatterInvalid` naming `file` and listing every mistake; does no I/O.

    A package is composed of `members`, the matters beside it by their id.
    """
    marked = read_marked(text)
    if marked.data is None:
        raise MatterInvalid(file, list(marked.mistakes))
    mistakes = list(marked.mistakes)
    matter: Matter | None = None
    if not isinstance(marked.data, dict):
        mistakes.append(Mistake("", 1, "a matter is a group of keys (id, code, title, steps …): write it so"))
    elif "package" in marked.data:
        matter = _composed(marked, members or {}, mistakes)
    else:
        try:
            matter = Matter.model_validate(marked.data)
        except ValidationError as error:
            told_below = [each for each in error.errors(include_url=False) if not _of_step_ids(each)]
            mistakes += mistakes_of(told_below, marked, _KNOWN_KEYS)
            mistakes += _located(step_mistakes(_readable_steps(marked.data)), marked)
        else:
            mistakes += _located(check_matter(matter), marked)
    if matter is None or mistakes:
        raise MatterInvalid(file, sorted(mistakes, key=lambda item: item[1]))
    return matter


def load_head(text: str, file: str) -> MatterHead:
    """What is said of a matter before its steps; of a package without its members. Raises `MatterInvalid`."""
    if not member_ids(text):
        return load_matter(text, file)
    marked = read_marked(text)
    try:
        return PackageMatter.model_validate(marked.data)
    except ValidationError as error:
        mistakes = mistakes_of(error.errors(include_url=False), marked, _KNOWN_KEYS)
        raise MatterInvalid(file, list(mistakes)) from None


def member_ids(text: str) -> tuple[str, ...]:
    """The matters a package is made of, in order; empty for any other matter, and for a file that cannot be read."""
    data = read_marked(text).data if "package" in text else None
    package = data.get("package") if isinstance(data, dict) else None
    parts = package.get("parts") if isinstance(package, dict) else None
    named = [part.get("matter") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    return tuple(id for id in named if isinstance(id, str))


def _composed(marked: Marked, members: Mapping[str, Matter], mistakes: list[Mistake]) -> Matter | None:
    """The package and its members as one matter; `mistakes` grows by what is wrong with it."""
    try:
        package = PackageMatter.model_validate(marked.data)
    except ValidationError as error:
        mistakes += mistakes_of(error.errors(include_url=False), marked, _KNOWN_KEYS)
        return None
    matter, found = compose(package, members)
    if matter is not None:
        found = [
            (_place_in_package(matter, path), _in_composed(path) + message) for path, message in check_matter(matter)
        ]
    mistakes += _located(found, marked)
    return matter


def _in_composed(path: str) -> str:
    return "" if path.startswith("package.") else f"{path} when composed: "


def _place_in_package(matter: Matter, path: str) -> str:
    """A mistake that shows only when the package is whole, at the line of the member it comes from."""
    if path.startswith("package."):
        return path
    index = path.removeprefix("steps[").partition("]")[0]
    parts = matter.steps[int(index)].parts if index.isdigit() else ()
    order = [part.id for part in matter.parts]
    return f"package.parts[{order.index(parts[0])}].matter" if parts else "package"


def check_matter(matter: Matter) -> list[tuple[str, str]]:
    """Every mistake of meaning in a well-formed matter as (path, message with its cure). Empty: it can be run."""
    placed: list[PlacedStep] = list(enumerate(matter.steps))
    parts = frozenset(part.id for part in matter.parts)
    found = head_mistakes(matter) + step_mistakes(placed, assurance=matter.assurance, parts=parts)
    return found + part_mistakes(matter)


def _located(found: list[tuple[str, str]], marked: Marked) -> list[Mistake]:
    return [Mistake(path, marked.line_of(path), message) for path, message in found]


def _of_step_ids(error: ErrorDetails) -> bool:
    """The rules of steps tell it too, with the line of the second one."""
    return error["loc"] == ("steps",) and error["type"] == "value_error"


def _readable_steps(data: dict[str, Any]) -> list[PlacedStep]:
    """The steps that can be read alone, so that mistakes of meaning in them are told in the same breath."""
    steps = data.get("steps")
    placed: list[PlacedStep] = []
    for index, raw in enumerate(steps if isinstance(steps, list) else []):
        try:
            placed.append((index, _STEP.validate_python(raw)))
        except ValidationError:
            known = raw if isinstance(raw, dict) else {}
            placed.append((index, Unreadable(id=str(known.get("id", "")), kind=str(known.get("kind", "")))))
    return placed


def _keys_of(model: type[Contract], seen: set[type[Contract]]) -> set[str]:
    keys: set[str] = set()
    if model in seen:
        return keys
    seen.add(model)
    for name, field in model.model_fields.items():
        keys.add(field.alias or name)
        for part in _models_in(field.annotation):
            keys |= _keys_of(part, seen)
    return keys


def _models_in(annotation: Any) -> list[type[Contract]]:
    if isinstance(annotation, type) and issubclass(annotation, Contract):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models_in(part)]


_KNOWN_KEYS = frozenset(_keys_of(Matter, set()) | _keys_of(PackageMatter, set()))
