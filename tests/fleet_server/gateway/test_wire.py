"""Three styles and three schemes over real HTTP, to a counter that answers truly and to one that lies."""

from __future__ import annotations

import asyncio
import gzip
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from fleet_server.exchange.signatures import HmacKey, Scheme, digest, new_private_pem, public_pem
from fleet_server.gateway.authority import MAXIMUM_ANSWER_BYTES, AuthorityFailed, Exchange, Question, Reply
from fleet_server.gateway.connectors import Connector, RefusalPlace
from fleet_server.gateway.keyring import FileKeyring, SandboxKeyring
from fleet_server.gateway.mapping import answer_of, body_of
from fleet_server.gateway.wire import Stamp, Unreadable, Wire, form_text
from fleet_server.sandbox.calls import Call, Counter, Declined, Department, Desk
from fleet_server.sandbox.keys import ExchangeKeys
from fleet_server.sandbox.wire import Seals, Style
from kiosk.contracts.errors import SettingsInvalid
from kiosk.contracts.fleet import ServiceAnswer
from tests.fleet_server.gateway.conftest import served

KEY = b"shared by both sides of this test"
STYLES: tuple[Style, ...] = ("rest", "form", "soap")
SCHEMES: tuple[Scheme, ...] = ("hmac", "rsa", "sm2")
WHO = {"id_number": "350203190102030017", "name": "林测试 & <林> 龘=𠮷"}

Distortion = Callable[[Response], Response]


@dataclass
class Platform:
    """One department in every style and scheme, on loopback; `distort` is done to its next answers."""

    address: str = ""
    bodies: list[Any] = field(default_factory=list)
    distort: Distortion | None = None
    refuse: bool = False
    kept: list[Response] = field(default_factory=list)

    def work(self, call: Call) -> dict[str, Any]:
        self.bodies.append(call.body)
        if self.refuse:
            raise Declined("77", "不予办理")
        who = call.body["who"]
        return {
            "code": "00", "no": who["no"], "said": who["name"], "case": "A1",
            "rows": [{"n": "1", "t": "一"}, {"n": "2", "t": "二"}],
        }  # fmt: skip

    async def after(self, response: Response) -> Response:
        self.kept.append(response)
        return self.distort(response) if self.distort is not None else response


@pytest.fixture(scope="module")
def running(running_city: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Platform, SandboxKeyring]]:
    platform, app = Platform(), FastAPI()
    keys = ExchangeKeys(tmp_path_factory.mktemp("exchange"))
    seals = Seals(KEY, keys)
    desk = Desk(running_city.city, seals)

    def open_counter(style: Style, scheme: Scheme) -> None:
        counter = Counter("echo.submit", "/echo", platform.work, submits=True)
        department = Department(
            f"{style}_{scheme}", f"/{style}/{scheme}", _decline, (counter,), style=style, scheme=scheme
        )

        async def serve(request: Request) -> Response:
            return await platform.after(await desk.serve(department, counter, request))

        app.add_api_route(f"/{style}/{scheme}/echo", serve, methods=["POST"], response_model=None)

    for style in STYLES:
        for scheme in SCHEMES:
            open_counter(style, scheme)

    @app.get("/gateway-keys")
    def gateway_keys(request: Request) -> dict[str, str]:
        assert seals.may_have_keys("/gateway-keys", request.headers["x-yizhan-signature"])
        return keys.handed_out()

    with served(app) as address:
        platform.address = address
        yield platform, SandboxKeyring(KEY, address)


@pytest.fixture
def platform(running: tuple[Platform, SandboxKeyring]) -> Platform:
    made = running[0]
    made.distort, made.refuse = None, False
    made.bodies.clear()
    made.kept.clear()
    return made


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 500, {"code": code, "words": words}


