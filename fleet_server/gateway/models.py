"""What the gateway keeps of a request: masked facts and a keyed hash, no value of a citizen."""

from __future__ import annotations

import datetime as dt

from sqlmodel import Field, SQLModel

from fleet_server.database import UtcDateTime


class GatewayRequest(SQLModel, table=True):
    """One request of a terminal. `outcome`: begun, done, accepted, refused, failed (not done) or uncertain.

    `payload_mac` is an HMAC, not a hash: identity numbers are few enough to be guessed from a hash.
    """

    __tablename__ = "gateway_request"

    terminal: str = Field(primary_key=True, max_length=64)
    request_id: str = Field(primary_key=True, max_length=64)
    operation: str = Field(max_length=80)
    transaction_number: str | None = Field(default=None, max_length=64, index=True)
    matter: str | None = Field(default=None, max_length=48)
    payload_mac: str = Field(max_length=64)
    outcome: str = Field(max_length=16)
    reason: str = Field(default="", max_length=48)
    case_number: str | None = Field(default=None, max_length=64)
    document_id: str | None = Field(default=None, max_length=128, index=True)
    tries: int = 1
    first_at: dt.datetime = Field(sa_type=UtcDateTime)
    last_at: dt.datetime = Field(sa_type=UtcDateTime)
