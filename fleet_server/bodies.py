"""What a JSON body may hold: what every reader of it understands the same and both databases can store (RFC 7493).

UTF-8 alone, whole numbers of 64 bits, finite fractions, no lone surrogate, no NUL, at most `DEEPEST` values inside one
another. Anything else answers 422 `not_valid` with the reason, before anything is read of its meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from fastapi import Request, Response
from fastapi.routing import APIRoute

from fleet_server.problems import ProblemError

DEEPEST = 64
LARGEST = 2**63 - 1


def read_json(content: bytes) -> Any:
    """The value. Raises `ProblemError` 422 `not_valid`."""
    try:
        value = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refused("not JSON in UTF-8, or a number or text that JSON cannot carry") from error
    _check(value, DEEPEST)
    return value


def _check(value: object, depth: int) -> None:
    match value:
        case str():
            if "\0" in value:
                raise _refused("a text holds NUL")
        case bool() | float() | None:
            pass
        case int():
            if not -LARGEST <= value <= LARGEST:
                raise _refused("a number beyond 64 bits")
        case dict() | list() if depth == 0:
            raise _refused(f"more than {DEEPEST} values inside one another")
        case dict():
            for name, held in value.items():
                _check(name, 0)
                _check(held, depth - 1)
        case list():
            for held in value:
                _check(held, depth - 1)


def _refused(why: str) -> ProblemError:
    return ProblemError(422, "not_valid", f"body: {why}")


class StrictRequest(Request):
    """A request whose `json()` is `read_json` of its body."""

    async def json(self) -> Any:
        return read_json(await self.body())


class StrictRoute(APIRoute):
    """A route that takes no other JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return strict
