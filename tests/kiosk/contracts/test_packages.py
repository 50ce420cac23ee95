"""A package is composed of its members: what is the same is asked once, and what disagrees is told to the author."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kiosk.contracts.errors import MatterInvalid
from kiosk.contracts.matter import AskStep, CallServiceStep, ConsentStep, FillFormStep, Matter, PayStep, SignStep
from kiosk.contracts.matter_file import load_matter, member_ids


class _Plain(yaml.SafeDumper):
    """Writes everything out: aliases are not read."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def written(data: dict[str, Any]) -> str:
    return yaml.dump(data, Dumper=_Plain, allow_unicode=True, sort_keys=False)


def text(word: str) -> dict[str, str]:
    return {"zh-CN": word, "zh-TW": word, "en": word}


GUIDE = {part: text("无") for part in ("conditions", "materials", "time_limit", "fee", "result", "legal_basis")}
WORDS = {"title": text("步"), "say": text("请看")}


def head(id: str, **changes: Any) -> dict[str, Any]:
    made = {
        "id": id, "code": "352099199000", "version": 1, "title": text(id), "department": f"{id}_office",
        "department_name": text(f"{id}局"), "region": "350200", "life_event": "family", "icon": "house", "guide": GUIDE,
        "assurance": "card_person",
    }  # fmt: skip
    return made | changes


def population() -> dict[str, Any]:
    return {"id": "people", "kind": "call_service", "operation": "population.lookup", "effect": "query",
            "send": {"id_number": "card.id_number"}} | WORDS  # fmt: skip


def form(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"id": "form", "kind": "fill_form", "fields": [{"label": text("项")} | field for field in fields]} | WORDS


def member(id: str, *middle: dict[str, Any], **changes: Any) -> dict[str, Any]:
    steps = [
        {"id": "consent", "kind": "consent", "text": text(f"{id}要用您的姓名。\n第二段"), "text_version": "1"},
        {"id": "who", "kind": "identify"},
        *middle,
        {"id": "submit", "kind": "call_service", "operation": f"{id}.apply", "effect": "submit",
         "send": {"phone": "answer.phone"}} | WORDS,
        {"id": "slip", "kind": "print_receipt", "layout": {"heading": text(id), "items": [
            {"label": text("号"), "value": "{service.submit.number}"},
            {"label": text("姓名"), "value": "{card.name:masked}"}]}},
        {"id": "rate", "kind": "rate"},
    ]  # fmt: skip
    return head(id, **changes) | {"steps": steps}


PHONE = {"id": "phone", "kind": "phone", "sources": ["service.people.phone"]}
CHILD = {"id": "child_name", "max_length": 20}


def members(*made: dict[str, Any]) -> dict[str, Matter]:
    return {each["id"]: load_matter(written(each), each["id"]) for each in made}


def package(*parts: Any, **inside: Any) -> str:
    listed = [part if isinstance(part, dict) else {"matter": part} for part in parts]
    return written(head("newborn") | {"package": {"parts": listed} | inside})


HOUSEHOLD = member("household", population(), form(PHONE, CHILD))
INSURANCE = member("insurance", population(), form(PHONE, {"id": "bank", "kind": "number"}))
ASK = {"id": "which", "kind": "ask", "questions": [
    {"id": "insured", "text": text("参保吗？"), "choices": [{"id": "yes", "label": text("是")},
                                                        {"id": "no", "label": text("否")}]}]} | WORDS  # fmt: skip


def composed(*parts: Any, of: dict[str, Matter] | None = None, **inside: Any) -> Matter:
    return load_matter(package(*parts, **inside), "newborn.yaml", members=of or members(HOUSEHOLD, INSURANCE))


def mistakes(*parts: Any, of: dict[str, Matter] | None = None, **inside: Any) -> list[tuple[str, int, str]]:
    with pytest.raises(MatterInvalid) as caught:
        composed(*parts, of=of, **inside)
    return caught.value.faults


