"""Hands that do what nobody expects: two fingers, a long press, a press that slides away, switches in mid-entry."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from kiosk.flow.screens import Left, Mode, StageKind, TimeOutWarning
from kiosk.ui.gallery.__main__ import Gallery
from kiosk.ui.gallery.views import views
from tests.kiosk.ui.hand import answers, names, stand

ODD_PINYIN = ("v", "'", "'''", "zhuangzhuangzhuang", "uuuuuuuuuuuuuuuuuuuuuuuuuuuuuu", "ng'ng", "iiii", "xi'an", "lv")


def place_of(gallery: Gallery, name: str) -> QPoint:
    at = next(each for each in gallery.finger.state()["touchables"] if each["name"] == name)
    return QPoint(at["x"], at["y"])


def test_two_fingers_at_once_are_one_answer(gallery: Gallery) -> None:
    stand(gallery, "review")
    window, device = gallery.kiosk.window, QTest.createTouchDevice()
    one, other = place_of(gallery, "primary"), place_of(gallery, "back")
    QTest.touchEvent(window, device).press(0, one, window).press(1, other, window).commit()
    QTest.touchEvent(window, device).release(0, one, window).release(1, other, window).commit()
    QTest.qWait(5)
    assert len(answers(gallery)) == 1


def test_a_palm_beside_the_finger_presses_nothing(gallery: Gallery) -> None:
    stand(gallery, "review")
    window, device = gallery.kiosk.window, QTest.createTouchDevice()
    palm, one = QPoint(540, 1250), place_of(gallery, "primary")
    QTest.touchEvent(window, device).press(0, palm, window).commit()
    QTest.touchEvent(window, device).stationary(0).press(1, one, window).commit()
    QTest.touchEvent(window, device).stationary(0).release(1, one, window).commit()
    QTest.touchEvent(window, device).release(0, palm, window).commit()
    QTest.qWait(5)
    assert len(answers(gallery)) <= 1
    gallery.finger.tap("back")
    assert answers(gallery), "the screen still hears"


def test_a_long_press_is_one_tap_and_one_that_slides_away_is_none(gallery: Gallery) -> None:
    stand(gallery, "review")
    window, at = gallery.kiosk.window, place_of(gallery, "primary")
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QTest.mousePress(window, left, none, at)
    QTest.mouseMove(window, QPoint(540, 400))
    QTest.mouseRelease(window, left, none, QPoint(540, 400))
    assert answers(gallery) == []
    QTest.mousePress(window, left, none, at)
    QTest.qWait(900)
    QTest.mouseRelease(window, left, none, at)
    assert len(answers(gallery)) == 1


@pytest.mark.parametrize("mode", list(Mode))
def test_a_finger_that_slips_to_leave_ends_nothing(gallery: Gallery, mode: Mode) -> None:
    stand(gallery, "form", mode)
    gallery.kiosk.form.set_value("employer", "厦门样例公司")
    gallery.finger.tap("leave")
    assert names(gallery) == {"stay", "end"}
    gallery.finger.tap("stay")
    assert answers(gallery) == []
    assert gallery.kiosk.form._now.values["employer"] == "厦门样例公司"
    gallery.finger.tap("leave")
    gallery.finger.tap("end")
    assert answers(gallery) == [Left()]
    assert gallery.kiosk.stage.sheet == ""


def test_what_must_not_be_broken_off_cannot_be_left_from_a_sheet_that_was_open(gallery: Gallery) -> None:
    stand(gallery, "review")
    gallery.finger.tap("leave")
    gallery.hall.publish(views()["printing"])
    QTest.qWait(2)
    assert "end" not in names(gallery)


def test_back_is_not_there_while_a_machine_works(gallery: Gallery) -> None:
    stand(gallery, "printing")
    assert {"back", "primary", "leave"}.isdisjoint(names(gallery))


def test_what_was_typed_stays_when_mode_and_language_change_to_and_fro(gallery: Gallery) -> None:
    stand(gallery, "form")
    gallery.finger.tap("choice:reason:work")
    gallery.finger.type("employer", "ab")
    for _ in range(3):
        gallery.finger.tap("mode")
        gallery.finger.tap("language")
        gallery.finger.tap("language:en")
        QTest.qWait(2)
    assert gallery.kiosk.look.elder
    values = gallery.kiosk.form._now.values
    assert (values["reason"], values["employer"]) == ("work", "ab")
    assert gallery.kiosk.form.rows[0]["id"] == "employer", "and the field that was being filled"


@pytest.mark.parametrize("mode", list(Mode))
def test_a_time_out_veils_every_page_of_a_visit(gallery: Gallery, mode: Mode) -> None:
    for name, view in views().items():
        if view.stage is not StageKind.SESSION:
            continue
        warned = replace(view, mode=mode, warning=TimeOutWarning(seconds_left=9, seconds_total=30))
        gallery.hall.publish(warned)
        QTest.qWait(1)
        assert names(gallery) == {"extend", "end"}, name


@pytest.mark.parametrize("letters", ODD_PINYIN)
def test_odd_letters_never_stop_the_keyboard(gallery: Gallery, letters: str) -> None:
    stand(gallery, "form")
    gallery.finger.tap("field:employer")
    for letter in letters:
        gallery.kiosk.keyboard.press(letter)
    for key in ("space", "backspace", "space"):
        gallery.kiosk.keyboard.press(key)
    gallery.finger.tap("key:page:letters")
    gallery.finger.tap("key:a")
    assert gallery.kiosk.form.rows[1]["text"].endswith("a")
    assert gallery.kiosk.warnings == []
