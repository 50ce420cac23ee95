"""The remote helper on the screen: agreed to before, in big print above the page, pointing, ended with one touch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtQuick import QQuickItem
from PySide6.QtTest import QTest

from kiosk.contracts.value import Language
from kiosk.flow.screens import Mode
from kiosk.ui.gallery.__main__ import Gallery
from tests.kiosk.ui.hand import names


def items(root: QQuickItem) -> Iterator[QQuickItem]:
    for child in root.childItems():
        yield child
        yield from items(child)


def named(gallery: Gallery, name: str) -> QQuickItem:
    return next(item for item in items(gallery.kiosk.window.contentItem()) if item.objectName() == name)


def is_marked(gallery: Gallery, name: str) -> bool:
    return any(child.property("active") for child in named(gallery, name).childItems())


@pytest.mark.parametrize("mode", list(Mode))
def test_nobody_is_called_before_the_citizen_agrees(gallery: Gallery, mode: Mode) -> None:
    gallery.stand("remote_helper", mode, Language.ZH_CN)
    assert [call for call, _ in gallery.hall.asked if call == "help"] == []
    gallery.finger.tap("helper_agree")
    assert gallery.hall.asked[-1] == ("help", True)
    gallery.stand("remote_helper", mode, Language.ZH_CN)
    gallery.finger.tap("close")
    assert "helper_agree" not in names(gallery)
    assert [wanted for call, wanted in gallery.hall.asked if call == "help"] == [True], "and not a second time"


@pytest.mark.parametrize("mode", list(Mode))
def test_the_helper_says_marks_and_is_sent_away(gallery: Gallery, mode: Mode) -> None:
    gallery.stand("helper_points", mode, Language.ZH_CN)
    assert named(gallery, "helper_says").property("text") == "请点亮起来的这个。"
    assert is_marked(gallery, "option:phone")
    assert not is_marked(gallery, "option:camera")
    gallery.finger.tap("option:phone")
    assert gallery.hall.asked[-1][0] == "answer", "what is marked can be touched"
    helper = gallery.hall.view.helper
    assert helper is not None
    gallery.hall.publish(replace(gallery.hall.view, helper=replace(helper, point="")))
    QTest.qWait(5)
    assert not is_marked(gallery, "option:phone")
    gallery.hall.publish(replace(gallery.hall.view, language=Language.EN))
    QTest.qWait(5)
    assert named(gallery, "helper_says").property("text") == "Please touch the part that is marked."
    gallery.finger.tap("end_helper")
    assert gallery.hall.asked[-1] == ("help", False)
    gallery.hall.publish(replace(gallery.hall.view, helper=None))
    QTest.qWait(5)
    assert "end_helper" not in names(gallery)


def test_a_field_on_another_page_is_pointed_at_through_the_button_that_leads_there(gallery: Gallery) -> None:
    gallery.stand("helper_field", Mode.ELDER, Language.ZH_CN)
    assert is_marked(gallery, "primary"), "the second field: the first page's next"
    gallery.finger.tap("choice:reason:work")
    gallery.finger.tap("primary")
    QTest.qWait(5)
    assert is_marked(gallery, "field:employer")
    assert not is_marked(gallery, "primary")
    gallery.kiosk.form.write("厦门")
    gallery.finger.tap("primary")
    QTest.qWait(5)
    assert is_marked(gallery, "back")


def test_choices_are_marked_as_a_whole(gallery: Gallery) -> None:
    gallery.stand("helper_field", Mode.STANDARD, Language.ZH_CN)
    helper = gallery.hall.view.helper
    assert helper is not None
    gallery.hall.publish(replace(gallery.hall.view, helper=replace(helper, point="field:reason")))
    QTest.qWait(5)
    assert [
        item.isVisible()
        for item in items(gallery.kiosk.window.contentItem())
        if item.objectName() == "pointed_choices" and item.isVisible()
    ] == [True]
