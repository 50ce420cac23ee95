"""Calls for a remote helper: asked, taken by one person, ended by whoever ends it first. Services never commit."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from functools import cache
from pathlib import Path

import yaml
from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from fleet_server.assistance.models import HelpCall, HelpMessage
from fleet_server.dashboard.forms import holds_personal_number
from fleet_server.database import notify, now
from fleet_server.problems import ProblemError
from fleet_server.staff.service import record
from fleet_server.terminals.models import Scope
from kiosk.contracts.assistance import (
    LONGEST_SECONDS,
    LONGEST_WORDS,
    NOBODY_SECONDS,
    SILENT_SECONDS,
    AssistanceReport,
    AssistanceRequest,
    AssistanceStanding,
)
from kiosk.contracts.value import LANGUAGES

SENTENCES = Path(__file__).parent / "sentences.yaml"
LATEST = 20


@cache
def sentences() -> dict[str, dict[str, str]]:
    """Ready sentences by name, each in three languages."""
    found = yaml.load(SENTENCES.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {name: dict(zip(LANGUAGES, texts, strict=True)) for name, texts in found.items()}


# --- the terminal --------------------------------------------------------------------------------------------------


def ask(session: Session, terminal: str, wanted: AssistanceRequest) -> HelpCall:
    """A new call; an earlier one of this terminal ends."""
    for earlier in session.exec(
        select(HelpCall).where(HelpCall.terminal == terminal, col(HelpCall.ended_at).is_(None))
    ):
        _end(session, earlier, "session")
    call = HelpCall(
        id=secrets.token_hex(16), terminal=terminal, mode=wanted.mode, language=wanted.language,
        description=wanted.description.model_dump(mode="json", by_alias=True),
    )  # fmt: skip
    session.add(call)
    record(session, "terminal", "help_asked", terminal)
    return call


def report(session: Session, terminal: str, id: str, now_: AssistanceReport) -> AssistanceStanding:
    """What stands on the screen now, and what the helper said since. Raises `ProblemError` 404 `no_call`."""
    call = _open(session, id, terminal)
    call.mode, call.language, call.heard_at, call.heard = now_.mode, now_.language, now(), now_.heard
    described = now_.description.model_dump(mode="json", by_alias=True)
    if described != call.description:
        call.description = described
    query = select(HelpMessage).where(HelpMessage.call == id, HelpMessage.number > now_.heard)
    said = session.exec(query.order_by(col(HelpMessage.number)))
    messages = [row.model_dump(include={"number", "text", "is_ready", "point", "screen"}) for row in said]
    return AssistanceStanding.model_validate({"state": "taken" if call.taken_by else "waiting", "messages": messages})


def end_by_terminal(session: Session, terminal: str, id: str, reason: str) -> None:
    """A call that is over stays as it ended."""
    call = session.get(HelpCall, id)
    if call is not None and call.terminal == terminal and call.ended_at is None:
        _end(session, call, reason)


# --- the helper ----------------------------------------------------------------------------------------------------


def waiting(session: Session) -> list[HelpCall]:
    """Nobody has taken them; who waits longest stands first."""
    query = select(HelpCall).where(col(HelpCall.ended_at).is_(None), HelpCall.taken_by == "")
    return [call for call in session.exec(query.order_by(col(HelpCall.asked_at))) if is_alive(call)]


def taken(session: Session) -> list[HelpCall]:
    query = select(HelpCall).where(col(HelpCall.ended_at).is_(None), HelpCall.taken_by != "")
    return [call for call in session.exec(query.order_by(col(HelpCall.asked_at))) if is_alive(call)]


def latest(session: Session) -> list[HelpCall]:
    query = select(HelpCall).where(col(HelpCall.ended_at).is_not(None))
    return list(session.exec(query.order_by(col(HelpCall.ended_at).desc()).limit(LATEST)))


def messages(session: Session, id: str) -> list[HelpMessage]:
    return list(session.exec(select(HelpMessage).where(HelpMessage.call == id).order_by(col(HelpMessage.number))))


def is_alive(call: HelpCall) -> bool:
    return call.ended_at is None and now() - call.heard_at < dt.timedelta(seconds=SILENT_SECONDS)


def find(session: Session, id: str) -> HelpCall:
    call = session.get(HelpCall, id)
    if call is None:
        raise ProblemError(404, "no_call", "there is no such call")
    return call


def take(session: Session, id: str, *, by: str) -> None:
    """Raises `ProblemError` 404 `no_call`, 409 `call_taken`, 410 `call_over`."""
    call = find(session, id)
    claim = update(HelpCall).where(
        col(HelpCall.id) == id, col(HelpCall.taken_by) == "", col(HelpCall.ended_at).is_(None)
    )
    if not is_alive(call):
        raise ProblemError(410, "call_over", "this call is over")
    if session.execute(claim.values(taken_by=by, taken_at=now())).rowcount == 0:  # type: ignore[attr-defined]
        raise ProblemError(409, "call_taken", "somebody else has taken this call")
    record(session, by, "help_taken", call.terminal)
    _hint(session, call.terminal)


def say(session: Session, id: str, *, by: str, ready: str = "", words: str = "", point: str = "") -> None:
    """A ready sentence or own words, something to point at, or both; for the screen that stands now.

    Raises `ProblemError` 403 `not_yours`, 410 `call_over`, 422 `nothing_said`, `personal_note`, `not_on_screen`.
    """
    call = _mine(session, id, by)
    words = " ".join(words.split())
    if (ready and ready not in sentences()) or not (ready or words or point):
        raise ProblemError(422, "nothing_said", "choose a sentence, write one, or point at something")
    if len(words) > LONGEST_WORDS:
        raise ProblemError(422, "too_long", f"at most {LONGEST_WORDS} characters")
    if holds_personal_number(words):
        raise ProblemError(422, "personal_note", "identity and telephone numbers do not belong on a screen in a shop")
    described = call.description
    names = {each["name"] for part in ("touchables", "fields") for each in described.get(part, ())}
    if point and point not in names:
        raise ProblemError(422, "not_on_screen", "the screen has changed: that is no longer there")
    text = sentences()[ready] if ready else dict.fromkeys(LANGUAGES, words) if words else None
    call.messages += 1
    session.add(
        HelpMessage(
            call=id, number=call.messages, text=text, is_ready=not words, point=point, screen=described["screen"]
        )
    )
    record(session, by, "help_said", call.terminal, sentence=ready or ("own words" if words else ""), point=point)
    _hint(session, call.terminal)


def end_by_helper(session: Session, id: str, *, by: str) -> None:
    call = _mine(session, id, by)
    _end(session, call, "helper")
    record(session, by, "help_ended", call.terminal)
    _hint(session, call.terminal)


def end_silent(session: Session) -> None:
    """Calls nobody took in time, whose terminal is silent, or that last too long, are over."""
    moment = now()
    for call in session.exec(select(HelpCall).where(col(HelpCall.ended_at).is_(None))):
        if not is_alive(call):
            _end(session, call, "lost")
        elif not call.taken_by and moment - call.asked_at > dt.timedelta(seconds=NOBODY_SECONDS + SILENT_SECONDS):
            _end(session, call, "nobody")
        elif call.taken_at and moment - call.taken_at > dt.timedelta(seconds=LONGEST_SECONDS):
            _end(session, call, "helper")
            _hint(session, call.terminal)


def _open(session: Session, id: str, terminal: str) -> HelpCall:
    call = session.get(HelpCall, id, with_for_update=True)
    if call is None or call.terminal != terminal or call.ended_at is not None:
        raise ProblemError(404, "no_call", "there is no such call, or it is over")
    return call


def _mine(session: Session, id: str, by: str) -> HelpCall:
    call = session.get(HelpCall, id, with_for_update=True)
    if call is None or not is_alive(call):
        raise ProblemError(410, "call_over", "this call is over")
    if call.taken_by != by:
        raise ProblemError(403, "not_yours", "somebody else has taken this call")
    return call


def _end(session: Session, call: HelpCall, reason: str) -> None:
    """What was seen and said is forgotten; that there was a call stays."""
    call.ended_at, call.ending, call.description = now(), reason, {}
    session.execute(delete(HelpMessage).where(col(HelpMessage.call) == call.id))


def _hint(session: Session, terminal: str) -> None:
    notify(session, json.dumps({"look": "assistance", "scope": Scope.TERMINAL, "scope_id": terminal}))
