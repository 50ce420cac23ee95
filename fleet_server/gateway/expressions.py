"""The expressions of connectors: JMESPath, in which text of nothing is nothing and not the word null."""

from __future__ import annotations

from typing import Any

import jmespath
from jmespath import functions
from jmespath.exceptions import JMESPathError


class _Functions(functions.Functions):
    @functions.signature({"types": []})
    def _func_to_string(self, value: Any) -> Any:
        return None if value is None else super()._func_to_string(value)  # type: ignore[misc]


_OPTIONS = jmespath.Options(custom_functions=_Functions())
_THROUGH_FIRST = frozenset({
    "subexpression", "index_expression", "pipe", "projection", "filter_projection", "value_projection", "flatten",
})  # fmt: skip
"""Of these only the first part reads the document; the others read what that part gave."""


def checked(expression: str) -> str:
    """The same text. Raises `ValueError` for what is no expression, or calls a function there is not."""
    try:
        parsed = jmespath.compile(expression).parsed
    except JMESPathError as error:
        raise ValueError(f"not a JMESPath expression: {expression!r}") from error
    unknown = sorted(_called(parsed) - _Functions.FUNCTION_TABLE.keys())
    if unknown:
        raise ValueError(f"JMESPath has no function {unknown[0]!r}: take one of its own")
    return expression


def search(expression: str, document: Any) -> Any:
    """What the expression gives, or None."""
    try:
        return jmespath.search(expression, document, _OPTIONS)
    except JMESPathError:
        return None


def names_in(expression: str) -> frozenset[str]:
    """The members of the document the expression reads."""
    return frozenset(_read(jmespath.compile(expression).parsed))


def _called(node: Any) -> set[str]:
    own = {node["value"]} if node["type"] == "function_expression" else set()
    return own.union(*(_called(child) for child in node["children"]))


def _read(node: Any) -> set[str]:
    if node["type"] == "field":
        return {node["value"]}
    children = node["children"][:1] if node["type"] in _THROUGH_FIRST else node["children"]
    return set().union(*(_read(child) for child in children))
