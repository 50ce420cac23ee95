from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from kiosk.contracts.errors import AuthorityDown, Garbled, Refused, ServiceFailed, Unreachable
from kiosk.contracts.value import Language
from kiosk.machine.fleet.client import FleetClient
from kiosk.machine.fleet.enrolment import enrol
from kiosk.machine.fleet.identity import Identity
from kiosk.machine.services import MAXIMUM_DOCUMENT_BYTES, Services
from tests.kiosk.machine.centre import Centre
from tests.kiosk.machine.city import City

Story = Callable[[Services], Coroutine[Any, Any, Any]]


@pytest.fixture
def centre(city: City) -> Iterator[Centre]:
    with Centre(city).running() as running:
        yield running


def run(directory: Path, centre: Centre, story: Story) -> Any:
    async def within() -> Any:
        identity = Identity.open(directory)
        await enrol(identity, server=centre.url, code="GOOD-CODE-1")
        client = FleetClient(centre.url, identity.key, "k1")
        try:
            return await story(Services(client))
        finally:
            await client.close()

    return asyncio.run(within())


def call(services: Services, **more: Any) -> Coroutine[Any, Any, Any]:
    return services.call("real_estate.query", {"name": "陈"}, request_id="request-1", **more)


def answer(**changes: Any) -> dict[str, Any]:
    return {"request_id": "request-1", "outcome": "done", "data": {"house_count": 0}, **changes}


def test_what_was_asked_arrives_and_the_answer_comes_back(tmp_path: Path, centre: Centre) -> None:
    heard = []

    def serve(operation: str, request: dict[str, Any]) -> Response:
        heard.append((operation, request))
        return JSONResponse(answer(case_number="C1"))

    centre.services = serve
    got = run(tmp_path, centre, lambda services: call(services, transaction_number="T1", matter="m", purpose="p"))
    assert (got.outcome, got.case_number, got.data) == ("done", "C1", {"house_count": 0})
    operation, request = heard[0]
    assert operation == "real_estate.query"
    assert request == {"request_id": "request-1", "transaction_number": "T1", "matter": "m", "purpose": "p",
                       "payload": {"name": "陈"}}  # fmt: skip


def test_a_refusal_carries_the_authoritys_own_words(tmp_path: Path, centre: Centre) -> None:
    refused = answer(outcome="refused", reason="not_eligible_age", message={"zh-CN": "未满十六周岁", "en": "Under 16"})
    centre.services = lambda _operation, _request: JSONResponse(refused)
    with pytest.raises(Refused) as refusal:
        run(tmp_path, centre, call)
    assert refusal.value.reason == "not_eligible_age"
    told = refusal.value.told
    assert [told.in_language(language) for language in Language] == ["未满十六周岁", "未满十六周岁", "Under 16"]


@pytest.mark.parametrize(
    ("reply", "expected", "reason"),
    [
        (lambda: JSONResponse({"title": "", "status": 503, "code": "authority_down"}, 503), AuthorityDown,
         "authority_down"),
        (lambda: JSONResponse({"title": "", "status": 504, "code": "authority_timeout"}, 504), Unreachable,
         "authority_timeout"),
        (lambda: JSONResponse({"title": "", "status": 502, "code": "authority_garbled"}, 502), Garbled,
         "authority_garbled"),
        (lambda: JSONResponse({"title": "", "status": 503, "code": "database"}, 503), Unreachable, "database"),
        (lambda: JSONResponse({"title": "", "status": 403, "code": "revoked"}, 403), Unreachable, "revoked"),
        (lambda: Response("<html>gateway</html>", 502), Unreachable, "http_502"),
        (lambda: JSONResponse({"title": "", "status": 404, "code": "unknown_operation"}, 404), Garbled,
         "unknown_operation"),
        (lambda: Response("<html>", 200), Garbled, "garbled"),
        (lambda: JSONResponse({"outcome": "perhaps"}), Garbled, "garbled"),
        (lambda: JSONResponse(answer(request_id="another")), Garbled, "garbled"),
        (lambda: JSONResponse(answer(data={"x": "y" * 3_000_000})), Unreachable, "answer_too_long"),
    ],
)  # fmt: skip
def test_each_misfortune_has_its_name(
    tmp_path: Path, centre: Centre, reply: Callable[[], Response], expected: type[ServiceFailed], reason: str
) -> None:
    centre.services = lambda _operation, _request: reply()
    with pytest.raises(ServiceFailed) as failure:
        run(tmp_path, centre, call)
    assert (type(failure.value), failure.value.reason) == (expected, reason)


def test_an_answer_with_personal_values_is_not_repeated_in_the_error(tmp_path: Path, centre: Centre) -> None:
    centre.services = lambda _operation, _request: JSONResponse({"outcome": "陈测试一"})
    with pytest.raises(Garbled) as failure:
        run(tmp_path, centre, call)
    assert "陈测试一" not in str(failure.value)
    assert failure.value.__cause__ is None


def test_slow_is_unreachable_in_time(tmp_path: Path, centre: Centre) -> None:
    def serve(_operation: str, _request: dict[str, Any]) -> Response:
        async def drip() -> Any:
            for _ in range(100):
                yield b" "
                await asyncio.sleep(0.1)

        from starlette.responses import StreamingResponse

        return StreamingResponse(drip(), media_type="application/json")

    centre.services = serve
    started = time.monotonic()
    with pytest.raises(Unreachable) as failure:
        run(tmp_path, centre, lambda services: call(services, timeout_seconds=0.2))
    assert failure.value.reason == "timed_out"
    assert time.monotonic() - started < 6


def test_nobody_there_is_unreachable(tmp_path: Path) -> None:
    client = FleetClient("http://127.0.0.1:1", Identity.open(tmp_path).key, "k1")
    with pytest.raises(Unreachable):
        asyncio.run(call(Services(client)))


@pytest.mark.parametrize("operation", ["x", "a.b/../c", "A.b", "a.b?c", ""])
def test_only_names_of_operations_are_sent(tmp_path: Path, operation: str) -> None:
    client = FleetClient("http://127.0.0.1:1", Identity.open(tmp_path).key, "k1")
    with pytest.raises(Garbled):
        asyncio.run(Services(client).call(operation, {}, request_id="r"))


def test_documents_are_pdfs_within_bounds(tmp_path: Path, centre: Centre) -> None:
    centre.documents = {
        "good.1": b"%PDF-1.7 small", "page.1": b"<html>", "huge.1": b"%PDF-1.7" + bytes(MAXIMUM_DOCUMENT_BYTES),
    }  # fmt: skip

    async def story(services: Services) -> list[str]:
        assert await services.document("good.1") == b"%PDF-1.7 small"
        seen = []
        for name in ("page.1", "huge.1", "none.1", "../heartbeats", "a/b"):
            try:
                await services.document(name)
            except ServiceFailed as failure:
                seen.append(failure.reason)
        return seen

    assert run(tmp_path, centre, story) == ["garbled", "answer_too_long", "not_found", "bad_document", "bad_document"]
