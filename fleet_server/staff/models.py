"""Tables of staff accounts and of what staff did."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import BaseModel
from pydantic import Field as Checked
from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from fleet_server.database import UtcDateTime, now
from fleet_server.security import Role


class Account(SQLModel, table=True):
    """One person. `sealed_key` is their Ed25519 signing key, encrypted under their password."""

    __tablename__ = "account"

    name: str = Field(primary_key=True, max_length=40)
    display_name: str = Field(max_length=80)
    roles: list[str] = Field(sa_column=Column(JSON, nullable=False))
    password_hash: str = Field(max_length=200)
    public_key: bytes | None = None
    sealed_key: bytes | None = None
    failed_attempts: int = 0
    locked_until: dt.datetime | None = Field(default=None, sa_type=UtcDateTime)
    disabled_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: dt.datetime = Field(default_factory=now, sa_type=UtcDateTime)

    @property
    def role_set(self) -> frozenset[Role]:
        return frozenset(Role(role) for role in self.roles)


class AuditEntry(SQLModel, table=True):
    """Who did what to what. Written in the same transaction as the deed."""

    __tablename__ = "audit_entry"

    id: int | None = Field(default=None, primary_key=True)
    at: dt.datetime = Field(default_factory=now, sa_type=UtcDateTime, index=True)
    account: str = Field(max_length=40, index=True)
    action: str = Field(max_length=60)
    subject: str = Field(default="", max_length=200)
    detail: dict[str, Any] = Field(default={}, sa_column=Column(JSON, nullable=False))


class AccountPublic(BaseModel):
    name: str
    display_name: str
    roles: list[Role]
    disabled: bool
    signs: bool

    @classmethod
    def of(cls, account: Account) -> AccountPublic:
        return cls(
            name=account.name, display_name=account.display_name, roles=sorted(account.role_set),
            disabled=account.disabled_at is not None, signs=account.public_key is not None,
        )  # fmt: skip


class AccountCreate(BaseModel):
    name: str = Checked(pattern=r"^[a-z][a-z0-9._-]{1,39}$")
    display_name: str = Checked(min_length=1, max_length=80)
    roles: list[Role] = Checked(min_length=1)
    password: str = Checked(min_length=10, max_length=200)


class SignIn(BaseModel):
    name: str = Checked(max_length=40)
    password: str = Checked(max_length=200)


class SignedIn(BaseModel):
    name: str
    display_name: str
    roles: list[Role]
    csrf_token: str


class AuditPublic(BaseModel):
    id: int
    at: dt.datetime
    account: str
    action: str
    subject: str
    detail: dict[str, Any]
