"""An order from its first call to its last: the rules (orders, refunds) in transactions, the providers between them.

What is to happen is always in the database before a provider is asked; what a provider said is in the database before
anybody is told. A process that dies between the two leaves rows that `tending` takes up again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TypeVar

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select
from starlette.concurrency import run_in_threadpool

from fleet_server.database import Database
from fleet_server.payments import cards, orders, refunds
from fleet_server.payments.counters import Counters
from fleet_server.payments.models import PaymentOrder, PaymentRefund
from fleet_server.payments.providers.protocol import (
    Asked,
    Given,
    Giving,
    Provider,
    Refused,
    Standing,
    Unreachable,
    Untrusted,
)
from fleet_server.problems import ProblemError
from kiosk.contracts.payments import (
    MAXIMUM_DELIVERY_SECONDS,
    CardReport,
    DeliveryExtension,
    DeliveryReport,
    Order,
    OrderRequest,
    Refund,
    RefundRequest,
)

SILENT = ("down", "timeout")
"""A provider that failed so could not be asked; any other failure is an answer that does not bear the notice out."""

log = logging.getLogger(__name__)

Result = TypeVar("Result")


class Cashier:
    """One for the server process. Methods raise `ProblemError`; 503 `provider_unreachable`: ask again."""

    def __init__(self, database: Database, counters: Counters) -> None:
        self.database = database
        self.counters = counters

    async def place(self, terminal: str, order_id: str, asked: OrderRequest, address: str) -> Order:
        """Open the order at its provider, or charge the scanned code. `address`: where this centre is reached."""
        provider = self.counters.for_order(asked)
        notify_url = f"{address}/payments/notify/{provider.channel}/{provider.account}"

        def write(session: Session) -> tuple[PaymentOrder, bool]:
            return orders.place(
                session, terminal, order_id, asked, channel=provider.channel, account=provider.account,
                notify_url=notify_url,
            )  # fmt: skip

        try:
            order, is_new = await self._writing(write)
        except IntegrityError:  # the same call twice in one moment: the other was quicker
            order, is_new = await self._writing(write)
        if order.state not in orders.WAITING or order.qr:
            return await self.show(terminal, order_id)
        if asked.payer_code:
            await self._charge(order, asked.payer_code, is_new=is_new)
        else:
            await self._open(order)
        return await self.show(terminal, order_id)

    async def show(self, terminal: str, order_id: str, *, verify: bool = False) -> Order:
        order = await self._reading(lambda session: self._mine(session, terminal, order_id))
        if verify and not order.is_barred:
            await self.ask(order)
        return await self._reading(
            lambda session: orders.view(session, self._mine(session, terminal, order_id), verified=verify)
        )

    async def close(self, terminal: str, order_id: str) -> Order:
        """Closed for good, or paid when that was quicker."""

        def want(session: Session) -> PaymentOrder:
            order = orders.locked(session, orders.number_of(terminal, order_id))
            if order is None:
                return orders.bar(session, terminal, order_id)
            order.closing = True
            return order

        try:
            order = await self._writing(want)
        except IntegrityError:
            order = await self._writing(want)
        await self.close_at_provider(order)
        return await self.show(terminal, order_id)

    async def hear_card(self, terminal: str, order_id: str, said: CardReport) -> Order:
        """The machine's card device says how an order ended. One it never got is barred by `unpaid`."""

        def write(session: Session) -> None:
            order = orders.locked(session, orders.number_of(terminal, order_id))
            if order is None and said.state == "unpaid":
                order = orders.bar(session, terminal, order_id)
            if order is None:
                raise ProblemError(404, "unknown_order", "this terminal has no such order")
            cards.record(session, order, said)

        try:
            await self._writing(write)
        except IntegrityError:  # the same word twice in one moment
            await self._writing(write)
        return await self.show(terminal, order_id)

    async def refund(self, terminal: str, order_id: str, refund_id: str, wanted: RefundRequest) -> Refund:
        def write(session: Session) -> PaymentRefund:
            return refunds.ask(session, self._mine(session, terminal, order_id, lock=True), refund_id, wanted)

        written = await self._writing(write)
        if written.state == "pending":
            await self.give(written.number)
        return await self._reading(
            lambda session: orders.refund_view(
                self._mine(session, terminal, order_id), session.get_one(PaymentRefund, written.number)
            )
        )

    async def extend(self, terminal: str, order_id: str, wanted: DeliveryExtension) -> Order:
        def write(session: Session) -> Order:
            order = self._mine(session, terminal, order_id, lock=True)
            orders.extend(order, wanted.seconds, MAXIMUM_DELIVERY_SECONDS)
            return orders.view(session, order)

        return await self._writing(write)

    async def report(self, terminal: str, order_id: str, report: DeliveryReport) -> Order:
        def write(session: Session) -> str | None:
            order = self._mine(session, terminal, order_id, lock=True)
            if report.outcome == "not_delivered":
                orders.report_not_delivered(session, order)
            elif orders.contest(order):
                return None
            else:
                orders.report_delivered(session, order, report.undelivered_lines)
            return order.number

        number = await self._writing(write)
        if number is None:
            log.warning("a delivery was reported after its money had gone back")
            raise ProblemError(409, "given_back", "the money of this order has gone back: do not deliver")
        await self.give_all(number)
        return await self.show(terminal, order_id)

    async def listed(self, terminal: str, state: str) -> tuple[str, ...]:
        """Order ids of this terminal: `open`, neither paid nor closed; `undelivered`, paid and nothing said."""
        chosen = (
            col(PaymentOrder.delivery) == "waiting"
            if state == "undelivered"
            else col(PaymentOrder.state).in_(orders.WAITING)
        )
        statement = select(PaymentOrder.order_id).where(PaymentOrder.terminal == terminal, chosen).limit(1000)
        return await self._reading(lambda session: tuple(session.exec(statement).all()))

    async def hear(self, provider: Provider, headers: Mapping[str, str], body: bytes) -> None:
        """A notice. Verified, and then asked for: a notice the provider itself contradicts is not believed.

        Raises `Untrusted`.
        """
        notice = provider.read_notice(headers, body)
        if notice is None:
            return
        if notice.refund_number and notice.given is not None:
            await self._record_given(notice.refund_number, notice.given, told_by=provider)
            return
        order = await self._reading(lambda session: session.get(PaymentOrder, notice.number))
        if order is None or notice.payment is None or (order.channel, order.account) != (
            provider.channel, provider.account,
        ):  # fmt: skip
            log.warning("a notice of %s is about no order of ours", provider.channel)
            return
        standing = Standing("paid", notice.payment)
        try:
            asked = await provider.query(notice.number, notice.payment.reference)
        except Unreachable as failure:
            if failure.kind not in SILENT:
                raise Untrusted("the provider, asked, speaks of something else") from failure
            log.warning("the notice alone is believed: %s", failure)
        else:
            if asked.payment is None:
                log.error("%s sent a notice of a payment it does not know", provider.channel)
                return
            standing = asked
        await self._record(order.number, standing, heard_by="notice")

    # --- towards the providers, also from `tending` -----------------------------------------------------------------

    async def ask(self, order: PaymentOrder, reference: str = "") -> None:
        """How the order stands at its provider, written down."""
        provider = self.counters.of(order.channel, order.account)
        try:
            standing = await provider.query(order.number, reference)
        except Unreachable as failure:
            raise _unreachable(failure) from failure
        await self._record(order.number, standing, heard_by="query")

    async def close_at_provider(self, order: PaymentOrder) -> None:
        """An order that waits is closed there first and here then."""
        if order.state not in orders.WAITING:
            return
        provider = self.counters.of(order.channel, order.account)
        try:
            standing = await provider.query(order.number)
            if standing.payment is None:
                standing = await provider.close(order.number, scanned=order.method == "qr_scanned")
        except Unreachable as failure:
            raise _unreachable(failure) from failure
        await self._record(order.number, standing, heard_by="query")

    async def give_all(self, number: str) -> None:
        for refund in await self._reading(lambda session: refunds.of_order(session, number)):
            await self.give(refund)

    async def give(self, number: str) -> None:
        """Ask for a written refund, or how it is going. What fails is tried again later by itself."""
        found = await self._reading(lambda session: self._giving(session, number))
        if found is None:
            return
        order, giving = found
        try:
            given = await self.counters.of(order.channel, order.account).refund(giving)
        except Refused as refused:
            log.warning("a refund was refused for good: %s", refused)
            given = Given("failed", refused.reason)
        except (Unreachable, ProblemError) as failure:
            log.warning("a refund waits: %s", failure)
            given = Given("pending", "unreachable")
        await self._record_given(number, given)

    async def _open(self, order: PaymentOrder) -> None:
        provider = self.counters.of(order.channel, order.account)
        try:
            qr = await provider.open(_asked(order))
        except Refused as refused:
            await self._record(order.number, Standing("refused", reason=refused.reason), heard_by="query")
            return
        except Unreachable as failure:
            raise _unreachable(failure) from failure

        def keep(session: Session) -> None:
            known = orders.locked(session, order.number)
            if known is not None and known.state == "open":
                known.qr = qr

        await self._writing(keep)

    async def _charge(self, order: PaymentOrder, payer_code: str, *, is_new: bool) -> None:
        provider = self.counters.of(order.channel, order.account)
        try:
            standing = Standing("unknown") if is_new else await provider.query(order.number)
            if standing.state == "unknown":
                standing = await provider.pay(_asked(order, payer_code))
        except Refused as refused:
            standing = Standing("refused", reason=refused.reason)
        except Unreachable as failure:
            raise _unreachable(failure) from failure
        await self._record(order.number, standing, heard_by="query")

    async def _record(self, number: str, standing: Standing, *, heard_by: str) -> None:
        def write(session: Session) -> None:
            order = orders.locked(session, number)
            if order is not None:
                orders.record_standing(session, order, standing, heard_by=heard_by)

        try:
            await self._writing(write)
        except IntegrityError:  # the same payment was told by two at once
            await self._writing(write)
        await self.give_all(number)

    async def _record_given(self, number: str, given: Given, *, told_by: Provider | None = None) -> None:
        """`told_by`: a notice's sender, who speaks of the refunds of its own account alone."""

        def write(session: Session) -> None:
            row = session.exec(select(PaymentRefund).where(PaymentRefund.number == number).with_for_update()).first()
            order = session.get(PaymentOrder, row.order_number) if row is not None else None
            if row is None or order is None:
                return
            if told_by is not None and (order.channel, order.account) != (told_by.channel, told_by.account):
                log.warning("a notice of %s is about no refund of its own", told_by.channel)
                return
            refunds.record(row, given)

        await self._writing(write)

    def _giving(self, session: Session, number: str) -> tuple[PaymentOrder, Giving] | None:
        row = session.get(PaymentRefund, number)
        order = session.get(PaymentOrder, row.order_number) if row is not None else None
        if row is None or order is None or row.state != "pending":
            return None
        return order, Giving(
            row.number, order.number, row.reference, row.amount_fen, row.total_fen, row.currency, row.why
        )

    def _mine(self, session: Session, terminal: str, order_id: str, *, lock: bool = False) -> PaymentOrder:
        number = orders.number_of(terminal, order_id)
        order = orders.locked(session, number) if lock else session.get(PaymentOrder, number)
        if order is None:
            raise ProblemError(404, "unknown_order", "this terminal has no such order")
        return order

    async def _writing(self, work: Callable[[Session], Result]) -> Result:
        def run() -> Result:
            with self.database.writing() as session:
                return work(session)

        return await run_in_threadpool(run)

    async def _reading(self, work: Callable[[Session], Result]) -> Result:
        def run() -> Result:
            with self.database.reading() as session:
                return work(session)

        return await run_in_threadpool(run)


def _asked(order: PaymentOrder, payer_code: str = "") -> Asked:
    return Asked(
        number=order.number, amount_fen=order.amount_fen, currency=order.currency, subject=order.subject,
        expires_at=order.expires_at, notify_url=order.notify_url, terminal=order.terminal, bill=order.bill,
        payer_code=payer_code,
    )  # fmt: skip


def _unreachable(failure: Unreachable) -> ProblemError:
    log.warning("%s", failure)
    return ProblemError(503, "provider_unreachable", "the payment provider cannot be reached now: ask again")
