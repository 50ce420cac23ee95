"""Every matter we carry is in order, is offered by the gateway, speaks three languages, and has its scenarios."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from fleet_server.gateway.connectors import operation_mistakes, read_connectors
from fleet_server.matters.folder import load_file
from fleet_server.sandbox.citizens import read_citizens
from fleet_server.sandbox.departments import DEPARTMENTS
from fleet_server.sandbox.documents import DocumentTemplate
from kiosk.contracts.bundle import MAXIMUM_MATTER_BYTES
from kiosk.contracts.matter import CollectMaterialStep, FillFormStep, Matter, PrintDocumentStep
from kiosk.contracts.scenario import Scenario, load_scenario
from kiosk.contracts.source_rules import CERTIFICATE_TYPES
from kiosk.contracts.text import FieldKind
from kiosk.contracts.value import canonical_bytes
from kiosk.flow.words import has_word

ASSETS = Path(__file__).parents[2] / "assets"
FILES = sorted((ASSETS / "matters").glob("*/*/matter.yaml"))
CHINESE = re.compile(r"[\u3400-\u9fff]")
SIMPLIFIED_ONLY = "证务产请办医颁单规范预约户动简号码应当凭条开学处罚车辆门营业执"


@functools.cache
def matter_of(file: Path) -> Matter:
    return load_file(file)


@functools.cache
def scenarios_of(file: Path) -> list[Scenario]:
    matter = matter_of(file)
    return [
        load_scenario(path.read_text(encoding="utf-8"), path.name, matter)
        for path in sorted((file.parent / "scenarios").glob("*.yaml"))
    ]


connectors = functools.cache(read_connectors)


@functools.cache
def icons() -> frozenset[str]:
    """Names that draw something: a group's own strokes, or those of the group it is another name for."""
    groups = list(ET.parse(ASSETS / "theme" / "icons.svg").getroot().iter("{http://www.w3.org/2000/svg}g"))
    drawn = {group.get("id", "") for group in groups if len(group)}
    return frozenset(drawn | {group.get("id", "") for group in groups if group.get("data-as") in drawn})


@functools.cache
def known_citizens() -> frozenset[str]:
    return frozenset(citizen.id for citizen in read_citizens())


def texts_in(value: Any) -> list[dict[str, str]]:
    if isinstance(value, dict):
        here = [value] if set(value) == {"zh-CN", "zh-TW", "en"} else []
        return here + [text for item in value.values() for text in texts_in(item)]
    return [text for item in value for text in texts_in(item)] if isinstance(value, list) else []


def values_in(value: Any) -> list[str]:
    """What a review or a receipt shows beside its labels."""
    if isinstance(value, dict):
        here = [value["value"]] if isinstance(value.get("value"), str) and "label" in value else []
        return here + [found for item in value.values() for found in values_in(item)]
    return [found for item in value for found in values_in(item)] if isinstance(value, list) else []


def test_there_are_matters_to_check() -> None:
    assert len(FILES) >= 8
    ids = [matter_of(file).id for file in FILES]
    codes = [matter_of(file).code for file in FILES]
    assert len(set(ids)) == len(set(codes)) == len(FILES)


def test_no_two_tiles_read_alike() -> None:
    titles = [(matter.short_title or matter.title).by_language() for matter in map(matter_of, FILES)]
    said = [(language, title) for words in titles for language, title in words.items()]
    assert [words for words in said if said.count(words) > 1] == []


def test_a_department_has_one_name_in_all_its_matters() -> None:
    names: dict[str, set[str]] = {}
    for matter in map(matter_of, FILES):
        names.setdefault(matter.department, set()).add(str(matter.department_name.by_language()))
    assert {department: said for department, said in names.items() if len(said) > 1} == {}
    assert len(set.union(*names.values())) == len(names)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
