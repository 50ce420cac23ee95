"""The terminal's way to a remote helper (kiosk/contracts/assistance.py)."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TypeVar

from pydantic import ValidationError

from kiosk.contracts.assistance import (
    AssistanceCall,
    AssistanceEnd,
    AssistanceReport,
    AssistanceRequest,
    AssistanceStanding,
)
from kiosk.contracts.errors import Garbled, Unreachable
from kiosk.contracts.value import Contract
from kiosk.machine.fleet.client import Answer, FleetClient

T = TypeVar("T", bound=Contract)
SECONDS = 6.0
LIMIT = 256 * 1024
_ID = re.compile(r"^[0-9a-f]{32}$")


class AssistanceLine:
    """Never retries by itself: the next report says everything again."""

    def __init__(self, client: FleetClient) -> None:
        self._client = client
        self._endings: set[asyncio.Task[None]] = set()

    async def ask(self, wanted: AssistanceRequest) -> str:
        """Call for a helper; the call's id. Raises `Unreachable`, `Garbled`."""
        answer = await self._client.post("assistance", _body(wanted), timeout_seconds=SECONDS, limit=LIMIT)
        call = _read(AssistanceCall, answer, 201)
        if not _ID.match(call.id):
            raise Garbled("not the id of a call", reason="garbled")
        return call.id

    async def report(self, id: str, now: AssistanceReport) -> AssistanceStanding | None:
        """Say what stands on the screen, hear what came; None once the centre has ended the call."""
        answer = await self._client.request(
            "PUT", f"assistance/{id}", body=_body(now), headers={"content-type": "application/json"},
            timeout_seconds=SECONDS, limit=LIMIT,
        )  # fmt: skip
        return None if answer.status == 404 else _read(AssistanceStanding, answer, 200)

    def end_soon(self, id: str, end: AssistanceEnd) -> None:
        """Tell the centre. Nobody waits for that; untold, it notices the silence."""
        ending = asyncio.create_task(self._end(id, end))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

    async def close(self) -> None:
        await asyncio.gather(*self._endings, return_exceptions=True)

    async def _end(self, id: str, end: AssistanceEnd) -> None:
        with contextlib.suppress(Unreachable):
            await self._client.post(f"assistance/{id}/end", _body(end), timeout_seconds=SECONDS)


def _body(message: AssistanceRequest | AssistanceReport | AssistanceEnd) -> bytes:
    return message.model_dump_json().encode()


def _read(kind: type[T], answer: Answer, expected: int) -> T:
    if answer.status != expected:
        raise Unreachable(f"assistance: {answer.problem.title}", reason=answer.problem.code or f"http_{answer.status}")
    try:
        return kind.model_validate_json(answer.content)
    except ValidationError as error:
        raise Garbled(f"assistance: {error.error_count()} mistakes in the answer", reason="garbled") from None
