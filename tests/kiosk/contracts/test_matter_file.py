"""An author's mistakes: each is told with its path, its line and the cure; a good file gives a matter."""

from __future__ import annotations

import pytest

from kiosk.contracts.errors import MatterInvalid
from kiosk.contracts.matter_file import check_matter, load_matter

GOOD = """\
id: sample_matter
code: "352099199000"
version: 1
title: {zh-CN: 样例, zh-TW: 樣例, en: Sample}
department: samples
department_name: {zh-CN: 样例局, zh-TW: 樣例局, en: Samples}
region: "350200"
life_event: housing
icon: house
guide:
  conditions: {zh-CN: 无, zh-TW: 無, en: None}
  materials: {zh-CN: 无, zh-TW: 無, en: None}
  time_limit: {zh-CN: 当场, zh-TW: 當場, en: At once}
  fee: {zh-CN: 免费, zh-TW: 免費, en: Free}
  result: {zh-CN: 凭条, zh-TW: 憑條, en: A slip}
  legal_basis: {zh-CN: 无, zh-TW: 無, en: None}
assurance: card
steps:
  - id: identify
    kind: identify
    title: {zh-CN: 身份, zh-TW: 身分, en: Identify}
    say: {zh-CN: 请放身份证, zh-TW: 請放身分證, en: Lay your card}
  - id: form
    kind: fill_form
    title: {zh-CN: 填写, zh-TW: 填寫, en: Form}
    say: {zh-CN: 请填写, zh-TW: 請填寫, en: Fill in}
    fields:
      - id: address
        label: {zh-CN: 地址, zh-TW: 地址, en: Address}
        kind: text
        sources: [certificate.residence_permit.address, card.address]
  - id: lookup
    kind: call_service
    title: {zh-CN: 查询, zh-TW: 查詢, en: Look up}
    say: {zh-CN: 请稍候, zh-TW: 請稍候, en: Wait}
    operation: population.lookup
    effect: query
    send: {name: card.name, note: 样例, place: "{answer.address}"}
  - id: slip
    kind: print_receipt
    title: {zh-CN: 凭条, zh-TW: 憑條, en: Slip}
    say: {zh-CN: 请取走, zh-TW: 請取走, en: Take it}
    layout:
      heading: {zh-CN: 凭条, zh-TW: 憑條, en: Slip}
      items:
        - {label: {zh-CN: 姓名, zh-TW: 姓名, en: Name}, value: "{card.name:masked} {service.lookup.phone}"}
  - id: rate
    kind: rate
    title: {zh-CN: 评价, zh-TW: 評價, en: Rate}
    say: {zh-CN: 请评价, zh-TW: 請評價, en: Rate us}
"""


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def mistakes(text: str) -> list[tuple[str, int, str]]:
    with pytest.raises(MatterInvalid) as caught:
        load_matter(text, "sample.yaml")
    assert caught.value.file == "sample.yaml"
    return caught.value.faults


def test_a_good_file_is_a_matter() -> None:
    matter = load_matter(GOOD, "sample.yaml")
    assert [step.kind for step in matter.steps] == ["identify", "fill_form", "call_service", "print_receipt", "rate"]
    assert check_matter(matter) == []


