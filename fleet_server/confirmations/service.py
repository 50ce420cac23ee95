"""The rules of two-person control. Services take a session and never commit.

A wrong PIN is counted, so it must not undo its transaction: what may be refused for one *returns* the `ProblemError`.
"""

from __future__ import annotations

import datetime as dt
from typing import get_args

from sqlalchemy import delete, select
from sqlmodel import Session, col

from fleet_server.confirmations.models import Clerk, ClerkCreate, ConfirmationRow
from fleet_server.database import now
from fleet_server.problems import ProblemError
from fleet_server.security import hash_pin, verify_password
from fleet_server.staff.models import Account
from fleet_server.staff.service import record
from fleet_server.terminals.models import Site, Terminal
from kiosk.contracts.confirmations import LIFETIME_SECONDS, ClerkWord, ConfirmationRequest, RefusalReason

ATTEMPTS_BEFORE_LOCK = 3
FIRST_LOCK = dt.timedelta(minutes=15)
LONGEST_LOCK = dt.timedelta(days=1)
KEPT = dt.timedelta(days=90)
REASONS: tuple[str, ...] = get_args(RefusalReason)


# --- clerks ----------------------------------------------------------------------------------------------------------


def create_clerk(session: Session, wanted: ClerkCreate, *, by: str) -> Clerk:
    if session.get(Clerk, wanted.number) is not None:
        raise ProblemError(409, "clerk_exists", "a clerk has this number")
    if session.get(Site, wanted.site) is None:
        raise ProblemError(404, "no_site", "there is no such site")
    if wanted.account and session.get(Account, wanted.account) is None:
        raise ProblemError(404, "no_account", "there is no account of this name")
    clerk = Clerk(
        number=wanted.number, site=wanted.site, display_name=wanted.display_name, account=wanted.account or None,
        pin_hash=hash_pin(wanted.pin),
    )  # fmt: skip
    session.add(clerk)
    record(session, by, "clerk_created", wanted.number, site=wanted.site)
    return clerk


def set_pin(session: Session, number: str, pin: str, *, by: str) -> None:
    """A new PIN also opens a clerk who was locked out."""
    clerk = find_clerk(session, number)
    clerk.pin_hash, clerk.failed_attempts, clerk.locked_until = hash_pin(pin), 0, None
    record(session, by, "clerk_pin_set", number)


def disable_clerk(session: Session, number: str, *, by: str) -> None:
    find_clerk(session, number).disabled_at = now()
    record(session, by, "clerk_disabled", number)


def find_clerk(session: Session, number: str) -> Clerk:
    clerk = session.get(Clerk, number)
    if clerk is None:
        raise ProblemError(404, "no_clerk", "no clerk has this number")
    return clerk


def clerks(session: Session) -> list[Clerk]:
    return list(session.scalars(select(Clerk).order_by(col(Clerk.site), col(Clerk.number))))


def _known(session: Session, terminal: str, word: ClerkWord) -> Clerk | ProblemError:
    """The clerk of this terminal's shop, by number and PIN. A wrong PIN counts; three lock, longer every time."""
    machine = session.get(Terminal, terminal)
    clerk = session.get(Clerk, word.clerk, with_for_update=True)
    if clerk is None or clerk.disabled_at is not None or machine is None or clerk.site != machine.site:
        verify_password(None, word.pin)
        return _not_known()
    if clerk.is_locked:
        return ProblemError(403, "clerk_locked", "too many wrong PINs: wait, or ask an administrator for a new PIN")
    if verify_password(clerk.pin_hash, word.pin):
        clerk.failed_attempts, clerk.locked_until = 0, None
        return clerk
    clerk.failed_attempts += 1
    record(session, _named(clerk.number), "clerk_pin_wrong", terminal, attempts=clerk.failed_attempts)
    rounds, rest = divmod(clerk.failed_attempts, ATTEMPTS_BEFORE_LOCK)
    if rest:
        return _not_known()
    clerk.locked_until = now() + min(FIRST_LOCK * 2 ** min(rounds - 1, 10), LONGEST_LOCK)
    record(session, _named(clerk.number), "clerk_locked", terminal, attempts=clerk.failed_attempts)
    return ProblemError(403, "clerk_locked", "too many wrong PINs: wait, or ask an administrator for a new PIN")


def _not_known() -> ProblemError:
    return ProblemError(403, "clerk_refused", "clerk number or PIN are not right")


def _named(number: str) -> str:
    """How the audit log names a clerk, beside accounts."""
    return f"clerk:{number}"


# --- confirmations ---------------------------------------------------------------------------------------------------


