"""The stand-in city as one web application: departments' counters, documents, and the levers of the demonstration.

Departments and documents answer only calls signed by the gateway. What a real city would not have, and this one does:

  GET    /inbox[?phone=]    text messages, newest first
  GET    /app-code?id_number=  the identity code a citizen's phone shows now
  GET    /orders            what the city is told to do wrong
  POST   /orders            one `SandboxOrder` (kiosk/contracts/scenario.py)
  DELETE /orders            all is well again
  GET    /authorities.pem   certificate of the seal authority, public
  GET    /gateway-keys      RSA and SM2 keys for the gateway, which shows that it knows the shared key
  GET    /verify/{code}     what was issued under a verification code, for anyone who scans the paper
  GET    /show/{code}       the certificate a citizen shows by QR, for whoever scans it first
  …      /payments/…        citizens who pay, and how (fleet_server/sandbox/payments/levers.py)
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import html
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from fleet_server.sandbox.calls import Counter, Department, Desk
from fleet_server.sandbox.citizens import Citizen
from fleet_server.sandbox.city import City, Clock, found_city
from fleet_server.sandbox.departments import DEPARTMENTS
from fleet_server.sandbox.departments.certificate_library import shown
from fleet_server.sandbox.departments.people.identity import show_app_code
from fleet_server.sandbox.keys import ExchangeKeys
from fleet_server.sandbox.payments import levers as payments
from fleet_server.sandbox.payments.keys import Keys
from fleet_server.sandbox.wire import Seals
from kiosk.contracts.scenario import SandboxOrder


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def create_app(data: Path, key: bytes, *, clock: Clock = _now, people: Iterable[Citizen] | None = None) -> FastAPI:
    """A city whose keys and documents live in `data`; `key` is shared with the gateway."""
    city = found_city(data, clock, people)
    keys = ExchangeKeys(data)
    seals = Seals(key, keys)
    desk = Desk(city, seals)
    app = FastAPI(title="Sandbox city", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.city = city
    for department in DEPARTMENTS:
        for counter in department.counters:
            _open(app, desk, department, counter)
    _open_documents(app, desk)
    _open_levers(app, city)
    _hand_out_keys(app, seals, keys)
    payments.install(app, city, Keys(data / "payments"))
    return app


def _open(app: FastAPI, desk: Desk, department: Department, counter: Counter) -> None:
    async def serve(request: Request) -> Response:
        return await desk.serve(department, counter, request)

    app.add_api_route(
        department.prefix + counter.path, serve, methods=[counter.method], response_model=None, name=counter.operation
    )


def _open_documents(app: FastAPI, desk: Desk) -> None:
    @app.get("/documents/{document_id}", response_model=None)
    async def document(document_id: str, request: Request) -> Response:
        return await desk.hand_over(document_id, request)


def _hand_out_keys(app: FastAPI, seals: Seals, keys: ExchangeKeys) -> None:
    @app.get("/gateway-keys", response_model=None)
    def gateway_keys(request: Request) -> Response:
        if not seals.may_have_keys("/gateway-keys", request.headers.get("x-yizhan-signature", "")):
            return PlainTextResponse("signature does not verify", 401)
        return JSONResponse(keys.handed_out(), headers={"cache-control": "no-store"})


def _open_levers(app: FastAPI, city: City) -> None:
    @app.get("/inbox")
    def inbox(phone: str | None = None) -> list[dict[str, Any]]:
        listed = [dataclasses.asdict(message) for message in reversed(city.inbox)]
        return [message for message in listed if phone in (None, message["phone"])]

    @app.get("/app-code", response_model=None)
    def app_code(id_number: str) -> Response:
        code = show_app_code(city, id_number)
        return PlainTextResponse(code or "Not Found", 404 if code is None else 200, {"cache-control": "no-store"})

    @app.get("/orders")
    def orders() -> list[dict[str, Any]]:
        return city.orders.listed()

    @app.post("/orders", status_code=201)
    def give_order(order: SandboxOrder) -> list[dict[str, Any]]:
        city.orders.give(order)
        return city.orders.listed()

    @app.delete("/orders", status_code=204)
    def clear_orders() -> None:
        city.orders.clear()

    @app.post("/new-day", status_code=204)
    def new_day() -> None:
        city.forget()

    @app.get("/authorities.pem", response_model=None)
    def authorities() -> Response:
        return PlainTextResponse(city.authority.pem, media_type="application/x-pem-file")

    @app.get("/verify/{code}", response_model=None)
    def verify(code: str) -> Response:
        found = city.documents.verified(code)
        if found is None:
            return HTMLResponse(_page("未查到此验证码", [("验证码", code)]), 404)
        facts = [
            ("文件", found.title), ("编号", found.number), ("持有人", found.holder), ("出具单位", found.issuer),
            ("电子证照标识", found.identifier), ("SHA-256", found.sha256),
        ]  # fmt: skip
        return HTMLResponse(_page("核验通过", facts))

    @app.get("/show/{code}", response_model=None)
    def show(code: str) -> Response:
        page, status = shown(city, code)
        return HTMLResponse(page, status, {"cache-control": "no-store"})


def _page(heading: str, facts: list[tuple[str, str]]) -> str:
    rows = "".join(f"<tr><th>{html.escape(label)}</th><td>{html.escape(value)}</td></tr>" for label, value in facts)
    return (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(heading)}</title><h1>{html.escape(heading)}</h1><table>{rows}</table></html>"
    )