def test_what_is_the_same_is_said_asked_and_looked_up_once() -> None:
    matter = composed("household", "insurance")
    assert [step.kind for step in matter.steps] == [
        "consent", "identify", "call_service", "fill_form", "call_service", "call_service", "print_receipt", "rate",
    ]  # fmt: skip
    asked = next(step for step in matter.steps if isinstance(step, FillFormStep))
    assert [(field.id, field.parts) for field in asked.fields] == [
        ("phone", ("household", "insurance")), ("child_name", ("household",)), ("bank", ("insurance",)),
    ]  # fmt: skip
    assert asked.fields[0].sources == ("service.household_people.phone",), "one look-up serves both"
    consent = next(step for step in matter.steps if isinstance(step, ConsentStep))
    assert [clause.part for clause in consent.clauses] == ["household", "insurance"]
    assert "household局" in consent.clauses[0].text.zh_cn
    assert "第二段" not in consent.clauses[0].text.zh_cn
    submits = [step for step in matter.steps if isinstance(step, CallServiceStep) and step.effect == "submit"]
    assert [step.parts for step in submits] == [("household",), ("insurance",)]
    assert [part.department for part in matter.parts] == ["household_office", "insurance_office"]
    assert Matter.model_validate_json(matter.model_dump_json(by_alias=True)) == matter, "it travels whole"


def test_one_receipt_lists_every_outcome() -> None:
    receipt = next(step for step in composed("household", "insurance").steps if step.kind == "print_receipt")
    values = [item.value for item in receipt.layout.items]
    assert values.count("{card.name:masked}") == 1
    for part in ("household", "insurance"):
        assert {f"{{part.{part}.outcome_label}}", f"{{part.{part}.case_number}}", f"{{part.{part}.reason}}",
                f"{{service.{part}_submit.number}}"} <= set(values)  # fmt: skip


def test_a_receipt_keeps_each_proof_under_its_part_and_above_them_what_several_prove() -> None:
    shared = {"label": text("孩子"), "value": "{answer.child_name}"}
    both = []
    for made in (member("household", form(PHONE | {"sources": []}, CHILD)),
                 member("insurance", form(PHONE | {"sources": []}, CHILD))):  # fmt: skip
        slip = next(step for step in made["steps"] if step["kind"] == "print_receipt")
        slip["layout"]["items"].append(shared)
        both.append(made)
    matter = composed("household", "insurance", of=members(*both))
    receipt = next(step for step in matter.steps if step.kind == "print_receipt")
    lines = [(item.label.zh_cn, item.value.split(".")[0]) for item in receipt.layout.items]
    assert lines[:3] == [("姓名", "{card"), ("孩子", "{answer"), ("household", "{part")]
    assert lines[5] == ("　号", "{service"), "indented below the part's outcome, number and reason"
    assert lines[6] == ("insurance", "{part")


def test_questions_before_the_parts_choose_them() -> None:
    matter = composed("household", {"matter": "insurance", "when": {"answer.insured": ["yes"]}}, before=[ASK])
    assert matter.steps[0].kind == "ask"
    assert matter.parts[1].when == {"answer.insured": ("yes",)}
    found = mistakes("household", {"matter": "insurance", "when": {"answer.insured": ["perhaps"]}}, before=[ASK])
    assert found[0][0] == "package.parts[1].when.answer.insured"
    assert "'perhaps' is no choice" in found[0][2]
    assert found[0][1] > 1, "told at its line"


def test_money_is_paid_once_with_a_line_for_each_part() -> None:
    def pay(fen: str, *channels: str) -> dict[str, Any]:
        return {"id": "pay", "kind": "pay", "payee": text("局"), "subject": text("费"), "channels": list(channels),
                "lines": [{"label": text("工本费"), "amount_fen": fen}]} | WORDS  # fmt: skip

    first = member("household", population(), form(PHONE, CHILD), pay("2000", "alipay", "wechat", "bank_card"))
    bill = population() | {"id": "bill", "operation": "insurance.bill"}
    second = member("insurance", bill, form(PHONE | {"sources": []}), pay("{service.bill.fen}", "wechat", "bank_card"))
    made = composed("household", "insurance", of=members(first, second))
    paid = [step for step in made.steps if isinstance(step, PayStep)]
    assert len(paid) == 1
    assert [(line.part, line.amount_fen) for line in paid[0].lines] == [
        ("household", "2000"), ("insurance", "{service.insurance_bill.fen}"),
    ]  # fmt: skip
    assert paid[0].channels == ("wechat",), "no bank card: one part of it could not go back"
    order = [step.id for step in made.steps]
    assert order.index("payment") < order.index("household_submit")


