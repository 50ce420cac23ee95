"""The rules of the look hold on every page, in both modes, shapes and all languages; and the audit can see."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject
from PySide6.QtGui import QColor
from PySide6.QtQml import QQmlComponent
from PySide6.QtQuick import QQuickItem

from kiosk.contracts.value import Language
from kiosk.flow.screens import Mode
from kiosk.ui.gallery.__main__ import VISITS, Gallery
from kiosk.ui.gallery.views import NAMES
from tests.kiosk.ui.audit import audit, contrast

pytestmark = pytest.mark.timeout(300)
EVERYTHING = (*NAMES, *VISITS)

ALWAYS = (
    (Language.ZH_CN, Mode.STANDARD),
    (Language.ZH_CN, Mode.ELDER),
    (Language.EN, Mode.STANDARD),
    (Language.EN, Mode.ELDER),
)


@pytest.mark.parametrize(("language", "mode"), ALWAYS)
def test_every_page_keeps_the_rules_in_portrait(portrait: Gallery, language: Language, mode: Mode) -> None:
    _walk_all(portrait, language, mode)


@pytest.mark.parametrize(("language", "mode"), ALWAYS[1:3])
def test_every_page_keeps_the_rules_in_landscape(landscape: Gallery, language: Language, mode: Mode) -> None:
    _walk_all(landscape, language, mode)


@pytest.mark.campaign
@pytest.mark.parametrize("mode", list(Mode))
def test_every_page_keeps_the_rules_in_traditional_characters(
    portrait: Gallery, landscape: Gallery, mode: Mode
) -> None:
    _walk_all(portrait, Language.ZH_TW, mode)
    _walk_all(landscape, Language.ZH_TW, mode)


def _walk_all(gallery: Gallery, language: Language, mode: Mode) -> None:
    faults = {}
    for name in EVERYTHING:
        gallery.stand(name, mode, language)
        if found := audit(gallery):
            faults[name] = found
    listed = [f"{name}: {each.rule}: {each.where}: {each.what}" for name, found in faults.items() for each in found]
    assert listed == []


PLANTED = {
    "glyph": 'Label { text: "太小"; font.pixelSize: 12; x: 60; y: 700 }',
    "contrast": 'Label { text: "看不清"; color: "#8899A6"; x: 60; y: 700 }',
    "cut": 'Label { text: "太长放不下"; wrapMode: Text.NoWrap; width: 60; elide: Text.ElideRight; x: 60; y: 700 }',
    "overlap": 'Item { x: 60; y: 700; Label { text: "上面" } Label { text: "下面"; x: 8; y: 6 } }',
    "target": 'Touchable { objectName: "small"; name: "小"; x: 60; y: 700; width: 30; height: 30 }',
    "gap": 'Item { x: 60; y: 700; Touchable { objectName: "a"; name: "甲"; width: 100; height: 100 }'
           ' Touchable { objectName: "b"; name: "乙"; x: 104; width: 100; height: 100 } }',
    "outgrown": 'Touchable { objectName: "a"; name: "甲"; x: 60; y: 700; width: 100; height: 100;'
                ' Label { y: 40; width: 90; text: "写不下的字写不下" } }',
    "name": 'Touchable { objectName: "silent"; x: 60; y: 700; width: 120; height: 120 }',
}  # fmt: skip


@pytest.mark.parametrize("rule", PLANTED)
def test_the_audit_sees_a_planted_fault(portrait: Gallery, rule: str) -> None:
    portrait.stand("consent", Mode.ELDER, Language.ZH_CN)
    assert audit(portrait) == []
    planted = _plant(portrait, PLANTED[rule])
    try:
        assert rule in {fault.rule for fault in audit(portrait)}
    finally:
        planted.setParentItem(None)
        planted.deleteLater()


def _plant(gallery: Gallery, source: str) -> QQuickItem:
    component = QQmlComponent(gallery.kiosk.engine)
    component.setData(f"import QtQuick\nimport Kiosk.Controls\n{source}".encode(), "planted.qml")
    planted = component.create()
    assert isinstance(planted, QQuickItem), component.errorString()
    planted.setParent(QObject(gallery.kiosk.window))
    planted.setParentItem(gallery.kiosk.window.contentItem())
    return planted


def test_contrast_is_the_ratio_of_wcag() -> None:
    assert contrast(QColor("#000000"), QColor("#FFFFFF")) == pytest.approx(21)
    assert contrast(QColor("#767676"), QColor("#FFFFFF")) == pytest.approx(4.54, abs=0.01)
