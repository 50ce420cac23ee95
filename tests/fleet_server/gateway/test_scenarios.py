"""Every scenario of every matter, without a screen: what its steps ask of the centre ends as the scenario says."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from kiosk.contracts.fleet import ServiceAnswer
from kiosk.contracts.matter import (
    CallServiceStep,
    CollectMaterialStep,
    ConsentStep,
    FillFormStep,
    Matter,
    PrintDocumentStep,
    PrintReceiptStep,
    ReviewStep,
)
from kiosk.contracts.matter_file import load_matter
from kiosk.contracts.scenario import Expected, Scenario, load_scenario
from kiosk.contracts.value import is_identity_number
from kiosk.flow.values import Values

ASSETS = Path(__file__).parents[3] / "assets"
SCENARIOS = sorted((ASSETS / "matters").glob("*/*/scenarios/*.yaml"))
FAULTS = {502: "C34", 503: "C32", 504: "C31"}
PICTURE = b"\xff\xd8\xff\xe0" + bytes(5000)


class Ended(Exception):
    def __init__(self, disposition: str, fault: str | None, step: str | None) -> None:
        super().__init__(disposition, fault, step)
        self.result = (disposition, fault, step)


class Walk:
    """A citizen's way through the steps; only the centre is asked."""

    def __init__(self, matter: Matter, scenario: Scenario, terminal: Any) -> None:
        self.matter, self.scenario, self.terminal = matter, scenario, terminal
        self.values = Values()
        self.documents = 0
        self.receipt = self.case_number = False
        self.material: str | None = None
        cards = yaml.safe_load((ASSETS / "samples" / "cards.yaml").read_text(encoding="utf-8"))
        self.values.put("card", {name: str(value) for name, value in cards[scenario.citizen].items()})
        self.values.put("transaction", {"number": "1", "site": "s", "terminal": "t", "started_at": "2026-11-22"})

    def run(self) -> Expected:
        disposition, fault, ended_at = "succeeded", None, None
        try:
            for step in self.matter.steps:
                self.do(step)
        except Ended as end:
            disposition, fault, ended_at = end.result
        return Expected.model_validate(
            {
                "disposition": disposition, "fault": fault, "ended_at": ended_at, "documents": self.documents,
                "receipt": self.receipt, "case_number": self.case_number, "material": self.material,
            }
        )  # fmt: skip

    def do(self, step: Any) -> None:
        match step:
            case ConsentStep() if not self.scenario.consents:
                raise Ended("cancelled", None, None)
            case FillFormStep():
                self.fill_in(step)
            case CollectMaterialStep():
                self.collect(step)
            case CallServiceStep():
                sent = {name: value for name, text in step.send.items() if (value := self.values.send(text))}
                answer = self.ask(step.id, step.operation, sent)
                self.values.put(f"service.{step.id}", answer.data | {"case_number": answer.case_number})
                self.case_number |= answer.case_number is not None
            case PrintDocumentStep():
                document = self.terminal.document(self.values.get(step.document))
                assert document.status_code == 200
                assert document.content.startswith(b"%PDF-")
                self.documents += 1
            case ReviewStep():
                assert all(self.values.fill(shown.value) for shown in step.show)
            case PrintReceiptStep():
                assert all("{" not in self.values.fill(item.value) for item in step.layout.items)
                self.receipt = True
            case _:
                pass

    def ask(self, step: str, operation: str, payload: dict[str, Any]) -> ServiceAnswer:
        reply = self.terminal.call(operation, payload)
        if reply.status_code != 200:
            raise Ended("failed", FAULTS[reply.status_code], step)
        answer = ServiceAnswer.model_validate(reply.json())
        if answer.outcome == "refused":
            raise Ended("failed", "E51" if answer.reason.startswith("not_eligible") else "C33", step)
        return answer

    def fill_in(self, step: FillFormStep) -> None:
        for field in step.fields:
            known = next((value for source in field.sources if (value := self.values.get(source))), None)
            value = known or self.scenario.answers.get(field.id)
            assert value or not field.required, f"the scenario answers nothing for {field.id}"
            labels = {choice.id: choice.label.zh_cn for choice in field.choices}
            self.values.put("answer", {field.id: value, f"{field.id}_label": labels.get(value or "", value)})

    def collect(self, step: CollectMaterialStep) -> None:
        who = {name: self.values.get(f"card.{name}") for name in ("id_number", "name")}
        purpose = step.purpose.zh_cn
        found = self.ask(step.id, "certificates.query", {**who, "type": step.certificate, "purpose": purpose}).data
        if found["found"]:
            self.values.put(f"certificate.{step.certificate}", {"identifier": found["identifier"], **found["fields"]})
            self.values.put(f"material.{step.id}", {"origin": "library", "certificate": found["identifier"]})
            self.material = "library"
            return
        if step.id not in self.scenario.captures:
            raise Ended("cancelled", None, step.id)
        page = base64.b64encode(PICTURE).decode()
        digest = hashlib.sha256(PICTURE).hexdigest()
        self.values.put(f"material.{step.id}", {"origin": "captured", "page": page, "sha256": digest})
        self.material = "captured"


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) >= 28


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: f"{file.parents[1].name}-{file.stem}")
def test_the_scenario_ends_as_it_says(file: Path, centre: Any, city: Any) -> None:
    matter_file = file.parents[1] / "matter.yaml"
    matter = load_matter(matter_file.read_text(encoding="utf-8"), matter_file.name)
    scenario = load_scenario(file.read_text(encoding="utf-8"), file.name, matter)
    for order in scenario.orders:
        city.order(**order.model_dump())
    assert Walk(matter, scenario, centre.terminal).run() == scenario.expect


def test_five_different_cards_are_served_the_same_matter(centre: Any, city: Any) -> None:
    file = ASSETS / "matters" / "natural_resources" / "no_house_certificate" / "matter.yaml"
    matter = load_matter(file.read_text(encoding="utf-8"), file.name)
    for citizen in ("lin", "ouyang", "chen", "sample", "invented"):
        scenario = Scenario.model_validate(
            {
                "title": "one of five",
                "citizen": citizen,
                "answers": {"purpose": "other"},
                "expect": {"disposition": "succeeded", "documents": 1, "receipt": True},
            }
        )
        assert Walk(matter, scenario, centre.terminal).run() == scenario.expect


def test_all_numbers_of_the_city_are_well_formed(city: Any) -> None:
    today = dt.date(2026, 11, 22)
    numbers = [number for number in city.city.people if len(number) == 18]
    assert len(numbers) >= 9
    assert [number for number in numbers if not is_identity_number(number, today)] == []
    assert [number for number in numbers if int(number[6:10]) >= 1911] == []
