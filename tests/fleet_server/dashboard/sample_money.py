"""Money for the sample city's page: orders of every channel and end, a day compared, differences, what is owed."""

from __future__ import annotations

import datetime as dt
import random

from fastapi import FastAPI

from fleet_server.database import now
from fleet_server.payments.models import PaymentArrived, PaymentDay, PaymentDifference, PaymentOrder, PaymentRefund
from fleet_server.payments.orders import number_of
from kiosk.contracts.value import CITY_TIME

MATTERS = {
    "traffic_fine_payment": ("交通违法罚款", "厦门市财政局（交警罚没收入）", 20000),
    "electricity_bill": ("电费缴纳", "供电公司", 12845), "water_bill": ("水费缴纳", "水务公司", 4660),
    "driving_licence_renewal": ("机动车驾驶证工本费", "厦门市公安局交通警察支队", 1000),
}  # fmt: skip
ENDS = (
    ("paid", "delivered", ""), ("paid", "delivered", ""), ("paid", "waiting", ""), ("paid", "not_delivered", ""),
    ("closed", "none", "expired"), ("refused", "none", "amount_mismatch"), ("closed", "none", "declined"),
    ("open", "none", ""),
)  # fmt: skip
CHANNELS = ("alipay", "wechat", "non_tax", "bank_card")


def fill_money(app: FastAPI, terminals: list[str], *, orders: int = 40) -> None:
    chance, moment = random.Random(11), now()
    yesterday = moment.astimezone(CITY_TIME).date() - dt.timedelta(days=1)
    with app.state.database.writing() as session:
        for at in range(orders):
            state, delivery, reason = ENDS[at % len(ENDS)]
            channel, terminal = CHANNELS[at % 3 if at % 5 else 3], chance.choice(terminals)
            matter = chance.choice(list(MATTERS))
            subject, payee, fen = MATTERS[matter]
            made = moment - dt.timedelta(minutes=17 * at + 5)
            order_id = f"{made:%y%m%d}-{terminal[-4:].upper()}-{at:04d}-P1"
            reference = f"2026{chance.randrange(10**22):022d}" if state == "paid" else ""
            order = PaymentOrder(
                number=number_of(terminal, order_id), terminal=terminal, order_id=order_id, channel=channel,
                account="sandbox", method="card" if channel == "bank_card" else "qr_shown", amount_fen=fen,
                subject=subject, payee=payee, matter=matter, transaction_number=order_id.removesuffix("-P1"),
                state=state, reason=reason, delivery=delivery, created_at=made, paid_reference=reference,
                expires_at=made + dt.timedelta(minutes=3), paid_at=made if reference else None,
            )  # fmt: skip
            session.add(order)
            if reference:
                session.add(
                    PaymentArrived(
                        channel=channel, account="sandbox", reference=reference, order_number=order.number,
                        amount_fen=fen, currency="CNY", belongs=True, heard_by="notice", paid_at=made, arrived_at=made,
                    )
                )  # fmt: skip
            if at == 3:
                session.add(
                    PaymentRefund(
                        number="5f" * 16, order_number=order.number, refund_id="centre.not_delivered",
                        reference=reference, amount_fen=fen, total_fen=fen, currency="CNY", state="failed",
                        reason="provider_abnormal", created_at=made,
                    )
                )  # fmt: skip
        for channel, result, fen in (
            ("alipay", "agrees", 486500), ("wechat", "differs", 1234500), ("non_tax", "agrees", 240000),
            ("bank_card", "agrees", 80000),
        ):  # fmt: skip
            session.add(
                PaymentDay(
                    channel=channel, account="sandbox", day=yesterday, compared_at=moment, result=result, payments=31,
                    paid_fen=fen, refunds=2, refunded_fen=4660,
                )
            )  # fmt: skip
        for kind, ours, theirs in (("missing_here", None, 4660), ("other_amount", 12845, 12846)):
            session.add(
                PaymentDifference(
                    channel="wechat", account="sandbox", day=yesterday, kind=kind, found_at=moment,
                    subject="4200002026112200001234567890", order_number="" if ours is None else "a1" * 16,
                    ours_fen=ours, theirs_fen=theirs,
                )
            )  # fmt: skip
