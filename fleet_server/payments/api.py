"""The terminal's interface of money (kiosk/contracts/payments.py), and where the providers send their notices."""

from __future__ import annotations

import logging
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from fleet_server.payments import tending
from fleet_server.payments.cashier import Cashier
from fleet_server.payments.counters import counters_of
from fleet_server.payments.providers.protocol import Untrusted
from fleet_server.problems import ProblemError, problem_responses
from fleet_server.security import SignedRoute, TerminalIdentity, signed_terminal
from fleet_server.settings import Settings
from kiosk.contracts.payments import (
    ORDER_ID,
    PAYMENTS_PATH,
    CardReport,
    DeliveryExtension,
    DeliveryReport,
    OpenOrders,
    Order,
    OrderRequest,
    PaymentStatus,
    Refund,
    RefundRequest,
)

MAXIMUM_NOTICE_BYTES = 64 * 1024

log = logging.getLogger(__name__)

router = APIRouter(prefix=PAYMENTS_PATH, tags=["payments"], route_class=SignedRoute)
notices = APIRouter(prefix="/payments", include_in_schema=False)

Terminal = Annotated[TerminalIdentity, Depends(signed_terminal)]
Chosen = Annotated[str, Path(pattern=ORDER_ID)]


async def open_cashier(request: Request) -> Cashier:
    cashier: Cashier = request.app.state.cashier
    await run_in_threadpool(cashier.counters.open)
    return cashier


Open = Annotated[Cashier, Depends(open_cashier)]


@router.put("/orders/{order_id}", responses=problem_responses(401, 403, 409, 413, 422, 503))
async def place_order(
    order_id: Chosen, body: OrderRequest, request: Request, terminal: Terminal, cashier: Open
) -> Order:
    """Ask a citizen for money under an id that is on the terminal's disk. Asking again changes nothing."""
    settings: Settings = request.app.state.settings
    address = (settings.public_url or str(request.base_url)).rstrip("/")
    return await cashier.place(terminal.terminal, order_id, body, address)


@router.get("/orders/{order_id}", responses=problem_responses(401, 403, 404, 422, 503))
async def show_order(order_id: Chosen, terminal: Terminal, cashier: Open, verify: bool = False) -> Order:
    """How an order stands; with `verify` the provider was asked for this answer."""
    return await cashier.show(terminal.terminal, order_id, verify=verify)


@router.post("/orders/{order_id}/close", responses=problem_responses(401, 403, 422, 503))
async def close_order(order_id: Chosen, terminal: Terminal, cashier: Open) -> Order:
    """Nobody pays this any more. Answers `paid` when that was quicker; an unknown id is closed for good."""
    return await cashier.close(terminal.terminal, order_id)


@router.post("/orders/{order_id}/card", responses=problem_responses(401, 403, 404, 409, 413, 422, 503))
async def hear_card(order_id: Chosen, body: CardReport, terminal: Terminal, cashier: Open) -> Order:
    """What the machine's card device says of an order of channel `bank_card`; an unknown id is closed by `unpaid`."""
    return await cashier.hear_card(terminal.terminal, order_id, body)


@router.put("/orders/{order_id}/refunds/{refund_id}", responses=problem_responses(401, 403, 404, 409, 413, 422, 503))
async def refund_order(
    order_id: Chosen, refund_id: Chosen, body: RefundRequest, terminal: Terminal, cashier: Open
) -> Refund:
    """Give back a part or all of a payment, under an id of the terminal's. `pending` ends by itself."""
    return await cashier.refund(terminal.terminal, order_id, refund_id, body)


@router.post("/orders/{order_id}/extend", responses=problem_responses(401, 403, 404, 409, 413, 422, 503))
async def extend_delivery(order_id: Chosen, body: DeliveryExtension, terminal: Terminal, cashier: Open) -> Order:
    """Keep the delivery window open. Do what cannot be undone only after this was answered."""
    return await cashier.extend(terminal.terminal, order_id, body)


@router.post("/orders/{order_id}/delivered", responses=problem_responses(401, 403, 404, 409, 413, 422, 503))
async def report_delivery(order_id: Chosen, body: DeliveryReport, terminal: Terminal, cashier: Open) -> Order:
    """How the delivery ended. What was not delivered goes back by itself."""
    return await cashier.report(terminal.terminal, order_id, body)


@router.get("/orders", responses=problem_responses(401, 403, 422, 503))
async def list_orders(
    terminal: Terminal, cashier: Open, state: Annotated[Literal["open", "undelivered"], Query()] = "open"
) -> OpenOrders:
    """Ids of this terminal's orders that wait for money, or for a word on their delivery."""
    return OpenOrders(orders=await cashier.listed(terminal.terminal, state))


@router.get("/status", responses=problem_responses(401, 403, 422, 503))
async def payment_status(terminal: Terminal, cashier: Open) -> PaymentStatus:
    """Whether one can pay now, and how. Asks nobody outside."""
    channels = cashier.counters.channels()
    methods = ("qr_shown", *(("qr_scanned",) if {"alipay", "wechat"} & set(channels) else ())) if channels else ()
    return PaymentStatus(acquirer="signed_in" if channels else "signed_out", methods=methods, channels=channels)


@notices.post("/notify/{channel}/{account}", response_model=None)
async def take_notice(channel: str, account: str, request: Request, cashier: Open) -> Response:
    """A provider's word of a payment or refund. Thanked for once it is durable; one that is not believed, never."""
    provider = cashier.counters.of(channel, account)
    body = await request.body()
    if len(body) > MAXIMUM_NOTICE_BYTES:
        raise ProblemError(413, "too_large", "no notice is as long as this")
    try:
        await cashier.hear(provider, dict(request.headers), body)
    except Untrusted as untrusted:
        log.warning("a notice was not believed: %s: %s", channel, untrusted)
        raise ProblemError(401, "bad_signature", "this notice is not believed") from untrusted
    status, text, media_type = provider.thank()
    return Response(text, status, media_type=media_type)


def install(app: FastAPI) -> None:
    """Give the app its cashier. Raises `SettingsInvalid` when the merchant accounts are not in order."""
    app.include_router(notices)
    cashier = app.state.cashier = Cashier(app.state.database, counters_of(app.state.settings))
    app.state.background += [lambda: tending.tend_for_ever(cashier), lambda: tending.reconcile_for_ever(cashier)]
