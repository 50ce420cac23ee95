"""The invented city is one city: people, cards, firms and what every platform knows of them agree."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from fleet_server.exchange.identifiers import is_certificate_identifier
from fleet_server.sandbox.citizens import (
    CITY,
    facts_of,
    read_certificate_types,
    read_citizens,
    read_firms,
)
from fleet_server.sandbox.departments.certificate_library import identifier_of
from kiosk.contracts.source_rules import CERTIFICATE_TYPES
from kiosk.contracts.value import is_identity_number

SAMPLES = CITY.parent
PEOPLE = {citizen.id: citizen for citizen in read_citizens()}
FIRMS = read_firms()
FIRM_NAMES = {firm.name: firm for firm in FIRMS.values()}
PLATFORMS = sorted(path.stem for path in CITY.glob("*.yaml"))
CARDS: dict[str, dict[str, Any]] = yaml.load(
    (SAMPLES / "cards.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
)
INVENTED = ("测试", "示范", "样例", "样本", "樣", "样")
CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
NOBODY = dt.date(2100, 1, 1)


def is_credit_code(code: str) -> bool:
    """GB 32100: MOD 31 over seventeen, and the organisation's own MOD 11 check (GB 11714) inside."""
    if len(code) != 18 or set(code) - set(CREDIT_ALPHABET):
        return False
    total = sum(CREDIT_ALPHABET.index(mark) * pow(3, place, 31) for place, mark in enumerate(code[:17]))
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    own = 11 - sum(int(mark, 36) * weight for mark, weight in zip(code[8:16], weights, strict=True)) % 11
    check = {10: "X", 11: "0"}.get(own, str(own))
    return code[16] == check and CREDIT_ALPHABET[(31 - total % 31) % 31] == code[17]


