"""Forms: what depends on an entry is asked after it, what can be worked out is not asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flow_world import World, matter, text

from kiosk.flow.screens import FormScreen, NoticeScreen
from tests.kiosk.flow.test_journey import RATE, WHO, run

SEND = {"spouse": "answer.spouse", "price": "answer.price", "price_said": "answer.price_label", "age": "answer.age",
        "total": "answer.total", "school": "answer.school", "school_said": "answer.school_label"}  # fmt: skip
CALL = {"id": "house", "kind": "call_service", "operation": "real_estate.query", "effect": "submit", "send": SEND}
MARRIED = {
    "id": "married", "label": text("婚姻"), "kind": "choice",
    "choices": [{"id": "yes", "label": text("已婚")}, {"id": "no", "label": text("未婚")}],
}  # fmt: skip
SPOUSE = {"id": "spouse", "label": text("配偶"), "when": {"answer.married": ["yes"]}}
PRICE = {"id": "price", "label": text("价格"), "kind": "money"}
AGE = {"id": "age", "label": text("年龄"), "computed": {"how": "age", "of": ["card.birth_date"]}}
TOTAL = {
    "id": "total",
    "label": text("合计"),
    "kind": "money",
    "computed": {"how": "sum", "of": ["answer.price", "100"]},
}
SCHOOL = {"id": "school", "label": text("学校"), "kind": "choice", "choices_from": "service.schools.list"}
SCHOOLS = [
    {"id": "s-1", "label": "样例小学", "detail": "还有 3 个学位"},
    {"id": "s-2", "label": "样例二小"},
    {"label": "没有编号"},
]
LOOKUP = {"id": "schools", "kind": "call_service", "operation": "schools.open", "effect": "query"}


def form(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"id": "form", "kind": "fill_form", "fields": list(fields)}


def sent(world: World) -> dict[str, Any]:
    return next(payload for operation, _, payload in world.services.calls if operation == "real_estate.query")


async def page(world: World, *ids: str) -> FormScreen:
    view = await world.until(
        lambda view: isinstance(view.screen, FormScreen) and tuple(item.id for item in view.screen.items) == ids
    )
    assert isinstance(view.screen, FormScreen)
    return view.screen


def test_a_field_that_rests_on_an_entry_is_asked_after_it(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.stage.start("sample")
        await world.sign_in_by_face()
        world.fill(await page(world, "married"), married="yes")
        world.fill(await page(world, "spouse"), spouse="某人")
        await world.screen("rating")

    assert sent(run(tmp_path, story, matter(WHO, form(MARRIED, SPOUSE), CALL, RATE)))["spouse"] == "某人"


def test_going_back_keeps_what_was_entered_and_forgets_what_no_longer_counts(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.stage.start("sample")
        await world.sign_in_by_face()
        world.fill(await page(world, "married"), married="yes")
        second = await page(world, "spouse")
        world.back(second)
        first = await page(world, "married")
        assert first.items[0].value == "yes"
        world.fill(first, married="yes")
        world.fill(await page(world, "spouse"), spouse="某人")
        review = await world.screen("check", "review")
        world.back(review)
        again = await page(world, "married")
        world.fill(again, married="no")
        world.choose(await world.screen("check", "review"), "confirm")
        await world.screen("rating")

    check = {"id": "check", "kind": "review", "show": [{"label": text("婚姻"), "value": "{answer.married_label}"}]}
    assert "spouse" not in sent(run(tmp_path, story, matter(WHO, form(MARRIED, SPOUSE), check, CALL, RATE)))


def test_money_is_written_in_yuan_and_kept_in_fen_and_sums_are_not_asked(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.stage.start("sample")
        await world.sign_in_by_face()
        screen = await page(world, "price")
        assert [(item.label.zh_cn, item.value.zh_cn) for item in screen.known] == [("年龄", "125")]
        world.fill(screen, price="12.345")
        view = await world.until(lambda view: isinstance(view.screen, FormScreen) and bool(view.screen.items[0].error))
        assert isinstance(view.screen, FormScreen)
        assert view.screen.items[0].value == "12.345"
        world.fill(view.screen, price="12.5")
        await world.screen("rating")

    told = sent(run(tmp_path, story, matter(WHO, form(AGE, PRICE, TOTAL), CALL, RATE)))
    assert told == {"price": "1250", "price_said": "12.50 元", "age": "125", "total": "1350"}


def test_an_authority_lists_the_choices(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.services.answers["schools.open"] = {"list": SCHOOLS}
        world.stage.start("sample")
        await world.sign_in_by_face()
        screen = await page(world, "school")
        assert [(each.id, each.label.zh_cn) for each in screen.items[0].choices] == [
            ("s-1", "样例小学"), ("s-2", "样例二小"),
        ]  # fmt: skip
        assert screen.items[0].choices[0].detail is not None
        world.fill(screen, school="s-9")
        view = await world.until(lambda view: isinstance(view.screen, FormScreen) and bool(view.screen.items[0].error))
        world.fill(view.screen, school="s-2")
        await world.screen("rating")

    told = sent(run(tmp_path, story, matter(WHO, LOOKUP, form(SCHOOL), CALL, RATE)))
    assert told == {"school": "s-2", "school_said": "样例二小"}


def test_nothing_to_choose_from_is_told_and_ends_the_matter(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.services.answers["schools.open"] = {"list": []}
        world.stage.start("sample")
        await world.sign_in_by_face()
        notice = await world.screen("form", "notice")
        assert isinstance(notice, NoticeScreen)
        assert notice.fault == "E51"
        assert "没有可以选择的记录" in notice.say.zh_cn

    run(tmp_path, story, matter(WHO, LOOKUP, form(SCHOOL), CALL, RATE))


def test_a_question_may_have_an_authoritys_choices_and_remembers_the_one_picked(tmp_path: Path) -> None:
    ask = {"id": "which", "kind": "ask", "questions": [
        {"id": "school", "text": text("哪所学校？"), "choices_from": "service.schools.list"}]}  # fmt: skip

    async def story(world: World) -> None:
        world.services.answers["schools.open"] = {"list": [{"id": "s-1", "label": "样例小学"}]}
        world.stage.start("sample")
        await world.sign_in_by_face()
        world.choose(await world.screen("which", "choose"), "s-1")
        needed = await world.screen("which", "review")
        world.back(needed)
        again = await world.screen("which", "choose")
        assert [option.picked for option in again.options] == [True]  # type: ignore[union-attr]
        world.choose(again, "s-1")
        world.choose(await world.screen("which", "review"), "begin")
        await world.screen("rating")

    told = sent(run(tmp_path, story, matter(WHO, LOOKUP, ask, CALL, RATE)))
    assert told == {"school": "s-1", "school_said": "样例小学"}