def test_a_signature_covers_what_each_part_declares() -> None:
    sign = {"id": "sign", "kind": "sign", "text": text("{card.name}声明属实")} | WORDS
    first = member("household", population(), form(PHONE, CHILD), sign)
    submit = first["steps"][-3]
    submit["send"] = {"signature": "material.sign.sha256"}
    made = composed("household", "insurance", of=members(first, INSURANCE))
    signature = next(step for step in made.steps if isinstance(step, SignStep))
    assert [clause.part for clause in signature.clauses] == ["household"]
    assert signature.parts == ("household",)
    sent = next(step for step in made.steps if isinstance(step, CallServiceStep) and step.id == "household_submit")
    assert sent.send == {"signature": "material.signature.sha256"}


def test_a_certificate_is_collected_once_with_both_purposes() -> None:
    def collect(purpose: str) -> dict[str, Any]:
        return {"id": "book", "kind": "collect_material", "certificate": "household_register",
                "material": text("户口簿"), "purpose": text(purpose)} | WORDS  # fmt: skip

    first = member("household", collect("落户"), form(CHILD, {"id": "phone", "kind": "phone"}))
    second = member("insurance", collect("参保"), form({"id": "phone", "kind": "phone"}))
    second["steps"][-3]["send"] = {"book": "material.book.certificate"}
    made = composed("household", "insurance", of=members(first, second))
    collected = [step for step in made.steps if step.kind == "collect_material"]
    assert len(collected) == 1
    assert collected[0].parts == ("household", "insurance")
    assert collected[0].purpose.zh_cn == "落户；参保"
    sent = next(step for step in made.steps if step.id == "insurance_submit")
    assert isinstance(sent, CallServiceStep)
    assert sent.send == {"book": "material.household_book.certificate"}


@pytest.mark.parametrize(("second_name", "pages"), [("布局图", 1), ("现场照片", 2)])
def test_papers_without_certificate_are_one_when_they_are_called_the_same(second_name: str, pages: int) -> None:
    def collect(name: str) -> dict[str, Any]:
        return {"id": "plan", "kind": "collect_material", "material": text(name), "purpose": text("办理")} | WORDS

    first = member("household", collect("布局图"), form(CHILD, {"id": "phone", "kind": "phone"}))
    second = member("insurance", collect(second_name), form({"id": "phone", "kind": "phone"}))
    second["steps"][-3]["send"] = {"plan": "material.plan.page"}
    made = composed("household", "insurance", of=members(first, second))
    collected = [step.id for step in made.steps if step.kind == "collect_material"]
    assert len(collected) == pages
    sent = next(step for step in made.steps if step.id == "insurance_submit")
    assert isinstance(sent, CallServiceStep)
    assert sent.send == {"plan": f"material.{collected[-1]}.page"}


def test_what_comes_after_all_parts_is_a_part_of_its_own() -> None:
    issue = {"id": "issue", "kind": "call_service", "operation": "licence.composite", "effect": "submit",
             "when": {"part.household.outcome": ["done", "accepted"]},
             "send": {"number": "service.household_submit.number"}} | WORDS  # fmt: skip
    made = composed("household", "insurance", after=[issue])
    assert made.parts[-1].id == "newborn"
    assert next(step for step in made.steps if step.id == "issue").parts == ("newborn",)


def test_a_question_and_a_field_of_one_name_are_one_thing() -> None:
    kind = {"id": "insured", "kind": "choice", "choices": [{"id": "yes", "label": text("是")},
                                                          {"id": "no", "label": text("否")}]}  # fmt: skip
    of = members(HOUSEHOLD, member("insurance", form(kind, {"id": "phone", "kind": "phone"})))
    made = composed("household", "insurance", of=of, before=[ASK])
    fields = [field.id for step in made.steps if isinstance(step, FillFormStep) for field in step.fields]
    assert "insured" not in fields
    assert any(isinstance(step, AskStep) for step in made.steps)


