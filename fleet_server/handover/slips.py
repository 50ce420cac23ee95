"""A slip's life: asked for by a terminal, opened by one phone, sent once, taken, forgotten. Services never commit."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import secrets
import unicodedata

from sqlalchemy import delete
from sqlmodel import Session, col, select

from fleet_server.database import notify, now
from fleet_server.handover.models import HandoverPiece, HandoverSlip
from fleet_server.problems import ProblemError
from fleet_server.terminals.models import Scope
from kiosk.contracts.handover import (
    SLIP_SECONDS,
    TEXT_PLACE,
    TOKEN_BYTES,
    Binding,
    HandedOver,
    Slip,
    SlipRequest,
    SlipStanding,
    seal,
    slip_id,
)
from kiosk.contracts.value import Language

MOST_UPLOADS = 12
"""Of one slip, retakes included."""


# --- the terminal's side -------------------------------------------------------------------------------------------


def offer(session: Session, terminal: str, wanted: SlipRequest, page: str) -> Slip:
    """A new slip; the terminal's earlier ones end, for it serves one citizen at a time."""
    _forget(session, HandoverSlip.terminal == terminal)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    expires_at = now() + dt.timedelta(seconds=SLIP_SECONDS)
    row = HandoverSlip(
        id=slip_id(token), terminal=terminal, transaction_number=wanted.transaction_number, step=wanted.step,
        material={each.value: wanted.material.in_language(each) for each in Language}, photos=wanted.photos,
        text=wanted.text,
        expires_at=expires_at,
    )  # fmt: skip
    session.add(row)
    return Slip(id=row.id, token=token, address=f"{page}#{token}", expires_at=expires_at, seconds=SLIP_SECONDS)


def standing(session: Session, terminal: str, id: str) -> SlipStanding:
    """Raises `ProblemError` 404 `no_slip`."""
    row = _of_terminal(session, terminal, id)
    state = "sent" if row.sent_at else "opened" if row.phone else "waiting"
    seen = None if row.seen_at is None else round((now() - row.seen_at).total_seconds())
    return SlipStanding.model_validate({"state": state, "seconds_left": seconds_left(row), "phone_seen_seconds": seen})


def content(session: Session, terminal: str, id: str) -> HandedOver:
    """What was sent, sealed. Asked for again it is answered again, until the slip is deleted. 409 before it is sent."""
    row = _of_terminal(session, terminal, id)
    if row.sent_at is None:
        raise ProblemError(409, "not_sent", "the phone has not sent anything yet")
    query = select(HandoverPiece).where(HandoverPiece.slip == id).order_by(col(HandoverPiece.place))
    return HandedOver.model_validate(
        {"pieces": [{"kind": each.kind, "content": base64.b64encode(each.sealed)} for each in session.exec(query)]}
    )


def forget(session: Session, terminal: str, id: str) -> None:
    """Nothing of the slip is left, nor of what came for it. One that is not there is as good as forgotten."""
    _forget(session, (HandoverSlip.id == id) & (HandoverSlip.terminal == terminal))


def forget_expired(session: Session) -> None:
    _forget(session, col(HandoverSlip.expires_at) <= now())


# --- the phone's side ----------------------------------------------------------------------------------------------


def open_by(session: Session, token: str, phone: str) -> tuple[HandoverSlip, str]:
    """The slip and the phone's key: `phone` when it is the one that opened it before, a new one for the first.

    Raises `ProblemError` 410 `slip_gone`, 409 `other_phone`, 410 `slip_used`.
    """
    row = _of_token(session, token)
    if not row.phone:
        phone = secrets.token_urlsafe(TOKEN_BYTES)
        row.phone = _hash(phone)
    return _heard(row, phone), phone


def heard(session: Session, token: str, phone: str) -> HandoverSlip:
    """The slip of the phone that opened it, seen just now. Raises as `open_by`."""
    return _heard(_of_token(session, token), phone)


