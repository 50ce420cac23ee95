"""XML from strangers to a tree of dicts, lists and text, and back. No document type, no entities, bounded in size.

An element with children becomes a dict; one whose children are all called `item` (or the list element a connector
names) a list, and so does a name that stands several times; any other its text. Empty, or xsi:nil, is None.
Namespace prefixes and attributes are left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

MAXIMUM_DEPTH = 40
MAXIMUM_ELEMENTS = 50_000
LIST_ELEMENT = "item"
_NAMESPACE_SEPARATOR = " "
_CHINESE = re.compile(rb"""\A<\?xml[^>]*encoding=["'](?:gb2312|gbk|gb18030)["'][^>]*\?>""", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_\u00c0-\uffdc][\w.\u00b7-]*")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


class XmlRefused(Exception):
    """Not XML, or XML that is never read here. The text says which, and quotes nothing of it."""


@dataclass
class _Open:
    name: str
    nil: bool
    children: list[tuple[str, Any]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


class _Reading:
    def __init__(self, list_element: str) -> None:
        self.open = [_Open("", nil=False)]
        self.elements = 0
        self._list_element = list_element

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if self.elements > MAXIMUM_ELEMENTS or len(self.open) > MAXIMUM_DEPTH:
            raise XmlRefused("more elements, or deeper, than is read")
        nil = any(
            attribute.endswith(f"XMLSchema-instance{_NAMESPACE_SEPARATOR}nil") and value in ("true", "1")
            for attribute, value in attributes.items()
        )
        self.open.append(_Open(name.rpartition(_NAMESPACE_SEPARATOR)[2], nil))

    def end(self, _name: str) -> None:
        closed = self.open.pop()
        self.open[-1].children.append((closed.name, self._value(closed)))

    def text(self, text: str) -> None:
        self.open[-1].text.append(text)

    def refuse(self, *_: Any) -> int:
        raise XmlRefused("a document type or entity is never read")

    def _value(self, element: _Open) -> Any:
        if element.nil:
            return None
        if not element.children:
            return "".join(element.text).strip() or None
        names = {name for name, _ in element.children}
        if names == {self._list_element}:
            return [value for _, value in element.children]
        made: dict[str, Any] = {}
        for name, value in element.children:
            if name not in made:
                made[name] = value
            elif isinstance(made[name], _Several):
                made[name].append(value)
            else:
                made[name] = _Several([made[name], value])
        return {name: list(value) if isinstance(value, _Several) else value for name, value in made.items()}


class _Several(list[Any]):
    """Values under one name; a list that one of them is stays one value."""


def tree_of(content: bytes, list_element: str = LIST_ELEMENT) -> dict[str, Any]:
    """{name of the root: its value}. Raises `XmlRefused`."""
    declared = _CHINESE.match(content)
    if declared:
        try:
            content = content[declared.end() :].decode("gb18030").encode()
        except UnicodeDecodeError as error:
            raise XmlRefused("not text of the encoding it states") from error
    reading = _Reading(list_element)
    parser = expat.ParserCreate(namespace_separator=_NAMESPACE_SEPARATOR)
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = reading.start, reading.end
    parser.CharacterDataHandler = reading.text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = reading.refuse
    parser.ExternalEntityRefHandler = reading.refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise XmlRefused("not XML that can be read") from error
    return dict(reading.open[0].children)


def xml_of(name: str, value: Any, list_element: str = LIST_ELEMENT) -> str:
    """One element with all that is in it; None is an empty one. Raises `ValueError` for a name XML does not have."""
    if _NAME.fullmatch(name) is None:
        raise ValueError("a name no XML element can have")
    if isinstance(value, dict):
        inner = "".join(xml_of(key, each, list_element) for key, each in value.items())
    elif isinstance(value, list | tuple):
        inner = "".join(xml_of(list_element, each, list_element) for each in value)
    else:
        inner = _text_of(value)
    return f"<{name}>{inner}</{name}>" if inner else f"<{name}/>"


def _text_of(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(_FORBIDDEN.sub("\ufffd", str(value)))
