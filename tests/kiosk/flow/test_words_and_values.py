"""Words are complete, used ones exist; values fill, mask and vanish."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from flow_world import LIN, NOW

from drivers.messages import PairLine, QrLine, TextLine
from kiosk.contracts.errors import FaultCode
from kiosk.contracts.matter import FormField, ReceiptLayout
from kiosk.contracts.value import Language, LocalizedText
from kiosk.flow.steps.effects.receipt import receipt_job
from kiosk.flow.steps.fill_form import mistake
from kiosk.flow.values import Values, is_private, masked
from kiosk.flow.words import failure_words, has_word, word

FLOW = Path(__file__).parents[3] / "kiosk" / "flow"


@pytest.mark.parametrize("fault", list(FaultCode))
def test_every_fault_says_what_of_papers_money_and_what_to_do(fault: FaultCode) -> None:
    words = failure_words(fault)
    for sentence in (words.title, words.say, words.papers, words.money, words.what_to_do):
        assert sentence.zh_cn
        assert sentence.zh_tw
        assert sentence.en


def test_every_word_the_flow_uses_exists() -> None:
    used = set()
    for file in FLOW.rglob("*.py"):
        code = file.read_text(encoding="utf-8")
        used |= set(re.findall(r'(?:word|working)\("([a-z_0-9]+)"\)', code))
        used |= set(re.findall(r'option\("[a-z_]+", "([a-z_]+)"', code))
    assert len(used) > 40
    assert sorted(key for key in used if not has_word(key)) == []


def test_places_are_filled_and_masked() -> None:
    values = Values()
    values.put_card(LIN)
    assert values.fill("{card.name:masked} {card.id_number:masked}") == "林** 350*************17"
    assert values.fill("{card.name}，{answer.nothing}") == "林测试，—"
    assert values.send("card.id_number") == "350203190102030017"
    assert values.send("{card.id_number}") == "350203190102030017"
    assert values.send("answer.nothing") is None
    assert values.send("号码 {card.id_number:masked}") == "号码 350*************17"


def test_values_are_gone_after_wiping() -> None:
    values = Values()
    values.put_card(LIN)
    values.wipe()
    assert values.get("card.name") is None


def test_a_new_address_replaces_the_printed_one() -> None:
    values = Values()
    values.put_card(LIN.model_copy(update={"new_address": "福建省厦门市思明区测试路2号"}))
    assert values.get("card.address") == "福建省厦门市思明区测试路2号"


@pytest.mark.parametrize(
    ("kind", "value", "good"),
    [
        ("phone", "13900000001", True), ("phone", "12900000001", False), ("phone", "1390000000", False),
        ("identity_number", "350203190102030017", True), ("identity_number", "35020319010203001x", False),
        ("identity_number", "350203190102290011", False), ("date", "2026-02-28", True), ("date", "2026-02-30", False),
        ("text", "厦门", True), ("text", "a\x00b", False), ("text", "字" * 61, False),
    ],
)  # fmt: skip
def test_entries_follow_their_own_rules(kind: str, value: str, good: bool) -> None:
    label = {"zh-CN": "项", "zh-TW": "項", "en": "item"}
    field = FormField.model_validate({"id": "item", "label": label, "kind": kind})
    assert (mistake(field, value, dt.date(2026, 3, 5)) is None) == good


@pytest.mark.parametrize("language", list(Language))
def test_a_receipt_holds_the_number_and_only_masked_values(language: Language) -> None:
    label = {"zh-CN": "姓名", "zh-TW": "姓名", "en": "Name"}
    layout = ReceiptLayout.model_validate(
        {"heading": label, "items": [{"label": label, "value": "{card.name:masked}"}], "note": label}
    )
    values = Values()
    values.put_card(LIN)
    job = receipt_job(
        layout, values, job_id="j", language=language, transaction_number="260305-0001-ABCDEF", site="",
        terminal="T-0001", printed_at=NOW,
    )  # fmt: skip
    assert any(isinstance(line, QrLine) and line.content == "260305-0001-ABCDEF" for line in job.lines)
    assert any(isinstance(line, PairLine) and line.value == "林**" for line in job.lines)
    assert not any("林测试" in line.text for line in job.lines if isinstance(line, TextLine))
    assert word("receipt_number").in_language(language) in {
        line.label for line in job.lines if isinstance(line, PairLine)
    }


def test_a_slip_is_dated_in_the_city_s_time_and_leaves_out_what_nobody_knows() -> None:
    values = Values()
    values.put("card", {"name": "林测试"})
    values.put("answer", {"addressee": ""})
    label = {"zh-CN": "项", "zh-TW": "項", "en": "Item"}
    places = ("{card.name:masked}", "{answer.addressee}", "{service.house.number}")
    items = [{"label": label, "value": value} for value in places]
    job = receipt_job(
        ReceiptLayout.model_validate({"heading": label, "items": items}), values, job_id="1", language=Language.ZH_CN,
        transaction_number="n", site="s", terminal="t", printed_at=dt.datetime(2026, 11, 22, 18, 5, tzinfo=dt.UTC),
    )  # fmt: skip
    shown = [line.value for line in job.lines if isinstance(line, PairLine)]
    assert shown == ["林**", "n", "2026-11-23 02:05", "s", "t"]


def test_a_choice_is_read_in_the_citizen_s_language_and_sent_in_the_papers() -> None:
    values = Values()
    school = LocalizedText.of({"zh-CN": "子女入学", "zh-TW": "子女入學", "en": "School enrolment"})
    values.put("answer", {"purpose": "school", "purpose_label": school})
    assert values.send("answer.purpose_label") == "子女入学"
    assert values.shown("{answer.purpose_label}") == school
    values.wipe()
    assert not values.knows("{answer.purpose_label}")


@pytest.mark.parametrize("source", ["answer.address", "certificate.birth.child_name", "card.address"])
def test_homes_and_families_are_masked_though_no_author_says_so(source: str) -> None:
    assert is_private(source)
    told = masked(source, "福建省厦门市思明区样例新村2号")
    assert "样例" not in told
    assert len(told) <= 12


@pytest.mark.parametrize("source", ["service.book.address", "answer.firm_name", "answer.purpose", "card.sex"])
def test_offices_and_firms_are_legible(source: str) -> None:
    assert not is_private(source)
