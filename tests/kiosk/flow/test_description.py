"""What a remote helper is told of a screen: texts that are the same for everybody, and never a value."""

from __future__ import annotations

from typing import Any

import pytest

from kiosk.contracts.text import FieldKind, plain
from kiosk.contracts.value import LocalizedText
from kiosk.flow.course.description import describe, places
from kiosk.flow.screens import (
    ChooseScreen,
    FormItem,
    FormScreen,
    KnownItem,
    Mark,
    NoticeScreen,
    Option,
    PayScreen,
    PreviewScreen,
    ReviewScreen,
    Screen,
    SignScreen,
    StageKind,
    View,
)
from kiosk.flow.words import word
from tests.kiosk.flow.world import matter, text

HOUSE = "思明区样例路12号101室"
NAME = "林测试"
SAMPLE = matter(
    {"id": "form", "kind": "fill_form", "fields": [{"id": "place", "kind": "text", "label": text("地点")}]},
    {"id": "check", "kind": "review", "show": [{"label": text("姓名"), "value": "{answer.place}"}]},
    assurance="none",
)
SAID: dict[str, Any] = {"screen_id": 5, "step_id": "form", "title": LocalizedText.of(text("form")), "say": word("next")}


def told(text_: str) -> LocalizedText:
    return LocalizedText.of(text(text_))


SECRET = told(f"{NAME}您好，{HOUSE}")
KNOWN = (KnownItem(label=told("姓名"), value=plain(NAME)), KnownItem(label=plain(HOUSE), value=plain(NAME)))
SCREENS: dict[str, Screen] = {
    "an authority's list": ChooseScreen(**SAID, options=(Option(id="SM-1902-77", label=plain(HOUSE), detail=SECRET),)),
    "an authority's refusal": NoticeScreen(**SAID | {"say": SECRET, "title": SECRET}, papers=SECRET, what_to_do=SECRET),
    "a filled form": FormScreen(
        **SAID, items=(FormItem(id="place", label=told("地点"), kind=FieldKind.TEXT, value=HOUSE, error=SECRET),),
        known=KNOWN,
    ),
    "a page": PreviewScreen(**SAID, page_png=NAME.encode(), caption=SECRET),
    "a review": ReviewScreen(**SAID, items=KNOWN, text=SECRET),
    "a statement": SignScreen(**SAID, items=KNOWN, text=SECRET, field_mm=(1.0, 1.0)),
    "a bill": PayScreen(
        **SAID | {"title": word("pay_title_amount").format(amount="20.00")}, amount="20.00", payee=SECRET,
        subject=SECRET, lines=KNOWN, channel=SECRET, qr=HOUSE, seconds_left=1, seconds_total=2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SCREENS)
def test_no_value_is_in_it(name: str) -> None:
    view = View(
        stage=StageKind.SESSION, screen=SCREENS[name], matter="sample", matter_title=SAMPLE.title, citizen=NAME,
        transaction_number="XM0017-1902-0003",
    )  # fmt: skip
    said = describe(view, SAMPLE).model_dump_json()
    for value in (NAME, HOUSE, "20.00", "XM0017", "SM-1902-77"):
        assert value not in said
    assert word("next").zh_cn in said or name == "an authority's refusal"


def test_what_is_the_same_for_everybody_is_told() -> None:
    screen = FormScreen(
        **SAID | {"journey": (Mark(title=told("form"), state="done"), Mark(title=told("check"), state="now"))},
        items=(FormItem(id="place", label=told("地点"), kind=FieldKind.TEXT, value=HOUSE, required=False),),
        known=KNOWN,
        primary=Option(id="confirm", label=word("next")), can_go_back=True,
        alternatives=(Option(id="other", label=word("phone_other_way"), enabled=False, picked=True),),
    )  # fmt: skip
    seen = describe(View(stage=StageKind.SESSION, screen=screen), SAMPLE)
    assert (seen.title, seen.matter, seen.step, seen.steps) == (screen.title, SAMPLE.title, 2, 2)
    assert [(each.name, each.enabled, each.is_primary) for each in seen.touchables] == [
        ("option:other", False, False), ("primary", True, True), ("back", True, False),
    ]  # fmt: skip
    (place,) = seen.fields
    assert (place.label, place.is_filled, place.is_required, place.is_wrong) == (told("地点"), True, False, False)
    assert seen.shown == (told("姓名"), None)
    assert describe(View(stage=StageKind.HOME), None).kind == ""


def test_what_an_authority_listed_is_pointed_at_by_its_place() -> None:
    view = View(stage=StageKind.SESSION, screen=SCREENS["an authority's list"])
    assert [each.name for each in describe(view, SAMPLE).touchables] == ["place:1"]
    assert places(view, SAMPLE)["place:1"] == "option:SM-1902-77"