# (what is written, what is written instead, path, words of the message)
ONE_MISTAKE = [
    ("life_event: housing", "life_evnt: housing", "life_evnt", ["unknown key", "did you mean 'life_event'"]),
    ("icon: house", "icon: house\nneeds: [id_card_reader]", "needs", ["derived from the steps", "remove"]),
    ("en: Lay your card}", "fr: Posez}", "steps[0].say.en", ["English text is missing", "zh-CN, zh-TW and en"]),
    ("zh-TW: 請填寫, ", "", "steps[1].say.zh-TW", ["traditional Chinese text is missing"]),
    ('en: Sample}', 'en: ""}', "title.en", ["English text is missing"]),
    ('en: Sample}', 'en: "  "}', "title.en", ["English text is missing"]),
    ('en: Sample}', 'en: "Sam\\u202Eple"}', "title.en", ["U+202E", "remove it"]),
    ("version: 1", "version: true", "version", ["whole number", "without quotes"]),
    ("version: 1", "version: 0", "version", ["must be 1 or more"]),
    ("kind: rate", "kind: stars", "steps[4]", ["unknown kind 'stars'", "rate"]),
    ("effect: query", "effect: maybe", "steps[2].effect", ["must be one of", "submit"]),
    ('code: "352099199000"', "code: 352099199000", "code", ["must be text", "quotes"]),
    ('region: "350200"', 'region: "35020"', "region", ["right form"]),
    ("sources: [certificate.residence_permit.address, card.address]", "sources: [card.shoe_size]",
     "steps[1].fields[0].sources[0]", ["unknown source 'card.shoe_size'", "address"]),
    ("sources: [certificate.residence_permit.address, card.address]", "sources: [service.lookup.address]",
     "steps[1].fields[0].sources[0]", ["comes from a later step", "move"]),
    ("sources: [certificate.residence_permit.address, card.address]", "sources: [certificate.residence_permt.address]",
     "steps[1].fields[0].sources[0]", ["no type 'residence_permt'", "did you mean 'residence_permit'"]),
    ("name: card.name", "name: crad.name", "steps[2].send.name", ["unknown source 'crad.name'"]),
    ("{answer.address}", "{answer.adress}", "steps[2].send.place",
     ["no step asks for 'adress'", "'address'"]),
    ("{answer.address}", "{answer.address", "steps[2].send.place", ["no place for a source"]),
    ("{service.lookup.phone}", "{service.population.phone}", "steps[3].layout.items[0].value",
     ["no call_service step has the id 'population'"]),
    ("{service.lookup.phone}", "{service.lookup}", "steps[3].layout.items[0].value", ["must be service.STEP.NAME"]),
    ("{service.lookup.phone}", "{certificate.diploma.school}", "steps[3].layout.items[0].value",
     ["not collected yet", "collect_material"]),
    ("{service.lookup.phone}", "{transaction.price}", "steps[3].layout.items[0].value", ["number, site, started_at"]),
    ("{service.lookup.phone}", "{shop.name}", "steps[3].layout.items[0].value", ["no place for a source"]),
    ("id: slip", "id: lookup", "steps[3].id", ["used twice"]),
    ("title: {zh-CN: 样例,", "title: {zh-CN: " + 41 * "样" + ",", "title.zh-CN", ["41 characters", "40 at most"]),
    ("assurance: card", "assurance: none", "steps[0]", ["assurance: none"]),
    ("assurance: card", 'assurance: card\nclosed_hours: "25:00-26:00"', "closed_hours", ["not a time of day"]),
    ("kind: text", "kind: choice", "steps[1].fields[0]", ["choices"]),
    ("kind: text", "kind: text\n        when: {answer.colour: [red]}", "steps[1].fields[0].when.answer.colour",
     ["no step asks for 'colour'"]),
    ("kind: text", "kind: text\n        when: {card.sex: []}", "steps[1].fields[0].when.card.sex", ["never holds"]),
    ("kind: text", "kind: choice\n        choices_from: service.lookup.list", "steps[1].fields[0].choices_from",
     ["comes from a later step", "move"]),
    ("kind: text", "kind: choice\n        choices_from: card.name", "steps[1].fields[0].choices_from",
     ["listed by an authority", "service.STEP.NAME"]),
    ("kind: text\n        sources: [certificate.residence_permit.address, card.address]",
     "computed: {how: age, of: [card.name, card.sex, card.nation]}", "steps[1].fields[0].computed.of",
     ["age takes 1 to 2 value(s)"]),
    ("kind: text\n        sources: [certificate.residence_permit.address, card.address]",
     "computed: {how: age, of: [card.birthday]}", "steps[1].fields[0].computed.of[0]",
     ["unknown source 'card.birthday'", "birth_date"]),
    ("kind: text\n", "computed: {how: age, of: [card.birth_date]}\n", "steps[1].fields[0]", ["never asked"]),
    ("kind: text\n        sources: [certificate.residence_permit.address, card.address]",
     "computed: {how: root, of: [card.birth_date]}", "steps[1].fields[0].computed.how", ["must be one of", "'age'"]),
    ("    kind: text\n        sources: [certificate.residence_permit.address, card.address]",
     "    kind: text\n      - {id: total, label: {zh-CN: 和, zh-TW: 和, en: Sum}, kind: money,\n"
     "         computed: {how: sum, of: [answer.address, '2']}}",
     "steps[1].fields[1].computed.of[0]", ["takes numbers", "'answer.address' is none"]),
    ("    kind: text\n        sources: [certificate.residence_permit.address, card.address]",
     "    kind: text\n      - {id: age, label: {zh-CN: 岁, zh-TW: 歲, en: Age}, kind: number,\n"
     "         computed: {how: age, of: [answer.address]}}",
     "steps[1].fields[1].computed.of[0]", ["counts from days", "name a date"]),
    ("effect: query", "effect: query\n    parts: [sample]", "steps[2].parts", ["composed", "remove this key"]),
    ("{service.lookup.phone}", "{part.sample.outcome}", "steps[3].layout.items[0].value", ["only a package has parts"]),
]  # fmt: skip


