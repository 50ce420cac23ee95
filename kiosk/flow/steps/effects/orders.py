"""One order, from its intent on disk to certainty about it, or to the knowledge that it must be asked after later."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable
from dataclasses import dataclass, field

from drivers.messages import PaymentMethod
from kiosk.contracts.effect_steps import yuan
from kiosk.contracts.errors import FaultCode, Garbled, KioskError
from kiosk.contracts.events import Disposition
from kiosk.contracts.matter import PayStep
from kiosk.contracts.payments import DELIVERY_SECONDS, OrderLine, OrderRequest
from kiosk.contracts.value import CITY_TIME, LocalizedText
from kiosk.flow.equipment import PaymentsInUse, Standing
from kiosk.flow.screens import Chosen, KnownItem, Mode, NoticeScreen, PayScreen, Place
from kiosk.flow.session import OpenOrder, Paid, StepFailed, SteppedBack
from kiosk.flow.transaction import Transaction, option
from kiosk.flow.words import word

SECONDS_TO_PAY = 180
TICK_SECONDS = 1.0
VERIFY_EVERY = 5
CLOSING_TRIES = 3

WRONG_MONEY = frozenset({"amount_mismatch", "currency_mismatch"})
TIMED_OUT = frozenset({"", "expired", "closed"})


@dataclass(frozen=True)
class Bill:
    """What is to be paid, and how the screen shows it. `code` is the non-tax payment code."""

    step: PayStep
    amount_fen: int
    lines: tuple[OrderLine, ...]
    shown: tuple[KnownItem, ...]
    code: str


@dataclass(frozen=True)
class Way:
    """How the citizen pays. `channel` is None where the payer's own code, kept nowhere else, says whose it is."""

    id: str
    channel: str | None
    method: PaymentMethod
    payer_code: str = field(default="", repr=False)


async def resume(transaction: Transaction, payments: PaymentsInUse, bill: Bill) -> bool:
    """An earlier try of this visit that nobody knows the end of comes first. True when it was paid after all."""
    earlier = transaction.open_order
    if earlier is None:
        return False
    transaction.working("pay_checking")
    order = OneOrder(transaction, payments, bill, Way(earlier.channel, earlier.channel, PaymentMethod.QR_SHOWN))
    order.order_id = earlier.order_id
    return await order.is_paid_when_closed()


