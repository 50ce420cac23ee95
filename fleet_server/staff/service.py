"""Accounts, sign-in, signing keys, audit. Services take a session and never commit."""

from __future__ import annotations

import datetime as dt
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlmodel import Session, col

from fleet_server.database import now
from fleet_server.problems import ProblemError
from fleet_server.security import (
    Role,
    end_sessions_of,
    hash_password,
    open_private_key,
    seal_private_key,
    verify_password,
)
from fleet_server.security.passwords import MAXIMUM_LENGTH, MINIMUM_LENGTH, PasswordWrong
from fleet_server.staff.models import Account, AccountCreate, AuditEntry

SIGNING_ROLES = frozenset({Role.AUTHOR, Role.REVIEWER})
ATTEMPTS_BEFORE_LOCK = 5
LOCK = dt.timedelta(minutes=1)


def record(session: Session, account: str, action: str, subject: str = "", **detail: Any) -> None:
    """Write the audit log. `detail` holds no secret and nothing personal of a citizen."""
    session.add(AuditEntry(account=account, action=action, subject=subject[:200], detail=detail))


def create_account(session: Session, wanted: AccountCreate, *, by: str) -> Account:
    if session.get(Account, wanted.name) is not None:
        raise ProblemError(409, "account_exists", "an account of this name exists")
    account = Account(
        name=wanted.name, display_name=wanted.display_name, roles=sorted(set(wanted.roles)),
        password_hash=hash_password(wanted.password),
    )  # fmt: skip
    if SIGNING_ROLES.intersection(wanted.roles):
        _make_signing_key(account, wanted.password)
    session.add(account)
    record(session, by, "account_created", wanted.name, roles=account.roles)
    return account


def check_sign_in(session: Session, name: str, password: str) -> Account | None:
    """The account, or None. Counts failures: after five the account waits, also with the right password."""
    account = session.get(Account, name, with_for_update=True)
    if account is None or account.disabled_at is not None:
        verify_password(None, password)
        return None
    if account.locked_until is not None and account.locked_until > now():
        raise ProblemError(
            429, "locked", "too many wrong passwords; try again in a minute", headers={"Retry-After": "60"}
        )
    if verify_password(account.password_hash, password):
        account.failed_attempts, account.locked_until = 0, None
        record(session, name, "signed_in")
        return account
    account.failed_attempts += 1
    if account.failed_attempts % ATTEMPTS_BEFORE_LOCK == 0:
        account.locked_until = now() + LOCK
    record(session, name, "sign_in_failed", attempts=account.failed_attempts)
    return None


def count_wrong_password(session: Session, name: str) -> None:
    """Somebody who is signed in gave a wrong password: who guesses at a foreign screen is signed out and waits."""
    account = session.get(Account, name, with_for_update=True)
    if account is None:
        return
    account.failed_attempts += 1
    if account.failed_attempts % ATTEMPTS_BEFORE_LOCK == 0:
        account.locked_until = now() + LOCK
        end_sessions_of(session, name)


def change_password(session: Session, name: str, old: str, new: str) -> None:
    """The signing key moves to the new password; it stays the same key."""
    account = find(session, name)
    if not verify_password(account.password_hash, old):
        raise ProblemError(403, "password_wrong", "the old password is not right")
    account.password_hash = hash_password(new)
    if account.sealed_key is not None:
        account.sealed_key = seal_private_key(open_private_key(account.sealed_key, old), new)
    end_sessions_of(session, name)
    record(session, name, "password_changed", name)


def reset_password(session: Session, name: str, new: str, *, by: str) -> None:
    """A forgotten password: nobody can open the old signing key any more, so a new one is born."""
    account = find(session, name)
    account.password_hash = hash_password(new)
    account.failed_attempts, account.locked_until = 0, None
    if account.sealed_key is not None:
        _make_signing_key(account, new)
    end_sessions_of(session, name)
    record(session, by, "password_reset", name)


def set_roles(session: Session, name: str, roles: list[Role], *, password: str | None = None, by: str) -> None:
    """A first signing role needs the person's password, under which the new key is sealed."""
    account = find(session, name)
    if SIGNING_ROLES.intersection(roles) and account.public_key is None:
        if password is None or not verify_password(account.password_hash, password):
            raise ProblemError(403, "password_wrong", "a signing role needs the person's own password")
        _make_signing_key(account, password)
    account.roles = sorted(set(roles))
    end_sessions_of(session, name)
    record(session, by, "roles_set", name, roles=account.roles)


def disable(session: Session, name: str, *, by: str) -> None:
    find(session, name).disabled_at = now()
    end_sessions_of(session, name)
    record(session, by, "account_disabled", name)


def is_password(text: str) -> bool:
    return MINIMUM_LENGTH <= len(text) <= MAXIMUM_LENGTH


def find(session: Session, name: str) -> Account:
    account = session.get(Account, name)
    if account is None:
        raise ProblemError(404, "no_account", "there is no account of this name")
    return account


def accounts(session: Session) -> list[Account]:
    return list(session.scalars(select(Account).order_by(col(Account.name))))


def signing_keys(session: Session) -> dict[str, bytes]:
    """Public keys, by account, of everybody who may sign a matter now."""
    return {
        account.name: account.public_key
        for account in accounts(session)
        if account.disabled_at is None and account.public_key is not None and account.role_set & SIGNING_ROLES
    }


def open_signing_key(session: Session, name: str, password: str) -> Ed25519PrivateKey:
    """The person's key, for one signature; opened with the password they give again. 403 `password_wrong`."""
    account = find(session, name)
    if account.disabled_at is not None or account.sealed_key is None:
        raise ProblemError(403, "no_signing_key", "this account cannot sign")
    try:
        return Ed25519PrivateKey.from_private_bytes(open_private_key(account.sealed_key, password))
    except PasswordWrong as error:
        raise ProblemError(403, "password_wrong", "the password does not open the signing key") from error


def audit_log(
    session: Session, *, before_id: int | None = None, limit: int = 100, account: str = ""
) -> list[AuditEntry]:
    """Newest first; of one account when it is named."""
    query = select(AuditEntry).order_by(col(AuditEntry.id).desc()).limit(limit)
    if before_id is not None:
        query = query.where(col(AuditEntry.id) < before_id)
    if account:
        query = query.where(col(AuditEntry.account) == account)
    return list(session.scalars(query))


def _make_signing_key(account: Account, password: str) -> None:
    key = Ed25519PrivateKey.generate()
    account.public_key = key.public_key().public_bytes_raw()
    account.sealed_key = seal_private_key(key.private_bytes_raw(), password)