def connector_of(style: Style, scheme: Scheme) -> Connector:
    operation: dict[str, Any] = {
        "effect": "submit", "path": f"/{style}/{scheme}/echo", "timeout_seconds": 10, "repeatable": True,
        "required": ["id_number", "name"], "body": {"who": {"no": "id_number", "name": "name"}},
        "answer": {
            "agrees": {"no": "id_number"}, "required": ["said"], "case_number": "case",
            "data": {"said": "said", "rows": "rows[].{id: n, label: t}"},
        },
    }  # fmt: skip
    said: dict[str, Any] = {
        "authority": f"{style}_{scheme}", "name": {"zh-CN": "回声", "zh-TW": "回聲", "en": "Echo"}, "style": style,
        "signature": {"scheme": scheme, "answers": True}, "done": "code == '00'", "refusal_statuses": [500],
        "refusal": {"code": "code", "words": "words"}, "operations": {"echo.submit": operation},
    }  # fmt: skip
    if style == "soap":
        said["soap"] = {"namespace": "urn:echo"}
        operation["element"] = "echo"
    return Connector.model_validate(said)


def ask(
    running: tuple[Platform, SandboxKeyring], style: Style, scheme: Scheme, *, ring: Any = None, key: str = ""
) -> ServiceAnswer:
    connector = connector_of(style, scheme)
    wire = Wire(connector, connector.operations["echo.submit"], body_of(connector.operations["echo.submit"], WHO))
    exchange = Exchange(running[0].address, KEY, ring or running[1])
    reply = asyncio.run(exchange.ask(Question(wire, key, 10)))
    return answer_of(wire, WHO, reply, "request-1")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("style", STYLES)
def test_every_style_under_every_scheme(running: Any, platform: Platform, style: Style, scheme: Scheme) -> None:
    answer = ask(running, style, scheme)
    assert platform.bodies == [{"who": {"no": WHO["id_number"], "name": WHO["name"]}}]
    assert (answer.outcome, answer.case_number, answer.data["said"]) == ("done", "A1", WHO["name"])
    assert answer.data["rows"] == [{"id": "1", "label": "一"}, {"id": "2", "label": "二"}]
    platform.refuse = True
    refused = ask(running, style, scheme)
    assert refused.outcome == "refused"
    assert "不予办理" in refused.message["zh-CN"]


@pytest.mark.parametrize("style", STYLES)
def test_a_repeat_gets_the_first_answer_and_is_done_once(running: Any, platform: Platform, style: Style) -> None:
    key = f"once-{style}"
    assert ask(running, style, "sm2", key=key) == ask(running, style, "sm2", key=key)
    assert len(platform.bodies) == 1


def _changed(response: Response, content: bytes) -> Response:
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Response(content, response.status_code, headers)


def _without_signature(response: Response) -> Response:
    del response.headers["x-authority-signature"]
    return response


def _signed_long_ago(response: Response) -> Response:
    response.headers["x-authority-moment"] = "1"
    return response


LIES: dict[str, Distortion] = {
    "another name": lambda response: _changed(response, bytes(response.body).replace("一".encode(), "二".encode())),
    "cut short": lambda response: _changed(response, bytes(response.body)[:-1]),
    "nothing": lambda response: _changed(response, b""),
    "no signature": _without_signature,
    "old": _signed_long_ago,
    "another status": lambda response: Response(bytes(response.body), 500, dict(response.headers)),
}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_was_touched_is_garbled(running: Any, platform: Platform, lie: str, scheme: Scheme) -> None:
    platform.distort = LIES[lie]
    for style in STYLES:
        with pytest.raises(AuthorityFailed, match=r"signature|not signed now") as caught:
            ask(running, style, scheme)
        assert caught.value.kind == "garbled"
        assert WHO["id_number"] not in caught.value.detail


def test_an_answer_to_another_call_is_garbled(running: Any, platform: Platform) -> None:
    ask(running, "rest", "rsa")
    first = platform.kept[0]
    platform.distort = lambda _: first
    with pytest.raises(AuthorityFailed, match="signature does not verify"):
        ask(running, "rest", "rsa")