class TestEveryMatter:
    def test_is_in_order_and_lies_where_it_says(self, file: Path) -> None:
        matter = matter_of(file)
        assert (file.parent.parent.name, file.parent.name) == (matter.department, matter.id)
        assert len(canonical_bytes(matter)) < MAXIMUM_MATTER_BYTES

    def test_is_found_behind_a_named_door_and_has_its_picture(self, file: Path) -> None:
        matter = matter_of(file)
        assert matter.icon in icons()
        assert matter.life_event in icons()
        assert has_word(f"life_{matter.life_event}")

    def test_asks_only_what_the_gateway_offers(self, file: Path) -> None:
        assert operation_mistakes(matter_of(file), connectors()) == []

    def test_asks_the_library_only_for_what_it_holds(self, file: Path) -> None:
        collected = [step for step in matter_of(file).steps if isinstance(step, CollectMaterialStep)]
        assert {step.certificate for step in collected} <= CERTIFICATE_TYPES | {None}

    def test_speaks_three_languages(self, file: Path) -> None:
        texts = texts_in(yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
        assert len(texts) > (12 if matter_of(file).parts else 20)
        assert [text["en"] for text in texts if CHINESE.search(text["en"])] == []
        assert [text["zh-CN"] for text in texts if not re.search(r"[\u3400-\u9fff0-9]", text["zh-CN"])] == []
        assert [text["zh-TW"] for text in texts if set(text["zh-TW"]) & set(SIMPLIFIED_ONLY)] == []

    def test_a_value_is_shown_without_words_of_one_language(self, file: Path) -> None:
        said = matter_of(file).model_dump(mode="json", by_alias=True)["steps"]
        assert [value for value in values_in(said) if CHINESE.search(value)] == []

    def test_money_is_said_with_its_unit_once(self, file: Path) -> None:
        """`answer.FIELD_label` of money says its unit in the reader's language."""
        matter = matter_of(file)
        money = {
            f"answer.{field.id}_label"
            for step in matter.steps
            if isinstance(step, FillFormStep)
            for field in step.fields
            if field.kind is FieldKind.MONEY
        }
        lines = file.read_text(encoding="utf-8").splitlines()
        said = [line for line in lines if any(f"{{{place}}}" in line for place in money)]
        assert [line for line in said if re.search(r"_label\}(元| yuan)|（元）|\(yuan\)", line)] == []

    def test_quotation_marks_within_quotation_marks_are_inner_ones(self, file: Path) -> None:
        assert not re.search(r"“[^”\"]*“|「[^」\"]*「", matter_of(file).model_dump_json())

    def test_elders_are_told_in_plainer_words(self, file: Path) -> None:
        for step in matter_of(file).steps:
            if step.say_elder is not None:
                assert len(step.say_elder.zh_cn) <= 24
        assert sum(step.say_elder is not None for step in matter_of(file).steps) >= 4

    def test_has_scenarios_of_invented_citizens_that_end_well_and_badly(self, file: Path) -> None:
        scenarios = scenarios_of(file)
        dispositions = {scenario.expect.disposition.value for scenario in scenarios}
        assert "succeeded" in dispositions
        assert dispositions - {"succeeded"}
        people = known_citizens()
        authorities = {department.id for department in DEPARTMENTS} | {"documents"}
        for scenario in scenarios:
            assert scenario.citizen in people
            assert {order.authority for order in scenario.orders} <= authorities

    def test_a_printed_document_has_its_template(self, file: Path) -> None:
        matter = matter_of(file)
        prints = any(isinstance(step, PrintDocumentStep) for step in matter.steps) and not matter.parts
        template = file.parent / "templates" / "document.yaml"
        assert prints == template.exists()
        if prints:
            DocumentTemplate.model_validate(yaml.load(template.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


def test_the_two_real_matters_are_proved_from_every_side() -> None:
    wanted = {
        "no_house_certificate": {None, "E51", "C32", "C33", "C34"},
        "residence_permit_endorsement": {None, "E51", "C32", "C33"},
    }
    for file in FILES:
        faults = {scenario.expect.fault and scenario.expect.fault.value for scenario in scenarios_of(file)}
        assert wanted.get(file.parent.name, set()) <= faults


def test_citizens_agree_with_their_cards() -> None:
    cards = yaml.load((ASSETS / "samples" / "cards.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    people = {citizen.id: citizen for citizen in read_citizens()}
    assert len(people) >= 10
    assert set(cards) <= set(people)
    for id_, card in cards.items():
        assert people[id_].name == card["name"]
        assert people[id_].id_number == card.get("id_number", card.get("permit_number"))
