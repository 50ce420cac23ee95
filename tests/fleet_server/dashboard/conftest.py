"""A server with a city in it, and browsers of its staff."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.fleet_server.conftest import PASSWORD, World

Browser = Callable[[str], contextlib.AbstractContextManager[httpx.Client]]
TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]{64})"')


def token_in(page: str) -> str:
    found = TOKEN.search(page)
    assert found is not None, "the page carries no form of its own session"
    return found.group(1)


@pytest.fixture
def browser(world: World) -> Browser:
    """`with browser("author") as client`: signed in through the page; `client.headers` hold no token of their own."""

    @contextlib.contextmanager
    def opened(name: str) -> Iterator[httpx.Client]:
        with world.client() as client:
            client.headers["Accept"] = "text/html"
            answer = client.post("/sign-in", data={"name": name, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
            yield client

    return opened


def send(client: httpx.Client, path: str, **fields: object) -> httpx.Response:
    """A form of this session's own pages."""
    token = token_in(client.get("/account").text)
    return client.post(path, data={"csrf_token": token} | fields)
