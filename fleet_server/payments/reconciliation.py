"""Each day's money compared: the provider's file of that day with our payments and refunds.

A difference is kept until a later comparison of the same day no longer finds it. Money the file shows under an order of
ours that we never heard of is asked for by its reference and recorded: it belongs, or it goes back by itself.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import logging
from dataclasses import dataclass, field

from sqlmodel import Session, col, select
from starlette.concurrency import run_in_threadpool

from fleet_server.database import Database, now
from fleet_server.payments.cashier import Cashier
from fleet_server.payments.counters import counters_of
from fleet_server.payments.models import (
    PaymentArrived,
    PaymentDay,
    PaymentDifference,
    PaymentOrder,
    PaymentRefund,
)
from fleet_server.payments.orders import BANK_CARD
from fleet_server.payments.providers.protocol import BillRow, Provider, Refused, Unreachable
from fleet_server.payments.refunds import BY_HAND
from fleet_server.problems import ProblemError
from fleet_server.settings import Settings
from kiosk.contracts.value import CITY_TIME

ONE_DAY = dt.timedelta(days=1)
FIRST_HOUR = 10
"""Providers have the file of a day ready in the next morning (WeChat Pay says ten o'clock)."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Difference:
    """`subject`: the payment's reference or our refund number."""

    kind: str
    subject: str
    order_number: str
    ours_fen: int | None
    theirs_fen: int | None


@dataclass
class Compared:
    """One account's day: `differences` is empty when both sides say the same."""

    channel: str
    account: str
    day: dt.date
    result: str
    payments: int = 0
    refunds: int = 0
    differences: list[Difference] = field(default_factory=list)


async def reconcile(cashier: Cashier, day: dt.date) -> list[Compared]:
    """Every account's file of this day (China's time), compared and kept. Running it again mends what was mended."""
    await run_in_threadpool(cashier.counters.open)
    return [await _account(cashier, provider, day) for provider in cashier.counters.with_files()]


async def reconcile_when_due(cashier: Cashier, moment: dt.datetime | None = None) -> None:
    """Yesterday's files, once they should be there, for accounts not compared yet."""
    local = (moment or now()).astimezone(CITY_TIME)
    if local.hour < FIRST_HOUR:
        return
    await run_in_threadpool(cashier.counters.open)
    day = local.date() - dt.timedelta(days=1)
    known = await run_in_threadpool(_compared, cashier, day)
    for provider in cashier.counters.with_files():
        if (provider.channel, provider.account) not in known:
            await _account(cashier, provider, day)


async def _account(cashier: Cashier, provider: Provider, day: dt.date) -> Compared:
    try:
        content, rows = await provider.daily_file(day)
    except (Refused, Unreachable) as failure:
        log.warning("no daily file of %s for %s: %s", provider.channel, day, failure)
        return Compared(provider.channel, provider.account, day, "no_file")
    found = await run_in_threadpool(_compare, cashier, provider, day, rows)
    unheard = [each for each in found if each.kind == "missing_here"]
    for difference in unheard:
        await _hear_of(cashier, difference)
    compared = Compared(
        provider.channel, provider.account, day, "differs" if found else "agrees",
        payments=sum(not row.refund_number for row in rows), refunds=sum(bool(row.refund_number) for row in rows),
        differences=found,
    )  # fmt: skip
    await run_in_threadpool(_keep, cashier, compared, rows, hashlib.sha256(content).hexdigest())
    return compared


@dataclass
class Ours:
    """What we know around a day: `reference → (order number, fen)`, `refund number → (…)`. `expected`: those that are
    surely of this day, and `expected_back` for refunds; the others may stand in the file of a neighbouring day.
    A card's reversal has no number of ours in the file: it goes by the payment's reference."""

    payments: dict[str, tuple[str, int]] = field(default_factory=dict)
    refunds: dict[str, tuple[str, int]] = field(default_factory=dict)
    expected: set[str] = field(default_factory=set)
    expected_back: set[str] = field(default_factory=set)


def compare(rows: tuple[BillRow, ...], ours: Ours) -> list[Difference]:
    theirs = {row.reference: row for row in rows if not row.refund_number}
    given = {row.refund_number: row for row in rows if row.refund_number}
    found: list[Difference] = []
    sides = (
        ("", theirs, ours.payments, ours.expected),
        ("refund_", given, ours.refunds, ours.expected_back),
    )
    for prefix, told, known, expected in sides:
        for subject, row in told.items():
            if subject not in known:
                found.append(Difference(f"{prefix}missing_here", subject, row.number, None, row.amount_fen))
            elif known[subject][1] != row.amount_fen:
                number, fen = known[subject]
                found.append(Difference(f"{prefix}other_amount", subject, number, fen, row.amount_fen))
        found += [
            Difference(f"{prefix}missing_there", subject, number, fen, None)
            for subject, (number, fen) in known.items()
            if subject not in told and subject in expected
        ]
    return found


def _compare(cashier: Cashier, provider: Provider, day: dt.date, rows: tuple[BillRow, ...]) -> list[Difference]:
    begin = dt.datetime.combine(day, dt.time(), CITY_TIME)
    end, before, after = begin + ONE_DAY, begin - ONE_DAY, begin + 3 * ONE_DAY
    ours = Ours()
    with cashier.database.reading() as session:
        arrived = select(PaymentArrived).where(
            PaymentArrived.channel == provider.channel, PaymentArrived.account == provider.account,
            col(PaymentArrived.paid_at) >= before, col(PaymentArrived.paid_at) < after,
        )  # fmt: skip
        for payment in session.exec(arrived):
            ours.payments[payment.reference] = (payment.order_number, payment.amount_fen)
            if begin <= payment.paid_at < end:
                ours.expected.add(payment.reference)
        given = (
            select(PaymentRefund)
            .join(PaymentOrder, col(PaymentOrder.number) == col(PaymentRefund.order_number))
            .where(
                PaymentOrder.channel == provider.channel, PaymentOrder.account == provider.account,
                col(PaymentRefund.created_at) < after, PaymentRefund.reason != BY_HAND,
                (col(PaymentRefund.done_at) >= before) | (col(PaymentRefund.state) == "pending"),
            )
        )  # fmt: skip
        for refund in session.exec(given):
            subject = refund.reference if provider.channel == BANK_CARD else refund.number
            ours.refunds[subject] = (refund.order_number, refund.amount_fen)
            is_done = refund.state == "succeeded" and refund.done_at is not None and refund.done_at < end
            if is_done and refund.created_at >= begin:
                ours.expected_back.add(subject)
    return compare(rows, ours)


async def _hear_of(cashier: Cashier, difference: Difference) -> None:
    """A payment of ours that no notice told of. The file alone is not believed: the provider is asked."""
    order = await run_in_threadpool(_order, cashier, difference.order_number)
    if order is None:
        return
    try:
        await cashier.ask(order, difference.subject)
    except ProblemError as problem:
        log.warning("a payment of the daily file could not be asked for: %s", problem.code)


def _order(cashier: Cashier, number: str) -> PaymentOrder | None:
    with cashier.database.reading() as session:
        return session.get(PaymentOrder, number)


def _compared(cashier: Cashier, day: dt.date) -> set[tuple[str, str]]:
    with cashier.database.reading() as session:
        rows = session.exec(select(PaymentDay).where(PaymentDay.day == day)).all()
        return {(row.channel, row.account) for row in rows}


def _keep(cashier: Cashier, compared: Compared, rows: tuple[BillRow, ...], digest: str) -> None:
    with cashier.database.writing() as session:
        session.merge(
            PaymentDay(
                channel=compared.channel, account=compared.account, day=compared.day, compared_at=now(),
                result=compared.result, file_sha256=digest, payments=compared.payments, refunds=compared.refunds,
                paid_fen=sum(row.amount_fen for row in rows if not row.refund_number),
                refunded_fen=sum(row.amount_fen for row in rows if row.refund_number),
            )
        )  # fmt: skip
        _keep_differences(session, compared)


def _keep_differences(session: Session, compared: Compared) -> None:
    known = {
        (row.kind, row.subject): row
        for row in session.exec(
            select(PaymentDifference).where(
                PaymentDifference.channel == compared.channel, PaymentDifference.account == compared.account,
                PaymentDifference.day == compared.day,
            )
        ).all()
    }  # fmt: skip
    found = {(each.kind, each.subject): each for each in compared.differences}
    for key, row in known.items():
        row.gone_at = None if key in found else row.gone_at or now()
    for key, each in found.items():
        row = known.get(key) or PaymentDifference(
            channel=compared.channel, account=compared.account, day=compared.day, kind=each.kind,
            subject=each.subject[:64], found_at=now(),
        )  # fmt: skip
        row.order_number, row.ours_fen, row.theirs_fen = each.order_number[:64], each.ours_fen, each.theirs_fen
        session.add(row)


def reconcile_now(settings: Settings, day: dt.date) -> list[Compared]:
    """For the command: one day, outside a running server. Raises `SettingsInvalid`."""
    database = Database(settings.sqlalchemy_url)
    counters = counters_of(settings)
    counters.open()
    try:
        return asyncio.run(reconcile(Cashier(database, counters), day))
    finally:
        database.dispose()
