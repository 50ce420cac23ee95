"""The city as a real server on loopback, called as the gateway calls it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from fleet_server.gateway.authority import Exchange
from fleet_server.sandbox.app import create_app
from tests.fleet_server.conftest import TLS

KEY = b"a key of the test"


class SigningClient:
    """Signs as the gateway does."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.exchange = Exchange(str(client.base_url), KEY)

    def post(self, path: str, body: dict[str, Any], key: str = "") -> httpx.Response:
        content = json.dumps(body).encode()
        return self.client.post(path, content=content, headers=self.exchange.headers("POST", path, content, key))


@contextmanager
def serve_city(data: Path, **options: Any) -> Iterator[SigningClient]:
    app = create_app(data, KEY, **options)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", loop="uvloop", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with httpx.Client(base_url=address, timeout=20, verify=TLS, trust_env=False) as client:
                yield SigningClient(client)
        finally:
            server.should_exit = True
            thread.join(timeout=20)


@pytest.fixture
def start_city() -> Any:
    """`with start_city(data, clock=…) as city`."""
    return serve_city


@pytest.fixture
def city(tmp_path: Path) -> Iterator[SigningClient]:
    with serve_city(tmp_path) as made:
        yield made