class OneOrder:
    def __init__(
        self, transaction: Transaction, payments: PaymentsInUse, bill: Bill, way: Way, *, offers_other: bool = False
    ) -> None:  # fmt: skip
        self._transaction = transaction
        self._session = transaction.session
        self._bill = bill
        self._way = way
        self._offers_other = offers_other
        self._till = payments.till(way.channel or "")
        self.order_id = ""

    async def is_paid(self) -> bool:
        """True: paid. False: closed without money, the citizen wants another way. Raises StepFailed, SteppedBack."""
        total = SECONDS_TO_PAY * (2 if self._session.mode is Mode.ELDER else 1)
        self._transaction.working("pay_preparing")
        self.order_id = self._transaction.begin_effect(
            "payment_begun",
            step=self._bill.step.id,
            amount_fen=self._bill.amount_fen,
            channel=self._way.channel or self._way.id,
        )
        self._transaction.open_order = OpenOrder(self.order_id, self._way.channel or self._way.id)
        try:
            standing = await self._till.begin(self.order_id, self._request(total))
        except Garbled as error:
            self._end(Disposition.FAILED, error.reason)
            raise StepFailed(FaultCode.PAYMENT_UNAVAILABLE, f"the order was refused: {error.reason}") from error
        except KioskError as error:
            if await self.is_paid_when_closed(never_shown=not self._way.payer_code):
                return True
            raise StepFailed(FaultCode.PAYMENT_UNAVAILABLE, str(error)) from error
        return await self._wait(standing, total)

    async def is_paid_when_closed(self, *, never_shown: bool = False) -> bool:
        """Close the order; True when the payment was quicker. Raises StepFailed while nobody can say.

        An order nobody could have paid yet is left to be closed later, and does not stand in the citizen's way.
        """
        self._transaction.working("pay_closing")
        for attempt in range(CLOSING_TRIES):
            if attempt:
                await asyncio.sleep(TICK_SECONDS)
            standing = await _known(self._till.close(self.order_id, self._bill.amount_fen))
            if standing is None or standing.state == "waiting":
                continue
            if standing.state == "paid":
                await self._receive(standing)
                return True
            self._close(standing, Disposition.CANCELLED)
            return False
        if never_shown:
            self._transaction.open_order = None
            return False
        raise StepFailed(FaultCode.PAYMENT_UNCERTAIN, "the order could not be closed")

    # --- while the citizen pays -----------------------------------------------------------------------------------

    async def _wait(self, standing: Standing, total: int) -> bool:
        clock = asyncio.get_running_loop().time
        ends_at, looks, hint = clock() + total, 0, None
        self._session.questions_asked += 1
        screen_id = self._session.next_screen_id()
        while (left := ends_at - clock()) > 0:
            if standing.state == "paid":
                await self._receive(standing)
                return True
            if standing.state != "waiting":
                raise self._not_paid(standing)
            self._session.show(self._screen(standing.qr, round(left), total, hint, screen_id), busy=True)
            try:
                async with asyncio.timeout(TICK_SECONDS):
                    answer = await self._session.answered()
                if isinstance(answer, Chosen) and answer.option == "other":
                    return await self.is_paid_when_closed()
            except TimeoutError:
                pass
            except SteppedBack:
                if await self.is_paid_when_closed():
                    return True
                raise
            looks += 1
            found = await _known(
                self._till.look(self.order_id, self._bill.amount_fen, verify=looks % VERIFY_EVERY == 0)
            )
            hint = word("pay_link_weak") if found is None else None
            standing = found or standing
        if await self.is_paid_when_closed():
            return True
        raise StepFailed(FaultCode.PAYMENT_NOT_MADE, "nobody paid in time")

    def _not_paid(self, standing: Standing) -> StepFailed:
        self._close(standing, Disposition.FAILED)
        if standing.reason in WRONG_MONEY:
            return StepFailed(FaultCode.PAYMENT_REFUSED, standing.reason, told=word("money_wrong_amount"))
        if standing.reason in TIMED_OUT:
            return StepFailed(FaultCode.PAYMENT_NOT_MADE, standing.reason)
        return StepFailed(FaultCode.PAYMENT_REFUSED, standing.reason)

    def _screen(self, qr: str, left: int, total: int, hint: LocalizedText | None, screen_id: int) -> PayScreen:
        match self._way.method:
            case PaymentMethod.CARD:
                say, place, icon = word("pay_tap_card"), Place.PAYMENT_TERMINAL, "card"
            case PaymentMethod.QR_SCANNED:
                say, place, icon = word("pay_in_phone"), Place.SCREEN, "phone"
            case PaymentMethod.QR_SHOWN:
                say, place, icon = word(f"pay_scan_{self._way.id}"), Place.SCREEN, "scan"
        others = (option("other", "pay_other_way"),) if self._offers_other else ()
        step = self._bill.step
        return PayScreen(
            **self._transaction.frame(say=say, place=place, alternatives=others) | {"screen_id": screen_id},
            amount=yuan(self._bill.amount_fen), payee=step.payee, subject=step.subject, lines=self._bill.shown,
            channel=word(f"pay_{self._way.id}"), icon=icon, qr=qr, seconds_left=left, seconds_total=total, hint=hint,
        )  # fmt: skip

    # --- its end --------------------------------------------------------------------------------------------------

    async def _receive(self, standing: Standing) -> None:
        transaction, bill = self._transaction, self._bill
        channel = standing.channel or self._way.channel or self._way.id
        transaction.journal(
            "payment_received", step=bill.step.id, order_id=self.order_id, amount_fen=bill.amount_fen, channel=channel,
            reference=standing.reference,
        )  # fmt: skip
        transaction.open_order = None
        transaction.has_effect = True
        transaction.paid = Paid(
            order_id=self.order_id, step_id=bill.step.id, channel=channel, amount=yuan(bill.amount_fen),
            lines={line.id: line.part for line in bill.lines if line.amount_fen},
        )  # fmt: skip
        paid_at = (standing.paid_at or transaction.equipment.now()).astimezone(CITY_TIME)
        transaction.values.put(
            f"payment.{bill.step.id}",
            {
                "order_id": self.order_id, "amount_fen": str(bill.amount_fen), "amount": yuan(bill.amount_fen),
                "channel": channel, "channel_label": word(f"pay_{channel}"), "reference": standing.reference,
                "paid_at": paid_at.strftime("%Y-%m-%d %H:%M"),
            },
        )  # fmt: skip
        if standing.surplus_fen:
            await self._tell_surplus(standing.surplus_fen)

    async def _tell_surplus(self, fen: int) -> None:
        say = word("pay_surplus_say").format(amount=yuan(self._bill.amount_fen), surplus=yuan(fen))
        await self._session.ask(
            NoticeScreen(
                **self._transaction.frame(
                    title=word("pay_surplus_title"), say=say, can_go_back=False, primary=option("next", "next")
                ),
                tone="attention",
                transaction_number=self._transaction.number,
            )
        )

    def _close(self, standing: Standing, disposition: Disposition) -> None:
        """Not paid for good. While the centre has not heard it the order stays open in the journal, for the till."""
        if standing.is_told:
            self._end(disposition, standing.reason)
        else:
            self._transaction.open_order = None

    def _end(self, disposition: Disposition, reason: str) -> None:
        self._transaction.open_order = None
        self._transaction.end_effect(
            self.order_id, "payment_ended", disposition, step=self._bill.step.id, outcome="not_paid", reason=reason[:48]
        )

    def _request(self, total: int) -> OrderRequest:
        bill, transaction = self._bill, self._transaction
        return OrderRequest.model_validate(
            {
                "amount_fen": bill.amount_fen,
                "method": self._way.method,
                "channel": self._way.channel,
                "subject": bill.step.subject.zh_cn[:120],
                "payee": bill.step.payee.zh_cn[:80],
                "expires_at": transaction.equipment.now() + dt.timedelta(seconds=total),
                "payer_code": self._way.payer_code,
                "bill": bill.code if self._way.channel == "non_tax" else "",
                "lines": bill.lines,
                "matter": transaction.matter.id,
                "transaction_number": transaction.number,
                "delivery_seconds": DELIVERY_SECONDS,
            }
        )


async def _known(asked: Awaitable[Standing]) -> Standing | None:
    """None while nobody can say: the link is lost, or the centre does not answer."""
    try:
        return await asked
    except KioskError:
        return None
