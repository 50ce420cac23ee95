"""A clerk vouches for a citizen under two-person control: `/terminal/v1/confirmations`, signed as fleet.py says.

| call                                    | body → answer                                                          |
|---|---|
| PUT  {confirmation_id}                  | ConfirmationRequest → Confirmation: the first person's word              |
| POST {confirmation_id}/second           | ClerkWord → Confirmation: the second person's word, given at the terminal |
| GET  {confirmation_id}                  | – → Confirmation                                                        |
| POST {confirmation_id}/withdraw         | – → Confirmation: the citizen gave up                                   |

The centre judges both words. 403 `clerk_refused`: number or PIN are not right (nobody is told which); 403
`clerk_locked`: too many wrong PINs; 409 `one_person`: one person is never both; 409 `not_waiting`: decided, withdrawn
or run out meanwhile; 404 `no_confirmation`. The same id sent again is answered the same.
The second person may also be an operator at the centre, who reads the request on the dashboard.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field, field_validator

from kiosk.contracts.value import Contract

CONFIRMATIONS_PATH = "/terminal/v1/confirmations"
CONFIRMATION_ID = r"^[0-9a-f]{32}$"
CLERK_NUMBER = r"^[0-9]{4,8}$"
CLERK_DIGITS = 8
PIN_DIGITS = 6
LIFETIME_SECONDS = 180
"""How long the second person has. Then the request is gone, and the citizen begins anew."""

ConfirmationState = Literal["waiting", "confirmed", "refused", "expired", "withdrawn"]
RefusalReason = Literal["person_differs", "document_doubtful", "clerk_not_reached"]


class ClerkWord(Contract):
    """A clerk says who they are, with number and PIN. The PIN goes no further than the centre's check."""

    clerk: str = Field(pattern=CLERK_NUMBER)
    pin: str = Field(pattern=rf"^[0-9]{{{PIN_DIGITS}}}$", repr=False)


class ConfirmationRequest(ClerkWord):
    """The first person has looked at card and citizen. `holder`: the citizen's name and number, both masked."""

    transaction_number: str = Field(max_length=40)
    matter: str = Field(max_length=48)
    holder: str = Field(max_length=60)

    @field_validator("holder")
    @classmethod
    def _is_masked(cls, holder: str) -> str:
        if holder.count("*") < 2:
            raise ValueError("name and number of the citizen are masked")
        return holder


class Confirmation(Contract):
    """How the request stands. `second` is who decided: a clerk's number or an operator's account."""

    confirmation_id: str
    state: ConfirmationState
    seconds_left: int = Field(ge=0)
    expires_at: dt.datetime
    second: str = ""
    second_is: Literal["", "clerk", "operator"] = ""
    reason: RefusalReason | Literal[""] = ""
