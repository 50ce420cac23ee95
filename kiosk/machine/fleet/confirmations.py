"""A clerk vouches for a citizen: the way to the centre's two-person control (kiosk/contracts/confirmations.py)."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import ValidationError

from kiosk.contracts.confirmations import CONFIRMATIONS_PATH, ClerkWord, Confirmation, ConfirmationRequest
from kiosk.contracts.errors import Garbled, Refused, Unreachable
from kiosk.machine.fleet.client import API, Answer, FleetClient

ANSWER_BYTES = 16 * 1024
CALL_SECONDS = 8.0
LOOK_SECONDS = 4.0
_PATH = CONFIRMATIONS_PATH.removeprefix(f"{API}/")


class Confirmations:
    """Every call raises `Unreachable`, `Garbled`, or `Refused` with the centre's reason (`clerk_refused` …)."""

    def __init__(self, client: FleetClient, is_online: Callable[[], bool]) -> None:
        self._client, self._is_online = client, is_online

    @property
    def is_online(self) -> bool:
        return self._is_online()

    async def ask(self, confirmation_id: str, request: ConfirmationRequest) -> Confirmation:
        """The first person's word. Sent again under the same id it is answered the same."""
        return await self._call("PUT", confirmation_id, request, CALL_SECONDS)

    async def second(self, confirmation_id: str, word: ClerkWord) -> Confirmation:
        """The second person's word, given here."""
        return await self._call("POST", f"{confirmation_id}/second", word, CALL_SECONDS)

    async def look(self, confirmation_id: str) -> Confirmation:
        return await self._call("GET", confirmation_id, None, LOOK_SECONDS)

    async def withdraw(self, confirmation_id: str) -> Confirmation:
        return await self._call("POST", f"{confirmation_id}/withdraw", None, LOOK_SECONDS)

    async def _call(self, method: str, path: str, body: ClerkWord | None, seconds: float) -> Confirmation:
        content = None if body is None else body.model_dump_json().encode()
        answer = await self._client.request(
            method, f"{_PATH}/{path}", body=content, headers={"content-type": "application/json"} if content else None,
            timeout_seconds=seconds, limit=ANSWER_BYTES,
        )  # fmt: skip
        return _understood(answer)


def _understood(answer: Answer) -> Confirmation:
    if answer.status != 200:
        problem = answer.problem
        reason = problem.code or f"http_{answer.status}"
        if answer.status in (403, 404, 409, 422):
            raise Refused(f"confirmation: {problem.title}", reason=reason)
        raise Unreachable(f"confirmation: {problem.title}", reason=reason)
    try:
        return Confirmation.model_validate_json(answer.content)
    except ValidationError as error:
        raise Garbled(f"{error.error_count()} mistakes in the answer about a confirmation", reason="garbled") from None
