"""The first word to the server: a one-time code and this machine's public key for its name and its trust."""

from __future__ import annotations

import socket
from pathlib import Path

from pydantic import ValidationError

from kiosk.contracts.errors import SettingsInvalid, Unreachable
from kiosk.contracts.fleet import EnrolmentAnswer, EnrolmentRequest
from kiosk.machine.fleet.client import API, exchange, open_http, tls_context
from kiosk.machine.fleet.identity import Identity

ENROLMENT_SECONDS = 20.0


async def enrol(identity: Identity, *, server: str, code: str, ca: Path | None = None) -> EnrolmentAnswer:
    """Enrol the machine once and keep the answer; an enrolled machine gets what it kept.

    `ca` pins the server's authority. Raises `Unreachable` (try again) and `SettingsInvalid` (a new code is needed).
    """
    if identity.enrolment is not None:
        return identity.enrolment
    if not code:
        raise SettingsInvalid("fleet.enrolment_code: missing; this machine is not enrolled yet: enter a fresh code")
    try:
        request = EnrolmentRequest(code=code, public_key=identity.key.public_base64, machine=socket.gethostname()[:80])
    except ValidationError as error:
        raise SettingsInvalid("fleet.enrolment_code: not a code: it has 8 to 64 characters") from error
    async with open_http(tls_context(ca)) as http:
        answer = await exchange(
            http, "POST", f"{server.rstrip('/')}{API}/enrolments", body=request.model_dump_json().encode(),
            headers={"content-type": "application/json"}, timeout_seconds=ENROLMENT_SECONDS, limit=1024 * 1024,
        )  # fmt: skip
    if answer.status >= 500 or answer.status == 429:
        raise Unreachable(f"enrolment: {answer.problem.title}", reason=answer.problem.code or f"http_{answer.status}")
    if answer.status not in (200, 201):
        why = answer.problem.detail or answer.problem.title
        raise SettingsInvalid(f"fleet.enrolment_code: refused ({why}): ask for a fresh code")
    try:
        enrolled = EnrolmentAnswer.model_validate_json(answer.content)
    except ValidationError as error:
        raise SettingsInvalid(
            f"fleet.server: {server} does not answer as a fleet server: correct the address"
        ) from error
    identity.keep(enrolled)
    return enrolled
