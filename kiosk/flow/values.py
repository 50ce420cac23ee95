"""What a citizen's transaction has collected: lives in memory, dies with the session."""

from __future__ import annotations

import datetime as dt
from typing import Any

from drivers.messages import IdCard
from kiosk.contracts.matter import SOURCE_PLACE, places_in
from kiosk.contracts.value import Language, LocalizedText, masked_name, masked_number, masked_phone

MAXIMUM_VALUE_CHARACTERS = 4_000_000
PRIVATE_ROOTS = frozenset({"card", "certificate", "answer"})
PRIVATE = frozenset({"address", "child_name", "landlord_name", "partner_name", "spouse_name"})


class Values:
    """Values by dotted source: `card.name`, `service.house.document_id`. Absent is None, never an empty guess."""

    def __init__(self) -> None:
        self._tree: dict[str, Any] = {}

    def get(self, source: str, language: Language = Language.ZH_CN) -> str | None:
        """The value as text, or None when nobody knows it. What stands in words is said in the papers' language."""
        node: Any = self._tree
        for part in source.split("."):
            if not isinstance(node, dict) or part not in node:
                return None
            node = node[part]
        if node is None or isinstance(node, dict):
            return None
        if isinstance(node, LocalizedText):
            return node.in_language(language)
        if isinstance(node, list):
            return "；".join(_line(item) for item in node) or None
        return str(node) or None

    def items(self, source: str) -> list[dict[str, Any]]:
        """The groups of a list an authority answered, such as choices; empty when it is none."""
        node: Any = self._tree
        for part in source.split("."):
            node = node.get(part) if isinstance(node, dict) else None
        return [item for item in node if isinstance(item, dict)] if isinstance(node, list) else []

    def node(self, source: str) -> Any:
        """What an authority gave at a source, as it gave it: text, a list or an object. None when nobody knows it."""
        node: Any = self._tree
        for part in source.split("."):
            node = node.get(part) if isinstance(node, dict) else None
        return node

    def put(self, prefix: str, values: dict[str, Any]) -> None:
        """Merge values under a prefix such as `service.house`."""
        node = self._tree
        for part in prefix.split("."):
            node = node.setdefault(part, {})
        node.update(values)

    def put_card(self, card: IdCard) -> None:
        fields = card.model_dump(exclude={"photo"}, exclude_none=True)
        self.put("card", {name: _text(value) for name, value in fields.items()})
        if card.id_number is None and card.permit_number:
            self.put("card", {"id_number": card.permit_number})
        if card.new_address:
            self.put("card", {"address": card.new_address})

    def fill(self, template: str, language: Language = Language.ZH_CN) -> str:
        """A template text with its places filled; an unknown place becomes a dash."""

        def value_at(place: Any) -> str:
            value = self.get(place.group(1), language)
            if value is None:
                return "—"
            return masked(place.group(1), value) if place.group(2) else value

        return SOURCE_PLACE.sub(value_at, template)

    def shown(self, template: str) -> LocalizedText:
        """The template filled for the screen, in every language."""
        return LocalizedText.of({language.value: self.fill(template, language) for language in Language})

    def knows(self, template: str) -> bool:
        """False when every place of a template is unknown: there is nothing to show."""
        places = places_in(template)
        return not places or any(self.get(place) is not None for place in places)

    def send(self, template: str) -> str | None:
        """A parameter for an authority: a bare source sends its value or nothing, a template text is filled."""
        whole = SOURCE_PLACE.fullmatch(template) or SOURCE_PLACE.fullmatch("{" + template + "}")
        if whole is not None and not whole.group(2):
            return self.get(whole.group(1))
        return self.fill(template)

    def wipe(self) -> None:
        self._tree.clear()


def is_private(source: str) -> bool:
    """Masked even when a matter's author does not say so: where people live, and what their family is called."""
    return source.split(".", 1)[0] in PRIVATE_ROOTS and source.rsplit(".", 1)[-1] in PRIVATE


def masked(source: str, value: str) -> str:
    """A personal value with only what may remain visible, by what its source names."""
    last = source.rsplit(".", 1)[-1]
    if "phone" in last:
        return masked_phone(value)
    if "name" in last:
        return masked_name(value)
    if "address" in last:
        return value[:6] + "*" * min(max(len(value) - 6, 3), 6)
    return masked_number(value)


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _line(item: Any) -> str:
    return " ".join(str(part) for part in item.values()) if isinstance(item, dict) else str(item)
