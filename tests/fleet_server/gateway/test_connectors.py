"""Connectors as data: what is wrong in a file, a matter or the settings is said before anyone is served."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fleet_server.gateway.api import exchange_of, seal_authority_pem
from fleet_server.gateway.authority import OPEN_SECONDS, OPENS_AFTER, AuthorityFailed, Breaker
from fleet_server.gateway.connectors import CONNECTORS, operation_mistakes, read_connectors
from fleet_server.sandbox.departments import DEPARTMENTS
from fleet_server.settings import SANDBOX_KEY, Settings
from kiosk.contracts.errors import SettingsInvalid
from kiosk.contracts.matter_file import load_matter

ASSETS = CONNECTORS.parent


def test_connectors_and_the_sandbox_offer_the_same_operations() -> None:
    offered = {counter.operation: department for department in DEPARTMENTS for counter in department.counters}
    connectors = read_connectors()
    assert set(offered) == connectors.names
    for name, department in offered.items():
        found = connectors.find(name)
        assert found is not None
        connector, operation = found
        counter = next(counter for counter in department.counters if counter.operation == name)
        assert (connector.authority, operation.path) == (department.id, department.prefix + counter.path)
        assert (operation.method, operation.effect == "submit") == (counter.method, counter.submits)


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
    changed = yaml.safe_load(text) | {"authority": "other"}
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