@pytest.mark.parametrize(("good", "bad", "path", "words"), ONE_MISTAKE, ids=[case[1][:40] for case in ONE_MISTAKE])
def test_a_mistake_is_named_with_path_line_and_cure(good: str, bad: str, path: str, words: list[str]) -> None:
    text = GOOD.replace(good, bad, 1)
    found = [mistake for mistake in mistakes(text) if mistake[0] == path]
    assert found, mistakes(text)
    for word in words:
        assert word in found[0][2]


PAPER = """  - id: plan
    kind: collect_material
    title: {zh-CN: 图纸, zh-TW: 圖紙, en: Plan}
    say: {zh-CN: 请放图纸, zh-TW: 請放圖紙, en: Lay the plan}
    material: {zh-CN: 图纸, zh-TW: 圖紙, en: Plan}
    purpose: {zh-CN: 办理, zh-TW: 辦理, en: This matter}
"""
WITH_PAPER = GOOD.replace("  - id: lookup", f"{PAPER}  - id: lookup").replace(
    "name: card.name", "name: card.name, page: material.plan.page"
)


def test_a_paper_no_library_holds_names_no_certificate() -> None:
    (plan,) = [step for step in load_matter(WITH_PAPER, "sample.yaml").steps if step.kind == "collect_material"]
    assert plan.certificate is None


@pytest.mark.parametrize(
    ("good", "bad", "path", "words"),
    [
        ("material.plan.page", "material.plan.certificate", "steps[3].send.page", ["asks no library", "send its page"]),
        (
            "kind: collect_material",
            "kind: collect_material\n    capture: false",
            "steps[2].collect_material",
            ["library or the camera"],
        ),
    ],
)
def test_a_mistake_with_such_a_paper_is_named(good: str, bad: str, path: str, words: list[str]) -> None:
    found = [mistake for mistake in mistakes(WITH_PAPER.replace(good, bad, 1)) if mistake[0] == path]
    assert found
    assert all(word in found[0][2] for word in words)


def test_the_line_is_the_authors_line() -> None:
    text = GOOD.replace("{answer.address}", "{answer.adress}").replace("icon: house", "icon: house\ncolour: red")
    lines = {path: line for path, line, _ in mistakes(text)}
    assert lines["colour"] == line_of(text, "colour: red")
    assert lines["steps[2].send.place"] == line_of(text, "answer.adress")


