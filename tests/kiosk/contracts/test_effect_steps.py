"""Signing, paying and writing cards in a matter: mistakes with their cure; jobs and amounts are read strictly."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kiosk.contracts.effect_steps import HIGHEST_FEN, PermitJob, SocialSecurityJob, fen_of, read_job, yuan
from kiosk.contracts.errors import MatterInvalid
from kiosk.contracts.matter_file import load_matter


def text(words: str) -> dict[str, str]:
    return {"zh-CN": words, "zh-TW": words, "en": words}


WHO = {"id": "who", "kind": "identify", "title": text("身份"), "say": text("请")}
BILL = {
    "id": "bill", "kind": "call_service", "title": text("查询"), "say": text("请"), "operation": "traffic.bill",
    "effect": "query",
}  # fmt: skip
SIGN = {"id": "sign", "kind": "sign", "title": text("签名"), "say": text("请"), "text": text("{card.name}确认")}
PAY = {
    "id": "pay", "kind": "pay", "title": text("付款"), "say": text("请"), "payee": text("交警"),
    "subject": text("罚款"),
    "lines": [{"label": text("罚款"), "amount_fen": "{service.bill.fine_fen}"}],
}  # fmt: skip
WRITE = {
    "id": "write", "kind": "write_card", "title": text("写卡"), "say": text("请"), "card": "permit",
    "job": "service.bill.job",
}  # fmt: skip
SUBMIT = BILL | {
    "id": "submit", "effect": "submit",
    "send": {"order": "payment.pay.order_id", "page": "material.sign.page"},
}  # fmt: skip
ALL = [WHO, BILL, SIGN, PAY, WRITE, SUBMIT]


def written(*steps: dict[str, Any]) -> str:
    """A matter file: JSON is YAML."""
    guide = {part: text("无") for part in ("conditions", "materials", "time_limit", "fee", "result", "legal_basis")}
    return json.dumps(
        {
            "id": "sample_matter", "code": "352099199000", "version": 1, "title": text("样例"), "department": "samples",
            "department_name": text("样例局"), "region": "350200", "life_event": "housing", "icon": "house",
            "guide": guide, "assurance": "card", "steps": steps,
        },
        ensure_ascii=False, indent=1,
    )  # fmt: skip


def mistakes(*steps: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(MatterInvalid) as caught:
        load_matter(written(*steps), "matter.yaml")
    return {path: message for path, _, message in caught.value.faults}


def test_a_matter_that_signs_pays_and_writes_is_good() -> None:
    matter = load_matter(written(*ALL), "matter.yaml")
    assert {device.value for device in matter.needs} == {"id_card_reader", "signature_pad", "card_rewriter"}


@pytest.mark.parametrize(
    ("steps", "path", "cure"),
    [
        ([SIGN | {"text": text("我确认")}, WHO], "steps[0]", "put an 'identify' step before"),
        ([WHO, SIGN | {"text": text("{card.nickname}")}], "steps[1].text.zh-CN", "one of"),
        ([WHO, SIGN | {"show": [{"label": text("名"), "value": "{name}"}]}], "steps[1].show[0].value", "{card.name}"),
        ([WHO, PAY, SUBMIT], "steps[1].lines[0].amount_fen", "bill"),
        ([WHO, BILL, PAY], "steps[2]", "nothing is delivered"),
        ([WHO, BILL, PAY, PAY | {"id": "again"}, WRITE], "steps[3]", "takes money already"),
        ([WHO, BILL, PAY | {"channels": ["non_tax"]}, WRITE], "steps[2].channels", "add bill: service.QUERY"),
        ([WHO, BILL, PAY | {"channels": ["wechat", "wechat"]}, WRITE], "steps[2].channels", "listed twice"),
        (
            [WHO, BILL, PAY | {"channels": ["bank_card"], "lines": [PAY["lines"][0] | {"part": "one"}]}, WRITE],
            "steps[2].channels", "whole payments",
        ),
        ([WHO, BILL, PAY | {"subject": text("{card.name}的罚款")}, WRITE], "steps[2].subject.zh-CN", "without places"),
        (
            [WHO, BILL, PAY | {"lines": [{"label": text("费"), "amount_fen": "20.00"}]}, WRITE],
            "steps[2].lines[0].amount_fen", "write whole fen",
        ),
        (
            [WHO, BILL, PAY | {"lines": [{"label": text("费"), "amount_fen": "{card.id_number}"}]}, WRITE],
            "steps[2].lines[0].amount_fen", "from an authority",
        ),
        ([WHO, BILL, WRITE | {"job": "card.name"}], "steps[2].job", "comes from an authority"),
        ([WHO, BILL, SUBMIT], "steps[2].send.order", "no pay step"),
        ([WHO, BILL, SIGN, PAY, SUBMIT | {"send": {"x": "payment.pay.payer"}}], "steps[4].send.x", "order_id"),
        (
            [WHO, SIGN | {"text": text("{card.name}确认") | {"en": "I confirm"}}],
            "steps[1].text.en", "who signs this reads less",
        ),
        ([WHO, SIGN | {"pen": "blue"}], "steps[1].sign.pen", ""),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_cure(steps: list[dict[str, Any]], path: str, cure: str) -> None:
    found = mistakes(*steps)
    near = {place: message for place, message in found.items() if place == path or path.endswith(place.split(".")[-1])}
    assert any(cure in message for message in near.values()), found


@pytest.mark.parametrize(
    ("written_as", "fen"),
    [("0", 0), ("2000", 2000), (str(HIGHEST_FEN), HIGHEST_FEN), (str(HIGHEST_FEN + 1), None), ("020", None),
     ("20.00", None), ("-1", None), ("1e3", None), ("２０", None), (" 20", None), ("", None), (None, None)],
)  # fmt: skip
def test_money_is_whole_fen_or_nothing(written_as: str | None, fen: int | None) -> None:
    assert fen_of(written_as) == fen


def test_fen_as_people_read_them() -> None:
    assert [yuan(fen) for fen in (0, 5, 2000, 123456)] == ["0.00", "0.05", "20.00", "1234.56"]


PERMIT = {
    "card_number": "C00000001", "kind": "T", "valid_from": "1931-01-01", "valid_until": "1931-06-30",
    "print_lines": ["一次有效"],
}  # fmt: skip
SOCIAL = {
    "identification_code": "350200D1560000053139303130323033",
    "records": [{"file": "EF06", "record": 6, "value": "350211"}],
}  # fmt: skip


def test_jobs_are_read_from_text_and_from_objects() -> None:
    assert isinstance(read_job("permit", json.dumps(PERMIT)), PermitJob)
    assert isinstance(read_job("permit", PERMIT), PermitJob)
    assert isinstance(read_job("social_security", SOCIAL), SocialSecurityJob)


@pytest.mark.parametrize("given", [None, "", "[]", "{", {}, [PERMIT], PERMIT | {"journeys": -1}, PERMIT | {"more": 1}])
def test_what_is_no_job_is_refused_without_its_values(given: Any) -> None:
    with pytest.raises(ValueError, match="no permit job") as caught:
        read_job("permit", given)
    assert "C00000001" not in str(caught.value)
