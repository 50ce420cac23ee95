"""YAML with the line of every value, for files that people write: matters, scenarios, connectors.

Plain YAML only: one document, no anchors, no tags, no twice-given key, bounded size and depth. A value without quotes
that looks like a date stays text; `yes`, `no`, numbers and nothing keep their YAML meaning. Blanks are no
text.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple

import yaml
from pydantic_core import ErrorDetails

MAXIMUM_CHARACTERS = 512 * 1024
MAXIMUM_DEPTH = 24


class Mistake(NamedTuple):
    """One mistake of an author: where (`steps[2].say.en`), the line counted from 1, what, and how to cure it."""

    path: str
    line: int
    message: str


class Marked(NamedTuple):
    """Plain data, the line of each path, and the mistakes of the notation itself."""

    data: Any
    lines: dict[str, int]
    mistakes: list[Mistake]

    def line_of(self, path: str) -> int:
        """The line of this path, or of the nearest thing around it that is written in the file."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path, 1)


class _PlainLoader(yaml.CSafeLoader):
    """SafeLoader (libyaml's: ten times as quick) without timestamps."""


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def joined(path: str, key: str | int) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def read_marked(text: str) -> Marked:
    """Text in, data with lines out. Never raises: what cannot be read is a mistake and the data is None."""
    if len(text) > MAXIMUM_CHARACTERS:
        return _unreadable(1, f"the file is longer than {MAXIMUM_CHARACTERS} characters: shorten it")
    try:
        refused = _refused_notation(text)
        if refused is not None:
            return refused
        loader = _PlainLoader(text)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        return _unreadable(line, f"not YAML: {error.problem or error.context}: correct the notation here")
    except (yaml.YAMLError, ValueError):
        odd = next((at for at, character in enumerate(text) if _is_unseen(character) and character not in "\r\t"), 0)
        said = f"holds the character U+{ord(text[odd]):04X}, which is no text: remove it, and save as UTF-8"
        return _unreadable(text.count("\n", 0, odd) + 1, f"not YAML: {said}")
    lines: dict[str, int] = {}
    mistakes: list[Mistake] = []
    data = None if node is None else _plain(loader, node, "", lines, mistakes)
    if data is None:
        return _unreadable(1, "the file is empty: write its content")
    return Marked(data, lines, mistakes)


def _unreadable(line: int, message: str) -> Marked:
    return Marked(None, {}, [Mistake("", line, message)])


def _refused_notation(text: str) -> Marked | None:
    depth = documents = 0
    for event in yaml.parse(text, _PlainLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                return _unreadable(line, "a second document begins: keep one document per file")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            return _unreadable(line, "anchors and aliases are not read here: write the text out")
        if getattr(event, "tag", None):
            return _unreadable(line, "tags are not read here: write a plain value")
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            depth += 1
            if depth > MAXIMUM_DEPTH:
                return _unreadable(line, f"nested deeper than {MAXIMUM_DEPTH} levels: flatten it")
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            depth -= 1
    return None


def _plain(loader: _PlainLoader, node: yaml.Node, path: str, lines: dict[str, int], mistakes: list[Mistake]) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            place = joined(path, key)
            line = key_node.start_mark.line + 1
            if key in made:
                mistakes.append(Mistake(place, line, f"key {key!r} is given twice: keep one"))
                continue
            lines[place] = line
            made[key] = _plain(loader, value_node, place, lines, mistakes)
        return made
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, item, joined(path, index), lines, mistakes) for index, item in enumerate(node.value)]
    try:
        value = loader.construct_object(node)
    except (yaml.YAMLError, ValueError):
        mistakes.append(Mistake(path, node.start_mark.line + 1, "the value cannot be read: put it in quotes"))
        return ""
    if not isinstance(value, str):
        return value
    unseen = next((character for character in value if _is_unseen(character)), None)
    if unseen is not None:
        line = node.start_mark.line + 1
        mistakes.append(Mistake(path, line, f"holds the character U+{ord(unseen):04X}, which nobody sees: remove it"))
    return value if value.strip() else ""


def _is_unseen(character: str) -> bool:
    """Controls, marks of direction and of width zero: what is read would not be what is written."""
    return not character.isprintable() and character != "\n" and unicodedata.category(character)[0] == "C"


# --- what the models refuse, said to an author ---------------------------------------------------------------------

_LANGUAGE_NAMES = {"zh-CN": "simplified Chinese", "zh-TW": "traditional Chinese", "en": "English"}

DERIVED_KEYS = {
    "needs": "devices are derived from the steps and never written: remove this key",
    "devices": "devices are derived from the steps and never written: remove this key",
    "screens": "screens are derived from the steps: remove this key",
}