def test_all_mistakes_are_told_at_once_and_in_the_order_of_the_file() -> None:
    text = (
        GOOD.replace("en: Sample}", "xx: Sample}")
        .replace("{service.lookup.phone}", "{service.nowhere.phone}")
        .replace("kind: rate", "kind: stars")
    )
    found = mistakes(text)
    assert {"title.en", "title.xx", "steps[3].layout.items[0].value", "steps[4]"} <= {path for path, _, _ in found}
    assert [line for _, line, _ in found] == sorted(line for _, line, _ in found)


def test_a_card_value_before_the_card_was_read() -> None:
    head, _, tail = GOOD.partition("  - id: identify")
    text = head.replace("assurance: card", "assurance: none") + "  - id: form" + tail.partition("  - id: form")[2]
    messages = [message for _, _, message in mistakes(text)]
    assert any("put an 'identify' step before" in message for message in messages)


def test_assurance_without_identifying_is_refused() -> None:
    head, _, tail = GOOD.partition("  - id: identify")
    text = head + "  - id: form" + tail.partition("  - id: form")[2]
    assert any(path == "assurance" and "add an 'identify' step" in message for path, _, message in mistakes(text))


def test_a_step_behind_the_rating_is_never_reached() -> None:
    text = GOOD + GOOD[GOOD.index("  - id: slip") : GOOD.index("  - id: rate")].replace("id: slip", "id: second")
    found = mistakes(text)
    assert [path for path, _, _ in found] == ["steps[5]"]
    assert "never reached" in found[0][2]
    assert found[0][1] == line_of(text, "id: second")


def test_a_field_asked_twice_and_a_document_from_the_card() -> None:
    form = GOOD[GOOD.index("  - id: form") : GOOD.index("  - id: lookup")].replace("id: form", "id: again")
    paper = (
        "  - id: paper\n    kind: print_document\n    title: {zh-CN: 打, zh-TW: 打, en: P}\n"
        "    say: {zh-CN: 打, zh-TW: 打, en: P}\n    document: card.name\n"
        "    document_title: {zh-CN: 纸, zh-TW: 紙, en: Paper}\n"
    )
    text = GOOD.replace("  - id: rate", form + paper + "  - id: rate")
    found = {path: message for path, _, message in mistakes(text)}
    assert "asked twice" in found["steps[4].fields[0].id"]
    assert "comes from an authority" in found["steps[5].document"]


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("", 1, "empty"),
        ("null\n", 1, "empty"),
        ("- a\n- b\n", 1, "group of keys"),
        ("id: a\ntitle: {zh-CN: x\n", 3, "not YAML"),
        ("id: &a b\n", 1, "anchors"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("id: !!python/object:os.system x\n", 1, "tags"),
        ("a: " + "[" * 40 + "]" * 40, 1, "nested deeper"),
        ("a: \x00b", 1, "not YAML"),
        ("id: a\nid: b\n", 2, "given twice"),
        ("x" * 600_000, 1, "longer than"),
    ],
)
def test_what_is_no_plain_yaml_is_refused(text: str, line: int, word: str) -> None:
    found = mistakes(text)
    assert any(at == line and word in message for _, at, message in found), found


def test_dates_without_quotes_stay_text() -> None:
    consent = (
        "  - id: consent\n    kind: consent\n    title: {zh-CN: 同意, zh-TW: 同意, en: C}\n"
        "    say: {zh-CN: 请看, zh-TW: 請看, en: Read}\n    text: {zh-CN: 文, zh-TW: 文, en: Text}\n"
        "    text_version: 2026-11-01\n"
    )
    matter = load_matter(GOOD.replace("  - id: identify", consent + "  - id: identify"), "sample.yaml")
    assert getattr(matter.steps[0], "text_version", "") == "2026-11-01"


