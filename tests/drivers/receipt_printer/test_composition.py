"""The slip itself: typography, rare characters, codes that read back, GB18030 that decodes to the exact text."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from drivers.errors import Unsupported
from drivers.messages import Line, PairLine, PrintJob, QrLine, TextLine
from drivers.receipt_printer.composition import compose, is_native
from drivers.receipt_printer.fonts import find_fonts
from drivers.receipt_printer.simulator.paper import interpret, render
from drivers.receipt_printer.typesetting import NEVER_FIRST, NEVER_LAST, Typesetter, break_lines
from tests.drivers.receipt_printer.conftest import QR_CONTENT, slip

TYPESETTER = Typesetter(find_fonts(), 576, 203)
RARE = "测試龘䶮㐀𠮷"


def printed(*lines: Line, profile: str = "raster") -> bytes:
    return bytes(compose(PrintJob(job_id="j", lines=lines), TYPESETTER, profile))


@pytest.mark.parametrize("profile", ["raster", "gb18030"])
def test_every_command_is_understood_and_the_slip_is_cut(profile: str) -> None:
    data = bytes(compose(slip(), TYPESETTER, profile))
    paper = interpret(data)
    assert paper.unknown == []
    assert len(paper.slips) == 1
    assert data.endswith(b"\x1dV\x41\x00")


def test_raster_paper_is_dot_for_dot_what_was_drawn() -> None:
    drawn = [TYPESETTER.draw(line) for line in slip().lines]
    paper = interpret(bytes(compose(slip(), TYPESETTER, "raster"))).slips[0]
    top = 0
    for picture in drawn:
        box = (0, top, 576, top + picture.height)
        assert ImageChops.difference(paper.crop(box).convert("L"), picture.convert("L")).getbbox() is None
        top += picture.height
    assert paper.height == top


@pytest.mark.parametrize("character", RARE)
def test_rare_characters_are_drawn_and_not_boxes(character: str) -> None:
    missing = TYPESETTER.draw(TextLine(text="\U0010fffd"))
    empty = TYPESETTER.draw(TextLine(text=""))
    drawn = TYPESETTER.draw(TextLine(text=character))
    for other in (missing, empty):
        assert ImageChops.difference(drawn.convert("L"), other.convert("L")).getbbox() is not None


@pytest.mark.parametrize("profile", ["raster", "gb18030"])
def test_the_code_reads_back_from_the_paper(profile: str) -> None:
    picture = np.array(render(bytes(compose(slip(), TYPESETTER, profile))))
    text, _, _ = cv2.QRCodeDetector().detectAndDecode(picture)
    assert text == QR_CONTENT


def test_native_text_decodes_to_the_exact_words() -> None:
    text = "姓名：张三（測試龘）￥12.50，《办法》、①"
    data = printed(TextLine(text=text), profile="gb18030")
    start, end = data.index(b"\x1c&") + 2, data.index(b"\x1c.")
    assert data[start:end].decode("gb18030") == text
    assert interpret(data).text == [text]


def test_native_pairs_stand_at_both_edges() -> None:
    paper = interpret(printed(PairLine(label="费用", value="￥0.00"), profile="gb18030"))
    row = paper.text[0]
    assert row.startswith("费用 ")
    assert row.endswith("￥0.00")
    assert len(row.encode("gb18030")) == 48


@pytest.mark.parametrize("character", "䶮㐀𠮷¥ñ😀")
def test_what_a_printers_font_may_lack_is_drawn_instead(character: str) -> None:
    assert not is_native(character)
    data = printed(TextLine(text=f"测{character}"), profile="gb18030")
    assert b"\x1c&" not in data
    assert b"\x1dv0" in data


def test_control_characters_never_reach_the_printer_as_commands() -> None:
    for profile in ("raster", "gb18030"):
        data = printed(TextLine(text="甲\x1b@\x1dV\x00\x10\x04\x01乙"), profile=profile)
        assert data.count(b"\x1dV") == 1
        assert interpret(data).unknown == []


def test_blank_paper_costs_little() -> None:
    data = bytes(compose(slip(), TYPESETTER, "raster"))
    height = interpret(data).slips[0].height
    assert len(data) < 0.75 * height * 576 / 8


def test_pair_labels_begin_at_the_left_and_values_end_at_the_right() -> None:
    dark = Image.eval(TYPESETTER.draw(PairLine(label="事项", value="已出具（2 页）")).convert("L"), lambda v: 255 - v)
    left, _, right, _ = dark.getbbox() or (0, 0, 0, 0)
    margin = TYPESETTER.dots(2.0)
    assert margin <= left <= margin + 4
    assert 576 - margin - 6 <= right <= 576 - margin


def test_a_long_value_wraps_beside_its_label_and_a_long_label_stands_above() -> None:
    one = TYPESETTER.draw(PairLine(label="地点", value="厦门")).height
    wrapped = TYPESETTER.draw(PairLine(label="地点", value="厦门市思明区某某路一百二十三号某某便利店自助终端"))
    assert wrapped.height == 2 * one
    stacked = TYPESETTER.draw(PairLine(label="一个特别长的标签一个特别长的标签", value="与一个同样长得放不下的值"))
    assert stacked.height == 2 * one


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("厦门市政务，。（）《》、：Ab12- "), max_size=60), st.integers(6, 30))
def test_rows_keep_every_character_and_never_overflow(text: str, measure: int) -> None:
    def width(row: str) -> float:
        return float(sum(1 if character.isascii() else 2 for character in row))

    rows = break_lines(text, measure, width)
    assert "".join("".join(rows).split()) == "".join(text.split())
    assert all(width(row) <= measure for row in rows)


def test_closing_marks_do_not_begin_a_row_nor_opening_marks_end_one() -> None:
    text = "请核对打印材料，并妥善保管（含印章）。如需查询《办法》，请来电。" * 5
    for measure in range(12, 40):
        rows = break_lines(text, measure, lambda row: float(2 * len(row)))
        assert not [row for row in rows[1:] if row[0] in NEVER_FIRST]
        assert not [row for row in rows[:-1] if row[-1] in NEVER_LAST]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.text(max_size=80), st.sampled_from(["raster", "gb18030"]))
def test_any_text_is_printable(label: str, value: str, profile: str) -> None:
    paper = interpret(printed(PairLine(label=label, value=value), TextLine(text=value), profile=profile))
    assert paper.unknown == []


def test_a_full_code_still_fits_the_paper() -> None:
    picture = np.array(render(printed(QrLine(content="https://yizhan.example/" + "x" * 400))))
    text, _, _ = cv2.QRCodeDetector().detectAndDecode(picture)
    assert text.startswith("https://yizhan.example/")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (QrLine(content=""), "code_unprintable"),
        (QrLine(content="x" * 5000), "code_unprintable"),
        (TextLine(text="长" * 5000), "receipt_too_long"),
    ],
)
@pytest.mark.parametrize("profile", ["raster", "gb18030"])
def test_what_no_paper_can_hold_is_refused(line: Line, reason: str, profile: str) -> None:
    with pytest.raises(Unsupported) as refused:
        printed(line, profile=profile)
    assert refused.value.reason == reason