DISAGREEING = [
    ({"id": "phone", "kind": "text"}, ["'phone'", "kind is text, in another member phone", "make them agree"]),
    ({"id": "child_name", "kind": "date"}, ["'child_name'", "kind is date"]),
    ({"id": "phone", "kind": "choice", "choices": [{"id": "a1", "label": text("一")}]}, ["'phone'", "kind is choice"]),
]


@pytest.mark.parametrize(("field", "told"), DISAGREEING, ids=["kind", "other_kind", "choices"])
def test_a_member_that_changed_a_field_is_told_with_its_line(field: dict[str, Any], told: list[str]) -> None:
    fields = [field] if field["id"] == "phone" else [field, {"id": "phone", "kind": "phone"}]
    of = members(HOUSEHOLD, member("insurance", form(*fields)))
    found = mistakes("household", "insurance", of=of)
    assert found[0][0] == "package.parts[1].matter"
    for word in ("insurance", *told):
        assert word in found[0][2]


def test_an_unknown_member_a_member_named_twice_and_a_package_in_a_package() -> None:
    of = members(HOUSEHOLD, INSURANCE)
    of["newborn"] = composed("household", "insurance")
    assert "did you mean 'household'?" in mistakes("houshold", "insurance", of=of)[0][2]
    assert "a part already" in mistakes("insurance", "insurance", of=of)[0][2]
    assert "a package itself" in mistakes("newborn", "insurance", of=of)[0][2]
    assert [path for path, _, _ in mistakes("houshold", "insurence", of=of)] == [
        "package.parts[0].matter", "package.parts[1].matter",
    ]  # fmt: skip


def test_a_package_may_not_ask_less_assurance_than_its_members() -> None:
    text = package("household", "insurance").replace("assurance: card_person", "assurance: card")
    with pytest.raises(MatterInvalid) as caught:
        load_matter(text, "newborn.yaml", members=members(HOUSEHOLD, INSURANCE))
    assert "say assurance: card_person" in str(caught.value)


def test_its_members_can_be_named_without_reading_them() -> None:
    assert member_ids(package("household", "insurance")) == ("household", "insurance")
    assert member_ids("id: plain\nsteps: []\n") == ()
    assert member_ids("{broken") == ()


def test_a_certificate_the_package_brings_about_is_not_collected() -> None:
    collect = {"id": "book", "kind": "collect_material", "certificate": "business_licence", "material": text("执照"),
               "purpose": text("办理")} | WORDS  # fmt: skip
    number = {"id": "number", "sources": ["certificate.business_licence.credit_code"]}
    second = member("insurance", collect, form(PHONE | {"sources": []}, number))
    second["steps"][-3]["send"] = {"book": "material.book.certificate", "page": "material.book.page"}
    made = composed(
        "household", {"matter": "insurance", "needs": ["household"]}, of=members(HOUSEHOLD, second),
        without={"business_licence": "service.household_submit.identifier"},
    )  # fmt: skip
    assert not [step for step in made.steps if step.kind == "collect_material"]
    sent = next(step for step in made.steps if step.id == "insurance_submit")
    assert isinstance(sent, CallServiceStep)
    assert sent.send == {"book": "service.household_submit.identifier"}
    assert sent.when == {"part.household.delivered": "known"}
    fields = [field for step in made.steps if isinstance(step, FillFormStep) for field in step.fields]
    assert next(field for field in fields if field.id == "number").sources == ()


def test_an_answer_nobody_asks_for_and_a_part_that_needs_a_later_one_are_mistakes() -> None:
    assert mistakes("household", "insurance", answers={"colour": "red"})[0][0] == "package.answers.colour"
    found = mistakes({"matter": "household", "needs": ["insurance"]}, "insurance")
    assert found[0][0] == "package.parts[0].needs"
    assert "name a part before this one" in found[0][2]
    choice = {"id": "insured", "kind": "choice", "choices": [{"id": "yes", "label": text("是")}]}
    of = members(HOUSEHOLD, member("insurance", form(PHONE | {"sources": []}, choice)))
    assert (
        "'no' is no choice of 'insured'" in mistakes("household", "insurance", of=of, answers={"insured": "no"})[0][2]
    )