def mistakes_of(errors: Sequence[ErrorDetails], marked: Marked, known_keys: frozenset[str]) -> list[Mistake]:
    """Pydantic's errors as mistakes with path, line and cure. `known_keys` serve to guess what was meant."""
    found: dict[str, Mistake] = {}
    inside = [path_of(error["loc"], marked.data) for error in errors]
    for number, error in enumerate(errors):
        path = path_of(error["loc"], marked.data)
        if error["type"] == "too_short" and any(other.startswith(f"{path}[") for other in inside):
            continue  # its items are there, and are told one by one
        within = _CONDITION.match(path)
        if within:  # one mistake, however many ways it is none of what a condition may be
            path = within.group()
            found[path] = Mistake(path, marked.line_of(path), CONDITION_CURE)
        else:
            found[f"{path} {number}"] = Mistake(path, marked.line_of(path), _cure(error, path, known_keys))
    return list(found.values())


def path_of(location: tuple[str | int, ...], data: Any) -> str:
    """Pydantic's location without the union tags it inserts (`steps.0.consent.say` → `steps[0].say`)."""
    path, node = "", data
    for index, part in enumerate(location):
        if isinstance(node, dict) and isinstance(part, str):
            is_tag = part not in node and part == node.get("kind") and index < len(location) - 1
            if is_tag:
                continue
            path, node = joined(path, part), node.get(part)
        elif isinstance(node, list) and isinstance(part, int):
            path, node = joined(path, part), node[part] if part < len(node) else None
        elif node is None:
            path = joined(path, part)
    return path


_CONDITION = re.compile(r".*?\bwhen(?=[.\[]|$)")
CONDITION_CURE = (
    "is no condition: write a source and what it must be, as in {answer.FIELD: [VALUE]}, {answer.FIELD: known} or "
    "{answer.FIELD: unknown}"
)

FORMS = {
    r"^[a-z][a-z0-9_]{1,47}$": "2 to 48 small letters, digits and underlines, a letter first",
    r"^[a-z][a-z0-9_]{1,95}$": "2 to 96 small letters, digits and underlines, a letter first",
    r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$": "AUTHORITY.OPERATION in small letters, digits and underlines",
    r"^[0-9A-Z]{12,33}$": "12 to 33 digits and capital letters",
    r"^\d{6}$": "six digits",
    r"^\d{2}:\d{2}-\d{2}:\d{2}$": "HH:MM-HH:MM, as in 22:00-06:00",
    r"^(card|certificate|service|answer|material|payment|part|transaction)(\.[a-z][a-z0-9_]*){1,3}$": (
        "a source, as in card.name, answer.FIELD or service.STEP.NAME"
    ),
}
"""What a pattern of the contracts means to an author."""

_CURES = {
    "union_tag_not_found": "'kind' is missing: say which kind of step this is",
    "model_type": "must be a group of keys: write one key per line below it",
    "dataclass_type": "must be a group of keys: write one key per line below it",
    "dict_type": "must be a group of keys: write one key per line below it",
    "tuple_type": "must be a list: begin each item with '- '",
    "list_type": "must be a list: begin each item with '- '",
    "int_type": "must be a whole number: write it without quotes and without a point",
    "int_parsing": "must be a whole number: write it without a point",
    "int_from_float": "must be a whole number: write it without a point",
    "too_short": "has {actual_length} items: give at least {min_length}",
    "too_long": "has {actual_length} items: give at most {max_length}",
    "greater_than_equal": "must be {ge} or more: correct it",
    "less_than_equal": "must be {le} or less: correct it",
    "string_too_long": "is longer than {max_length} characters: shorten it",
}


def _cure(error: ErrorDetails, path: str, known_keys: frozenset[str]) -> str:
    key = path.rsplit(".", 1)[-1]
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            cure = f"{key!r} is missing: add it"
        case "extra_forbidden" | "unexpected_keyword_argument":
            cure = _unknown_key(key, known_keys)
        case "string_type":
            cure = f"must be text, not {type(error['input']).__name__}: write it, in quotes if it is a number"
        case "string_pattern_mismatch":
            pattern = str(context.get("pattern"))
            cure = f"does not have the right form: write {FORMS.get(pattern, f'what fits {pattern}')}"
        case "union_tag_invalid":
            cure = f"unknown kind {context.get('tag')!r}: use one of {context.get('expected_tags')}"
        case "enum" | "literal_error":
            cure = f"must be one of {context.get('expected')}: choose one"
        case "value_error":
            cure = str(error["msg"]).removeprefix("Value error, ")
        case other:
            said = _CURES.get(other, f"{error['msg'][:1].lower()}{error['msg'][1:]}: correct it")
            cure = said.format(**context) if other in _CURES else said
    if key in _LANGUAGE_NAMES and error["type"] in ("missing", "string_too_short"):
        cure = f"the {_LANGUAGE_NAMES[key]} text is missing: every text is given in zh-CN, zh-TW and en"
    return cure


def _unknown_key(key: str, known_keys: frozenset[str]) -> str:
    if key in DERIVED_KEYS:
        return f"unknown key {key!r}: {DERIVED_KEYS[key]}"
    near = difflib.get_close_matches(key, sorted(known_keys - {key}), n=1) if key not in known_keys else []
    return f"unknown key {key!r}: " + (f"did you mean {near[0]!r}?" if near else "remove it")