ASK = """\
  - id: variant
    kind: ask
    title: {zh-CN: 选择, zh-TW: 選擇, en: Choose}
    say: {zh-CN: 请选择, zh-TW: 請選擇, en: Choose}
    questions:
      - id: why
        text: {zh-CN: 为谁, zh-TW: 為誰, en: For whom}
        choices:
          - {id: me, label: {zh-CN: 本人, zh-TW: 本人, en: Me}}
          - {id: child, label: {zh-CN: 孩子, zh-TW: 孩子, en: My child}}
      - id: age
        text: {zh-CN: 几岁, zh-TW: 幾歲, en: How old}
        when: {answer.why: [child]}
        choices:
          - {id: small, label: {zh-CN: 小, zh-TW: 小, en: Small}}
          - {id: big, label: {zh-CN: 大, zh-TW: 大, en: Big}}
  - id: identify
    when: {answer.age: known}
"""


def with_questions(text: str = ASK) -> str:
    return GOOD.replace("  - id: identify\n", text, 1)


def test_questions_and_conditions_are_read() -> None:
    matter = load_matter(with_questions(), "m.yaml")
    assert matter.steps[1].when == {"answer.age": "known"}


@pytest.mark.parametrize(
    ("good", "bad", "path", "words"),
    [
        ("{answer.why: [child]}", "{answer.why: [chlid]}", "steps[0].questions[1].when.answer.why", ["chlid", "child"]),
        ("{answer.age: known}", "{answer.agee: known}", "steps[1].when.answer.agee", ["agee", "age"]),
        ("{answer.age: known}", "{card.name: known}", "steps[1].when.card.name", ["identify"]),
        ("{answer.why: [child]}", "{answer.age: [big]}", "steps[0].questions[1].when.answer.age", ["answer.age"]),
        ("- id: age", "- id: why", "steps[0].questions[1].id", ["asked twice"]),
        ("{id: big,", "{id: small,", "steps[0].questions[1].choices[1].id", ["listed twice"]),
        ("- id: age", "- id: address", "steps[2].fields[0].id", ["asked twice"]),
    ],
)  # fmt: skip
def test_a_mistake_in_a_question_or_a_condition_is_named(good: str, bad: str, path: str, words: list[str]) -> None:
    assert ASK.count(good) == 1
    told = {where: message for where, _, message in mistakes(with_questions(ASK.replace(good, bad)))}
    assert path in told, told
    assert all(word in told[path] for word in words), told[path]


@pytest.mark.parametrize(
    "condition", ["{field: answer.age, is: big}", "[answer.age]", "answer.age", "{answer.age: big}"]
)
def test_what_is_no_condition_is_one_mistake(condition: str) -> None:
    text = with_questions(ASK.replace("{answer.age: known}", condition))
    ((path, line, message),) = mistakes(text)
    assert (path, line) == ("steps[1].when", line_of(text, f"when: {condition}"))
    assert "{answer.FIELD: [VALUE]}" in message


def test_a_wrong_form_is_said_in_words() -> None:
    (_, _, message) = mistakes(GOOD.replace('"350200"', '"3502"'))[0]
    assert message == "does not have the right form: write six digits"


def test_a_mistake_of_the_whole_file_names_no_place() -> None:
    with pytest.raises(MatterInvalid, match=r"sample\.yaml:1: the file is empty: write its content"):
        load_matter("", "sample.yaml")


def test_steps_that_read_alike_everywhere_may_leave_their_words_to_the_standard() -> None:
    words = ("身份", "凭条", "评价")
    lines = [
        line
        for line in GOOD.splitlines()
        if not (line.startswith("    title:") and any(word in line for word in words))
        and not (line.startswith("    say:") and any(word in line for word in ("请放身份证", "请取走", "请评价")))
    ]
    assert len(GOOD.splitlines()) - len(lines) == 6
    matter = load_matter("\n".join(lines), "sample.yaml")
    identify, receipt, rate = (step for step in matter.steps if step.kind in ("identify", "print_receipt", "rate"))
    assert identify.say_elder is not None
    assert receipt.title.zh_tw == "列印憑條"
    assert rate.say.en
    own = load_matter(GOOD, "sample.yaml").steps[0]
    assert own.say_elder is None, "words of its own are not mixed with the standard's"