def count_upload(session: Session, token: str, phone: str, place: int) -> None:
    """Before a photo is decoded. Raises `ProblemError` 422 `no_place`, 429 `too_many_uploads`, and as `open_by`."""
    row = heard(session, token, phone)
    if not 0 <= place < row.photos:
        raise ProblemError(422, "no_place", "this slip takes no more photos")
    if row.uploads >= MOST_UPLOADS:
        raise ProblemError(429, "too_many_uploads", "too many photos were sent for this slip")
    row.uploads += 1


def put_photo(session: Session, token: str, phone: str, place: int, jpeg: bytes) -> None:
    """Seal a photo at its place; one sent again takes the place of the one before."""
    _put(session, heard(session, token, phone), token, place, jpeg)


def send(session: Session, token: str, phone: str, photos: int, text: str) -> None:
    """Nothing more comes: the terminal may take it. Raises `ProblemError` 422 `nothing_sent`, `text_too_long`."""
    row = heard(session, token, phone)
    text = cleaned(text)
    if len(text) > row.text:
        raise ProblemError(422, "text_too_long", f"the text may have {row.text} characters")
    held = session.exec(select(HandoverPiece).where(HandoverPiece.slip == row.id)).all()
    for piece in held:
        if piece.place >= photos:
            session.delete(piece)
    there = sum(piece.place < photos for piece in held)
    if there != photos or not (photos or text):
        raise ProblemError(422, "nothing_sent", "what was to be sent has not arrived: send it again")
    if text:
        _put(session, row, token, TEXT_PLACE, text.encode())
    row.sent_at = now()
    notify(session, json.dumps({"look": "handover", "scope": Scope.TERMINAL, "scope_id": row.terminal}))


def cleaned(text: str) -> str:
    """One paragraph without control characters, as a field of a form holds it."""
    visible = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in text)
    return " ".join(unicodedata.normalize("NFC", visible).split())


# --- both ----------------------------------------------------------------------------------------------------------


def _put(session: Session, row: HandoverSlip, token: str, place: int, content: bytes) -> None:
    binding = Binding(terminal=row.terminal, transaction_number=row.transaction_number, step=row.step, place=place)
    piece = session.get(HandoverPiece, (row.id, place)) or HandoverPiece(slip=row.id, place=place, kind="", sealed=b"")
    piece.kind, piece.sealed = "text" if place == TEXT_PLACE else "photo", seal(token, binding, content)
    session.add(piece)


def _of_terminal(session: Session, terminal: str, id: str) -> HandoverSlip:
    row = session.get(HandoverSlip, id)
    if row is None or row.terminal != terminal or row.expires_at <= now():
        raise ProblemError(404, "no_slip", "there is no such slip, or it has run out")
    return row


def _of_token(session: Session, token: str) -> HandoverSlip:
    row = session.get(HandoverSlip, slip_id(token), with_for_update=True)
    if row is None or row.expires_at <= now():
        raise ProblemError(410, "slip_gone", "this code has run out or was ended at the terminal")
    return row


def _heard(row: HandoverSlip, phone: str) -> HandoverSlip:
    if not hmac.compare_digest(row.phone, _hash(phone)):
        raise ProblemError(409, "other_phone", "this code was opened on another phone")
    if row.sent_at is not None:
        raise ProblemError(410, "slip_used", "this code has been used")
    row.seen_at = now()
    return row


def seconds_left(row: HandoverSlip) -> int:
    return max(0, round((row.expires_at - now()).total_seconds()))


def _hash(phone: str) -> str:
    return hashlib.sha256(b"phone " + phone.encode()).hexdigest()


def _forget(session: Session, which: object) -> None:
    ids = select(HandoverSlip.id).where(which)  # type: ignore[arg-type]
    session.execute(delete(HandoverPiece).where(col(HandoverPiece.slip).in_(ids)))
    session.execute(delete(HandoverSlip).where(which))  # type: ignore[arg-type]
