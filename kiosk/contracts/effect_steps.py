"""Steps in which a citizen commits, pays or gets a card written: sign, pay, write_card."""

from __future__ import annotations

import datetime as dt
import json
import re
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from kiosk.contracts.matter_ground import Clause, ShownValue, Slug, Source, StepOfMatter
from kiosk.contracts.value import Contract, LocalizedText

HIGHEST_FEN = 10_000_000
"""100,000 yuan: more is no matter for a machine in a shop."""

_FEN = re.compile(r"0|[1-9]\d{0,7}")


class SignStep(StepOfMatter):
    """A handwritten signature, bound to the SHA-256 of exactly what was shown: the statement and the values beside it.

    Gives material.ID.origin ("signature"), material.ID.page (PNG, base64) and material.ID.sha256 (of what was shown).
    """

    kind: Literal["sign"] = "sign"
    text: LocalizedText = Field(description="the statement that is signed; template text with {source} places")
    clauses: tuple[Clause, ...] = Field(default=(), description="signed below it, part by part; written by composition")
    show: tuple[ShownValue, ...] = ()


class PaymentChannel(StrEnum):
    """Ways to pay a citizen may choose from."""

    ALIPAY = "alipay"
    WECHAT = "wechat"
    NON_TAX = "non_tax"  # the province's non-tax revenue code (财政非税缴款码)
    BANK_CARD = "bank_card"


class BillLine(Contract):
    """One line of what is paid. `part`: given back alone when that part of a package is refused."""

    label: LocalizedText
    amount_fen: str = Field(description='whole fen: "2000", or one {source} place that gives them')
    part: Slug | None = None


class PayStep(StepOfMatter):
    """Money for what the following steps deliver; given back by itself when they fail for good.

    Gives payment.ID.order_id, .amount_fen, .amount (yuan, "20.00"), .channel, .reference and .paid_at. Passed over when
    the sum is 0.
    """

    kind: Literal["pay"] = "pay"
    payee: LocalizedText = Field(description="who gets the money")
    subject: LocalizedText = Field(description="what for; no personal value")
    lines: tuple[BillLine, ...] = Field(min_length=1, max_length=20)
    bill: Source | None = Field(default=None, description="non-tax payment code (财政非税缴款码), needed for non_tax")
    channels: tuple[PaymentChannel, ...] = Field(
        default=(PaymentChannel.ALIPAY, PaymentChannel.WECHAT), min_length=1, max_length=4
    )


class WriteCardStep(StepOfMatter):
    """Write what an authority gave onto the citizen's card. Gives service.ID.outcome and service.ID.serial.

    outcome: written, or print_pending (a permit whose chip is written and whose print is still to be made).
    """

    kind: Literal["write_card"] = "write_card"
    card: Literal["permit", "social_security"]
    job: Source = Field(description="the authority's job, JSON text: PermitJob or SocialSecurityJob")


# --- what an authority gives to be written -------------------------------------------------------------------------


class PermitJob(Contract):
    """One endorsement of a permit. `print_lines` are printed on its face; `token` (base64) authorises the write."""

    card_number: str = Field(min_length=1, max_length=24, repr=False)
    kind: str = Field(min_length=1, max_length=8)
    valid_from: dt.date
    valid_until: dt.date
    journeys: int = Field(default=1, ge=0, le=255, description="0: any number")
    print_lines: tuple[Annotated[str, Field(max_length=60)], ...] = Field(min_length=1, max_length=8, repr=False)
    token: bytes = Field(default=b"", repr=False)


class CardRecord(Contract):
    """One record of a social-security card, in hexadecimal. `before`: what it must hold now, when that matters."""

    file: str = Field(pattern=r"^EF[0-9A-F]{2}$")
    record: int = Field(ge=1, le=254)
    value: str = Field(pattern=r"^([0-9A-Fa-f]{2}){1,255}$", repr=False)
    before: str | None = Field(default=None, pattern=r"^([0-9A-Fa-f]{2}){1,255}$", repr=False)


class SocialSecurityJob(Contract):
    """Records to write, in this order, on the card with this identification code (EF05 record 1, hexadecimal)."""

    identification_code: str = Field(pattern=r"^[0-9A-F]{32}$", repr=False)
    records: tuple[CardRecord, ...] = Field(min_length=1, max_length=8)


def read_job(card: Literal["permit", "social_security"], given: Any) -> PermitJob | SocialSecurityJob:
    """The authority's job, as JSON text or as an object. Raises `ValueError` that names members and no value."""
    model: type[PermitJob] | type[SocialSecurityJob] = PermitJob if card == "permit" else SocialSecurityJob
    try:
        return model.model_validate_json(given if isinstance(given, str) else json.dumps(given))
    except ValidationError as error:
        places = {".".join(map(str, mistake["loc"])) or "the whole" for mistake in error.errors(include_url=False)}
        raise ValueError(f"no {card} job: {', '.join(sorted(places))}") from None
    except TypeError:
        raise ValueError(f"no {card} job: not JSON") from None


def fen_of(text: str | None) -> int | None:
    """Whole fen up to HIGHEST_FEN, or None for anything else: money is never guessed."""
    if text is None or _FEN.fullmatch(text) is None:
        return None
    return int(text) if int(text) <= HIGHEST_FEN else None


def yuan(fen: int) -> str:
    """As people read money: 2000 is 20.00."""
    return f"{fen // 100}.{fen % 100:02d}"