def ask(
    session: Session, terminal: str, confirmation_id: str, wanted: ConfirmationRequest
) -> ConfirmationRow | ProblemError:
    """The first person's word. The same request again is answered as it stands."""
    row = session.get(ConfirmationRow, confirmation_id)
    if row is not None:
        same = (row.terminal, row.first_clerk, row.transaction_number, row.holder)
        if same != (terminal, wanted.clerk, wanted.transaction_number, wanted.holder):
            return ProblemError(409, "duplicate_confirmation", "another request has this id")
        return row
    clerk = _known(session, terminal, wanted)
    if isinstance(clerk, ProblemError):
        return clerk
    moment = now()
    session.execute(delete(ConfirmationRow).where(col(ConfirmationRow.asked_at) < moment - KEPT))
    row = ConfirmationRow(
        id=confirmation_id, terminal=terminal, transaction_number=wanted.transaction_number, matter=wanted.matter,
        holder=wanted.holder, first_clerk=clerk.number, asked_at=moment,
        expires_at=moment + dt.timedelta(seconds=LIFETIME_SECONDS),
    )  # fmt: skip
    session.add(row)
    record(session, _named(clerk.number), "confirmation_asked", wanted.transaction_number, terminal=terminal)
    return row


def second_clerk(
    session: Session, terminal: str, confirmation_id: str, word: ClerkWord
) -> ConfirmationRow | ProblemError:
    """A second clerk of the same shop agrees, at the terminal."""
    row = of_terminal(session, terminal, confirmation_id, lock=True)
    if row.state == "confirmed" and (row.second, row.second_is) == (word.clerk, "clerk"):
        return row
    if row.standing != "waiting":
        return ProblemError(409, "not_waiting", "this request is decided, or its time has run out")
    clerk = _known(session, terminal, word)
    if isinstance(clerk, ProblemError):
        return clerk
    first = find_clerk(session, row.first_clerk)
    if first.disabled_at is not None:
        return ProblemError(409, "not_waiting", "the first person's word counts no more: they are no clerk any longer")
    if clerk.number == first.number or (clerk.account is not None and clerk.account == first.account):
        record(session, _named(clerk.number), "confirmation_same_person", row.transaction_number, terminal=terminal)
        return ProblemError(409, "one_person", "the second person must be another than the first")
    _decide(session, row, "confirmed", clerk.number, "clerk", by=_named(clerk.number))
    return row


def decide(session: Session, confirmation_id: str, *, account: str, refusal: str = "") -> ConfirmationRow:
    """An operator at the centre agrees, or refuses for one of `REASONS`. Raises `ProblemError` 404, 409, 422."""
    row = session.get(ConfirmationRow, confirmation_id, with_for_update=True)
    if row is None:
        raise ProblemError(404, "no_confirmation", "there is no such request")
    if refusal and refusal not in REASONS:
        raise ProblemError(422, "no_reason", "say why")
    if row.standing != "waiting":
        raise ProblemError(409, "not_waiting", "this request is decided, or its time has run out")
    first = find_clerk(session, row.first_clerk)
    if first.disabled_at is not None and not refusal:
        raise ProblemError(409, "not_waiting", "the first person's word counts no more: they are no clerk any longer")
    if first.account == account:
        raise ProblemError(403, "one_person", "the second person must be another than the first")
    _decide(session, row, "refused" if refusal else "confirmed", account, "operator", by=account, reason=refusal)
    return row


def withdraw(session: Session, terminal: str, confirmation_id: str) -> ConfirmationRow:
    row = of_terminal(session, terminal, confirmation_id, lock=True)
    if row.standing == "waiting":
        row.state, row.decided_at = "withdrawn", now()
    return row


def of_terminal(session: Session, terminal: str, confirmation_id: str, *, lock: bool = False) -> ConfirmationRow:
    """A terminal sees its own requests alone. Locked by whoever is to decide: the first decision stands."""
    row = session.get(ConfirmationRow, confirmation_id, with_for_update=lock or None)
    if row is None or row.terminal != terminal:
        raise ProblemError(404, "no_confirmation", "there is no such request")
    return row


def waiting(session: Session) -> list[ConfirmationRow]:
    """The oldest first: it runs out first."""
    query = select(ConfirmationRow).where(col(ConfirmationRow.state) == "waiting")
    query = query.where(col(ConfirmationRow.expires_at) > now()).order_by(col(ConfirmationRow.asked_at))
    return list(session.scalars(query))


def latest(session: Session, *, limit: int = 30) -> list[ConfirmationRow]:
    """What is over, the newest first."""
    query = select(ConfirmationRow).where(
        (col(ConfirmationRow.state) != "waiting") | (col(ConfirmationRow.expires_at) <= now())
    )
    return list(session.scalars(query.order_by(col(ConfirmationRow.asked_at).desc()).limit(limit)))


def _decide(
    session: Session, row: ConfirmationRow, state: str, second: str, second_is: str, *, by: str, reason: str = ""
) -> None:
    row.state, row.second, row.second_is, row.reason, row.decided_at = state, second, second_is, reason, now()
    record(
        session, by, f"confirmation_{state}", row.transaction_number, terminal=row.terminal, first=row.first_clerk,
        **({"code": reason} if reason else {}),
    )  # fmt: skip