def groups(facts: Any, whose: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping inside somebody's facts, with the citizen's id."""
    if isinstance(facts, dict):
        yield whose, facts
        for inner in facts.values():
            yield from groups(inner, whose)
    elif isinstance(facts, list):
        for inner in facts:
            yield from groups(inner, whose)


def everything() -> list[tuple[str, str, dict[str, Any]]]:
    """(platform, citizen id, mapping) of all that is known, citizens.yaml as the platform `citizens`."""
    found = [
        ("citizens", citizen["id"], inner)
        for citizen in yaml.load((SAMPLES / "citizens.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)[
            "citizens"
        ]
        for _, inner in groups(citizen, citizen["id"])
    ]
    for platform in PLATFORMS:
        said = yaml.load((CITY / f"{platform}.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or {}
        found += [(platform, id_, inner) for id_, facts in said.items() for _, inner in groups(facts, id_)]
    return found


def test_thirty_people_of_every_card_type() -> None:
    assert len(PEOPLE) >= 30
    assert {card["card_type"] for card in CARDS.values()} == {
        "resident", "hmt_residence", "foreign_permanent_2017", "foreign_permanent_2023",
    }  # fmt: skip
    assert {number[:2] for citizen in PEOPLE.values() if (number := citizen.id_number)[:1] == "8"} == {"81", "82", "83"}
    today = dt.date(2026, 11, 22)
    lapsed = [id_ for id_, card in CARDS.items() if card["valid_until"] is not None and card["valid_until"] < today]
    assert lapsed == ["guo"]
    assert any("new_address" in card for card in CARDS.values())
    assert any("portrait" not in card for card in CARDS.values())
    assert set(PEOPLE) - set(CARDS) == {"zhang"}
    years = [card["valid_until"].year - card["valid_from"].year for card in CARDS.values() if card["valid_until"]]
    assert years.count(5) >= 2


@pytest.mark.parametrize("id_", PEOPLE)
def test_nobody_is_real(id_: str) -> None:
    citizen = PEOPLE[id_]
    assert any(word in citizen.name for word in INVENTED) or id_ == "zhang"
    if len(citizen.id_number) == 18:
        assert is_identity_number(citizen.id_number, NOBODY)
        assert citizen.id_number[6:10] < "1911"
    assert citizen.about
    assert citizen.phone is None or citizen.phone.startswith("130000000")


def test_numbers_phones_and_accounts_belong_to_one_person() -> None:
    for values in (
        [citizen.id_number for citizen in PEOPLE.values()],
        [citizen.phone for citizen in PEOPLE.values() if citizen.phone],
        [citizen.provident_fund.account for citizen in PEOPLE.values() if citizen.provident_fund],
        [citizen.medical_insurance.account for citizen in PEOPLE.values() if citizen.medical_insurance],
    ):
        assert len(values) == len(set(values))


def test_cards_and_people_agree() -> None:
    for id_, card in CARDS.items():
        citizen = PEOPLE[id_]
        assert card["name"] == citizen.name
        if len(citizen.id_number) == 18:
            assert citizen.id_number[6:14] == card["birth_date"].strftime("%Y%m%d")
            if card["card_type"] != "foreign_permanent_2023":
                assert int(citizen.id_number[16]) % 2 == int(card["sex"]) % 2
        if card["card_type"] == "resident":
            assert card["address"] == citizen.address
        assert "portrait" not in card or (SAMPLES / "portraits" / f"{card['portrait']}.png").is_file()


def test_the_married_are_married_to_one_another_and_children_have_their_parents() -> None:
    spouses = {id_: citizen.spouse for id_, citizen in PEOPLE.items() if citizen.spouse}
    assert len(spouses) >= 8
    for id_, spouse in spouses.items():
        assert PEOPLE[spouse].spouse == id_
    parents: dict[str, set[str]] = {}
    for id_, citizen in PEOPLE.items():
        for child in citizen.children:
            parents.setdefault(child, set()).add(id_)
            assert PEOPLE[child].id_number[6:14] > citizen.id_number[6:14]
    for child, known in parents.items():
        for parent in known:
            other = PEOPLE[parent].spouse
            assert other is None or other in known, (child, parent)
    for platform, id_, said in everything():
        if "spouse" in said and said.get("number") is None:
            assert said["spouse"] == PEOPLE[id_].spouse, (platform, id_)
        for child in said.get("children", ()):
            assert child in PEOPLE[id_].children, (platform, id_)
        for name in ("father", "mother"):
            if name in said and "number" not in said:
                assert said[name] in parents.get(id_, set()), (platform, id_)


def test_certificates_are_of_known_types_and_name_the_same_people() -> None:
    types = read_certificate_types()
    codes = [kind.code for kind in types.values()]
    assert len(codes) == len(set(codes))
    identifiers = []
    for id_, citizen in PEOPLE.items():
        for held in citizen.certificates:
            assert set(held.fields) == set(types[held.type].fields), (id_, held.type)
            identifiers.append(identifier_of(held))
            if held.type == "marriage_certificate":
                married_to = PEOPLE[str(citizen.spouse)]
                assert held.fields["spouse"] == married_to.name
                assert held.fields["spouse_id_number"] == married_to.id_number
                theirs = married_to.certificate("marriage_certificate")
                assert theirs is None or theirs.fields["number"] == held.fields["number"]
            if held.type == "residence_permit":
                assert held.fields["address"] == citizen.residence_address
    assert len(identifiers) == len(set(identifiers)) >= 45
    assert set(types) == set(CERTIFICATE_TYPES)
    assert all(is_certificate_identifier(identifier) for identifier in identifiers)


def test_firms_have_right_codes_and_known_heads() -> None:
    assert len(FIRMS) == len(FIRM_NAMES) >= 12
    assert not is_credit_code("91350299YL00000120")
    for code, firm in FIRMS.items():
        assert is_credit_code(code), firm.name
        assert code[2:8] == "350299"
        assert any(word in firm.name for word in INVENTED)
        assert firm.legal_representative is None or firm.legal_representative in PEOPLE
    for platform, id_, said in everything():
        stated = said.get("credit_code")
        if stated is not None and platform != "citizens":
            assert stated in FIRMS, (platform, id_, stated)
            assert said.get("firm", FIRMS[stated].name) == FIRMS[stated].name, (platform, id_)
            head = said.get("legal_representative")
            assert head is None or head == FIRMS[stated].legal_representative, (platform, id_)
    for id_, citizen in PEOPLE.items():
        licence = citizen.certificate("business_licence")
        if licence is not None:
            firm = FIRMS[licence.fields["credit_code"]]
            assert (firm.name, firm.legal_representative) == (licence.fields["firm"], id_)
            assert licence.fields["address"] == firm.address


def test_employers_agree_wherever_somebody_works() -> None:
    employers: dict[str, set[str]] = {}
    for id_, citizen in PEOPLE.items():
        insured = citizen.social_insurance
        if insured is not None:
            employers[id_] = {insured.employer}
            assert insured.employer in FIRM_NAMES, insured.employer
            for other in (citizen.provident_fund, citizen.medical_insurance):
                assert other is None or other.employer == insured.employer, id_
    checked = 0
    for platform, id_, said in everything():
        working = id_ in employers and not PEOPLE[id_].social_insurance.ended  # type: ignore[union-attr]
        if working and isinstance(said.get("employer"), str):
            assert said["employer"] in employers[id_], (platform, id_)
            checked += 1
    assert checked > 20


def test_a_plate_has_one_owner_and_a_house_is_in_the_book_of_its_owner() -> None:
    owners: dict[str, set[str]] = {}
    for _, id_, said in everything():
        if "plate" in said and id_ in PEOPLE:
            owners.setdefault(said["plate"], set()).add(said.get("owner", id_))
    assert len(owners) >= 4
    assert {plate: ids for plate, ids in owners.items() if len(ids) > 1} == {}
    for id_, citizen in PEOPLE.items():
        book = {house.certificate_number: house for house in citizen.houses}
        held = citizen.certificate("real_estate_certificate")
        assert held is None or held.fields["area"] == book[held.fields["number"]].area_square_metres, id_


def test_platforms_know_citizens_only() -> None:
    for platform in PLATFORMS:
        facts_of(platform)
