"""Connectors as data: what is wrong in a file, a matter or the settings is said before anyone is served."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from fleet_server.gateway.api import exchange_of, seal_authority_pem
from fleet_server.gateway.authority import OPEN_SECONDS, OPENS_AFTER, AuthorityFailed, Breaker
from fleet_server.gateway.checking import check_connectors
from fleet_server.gateway.connectors import (
    CONNECTORS,
    ConnectorInvalid,
    load_connector,
    operation_mistakes,
    read_connectors,
)
from fleet_server.matters.surroundings import check_file
from fleet_server.sandbox.departments import DEPARTMENTS
from fleet_server.settings import SANDBOX_KEY, Settings
from kiosk.contracts.errors import MatterInvalid, SettingsInvalid
from kiosk.contracts.matter import Matter
from kiosk.contracts.matter_file import load_matter

ASSETS = CONNECTORS.parent


def test_connectors_and_the_sandbox_offer_the_same_operations() -> None:
    connectors = read_connectors()
    departments = {department.id: department for department in DEPARTMENTS}
    assert set(departments) == set(connectors.authorities)
    assert len(departments) >= 18
    for id_, connector in connectors.authorities.items():
        department = departments[id_]
        assert (connector.style, connector.signature.scheme) == (department.style, department.scheme), id_
        assert {counter.operation for counter in department.counters} == set(connector.operations), id_
        for counter in department.counters:
            operation = connector.operations[counter.operation]
            assert operation.path == department.prefix + counter.path
            assert (operation.method, operation.effect == "submit") == (counter.method, counter.submits)


def test_the_platforms_differ_as_real_ones_do() -> None:
    authorities = read_connectors().authorities.values()
    assert {connector.style for connector in authorities} == {"rest", "form", "soap"}
    assert {connector.signature.scheme for connector in authorities} == {"hmac", "rsa", "sm2"}
    assert len({(connector.style, connector.signature.scheme) for connector in authorities}) >= 6


def test_the_nearest_authority_of_a_region_is_found() -> None:
    connectors = read_connectors()
    for region, authority in (
        ("350500", "fujian"), ("350583", "fujian"), ("360000", "jiangxi"), ("360102", "jiangxi"), ("510104", None),
    ):  # fmt: skip
        found = connectors.find("cross_region.hand_in", region)
        assert (found[0].authority if found else None) == authority
    at_home = connectors.find("population.lookup")
    assert at_home is not None
    assert connectors.find("population.lookup", "350203") == connectors.find("population.lookup", "350200") == at_home
    assert connectors.find("population.lookup", "350500") is None
    assert connectors.find("population.lookup", "510104") is None


def test_every_mistake_of_a_connector_is_told_with_its_line(tmp_path: Path) -> None:
    text = (CONNECTORS / "taxation.yaml").read_text(encoding="utf-8")
    wrong = tmp_path / "taxation.yaml"
    wrong.write_text(text.replace("style: soap", "style: soup").replace("effect: submit", "efect: submit", 1))
    said, good = check_connectors([wrong])
    assert not good
    lines = wrong.read_text(encoding="utf-8").split("\n")
    for word, cure in (("style: soup", "must be one of"), ("efect: submit", "did you mean 'effect'?")):
        line = next(number for number, text in enumerate(lines, 1) if word in text)
        assert any(f"{wrong}:{line}: " in told and cure in told for told in said[0].split("\n")), said[0]
    assert check_connectors([CONNECTORS])[1]
    assert check_connectors([tmp_path / "none.yaml"]) == (
        [f"{tmp_path / 'none.yaml'}: cannot be read, no such file or directory: correct the path"],
        False,
    )
    wrong.write_text("a: &b 1")
    assert "anchors" in check_connectors([tmp_path])[0][0]
    wrong.unlink()
    assert check_connectors([tmp_path]) == (["no connector found there"], False)


@pytest.mark.parametrize(
    ("good", "bad", "word"),
    [
        ('nsrsbh: "id_number ||', 'nsrsbh: "id_numbr ||', "reads 'id_numbr', and nobody gives it"),
        ("required: [name, year]", "required: [name, year, colour]", "'colour' is asked for and never sent"),
        ('nsrsbh: "id_number ||', 'nsrsbh: "upper(id_number) ||', "no function 'upper'"),
        ("  tax.payment_record:", "  Tax-record:", "right form"),
        ("    path: /", "    path: /../", "right form"),
        ("style: soap\n", "", "style soap needs soap"),
        ("    element: taxPaymentRecord\n", "", "names its element"),
        ("        nsrsbh: ", "        1nsrsbh: ", "cannot be an XML element"),
        ("scheme: rsa", "scheme: md5", "must be one of"),
        ('namespace: "urn:xiamen:taxation"', 'namespace: "a <b>"', "does not have the right form"),
    ],
)
def test_a_style_that_is_not_complete(good: str, bad: str, word: str) -> None:
    text = (CONNECTORS / "taxation.yaml").read_text(encoding="utf-8")
    assert good in text
    with pytest.raises(ConnectorInvalid, match=word):
        load_connector(text.replace(good, bad), "taxation.yaml")


def test_a_forms_own_parameters_are_not_the_bodys() -> None:
    text = (CONNECTORS / "utilities.yaml").read_text(encoding="utf-8")
    made = re.sub(r"body: *\{", "body: {sign: service, ", text, count=1)
    made = made if made != text else re.sub(r"    body:\n", "    body:\n      sign: service\n", text, count=1)
    assert made != text
    with pytest.raises(ConnectorInvalid, match="is the form's own"):
        load_connector(made, "utilities.yaml")


@pytest.mark.parametrize(
    ("good", "bad", "word"),
    [
        ('done: "code == `0`"', 'done: "code == "', "not a JMESPath"),
        ("receiver: addressee", "receiver: [addressee]", "keys and expressions only"),
        ("required: [document_id, number", "required: [colour, number", "required but not mapped: colour"),
        ("repeatable: true", "attempts: 2", "idempotency key"),
        ("effect: submit", "effekt: submit", "effekt"),
        ("path: /bdc/v1", "path: http://elsewhere/v1", "path"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name(tmp_path: Path, good: str, bad: str, word: str) -> None:
    text = (CONNECTORS / "natural_resources.yaml").read_text(encoding="utf-8")
    assert good in text
    (tmp_path / "natural_resources.yaml").write_text(text.replace(good, bad), encoding="utf-8")
    with pytest.raises(SettingsInvalid, match=r"natural_resources\.yaml") as caught:
        read_connectors(tmp_path)
    assert word in str(caught.value)


def test_an_authority_given_twice(tmp_path: Path) -> None:
    text = (CONNECTORS / "messages.yaml").read_text(encoding="utf-8")
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(SettingsInvalid, match="given twice"):
        read_connectors(tmp_path)
    changed = yaml.load(text, Loader=yaml.CSafeLoader) | {"authority": "other"}
    (tmp_path / "b.yaml").write_text(yaml.safe_dump(changed, allow_unicode=True), encoding="utf-8")
    with pytest.raises(SettingsInvalid, match="given by two connectors"):
        read_connectors(tmp_path)


@pytest.mark.parametrize(
    ("good", "bad", "word"),
    [
        ("operation: real_estate.no_house_certificate", "operation: real_estate.castle", "no connector offers"),
        ("addressee: answer.addressee", "recipient: answer.addressee", "takes no 'recipient'"),
        ("      name: card.name\n      purpose", "      purpose", "needs 'name'"),
        ("effect: submit", "effect: query", "is a submit"),
        ("{service.certificate.number}", "{service.certificate.numbr}", "'numbr' is not in that answer"),
        ("sources: [service.population.phone]", "sources: [service.population.fax]", "'fax' is not in that answer"),
    ],
)
def test_what_a_matter_asks_in_vain_is_said(good: str, bad: str, word: str) -> None:
    file = ASSETS / "matters" / "natural_resources" / "no_house_certificate" / "matter.yaml"
    text = file.read_text(encoding="utf-8")
    assert good in text
    mistakes = operation_mistakes(load_matter(text.replace(good, bad), "matter.yaml"), read_connectors())
    assert any(word in message for _, message in mistakes), mistakes


def test_a_vain_operation_is_told_with_its_line(tmp_path: Path) -> None:
    source = ASSETS / "matters" / "natural_resources" / "no_house_certificate" / "matter.yaml"
    file = tmp_path / "natural_resources" / "no_house_certificate" / "matter.yaml"
    file.parent.mkdir(parents=True)
    offered = read_connectors()

    def in_vain(matter: Matter) -> list[tuple[str, str]]:
        return operation_mistakes(matter, offered)

    for good, bad in (("real_estate.no_house", "real_estate.castle"), ("certificate.number}", "certificate.nombre}")):
        text = source.read_text(encoding="utf-8").replace(good, bad)
        file.write_text(text, encoding="utf-8")
        line = next(at for at, said in enumerate(text.split("\n"), 1) if bad in said)
        with pytest.raises(MatterInvalid, match=rf"matter\.yaml:{line}: .*(no connector offers|is not in that answer)"):
            check_file(file, in_vain)
    assert check_file(source, in_vain).id == "no_house_certificate"


def test_where_the_key_comes_from(tmp_path: Path) -> None:
    assert exchange_of(Settings(data=tmp_path)) is None
    sandbox = exchange_of(Settings(data=tmp_path, sandbox_url="http://127.0.0.1:1/"))
    assert sandbox is not None
    assert (sandbox.address, sandbox.key) == ("http://127.0.0.1:1", SANDBOX_KEY.encode())
    with pytest.raises(SettingsInvalid, match="YIZHAN_GATEWAY_KEY"):
        exchange_of(Settings(data=tmp_path, authorities_url="https://exchange.example"))
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        exchange_of(
            Settings(data=tmp_path, authorities_url="https://exchange.example", gateway_key_file=tmp_path / "none")
        )
    (tmp_path / "key").write_text("kept elsewhere\n")
    real = exchange_of(
        Settings(data=tmp_path, authorities_url="https://exchange.example", gateway_key_file=tmp_path / "key")
    )
    assert real is not None
    assert real.key == b"kept elsewhere"


def test_the_seal_authority_is_the_configured_one_or_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="YIZHAN_SEAL_AUTHORITY"):
        seal_authority_pem(Settings(data=tmp_path))
    (tmp_path / "ca.pem").write_text("PEM")
    assert seal_authority_pem(Settings(data=tmp_path, seal_authority=tmp_path / "ca.pem")) == "PEM"


def test_one_call_tries_for_all_after_a_rest() -> None:
    moment = [0.0]
    breaker = Breaker(clock=lambda: moment[0])
    for _ in range(OPENS_AFTER):
        breaker.check("x")
        breaker.note(good=False)
    with pytest.raises(AuthorityFailed):
        breaker.check("x")
    moment[0] = OPEN_SECONDS + 1
    breaker.check("x")
    with pytest.raises(AuthorityFailed):
        breaker.check("x")
    breaker.note(good=False)
    with pytest.raises(AuthorityFailed):
        breaker.check("x")
    moment[0] *= 2.1
    breaker.check("x")
    breaker.note(good=True)
    breaker.check("x")
