"""What is derived from a View, as tables; no window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiosk.contracts.entries import BAD_PHONE, PLATE_PROVINCES
from kiosk.contracts.text import FieldKind
from kiosk.contracts.value import Language, plain
from kiosk.flow.screens import FormItem, FormScreen, KnownItem, Mode, Option, Screen, StageKind, TimeOutWarning, View
from kiosk.ui.gallery.screens import KNOWN, SCREENS
from kiosk.ui.gallery.tiles import DOORS, TILES
from kiosk.ui.view_models.entry import erased, error_of, keys_of, pad_of, shown, written
from kiosk.ui.view_models.form import FormSnapshot, derive_form_snapshot
from kiosk.ui.view_models.home import HomeSnapshot, derive_home_snapshot
from kiosk.ui.view_models.session import NO_CONTENT, SessionSnapshot, content_of, derive_session_snapshot, known_rows
from kiosk.ui.view_models.stage import StageSnapshot, derive_stage_snapshot

HOME = View(stage=StageKind.HOME, tiles=TILES, doors=DOORS, favourites=tuple(tile.matter for tile in TILES[:3]))


def session(screen: Screen, **more: object) -> View:
    return View(stage=StageKind.SESSION, screen=screen, **more)  # type: ignore[arg-type]


def test_favourites_come_first_and_the_catalogue_fills_up() -> None:
    standard = derive_home_snapshot(HOME, HomeSnapshot(), ())
    elder = derive_home_snapshot(replace(HOME, mode=Mode.ELDER), HomeSnapshot(), ())
    assert [row["matter"] for row in standard.favourites] == [tile.matter for tile in TILES[:8]]
    assert [row["matter"] for row in elder.favourites] == [tile.matter for tile in TILES[:6]]


def test_a_favourite_that_is_not_installed_is_passed_over() -> None:
    view = replace(HOME, favourites=("gone", "tax_proof"))
    assert derive_home_snapshot(view, HomeSnapshot(), ()).favourites[0]["matter"] == "tax_proof"


def test_doors_part_into_life_events_and_departments() -> None:
    snapshot = derive_home_snapshot(HOME, HomeSnapshot(page="door", door="department_social"), ())
    assert all(not row["id"].startswith("department") for row in snapshot.events)
    assert {row["id"] for row in snapshot.departments} == {
        "department_public_security", "department_social", "department_taxation",
    }  # fmt: skip
    assert [row["matter"] for row in snapshot.door_rows] == ["social_proof", "pension_check"]


def test_a_door_that_vanished_leads_home() -> None:
    assert derive_home_snapshot(HOME, HomeSnapshot(page="door", door="gone"), ()).page == "home"


@pytest.mark.parametrize("stage", [StageKind.ATTRACT, StageKind.SESSION, StageKind.OUT_OF_SERVICE])
def test_what_was_asked_is_forgotten_when_the_home_page_goes(stage: StageKind) -> None:
    asked = HomeSnapshot(page="search", query="无房", door="life_move")
    snapshot = derive_home_snapshot(replace(HOME, stage=stage), asked, ("no_house",))
    assert (snapshot.page, snapshot.query, snapshot.results) == ("home", "", ())


def test_the_citizens_own_switches_end_with_the_visit() -> None:
    before = StageSnapshot(stage="home", lowered=True, sheet="help")
    assert derive_stage_snapshot(HOME, before).lowered
    assert derive_stage_snapshot(HOME, before).sheet == "help"
    ended = derive_stage_snapshot(View(stage=StageKind.ATTRACT), before)
    assert (ended.lowered, ended.sheet) == (False, "")


def test_no_warning_is_minus_one_second() -> None:
    warned = replace(HOME, warning=TimeOutWarning(seconds_left=0, seconds_total=0))
    assert derive_stage_snapshot(HOME, StageSnapshot()).seconds_left == -1
    assert derive_stage_snapshot(warned, StageSnapshot()).seconds_left == 0
    assert derive_stage_snapshot(warned, StageSnapshot()).seconds_total == 1


@pytest.mark.parametrize("name", SCREENS)
@pytest.mark.parametrize("language", list(Language))
def test_every_kind_has_every_key_and_no_more(name: str, language: Language) -> None:
    assert content_of(SCREENS[name], language).keys() == NO_CONTENT.keys()


def test_clear_values_leave_only_when_asked_for() -> None:
    masked = known_rows(KNOWN, Language.ZH_CN, ())
    assert "林测试" not in str(masked)
    assert "350203190102030017" not in str(masked)
    one = known_rows(KNOWN, Language.ZH_CN, (0,))
    assert one[0]["value"] == "林测试"
    assert "350203190102030017" not in str(one)


def test_what_is_not_masked_cannot_be_unmasked() -> None:
    item = KnownItem(label=plain("a"), value=plain("shown"), masked=False, clear_value=plain("secret"))
    row = known_rows((item,), Language.EN, (0,))[0]
    assert (row["value"], row["can_show"]) == ("shown", False)


def test_what_was_unmasked_is_masked_on_the_next_screen() -> None:
    review = SCREENS["review"]
    open_eyes = derive_session_snapshot(session(review), SessionSnapshot(screen_id=review.screen_id, shown=(0,)))
    assert open_eyes.known[0]["is_shown"]
    again = derive_session_snapshot(session(replace(review, screen_id=99)), open_eyes)
    assert not again.known[0]["is_shown"]


ITEMS = {kind: FormItem(id="x", label=plain("x"), kind=kind, max_length=6) for kind in (*FieldKind, "code")}


@pytest.mark.parametrize(
    ("kind", "value", "typed", "after"),
    [
        (FieldKind.TEXT, "厦", "门", "厦门"), (FieldKind.TEXT, "123456", "7", "123456"),
        (FieldKind.PHONE, "139", "0a0", "13900"), (FieldKind.PHONE, "13900000017", "9", "13900000017"),
        (FieldKind.DATE, "", "19010203", "1901-02-03"), (FieldKind.DATE, "1901", "0", "1901-0"),
        (FieldKind.DATE, "1901-02-03", "4", "1901-02-03"),
        (FieldKind.IDENTITY_NUMBER, "35020319010203001", "x", "35020319010203001X"),
        (FieldKind.IDENTITY_NUMBER, "", "12ab", "12"), ("code", "12345", "67", "123456"),
        (FieldKind.NUMBER, "12", "a3", "123"), (FieldKind.MONEY, "", ".5", ".5"), (FieldKind.MONEY, "0", "7", "7"),
        (FieldKind.MONEY, "12.5", "678", "12.56"), (FieldKind.MONEY, "12.5", ".", "12.5"),
        (FieldKind.PLATE, "", "D", ""), (FieldKind.PLATE, "闽", "d", "闽D"), (FieldKind.PLATE, "闽D", "io1", "闽D1"),
        (FieldKind.PLATE, "闽DD12345", "6", "闽DD12345"), (FieldKind.PLATE, "粤Z1234", "港", "粤Z1234港"),
        (FieldKind.CREDIT_CODE, "91", "oisvza", "91A"), (FieldKind.CREDIT_CODE, "9" * 18, "9", "9" * 18),
    ],
)  # fmt: skip
def test_a_field_takes_only_what_it_may(kind: FieldKind, value: str, typed: str, after: str) -> None:
    assert written(ITEMS[kind], value, typed) == after


@pytest.mark.parametrize(
    ("value", "after"), [("1901-02-03", "1901-02-0"), ("1901-0", "1901"), ("1901", "190"), ("", "")]
)
def test_erasing_a_date_erases_digits(value: str, after: str) -> None:
    assert erased(ITEMS[FieldKind.DATE], value) == after


@pytest.mark.parametrize(
    ("kind", "value", "away"),
    [
        (FieldKind.IDENTITY_NUMBER, "350203190102030017", "350*************17"),
        (FieldKind.PHONE, "13900000017", "139****17"),
        ("code", "123456", "••••••"), (FieldKind.TEXT, "样例公司", "样例公司"), (FieldKind.PHONE, "", ""),
    ],
)  # fmt: skip
def test_numbers_are_legible_only_while_typed(kind: FieldKind, value: str, away: str) -> None:
    assert shown(ITEMS[kind], value, is_current=True) == value
    assert shown(ITEMS[kind], value, is_current=False) == away


@pytest.mark.parametrize(
    ("kind", "pad"),
    [(FieldKind.TEXT, "text"), (FieldKind.CHOICE, ""), (FieldKind.DATE, "number"),
     (FieldKind.IDENTITY_NUMBER, "identity"),
     ("code", "number"), (FieldKind.NUMBER, "number"), (FieldKind.MONEY, "money"), (FieldKind.PLATE, "keys"),
     (FieldKind.CREDIT_CODE, "keys")],
)  # fmt: skip
def test_each_kind_opens_its_keyboard(kind: FieldKind, pad: str) -> None:
    assert pad_of(ITEMS[kind]) == pad


def test_a_plate_begins_with_its_province_and_every_key_writes_something() -> None:
    plate = ITEMS[FieldKind.PLATE]
    assert keys_of(plate, "")[0][0] == "闽"
    for value, item in (("", plate), ("闽D", plate), ("", ITEMS[FieldKind.CREDIT_CODE])):
        keys = [key for row in keys_of(item, value) for key in row if key != "backspace"]
        assert len(keys) == len(set(keys))
        assert all(written(item, value, key) == value + key for key in keys)
    assert {key for row in keys_of(plate, "") for key in row} == {*PLATE_PROVINCES, "backspace"}


def test_what_is_wrong_is_told_when_the_field_was_left_and_not_while_it_is_written() -> None:
    phone = ITEMS[FieldKind.PHONE]
    assert error_of(phone, "139", is_current=True) is None
    assert error_of(replace(phone, max_length=11), "139", is_current=False) == BAD_PHONE
    assert error_of(phone, "", is_current=False) is None


def test_an_elder_form_asks_one_thing_at_a_time() -> None:
    form = SCREENS["form"]
    standard = derive_form_snapshot(session(form), FormSnapshot())
    elder = derive_form_snapshot(session(form, mode=Mode.ELDER), FormSnapshot())
    assert (len(standard.rows), standard.asks_next) == (4, False)
    assert (len(elder.rows), elder.position, elder.total, elder.asks_next) == (1, 1, 4, True)


def test_values_live_as_long_as_their_screen() -> None:
    form = SCREENS["form"]
    first = derive_form_snapshot(session(form), FormSnapshot())
    typed = FormSnapshot(**{**first.__dict__, "values": {**first.values, "employer": "样例"}})
    assert derive_form_snapshot(session(form, language=Language.EN), typed).values["employer"] == "样例"
    later = replace(form, screen_id=99)
    assert derive_form_snapshot(session(later), typed).values["employer"] == ""
    assert vars(derive_form_snapshot(session(SCREENS["review"]), typed)) == vars(FormSnapshot())


def test_a_form_without_items_has_no_keyboard() -> None:
    empty = FormScreen(
        screen_id=1, title=plain("t"), say=plain("s"), items=(), primary=Option(id="n", label=plain("n"))
    )
    snapshot = derive_form_snapshot(session(empty), FormSnapshot())
    assert (snapshot.rows, snapshot.pad) == ((), "")
