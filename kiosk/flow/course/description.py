"""What a remote helper may know of the screen: only texts the matter or this program brought along, never a value.

A text is passed on when it stands word for word in the matter's own file or among the flow's sentences. Whatever was
put together with a value, came from an authority or was entered is a text of neither, and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from kiosk.contracts.assistance import MAXIMUM_PARTS, AskedField, ScreenDescription, Touchable
from kiosk.contracts.matter import Matter
from kiosk.contracts.value import LocalizedText
from kiosk.flow.screens import ChooseScreen, FormScreen, Option, PayScreen, ReviewScreen, SignScreen, View
from kiosk.flow.words import every_sentence


def describe(view: View, matter: Matter | None) -> ScreenDescription:
    """The View without its values. `matter` is the one under way."""
    screen = view.screen
    if screen is None:
        return ScreenDescription(screen=0, stage=view.stage.value)
    public = _Public(matter)
    now = next((index for index, mark in enumerate(screen.journey, 1) if mark.state == "now"), 0)
    return ScreenDescription(
        screen=screen.screen_id, stage=view.stage.value, kind=screen.kind, place=screen.place.value,
        matter=matter.title if matter is not None else None, step=now, steps=len(screen.journey),
        title=public(screen.title), say=public(screen.say),
        touchables=tuple(_touchables(view, public))[:MAXIMUM_PARTS],
        fields=tuple(_fields(screen, public))[:MAXIMUM_PARTS],
        shown=tuple(public(item.label) for item in _items(screen))[:MAXIMUM_PARTS],
    )  # fmt: skip


class _Public:
    """A text that anybody may read, or None."""

    def __init__(self, matter: Matter | None) -> None:
        self._known = every_sentence() | (
            _texts_of(matter.id, matter.version, _Held(matter)) if matter else frozenset()
        )

    def __call__(self, text: LocalizedText | None) -> LocalizedText | None:
        return text if text is not None and text.zh_cn in self._known else None


class _Held:
    """A matter as an argument that all compare equal: the cache goes by id and version."""

    def __init__(self, matter: Matter) -> None:
        self.matter = matter

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)


@lru_cache(maxsize=8)
def _texts_of(_id: str, _version: int, held: _Held) -> frozenset[str]:
    return frozenset(_texts_in(held.matter))


def _texts_in(node: Any) -> Iterator[str]:
    if isinstance(node, LocalizedText):
        yield node.zh_cn
    elif isinstance(node, BaseModel):
        for name in type(node).model_fields:
            yield from _texts_in(getattr(node, name))
    elif isinstance(node, tuple | list):
        for each in node:
            yield from _texts_in(each)


def places(view: View, matter: Matter | None) -> dict[str, str]:
    """What a helper can point at, by the name in the description: the name of the same thing on the page."""
    found = {name: f"option:{option.id}" for name, option in _options(view, _Public(matter))}
    found |= {"primary": "primary", "back": "back"}
    if isinstance(view.screen, FormScreen):
        found |= {f"field:{item.id}": f"field:{item.id}" for item in view.screen.items}
    return found


def _options(view: View, public: _Public) -> Iterator[tuple[str, Option]]:
    """An option an authority listed may be called by a number of the citizen's: it is told by its place alone."""
    screen = view.screen
    if screen is None:
        return
    listed: tuple[Option, ...] = screen.options + screen.several if isinstance(screen, ChooseScreen) else ()
    for index, option in enumerate((*listed, *screen.alternatives), 1):
        yield f"option:{option.id}"[:100] if public(option.label) is not None else f"place:{index}", option


def _touchables(view: View, public: _Public) -> Iterator[Touchable]:
    for name, option in _options(view, public):
        yield Touchable(name=name, label=public(option.label), enabled=option.enabled)
    screen = view.screen
    if screen is not None and screen.primary is not None:
        label = public(screen.primary.label)
        yield Touchable(name="primary", label=label, enabled=screen.primary.enabled, is_primary=True)
    if screen is not None and screen.can_go_back:
        yield Touchable(name="back")


def _fields(screen: Any, public: _Public) -> Iterator[AskedField]:
    if isinstance(screen, FormScreen):
        for item in screen.items:
            yield AskedField(
                name=f"field:{item.id}", label=public(item.label), is_required=item.required,
                is_filled=bool(item.value), is_wrong=item.error is not None,
            )  # fmt: skip


def _items(screen: Any) -> tuple[Any, ...]:
    match screen:
        case FormScreen():
            return screen.known
        case ReviewScreen() | SignScreen():
            return screen.items
        case PayScreen():
            return screen.lines
        case _:
            return ()