SPEECHLESS = {
    "redirect": (lambda _: RedirectResponse("http://127.0.0.1:1/elsewhere", 302), "garbled"),
    "down": (lambda _: Response("Service Unavailable", 503), "down"),
    "too long": (lambda _: Response(b" " * (MAXIMUM_ANSWER_BYTES + 2)), "garbled"),
    "a packed bomb": (
        lambda _: Response(gzip.compress(b" " * MAXIMUM_ANSWER_BYTES * 20), headers={"content-encoding": "gzip"}),
        "garbled",
    ),
    "badly packed": (lambda _: Response(b"no gzip", headers={"content-encoding": "gzip"}), "garbled"),
    "somebody else's 401": (lambda _: Response("who are you", 401), "garbled"),
}


@pytest.mark.parametrize("what", SPEECHLESS)
def test_what_is_no_answer(running: Any, platform: Platform, what: str) -> None:
    distortion, kind = SPEECHLESS[what]
    platform.distort = distortion
    for style in STYLES:
        with pytest.raises(AuthorityFailed) as caught:
            ask(running, style, "hmac")
        assert caught.value.kind == kind
    platform.distort = None
    assert ask(running, "rest", "rsa").outcome == "done"


GARBAGE: dict[Style, tuple[bytes, ...]] = {
    "rest": (b"", b"[]", b"null", b"{", b'{"code": NaN', b"[" * 100_000, b"\xff", b'{"code": "00"}'),
    "form": (b"code=00", b'"00"', b'{"code": "00", "no": "350203190001010000", "said": "x", "case": "1"}'),
    "soap": (
        b"<Envelope><Body/></Envelope>", b"<Envelope/>", b'{"code": "00"}',
        b"<Envelope><Body><a/><b/></Body></Envelope>",
        b"<Envelope><Body><a>00</a></Body></Envelope>", b"<Envelope><Body><Fault><x/></Fault></Body></Envelope>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><Envelope><Body><a><code>&a;</code></a></Body></Envelope>',
        b"<Envelope><Body><a><code>00</code><no>350203190001010000</no></a></Body></Envelope>",
    ),
}  # fmt: skip


def spoken(content: dict[str, Any], **changes: Any) -> ServiceAnswer:
    """What a REST authority's answer means when its connector is changed so."""
    connector = connector_of("rest", "hmac")
    operation = connector.operations["echo.submit"]
    data = {"said": "said", "fee_fen": "to_string(fee)"}
    answer = operation.answer.model_copy(update={"data": data, "required": ("fee_fen",)})
    operation = operation.model_copy(update={"answer": answer})
    reply = Reply(200, json.dumps(content).encode())
    return answer_of(Wire(connector.model_copy(update=changes), operation, {}), WHO, reply, "request-1")


@pytest.mark.parametrize("fee", [None, "null", 15.5, 1500.0, -1, "12元", "", True, [], 10**13])
def test_what_is_no_money_is_garbled(fee: Any) -> None:
    good = {"code": "00", "no": WHO["id_number"], "said": "x", "case": "1"}
    assert spoken(good | {"fee": 1500}).data["fee_fen"] == "1500"
    with pytest.raises(AuthorityFailed, match="fee_fen"):
        spoken(good | {"fee": fee})


def test_an_answer_without_a_code_refuses_nothing() -> None:
    numbered = RefusalPlace(code="to_string(code)", words="words")
    assert spoken({"code": 77, "words": "不予办理"}, refusal=numbered).outcome == "refused"
    for content in ({}, {"code": None}, {"message": "hello"}):
        with pytest.raises(AuthorityFailed, match="neither done nor refused"):
            spoken(content, refusal=numbered)


@pytest.mark.parametrize("style", STYLES)
def test_well_signed_nonsense_is_garbled(style: Style) -> None:
    connector = connector_of(style, "hmac")
    wire = Wire(connector, connector.operations["echo.submit"], {})
    for content in GARBAGE[style]:
        reply = type("R", (), {"status": 200, "content": content})()
        with pytest.raises(AuthorityFailed) as caught:
            answer_of(wire, WHO, reply, "request-1")
        assert caught.value.kind == "garbled", content


