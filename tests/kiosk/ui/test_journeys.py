"""A citizen's hand on the real window: taps, keys, switches; and what the flow is told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtNetwork import QLocalSocket
from PySide6.QtTest import QTest

from kiosk.contracts.value import Language
from kiosk.flow.screens import Chosen, FormFilled, FormScreen, Left, Mode, StageKind, TimeOutWarning, WentBack
from kiosk.ui.gallery.__main__ import Gallery
from kiosk.ui.gallery.views import views
from kiosk.ui.remote_hand import NotThere, RemoteHand
from tests.kiosk.ui.hand import answers, names, stand, until


def test_a_touch_on_the_attract_page_wakes(gallery: Gallery) -> None:
    stand(gallery, "attract")
    gallery.finger.tap("attract")
    assert gallery.hall.asked == [("wake", None)]


def test_the_attract_page_offers_the_languages(gallery: Gallery) -> None:
    stand(gallery, "attract")
    gallery.finger.tap("language:en")
    assert ("language", Language.EN) in gallery.hall.asked
    assert ("wake", None) in gallery.hall.asked


def test_a_tile_starts_its_matter(gallery: Gallery) -> None:
    stand(gallery, "home")
    gallery.finger.tap("tile:no_house")
    assert ("start", "no_house") in gallery.hall.asked


def test_a_greyed_tile_cannot_be_started_and_says_why(gallery: Gallery) -> None:
    stand(gallery, "home_greyed")
    with pytest.raises(NotThere):
        gallery.finger.tap("tile:no_house")
    assert gallery.kiosk.home.favourites[0]["reason"] == "打印机缺纸，暂不能办"


def test_through_a_door_to_a_matter_and_home_again(gallery: Gallery) -> None:
    stand(gallery, "home")
    gallery.finger.tap("door:life_housing")
    assert {"tile:no_house", "tile:fund_rent", "home"} <= names(gallery)
    gallery.finger.tap("home")
    assert "door:life_housing" in names(gallery)


def test_search_by_initials_on_the_keyboard(gallery: Gallery) -> None:
    stand(gallery, "home")
    gallery.finger.tap("search")
    for letter in "wfzm":
        gallery.finger.tap(f"key:{letter}")
    gallery.finger.tap("tile:no_house")
    assert ("start", "no_house") in gallery.hall.asked


def test_the_keyboard_types_xiamen(gallery: Gallery) -> None:
    stand(gallery, "form")
    gallery.finger.tap("field:employer")
    for letter in "xiamen":
        gallery.finger.tap(f"key:{letter}")
    assert gallery.kiosk.keyboard.candidates[0] == "厦门"
    gallery.finger.tap("candidate:0")
    assert gallery.kiosk.form.rows[1]["text"] == "厦门"
    gallery.finger.tap("key:backspace")
    assert gallery.kiosk.form.rows[1]["text"] == "厦"


def test_a_form_is_filled_and_sent_once(gallery: Gallery) -> None:
    stand(gallery, "form")
    gallery.finger.tap("choice:reason:work")
    gallery.finger.type("employer", "样例公司")
    gallery.finger.type("since", "19020304")
    gallery.finger.tap("primary")
    with pytest.raises(NotThere):
        gallery.finger.tap("primary")
    values = {"reason": "work", "employer": "样例公司", "phone": "13900000017", "since": "1902-03-04"}
    assert answers(gallery) == [FormFilled(screen_id=8, values=values)]


def test_a_missing_field_is_shown_and_nothing_is_sent(gallery: Gallery) -> None:
    stand(gallery, "form")
    gallery.finger.tap("primary")
    assert answers(gallery) == []
    assert [row["missing"] for row in gallery.kiosk.form.rows] == [True, True, False, False]


def test_what_is_missing_further_down_a_long_form_comes_into_view(gallery: Gallery) -> None:
    view = views()["form"]
    assert isinstance(view.screen, FormScreen)
    reason, employer, *_ = view.screen.items
    texts = [replace(employer, id=f"text_{number}", value="样例") for number in range(9)]
    stand(gallery, "form")
    gallery.hall.publish(replace(view, screen=replace(view.screen, screen_id=99, items=(*texts, reason))))
    while "scroll:up" in names(gallery):
        gallery.finger.tap("scroll:up")
    assert "choice:reason:work" not in names(gallery)
    gallery.finger.tap("primary")
    until(lambda: "choice:reason:work" in names(gallery))


def test_an_elder_form_goes_field_by_field_and_back(gallery: Gallery) -> None:
    stand(gallery, "form", Mode.ELDER)
    gallery.finger.tap("primary")
    assert gallery.kiosk.form.position == 1
    gallery.finger.tap("choice:reason:study")
    gallery.finger.tap("primary")
    assert gallery.kiosk.form.position == 2
    gallery.finger.tap("back")
    assert gallery.kiosk.form.position == 1
    assert answers(gallery) == []
    gallery.finger.tap("back")
    assert answers(gallery) == [WentBack(screen_id=8)]


def test_the_number_pad_offers_x_only_for_identity_numbers(gallery: Gallery) -> None:
    stand(gallery, "code")
    assert "key:X" not in names(gallery)
    stand(gallery, "identity")
    gallery.finger.tap("key:X")
    assert gallery.kiosk.form.rows[0]["text"] == "35020319090102001X"
    assert gallery.kiosk.form.rows[0]["error"] == ""


def test_primary_alternative_option_back_and_leave_answer_the_screen_that_stands(gallery: Gallery) -> None:
    for view, touch, answer in (
        ("review", "primary", Chosen(screen_id=10, option="submit")),
        ("consent", "option:other", Chosen(screen_id=3, option="other")),
        ("rate", "option:5", Chosen(screen_id=17, option="5")),
        ("sign_in", "back", WentBack(screen_id=2)),
        ("card", "leave", Left()),
    ):
        stand(gallery, view)
        gallery.finger.tap(touch)
        assert answers(gallery) == [answer]


def test_several_are_ticked_and_sent_with_the_primary(gallery: Gallery) -> None:
    stand(gallery, "several")
    for id in ("spouse", "child", "spouse"):
        gallery.finger.tap(f"option:{id}")
    gallery.finger.tap("primary")
    assert answers(gallery) == [Chosen(screen_id=7, option="next", several=("child",))]


def test_a_nervous_double_tap_is_one_answer_and_the_next_screen_answers_at_once(gallery: Gallery) -> None:
    stand(gallery, "rate")
    gallery.finger.tap("option:5")
    gallery.finger.tap("option:5")
    assert len(answers(gallery)) == 1
    gallery.hall.publish(views()["review"])
    until(lambda: "primary" in names(gallery))
    gallery.finger.tap("primary")
    assert [answer.screen_id for answer in answers(gallery)] == [17, 10]


def test_a_press_begun_on_one_screen_does_not_answer_the_next(gallery: Gallery) -> None:
    stand(gallery, "review")
    at = next(each for each in gallery.finger.state()["touchables"] if each["name"] == "primary")
    middle = QPoint(at["x"], at["y"])
    window = gallery.kiosk.window
    QTest.mousePress(window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
    gallery.hall.publish(views()["working"])
    QTest.mouseRelease(window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)
    assert answers(gallery) == []


def test_language_changes_while_a_screen_stands_and_nothing_typed_is_lost(gallery: Gallery) -> None:
    stand(gallery, "form")
    gallery.finger.type("employer", "ab")
    gallery.finger.tap("language")
    gallery.finger.tap("language:en")
    assert gallery.kiosk.session.title == "A few more details"
    assert gallery.kiosk.words.of["help"] == "Help"
    assert gallery.kiosk.form.rows[1]["text"] == "ab"
    assert gallery.kiosk.stage.sheet == ""


def test_mode_changes_while_a_screen_stands(gallery: Gallery) -> None:
    stand(gallery, "choose")
    before = next(each for each in gallery.finger.state()["touchables"] if each["name"] == "help")
    gallery.finger.tap("mode")
    QTest.qWait(1)
    after = next(each for each in gallery.finger.state()["touchables"] if each["name"] == "help")
    assert ("mode", Mode.ELDER) in gallery.hall.asked
    assert after["height"] > before["height"]


def test_lowering_the_page_brings_every_control_under_1100_mm(gallery: Gallery) -> None:
    settings = gallery.kiosk.settings
    for view in ("home", "form", "consent"):
        stand(gallery, view)
        gallery.finger.tap("lower")
        QTest.qWait(1)
        px_per_mm = gallery.kiosk.window.height() / settings.height_mm
        for each in gallery.finger.state()["touchables"]:
            top_mm = settings.bottom_mm + settings.height_mm - (each["y"] - each["height"] / 2) / px_per_mm
            assert top_mm <= 1100.5, each
        gallery.finger.tap("lower")


def test_the_time_out_can_be_extended_and_veils_everything_else(gallery: Gallery) -> None:
    stand(gallery, "time_out")
    assert names(gallery) == {"extend", "end"}
    gallery.finger.tap("extend")
    assert gallery.hall.asked == [("extend", None)]
    warned = replace(views()["home"], warning=TimeOutWarning(seconds_left=9, seconds_total=30))
    gallery.hall.publish(warned)
    until(lambda: names(gallery) == {"extend"})


def test_help_opens_over_the_page_and_closes(gallery: Gallery) -> None:
    stand(gallery, "review")
    gallery.finger.tap("help")
    assert names(gallery) == {"close", "remote_helper"}
    gallery.finger.tap("close")
    assert "primary" in names(gallery)


def test_a_touch_on_the_page_tells_that_someone_is_there(gallery: Gallery) -> None:
    stand(gallery, "review")
    gallery.kiosk._since_touch.invalidate()
    gallery.finger.tap("reveal:1")
    gallery.finger.tap("reveal:1")
    assert gallery.hall.asked == [("wake", None)]


def test_values_are_gone_when_the_visit_ends(gallery: Gallery) -> None:
    stand(gallery, "form")
    gallery.finger.type("employer", "某某公司")
    gallery.finger.tap("field:employer")
    gallery.finger.tap("key:x")
    gallery.hall.publish(views()["preview"])
    gallery.hall.publish(views()["attract"])
    kiosk = gallery.kiosk
    assert kiosk.form.rows == []
    assert kiosk.session.known == []
    assert kiosk.keyboard.composing == ""
    assert kiosk.pictures.page.isNull()
    assert kiosk.session._view is None
    assert kiosk.form._view is None


def test_markup_in_a_value_stays_text(gallery: Gallery) -> None:
    stand(gallery, "form")
    gallery.kiosk.form.set_value("employer", "<b>a</b>&lt;")
    assert gallery.kiosk.form.rows[1]["text"] == "<b>a</b>&lt;"


def test_a_touch_screens_touch_is_a_tap(gallery: Gallery) -> None:
    stand(gallery, "home")
    at = next(each for each in gallery.finger.state()["touchables"] if each["name"] == "tile:no_house")
    device = QTest.createTouchDevice()
    QTest.touchEvent(gallery.kiosk.window, device).press(0, QPoint(at["x"], at["y"]), gallery.kiosk.window).commit()
    QTest.touchEvent(gallery.kiosk.window, device).release(0, QPoint(at["x"], at["y"]), gallery.kiosk.window).commit()
    until(lambda: ("start", "no_house") in gallery.hall.asked)


def test_the_camera_shows_only_where_it_is_wanted(gallery: Gallery) -> None:
    class Grey:
        width, height, rgb = 8, 6, bytes(8 * 6 * 3)

    stand(gallery, "face")
    gallery.kiosk.show_picture(Grey())
    assert gallery.kiosk.pictures.has_camera
    Grey.rgb = b"short"
    gallery.kiosk.show_picture(Grey())
    gallery.hall.publish(views()["review"])
    assert not gallery.kiosk.pictures.has_camera
    Grey.rgb = bytes(8 * 6 * 3)
    gallery.kiosk.show_picture(Grey())
    assert not gallery.kiosk.pictures.has_camera


@pytest.fixture
def ask(gallery: Gallery, tmp_path: Any) -> Any:
    path = tmp_path / "hand"
    hand = RemoteHand(gallery.kiosk, path)
    socket = QLocalSocket()
    socket.connectToServer(str(path))
    assert socket.waitForConnected(2000)

    def say(line: str) -> dict[str, Any]:
        socket.write(line.encode() + b"\n")
        socket.flush()
        until(socket.canReadLine)
        answer: dict[str, Any] = json.loads(bytes(socket.readLine().data()))
        return answer

    yield say
    socket.abort()
    hand.close()


def test_the_remote_hand_sees_taps_types_shoots_and_waits(gallery: Gallery, ask: Any, tmp_path: Any) -> None:
    stand(gallery, "code")
    state = ask('{"do": "state"}')
    assert (state["ok"], state["stage"], state["screen"]["kind"]) == (True, "session", "form")
    assert ask('{"do": "type", "name": "code", "text": "123456"}') == {"ok": True}
    assert gallery.kiosk.form.rows[0]["text"] == "123456"
    assert ask(json.dumps({"do": "shot", "path": str(tmp_path / "a" / "shot.png")})) == {"ok": True}
    assert (tmp_path / "a" / "shot.png").stat().st_size > 10_000
    assert ask('{"do": "tap", "name": "primary"}') == {"ok": True}
    assert answers(gallery) == [FormFilled(screen_id=5, values={"code": "123456"})]
    assert ask('{"do": "wait", "kind": "form", "name": "help"}')["ok"]
    assert not ask('{"do": "wait", "stage": "attract", "seconds": 0.05}')["ok"]


@pytest.mark.parametrize(
    "line", ["", "{", "[]", "{}", '{"do": "dance"}', '{"do": "tap"}', '{"do": "tap", "name": "none"}']
)
def test_the_remote_hand_answers_nonsense_with_an_error(ask: Any, line: str) -> None:
    assert ask(line)["ok"] is False


def test_out_of_service_shows_every_reason_with_its_code(gallery: Gallery) -> None:
    stand(gallery, "out_of_service")
    assert gallery.kiosk.stage.reasons == [
        {"text": "读卡器没有回应", "code": "A12"}, {"text": "回执打印机缺纸", "code": "D45"},
    ]  # fmt: skip
    assert names(gallery) == set()


def test_every_stage_has_its_page(gallery: Gallery) -> None:
    for stage in StageKind:
        gallery.hall.publish(replace(views()["review"], stage=stage))
        QTest.qWait(1)
        assert gallery.kiosk.stage.stage == stage.value
