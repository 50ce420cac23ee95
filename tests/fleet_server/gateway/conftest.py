"""The city and a gateway as real servers on loopback, and a terminal that signs its requests."""

from __future__ import annotations

import base64
import datetime as dt
import email.utils
import hashlib
import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from sqlmodel import SQLModel

from fleet_server import problems
from fleet_server.database import Database, now
from fleet_server.gateway import api
from fleet_server.gateway.service import Gateway
from fleet_server.sandbox.app import create_app
from fleet_server.sandbox.city import City
from fleet_server.sandbox.keys import gateway_key
from fleet_server.security import TerminalKey
from fleet_server.security.replay import NonceMemory
from fleet_server.settings import Settings
from tests.fleet_server.conftest import TLS

TERMINALS = ("kiosk-a", "kiosk-b")


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The app on a free port of 127.0.0.1, in a thread of its own."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        config = uvicorn.Config(
            app, log_level="error", access_log=False, loop="uvloop", ws="none", timeout_graceful_shutdown=5
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=20)


@dataclass
class TestCity:
    """The sandbox city as the tests see it: from outside over HTTP, and its clock."""

    __test__ = False

    address: str
    city: City
    offset: dt.timedelta = field(default_factory=dt.timedelta)

    def order(self, **order: Any) -> None:
        assert httpx.post(f"{self.address}/orders", json=order, verify=TLS, trust_env=False).status_code == 201

    def who(self, id_: str) -> dict[str, str]:
        citizen = next(citizen for citizen in self.city.people.values() if citizen.id == id_)
        return {"id_number": citizen.id_number, "name": citizen.name}

    def inbox(self, phone: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.get(
            f"{self.address}/inbox", params={"phone": phone}, verify=TLS, trust_env=False
        ).json()
        return found


@pytest.fixture(scope="session")
def running_city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestCity]:
    made = TestCity("", None)  # type: ignore[arg-type]
    app = create_app(
        tmp_path_factory.mktemp("city"), gateway_key(), clock=lambda: dt.datetime.now(dt.UTC) + made.offset
    )
    with served(app) as address:
        made.address, made.city = address, app.state.city
        yield made


@pytest.fixture
def city(running_city: TestCity) -> Iterator[TestCity]:
    yield running_city
    running_city.offset = dt.timedelta()
    assert httpx.delete(f"{running_city.address}/orders", verify=TLS, trust_env=False).status_code == 204


class Terminal:
    """Speaks as an enrolled terminal: every request signed (RFC 9421)."""

    def __init__(self, address: str, name: str, key: Ed25519PrivateKey) -> None:
        self.address, self.name, self._key = address, name, key

    def call(
        self,
        operation: str,
        payload: dict[str, Any],
        *,
        request_id: str | None = None,
        headers: Any = None,
        **more: Any,
    ) -> httpx.Response:
        body = {"request_id": request_id or secrets.token_hex(16), "payload": payload, **more}
        return self.send("POST", f"/terminal/v1/services/{operation}", json.dumps(body).encode(), headers or {})

    def document(self, document_id: str) -> httpx.Response:
        return self.send("GET", f"/terminal/v1/documents/{document_id}")

    def send(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> httpx.Response:
        signed = {"date": email.utils.formatdate(usegmt=True), "content-type": "application/json"}
        covered = ["@method", "@path", "@query", "date"]
        values = {"@method": method, "@path": path, "@query": "?", "date": signed["date"]}
        if body:
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            signed["content-digest"] = values["content-digest"] = f"sha-256=:{digest}:"
            covered.append("content-digest")
        names = " ".join(f'"{name}"' for name in covered)
        parameters = (
            f'({names});created={int(time.time())};keyid="{self.name}";alg="ed25519";nonce="{secrets.token_hex(12)}"'
        )
        base = "".join(f'"{name}": {values[name]}\n' for name in covered) + f'"@signature-params": {parameters}'
        signature = base64.b64encode(self._key.sign(base.encode())).decode()
        signed |= {"signature-input": f"terminal={parameters}", "signature": f"terminal=:{signature}:"}
        return httpx.request(
            method, self.address + path, content=body, headers=signed | (headers or {}), timeout=30, trust_env=False,
            verify=TLS,
        )  # fmt: skip


@dataclass
class Centre:
    """The fleet server's part around the gateway, with two enrolled terminals."""

    app: FastAPI
    terminal: Terminal
    other: Terminal

    @property
    def gateway(self) -> Gateway:
        gateway: Gateway = self.app.state.gateway
        return gateway

    @property
    def database(self) -> Database:
        database: Database = self.app.state.database
        return database


def centre_app(settings: Settings) -> FastAPI:
    app = FastAPI()
    app.state.settings = settings
    app.state.database = Database(settings.sqlalchemy_url)
    app.state.nonces = NonceMemory(settings.sqlalchemy_url, settings.data)
    problems.install(app)
    app.include_router(api.router)
    api.install(app)
    SQLModel.metadata.create_all(app.state.database.engine)
    return app


@contextmanager
def running_centre(settings: Settings) -> Iterator[Centre]:
    app = centre_app(settings)
    keys = {name: Ed25519PrivateKey.generate() for name in TERMINALS}
    with app.state.database.writing() as session:
        for name, key in keys.items():
            raw = key.public_key().public_bytes_raw()
            session.add(TerminalKey(terminal=name, public_key=raw, enrolled_at=now()))
    with served(app) as address:
        first, second = (Terminal(address, name, keys[name]) for name in TERMINALS)
        yield Centre(app, first, second)
    app.state.nonces.dispose()
    app.state.database.dispose()


@pytest.fixture
def centre(city: TestCity, tmp_path: Path) -> Iterator[Centre]:
    with running_centre(Settings(data=tmp_path / "centre", sandbox_url=city.address)) as made:
        yield made


@pytest.fixture
def start_centre() -> Any:
    """`with start_centre(settings) as centre`."""
    return running_centre


@pytest.fixture
def fresh_id() -> str:
    return secrets.token_hex(16)