def test_a_call_that_was_touched_is_not_served(running: Any, platform: Platform) -> None:
    async def signed(style: Style) -> httpx.Request:
        connector = connector_of(style, "sm2")
        operation = connector.operations["echo.submit"]
        wire = Wire(connector, operation, body_of(operation, WHO))
        stamp = Stamp(str(int(time.time())), f"nonce-{style}-{time.time_ns()}", "k")
        packed = wire.packed(stamp, await running[1].signer("x", "sm2"))
        return httpx.Request("POST", platform.address + operation.path, headers=packed.headers, content=packed.content)

    for style in STYLES:
        good = asyncio.run(signed(style))
        with httpx.Client(trust_env=False) as client:
            for content in (good.content + b" ", good.content.replace(b"17", b"25", 1), b""):
                touched = httpx.Request("POST", good.url, headers=_free(good), content=content)
                assert client.send(touched).status_code == 401, style
            elsewhere = str(good.url).replace("/sm2/", "/hmac/")
            assert (
                client.send(httpx.Request("POST", elsewhere, headers=_free(good), content=good.content)).status_code
                == 401
            )
            assert client.send(good).status_code == 200
            assert client.send(good).text == "replayed"


def _free(request: httpx.Request) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if name not in ("content-length", "host")}


def test_keys_from_files(running: Any, platform: Platform, tmp_path: Path) -> None:
    connectors = [connector_of("rest", "rsa"), connector_of("soap", "sm2"), connector_of("form", "hmac")]
    with pytest.raises(SettingsInvalid, match=r"rsa\.key is missing, and rest_rsa signs with rsa"):
        FileKeyring(KEY, None, connectors)
    handed = httpx.get(
        f"{platform.address}/gateway-keys",
        headers={"x-yizhan-signature": hmac.new(KEY, b"/gateway-keys", "sha256").hexdigest()},
        trust_env=False,
    ).json()
    for scheme, authority in (("rsa", "rest_rsa"), ("sm2", "soap_sm2")):
        (tmp_path / f"{scheme}.key").write_text(handed[f"{scheme}.key"])
        with pytest.raises(SettingsInvalid, match=f"{authority}.{scheme}.pem is missing"):
            FileKeyring(KEY, tmp_path, connectors)
        (tmp_path / f"{authority}.{scheme}.pem").write_text(handed[f"{scheme}.pem"])
    ring = FileKeyring(KEY, tmp_path, connectors)
    for style, scheme in (("rest", "rsa"), ("soap", "sm2"), ("form", "hmac")):
        assert ask(running, style, scheme, ring=ring).outcome == "done"  # type: ignore[arg-type]
    (tmp_path / "soap_sm2.sm2.pem").write_bytes(public_pem("sm2", new_private_pem("sm2")))
    with pytest.raises(AuthorityFailed, match="signature does not verify"):
        ask(running, "soap", "sm2", ring=FileKeyring(KEY, tmp_path, connectors))
    (tmp_path / "sm2.key").write_text("no key")
    with pytest.raises(SettingsInvalid, match=r"sm2\.key"):
        FileKeyring(KEY, tmp_path, connectors)


def test_a_city_that_hands_out_no_keys_is_down(running: Any, platform: Platform) -> None:
    with pytest.raises(AuthorityFailed, match="cannot be reached") as caught:
        ask(running, "rest", "sm2", ring=SandboxKeyring(KEY, "http://127.0.0.1:1"))
    assert (caught.value.kind, caught.value.undone) == ("down", True)


def test_a_forms_signature_is_over_sorted_parameters() -> None:
    assert form_text({"b": "2", "a": "x=1&y", "sign": "s", "empty": ""}) == b"a=x=1&y&b=2"


def test_an_answer_signed_long_ago_is_not_of_now() -> None:
    wire = Wire(connector_of("rest", "hmac"), connector_of("rest", "hmac").operations["echo.submit"], {})
    for moment in (str(int(time.time()) - 3600), str(int(time.time()) + 3600), "", "now"):
        text = "\n".join(("200", "n", moment, digest("hmac", b"{}")))
        headers = {"x-authority-moment": moment, "x-authority-signature": HmacKey(KEY).sign(text.encode())}
        with pytest.raises(Unreadable, match="not signed now"):
            wire.check(200, headers, b"{}", "n", HmacKey(KEY))
