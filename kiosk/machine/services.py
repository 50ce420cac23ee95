"""Authority systems, reached only through the centre. Personal data passes through here and is kept nowhere."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

from kiosk.contracts.errors import AuthorityDown, Garbled, Refused, ServiceFailed, Unreachable
from kiosk.contracts.fleet import MAXIMUM_BODY_BYTES, RequestOutcome, ServiceAnswer, ServiceRequest
from kiosk.contracts.value import LANGUAGES, LocalizedText
from kiosk.machine.fleet.client import Answer, FleetClient

MAXIMUM_DOCUMENT_BYTES = 8 * 1024 * 1024
DOCUMENT_SECONDS = 30.0
GRACE_SECONDS = 2.0
"""The centre is given the same limit as the caller; its own word about a slow authority needs time to arrive."""

_OPERATION = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")
_DOCUMENT_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")


class Services:
    """What the flow calls. It never retries by itself; a `request_id` sent again is answered the same."""

    def __init__(self, client: FleetClient) -> None:
        self._client = client

    async def call(
        self, operation: str, payload: dict[str, Any], *, request_id: str, transaction_number: str | None = None,
        matter: str | None = None, purpose: str = "", timeout_seconds: float = 20.0,
    ) -> ServiceAnswer:  # fmt: skip
        """Ask an authority. Returns a `done` or `accepted` answer.

        Raises `Unreachable` (no answer in time, from the centre or from the authority behind it: whether it was done
        is open), `AuthorityDown` (the authority does not serve), `Garbled` (an answer outside the contract) and
        `ServiceRefused`, a `Refused` with the authority's own reason and sentence.
        """
        if not _OPERATION.match(operation):
            raise Garbled("not the name of an operation", reason="bad_operation")
        request = ServiceRequest(
            request_id=request_id,
            transaction_number=transaction_number,
            matter=matter,
            purpose=purpose,
            payload=payload,
        )
        body = request.model_dump_json().encode()
        if len(body) > MAXIMUM_BODY_BYTES:
            raise Garbled(f"{operation}: the request is longer than {MAXIMUM_BODY_BYTES} bytes", reason="oversized")
        reply = await self._client.post(
            f"services/{operation}", body, headers={"x-timeout-seconds": f"{timeout_seconds:g}"},
            timeout_seconds=timeout_seconds + GRACE_SECONDS, limit=MAXIMUM_BODY_BYTES,
        )  # fmt: skip
        if reply.status != 200:
            raise _failure(operation, reply)
        try:
            answer = ServiceAnswer.model_validate_json(reply.content)
        except ValidationError as error:
            raise Garbled(f"{operation}: {error.error_count()} mistakes in the answer", reason="garbled") from None
        if answer.request_id != request_id:
            raise Garbled(f"{operation}: the answer belongs to another request", reason="garbled")
        if answer.outcome == "refused":
            raise ServiceRefused(operation, answer)
        return answer

    async def outcome(self, request_id: str) -> str:
        """What became of a request nobody saw the end of: done, accepted, refused, failed, begun or uncertain.

        `failed` is for good: a request that never arrived is barred by asking. Raises `Unreachable`, `Garbled`.
        """
        reply = await self._client.post(f"requests/{request_id}/outcome", b"", limit=MAXIMUM_BODY_BYTES)
        if reply.status != 200:
            raise _failure("request outcome", reply)
        try:
            return RequestOutcome.model_validate_json(reply.content).outcome
        except ValidationError as error:
            raise Garbled(f"{error.error_count()} mistakes in the answer about a request", reason="garbled") from None

    async def document(self, document_id: str) -> bytes:
        """A sealed document's bytes, at most `MAXIMUM_DOCUMENT_BYTES`. Raises as `call` does."""
        if not _DOCUMENT_ID.match(document_id):
            raise Garbled("not the identifier of a document", reason="bad_document")
        reply = await self._client.get(
            f"documents/{document_id}", timeout_seconds=DOCUMENT_SECONDS, limit=MAXIMUM_DOCUMENT_BYTES
        )
        if reply.status != 200:
            raise _failure("document", reply)
        if not reply.content.startswith(b"%PDF-"):
            raise Garbled("the document is not a PDF", reason="garbled")
        return reply.content


class ServiceRefused(Refused):
    """The authority said no. `answer` carries its reason and its sentence per language; it names no citizen."""

    def __init__(self, operation: str, answer: ServiceAnswer) -> None:
        super().__init__(f"{operation}: refused ({answer.reason or 'no reason given'})", reason=answer.reason)
        self.answer = answer

    @property
    def told(self) -> LocalizedText | None:
        """The authority's own sentence; a language it left out is filled from one it gave. None when it said none."""
        said = {language: text for language, text in self.answer.message.items() if text}
        if not said:
            return None
        spare = said.get("zh-CN") or next(iter(said.values()))
        return LocalizedText.of({language: said.get(language, spare) for language in LANGUAGES})


def _failure(operation: str, reply: Answer) -> ServiceFailed:
    """What an error answer means: codes `authority_…` speak of the authority, any other 5xx of the centre itself."""
    problem = reply.problem
    reason = problem.code or f"http_{reply.status}"
    message = f"{operation}: {problem.title}"
    if reason == "authority_down":
        return AuthorityDown(message, reason=reason)
    if reply.status in (401, 403, 429) or (reply.status >= 500 and reason != "authority_garbled"):
        return Unreachable(message, reason=reason)
    return Garbled(message, reason=reason)
