"""The field a name is written in: strokes arrive in millimetres, ink dies with the screen; codes can be scanned."""

from __future__ import annotations

import segno
from PySide6.QtGui import QImage

from kiosk.contracts.text import Language
from kiosk.flow.screens import Chosen, Mode, Wrote
from kiosk.ui.gallery.__main__ import Gallery
from kiosk.ui.gallery.effect_screens import EFFECT_SCREENS
from kiosk.ui.remote_hand import INVENTED_NAME


def wrote(gallery: Gallery) -> list[Wrote]:
    return [asked for name, asked in gallery.hall.asked if name == "answer" and isinstance(asked, Wrote)]


def test_a_written_name_arrives_stroke_by_stroke_in_millimetres(portrait: Gallery) -> None:
    portrait.stand("sign", Mode.STANDARD, Language.ZH_CN)
    portrait.hall.asked.clear()
    portrait.finger.sign("ink")
    strokes = wrote(portrait)
    assert len(strokes) == len(INVENTED_NAME)
    assert {stroke.screen_id for stroke in strokes} == {EFFECT_SCREENS["sign"].screen_id}
    points = [point for stroke in strokes for point in stroke.points]
    assert all(0 <= x <= 200 and 0 <= y <= 80 for x, y, _ in points)
    assert abs(points[0][0] - INVENTED_NAME[0][0][0] * 200) < 2
    assert abs(points[0][1] - INVENTED_NAME[0][0][1] * 80) < 2
    moments = [at for _, _, at in points]
    assert moments == sorted(moments)


def test_the_same_strokes_in_landscape_are_the_same_millimetres(landscape: Gallery) -> None:
    landscape.stand("sign", Mode.ELDER, Language.EN)
    landscape.hall.asked.clear()
    landscape.finger.sign("ink")
    first = wrote(landscape)[0].points[0]
    assert abs(first[0] - INVENTED_NAME[0][0][0] * 200) < 2
    assert abs(first[1] - INVENTED_NAME[0][0][1] * 80) < 2


def test_a_pads_ink_is_shown_and_the_glass_takes_none(portrait: Gallery) -> None:
    portrait.stand("signed", Mode.STANDARD, Language.ZH_CN)
    assert not any(each["name"] == "ink" for each in portrait.finger.state()["touchables"])
    portrait.hall.asked.clear()
    portrait.finger.tap("primary")
    assert [asked for name, asked in portrait.hall.asked if name == "answer"] == [
        Chosen(screen_id=EFFECT_SCREENS["signed"].screen_id, option="confirm")
    ]


def test_a_shown_code_is_the_code_a_phone_reads(portrait: Gallery) -> None:
    """Every module stands, dark on white, in whole pixels."""
    portrait.stand("pay", Mode.STANDARD, Language.ZH_CN)
    text = portrait.finger.state()["screen"]["qr"]
    rows = [bytes(row) for row in segno.make(text, error="m", micro=False).matrix]
    picture = portrait.kiosk.window.grabWindow()
    left, top, size = _code_in(picture, len(rows))
    found = [
        [picture.pixelColor(left + round((x + 0.5) * size), top + round((y + 0.5) * size)).lightness() < 128
         for x in range(len(rows))]
        for y in range(len(rows))
    ]  # fmt: skip
    assert found == [[bool(dark) for dark in row] for row in rows]


def _code_in(picture: QImage, modules: int) -> tuple[int, int, float]:
    """Upper left and module size of the largest dark-on-white square, from the black pixels below the bill."""
    black = [
        (x, y)
        for y in range(picture.height() // 3, picture.height() * 4 // 5, 2)
        for x in range(0, picture.width(), 2)
        if picture.pixelColor(x, y).name() == "#000000"
    ]
    left, right = min(x for x, _ in black), max(x for x, _ in black)
    top = min(y for _, y in black)
    return left, top, (right - left + 2) / modules
