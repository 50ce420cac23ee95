"""What the centre does by itself, from the database alone: ask, close what expired, give back what is owed.

A row that is due is claimed by moving its moment before anything is asked, so that of several server processes one
works on it, and one that dies is followed by another.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Awaitable
from typing import TypeVar

from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar
from starlette.concurrency import run_in_threadpool

from fleet_server.database import now
from fleet_server.payments import orders
from fleet_server.payments.cashier import Cashier
from fleet_server.payments.models import PaymentOrder, PaymentRefund
from fleet_server.payments.reconciliation import reconcile_when_due
from fleet_server.problems import ProblemError

TEND_SECONDS = 2.0
RECONCILE_SECONDS = 300.0
CLAIM_SECONDS = 30.0
BATCH = 50

log = logging.getLogger(__name__)

Row = TypeVar("Row", PaymentOrder, PaymentRefund)


async def tend_for_ever(cashier: Cashier) -> None:
    while True:
        try:
            await run_in_threadpool(cashier.counters.open)
            await tend(cashier)
        except Exception:
            log.exception("tending of payments failed")
        await asyncio.sleep(TEND_SECONDS)


async def reconcile_for_ever(cashier: Cashier) -> None:
    """Begins a while after the start, when terminals have been served again."""
    while True:
        await asyncio.sleep(RECONCILE_SECONDS)
        try:
            await reconcile_when_due(cashier)
        except Exception:
            log.exception("the daily comparison of payments failed")


async def tend(cashier: Cashier, moment: dt.datetime | None = None) -> int:
    """Everything that is due now; how many rows. `moment` is for tests of what is due later."""
    at = moment or now()
    due_orders, due_refunds = await run_in_threadpool(_claim, cashier, at)
    for number in due_orders:
        await _alone(_see_to(cashier, number, at), "an order")
    for number in due_refunds:
        await _alone(cashier.give(number), "a refund")
    return len(due_orders) + len(due_refunds)


async def _alone(work: Awaitable[None], what: str) -> None:
    """Whatever goes wrong with one row, the rows behind it are seen to."""
    try:
        await work
    except ProblemError as problem:
        log.warning("%s waits: %s", what, problem.code)
    except Exception:
        log.exception("%s waits", what)


def _claim(cashier: Cashier, at: dt.datetime) -> tuple[list[str], list[str]]:
    with cashier.database.reading() as session:
        waits = session.exec(select(PaymentOrder.number).where(col(PaymentOrder.look_at) <= at).limit(1)).first()
        owed = session.exec(select(PaymentRefund.number).where(col(PaymentRefund.look_at) <= at).limit(1)).first()
    if waits is None and owed is None:
        return [], []
    again = at + dt.timedelta(seconds=CLAIM_SECONDS)
    with cashier.database.writing() as session:
        orders_due = session.exec(_due(PaymentOrder, at)).all()
        refunds_due = session.exec(_due(PaymentRefund, at)).all()
        for row in (*orders_due, *refunds_due):
            row.look_at = again
        return [row.number for row in orders_due], [row.number for row in refunds_due]


def _due(table: type[Row], at: dt.datetime) -> SelectOfScalar[Row]:
    """The longest waiting first, so that none is passed over for ever."""
    look_at = col(table.look_at)
    return select(table).where(look_at <= at).order_by(look_at).limit(BATCH).with_for_update(skip_locked=True)


async def _see_to(cashier: Cashier, number: str, at: dt.datetime) -> None:
    order = await run_in_threadpool(_decide, cashier, number, at)
    if order is None:
        await cashier.give_all(number)
    elif order.closing or order.expires_at <= at:
        await cashier.close_at_provider(order)
    else:
        await cashier.ask(order)


def _decide(cashier: Cashier, number: str, at: dt.datetime) -> PaymentOrder | None:
    """The order, when its provider is to be asked; None when the database alone decided."""
    with cashier.database.writing() as session:
        order = orders.locked(session, number)
        if order is None:
            return None
        if order.state in orders.WAITING:
            if not order.closing and order.expires_at > at:
                order.look_at = min(order.expires_at, at + dt.timedelta(seconds=orders.LOOK_SECONDS))
            return order
        if orders.pass_deadline(session, order, at):
            return None
        order.look_at = order.deliver_by if order.delivery == "waiting" else None
        return None
