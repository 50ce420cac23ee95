"""What payment terminals must keep (device-classes C.10). Orders of one fen are opened and closed; nothing is charged
unless somebody pays, and then it is handed back."""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets

from drivers.bench.conformance import Bench, Broken, NotTried, check, ends_within
from drivers.errors import DeviceError, Unsupported
from drivers.messages import DeviceClass, PaymentMethod, PaymentOrder, PaymentResult, PaymentState

PAYMENT = DeviceClass.PAYMENT_TERMINAL
BEGIN_SECONDS = 15.0
CLOSE_SECONDS = 15.0
SHORT_SECONDS = 1.0
OPEN = frozenset({PaymentState.PENDING, PaymentState.PAYING})
FINAL = frozenset({PaymentState.SUCCEEDED, PaymentState.FAILED, PaymentState.CLOSED})


def _order(method: PaymentMethod, amount_fen: int = 1, order_id: str = "", minutes: float = 5) -> PaymentOrder:
    return PaymentOrder(
        order_id=order_id or f"check-{secrets.token_hex(8)}",
        amount_fen=amount_fen,
        subject="check",
        method=method,
        payer_code="280000000000000000" if method is PaymentMethod.QR_SCANNED else "",
        expires_at=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes),
    )


async def _method(bench: Bench) -> PaymentMethod:
    """One that needs nobody's code. Raises `NotTried`."""
    methods = await bench.proxy.methods()
    usable = [method for method in methods if method is not PaymentMethod.QR_SCANNED]
    if not usable:
        raise NotTried("it cannot be paid with now: connect it to its gateway or bank")
    first: PaymentMethod = usable[0]
    return first


@check("it says how one can pay, and only what it declares", PAYMENT)
async def methods(bench: Bench) -> str:
    said, failure, _ = await ends_within(bench.proxy.methods(), 5.0)
    if failure is not None:
        raise failure
    features = (await bench.device.capabilities()).features
    undeclared = [method.value for method in said if method.value not in features]
    if undeclared:
        raise Broken(f"not among its features: {', '.join(undeclared)}")
    declared = [method for method in PaymentMethod if method.value in features]
    if not declared:
        raise Broken("it declares no way to pay")
    other = next((method for method in PaymentMethod if method not in declared), None)
    if other is not None:
        result, failure, _ = await ends_within(bench.proxy.begin(_order(other)), BEGIN_SECONDS)
        if not isinstance(failure, Unsupported):
            raise Broken(f"{other} is not among its features, and yet it said {result or failure!r}")
    return ", ".join(method.value for method in said) or "none now"


@check("an order nobody has begun is never called paid", PAYMENT)
async def unknown_order(bench: Bench) -> str:
    order_id = f"check-{secrets.token_hex(8)}"
    for ask in (bench.proxy.find_payment, bench.proxy.settle):
        result, failure, _ = await ends_within(ask(order_id, timeout_seconds=SHORT_SECONDS), SHORT_SECONDS)
        if failure is not None:
            raise failure
        if result.state not in (PaymentState.FAILED, PaymentState.CLOSED, PaymentState.UNCERTAIN) or not result.reason:
            raise Broken(f"it calls it {result.state} ({result.reason or 'without a reason'})")
    refund, failure, _ = await ends_within(
        bench.proxy.refund(order_id, f"{order_id}-r", 1, "check", timeout_seconds=5.0), 5.0
    )
    if failure is None and refund.state is PaymentState.SUCCEEDED:
        raise Broken("it gave money back for a payment that never was")
    return f"{result.state}, {result.reason}"


@check("an order is opened once, goes on under its id, and is closed unpaid", PAYMENT)
async def open_and_close(bench: Bench) -> str:
    order = _order(await _method(bench))
    first = await _begun(bench, order)
    again = await _begun(bench, order)
    if first.qr and again.qr and first.qr != again.qr:
        raise Broken("the same id shows another code: there are two orders now")
    other, failure, _ = await ends_within(
        bench.proxy.begin(order.model_copy(update={"amount_fen": 2}), timeout_seconds=BEGIN_SECONDS), BEGIN_SECONDS
    )
    if failure is None and (other.state is not PaymentState.FAILED or not other.reason):
        raise Broken(f"the same id with another amount is {other.state}: it must fail")
    closed = await _closed(bench, order.order_id)
    return f"{first.state}, then {closed.state}" + (", handed back" if closed.amount_fen else "")


@check("waiting for money ends within its limit, uncertain", PAYMENT)
async def limit(bench: Bench) -> str:
    order = _order(await _method(bench))
    await _begun(bench, order)
    result, failure, taken = await ends_within(
        bench.proxy.settle(order.order_id, timeout_seconds=SHORT_SECONDS), SHORT_SECONDS
    )
    if failure is not None:
        raise failure
    closed = await _closed(bench, order.order_id)
    if result.state in OPEN:
        raise Broken(f"settle ended {result.state}: at its limit it says uncertain")
    if result.state is PaymentState.SUCCEEDED and closed.state is not PaymentState.SUCCEEDED:
        raise Broken("it said succeeded, and closed the order unpaid afterwards")
    return f"{result.state} after {taken:.2f} s"


@check("an order can be taken back while it is waited for", PAYMENT)
async def close_beside(bench: Bench) -> str:
    order = _order(await _method(bench))
    await _begun(bench, order)
    waiting = asyncio.ensure_future(bench.proxy.settle(order.order_id, timeout_seconds=CLOSE_SECONDS))
    await asyncio.wait({waiting}, timeout=0.3)
    closed = await _closed(bench, order.order_id)
    result, failure, taken = await ends_within(waiting, CLOSE_SECONDS)
    if failure is not None:
        raise failure
    if (result.state is PaymentState.SUCCEEDED) != (closed.state is PaymentState.SUCCEEDED):
        raise Broken(f"whoever waits hears {result.state}, whoever closes hears {closed.state}")
    return f"both hear {result.state}; it took {taken:.2f} s"


@check("what it does not know any more is uncertain or asked for, never charged again", PAYMENT)
async def restart(bench: Bench) -> str:
    order = _order(await _method(bench))
    await _begun(bench, order)
    closed = await _closed(bench, order.order_id)
    async with bench.another() as other:
        await other.open()
        result, failure, _ = await ends_within(other.proxy.find_payment(order.order_id, timeout_seconds=5.0), 5.0)
    if failure is not None:
        raise failure
    if result.state in OPEN or (result.state is PaymentState.SUCCEEDED and closed.state is not PaymentState.SUCCEEDED):
        raise Broken(f"it was {closed.state} before its process ended and is {result.state} after")
    return f"{result.state}, {result.reason or 'no reason'}"


@check("an order whose time has passed is not begun", PAYMENT)
async def expired(bench: Bench) -> str:
    order = _order(await _method(bench), minutes=-1)
    result, failure, _ = await ends_within(bench.proxy.begin(order, timeout_seconds=BEGIN_SECONDS), BEGIN_SECONDS)
    if failure is not None:
        return f"{failure.kind}/{failure.reason}"
    if result.state not in (PaymentState.FAILED, PaymentState.CLOSED):
        await _closed(bench, order.order_id)
        raise Broken(f"it is {result.state}")
    return f"{result.state}, {result.reason}"


async def _begun(bench: Bench, order: PaymentOrder) -> PaymentResult:
    result, failure, _ = await ends_within(bench.proxy.begin(order, timeout_seconds=BEGIN_SECONDS), BEGIN_SECONDS)
    if failure is not None:
        raise failure
    if result.order_id != order.order_id:
        raise Broken("it answers about another order")
    if result.state not in OPEN | {PaymentState.SUCCEEDED}:
        raise NotTried(f"an order of one fen is {result.state} here ({result.reason})")
    if result.state is PaymentState.PENDING and order.method is PaymentMethod.QR_SHOWN and not result.qr:
        raise Broken("pending, and no code to show")
    return _said(result)


async def _closed(bench: Bench, order_id: str) -> PaymentResult:
    """Closed, or paid and handed back."""
    result, failure, _ = await ends_within(
        bench.proxy.cancel_payment(order_id, timeout_seconds=CLOSE_SECONDS), CLOSE_SECONDS
    )
    if failure is not None:
        raise failure
    if result.state not in FINAL:
        raise Broken(f"closing ended {result.state} ({result.reason})")
    fen = result.to_refund_fen or (result.amount_fen if result.state is PaymentState.SUCCEEDED else 0)
    if fen:
        back, failure, _ = await ends_within(
            bench.proxy.refund(order_id, f"{order_id}-r", fen, "check", timeout_seconds=30.0), 30.0
        )
        if failure is not None:
            raise failure
        if back.state is not PaymentState.SUCCEEDED:
            raise Broken(f"{fen} fen were paid and could not be handed back: {back.state} ({back.reason})")
    if order_id in await _unresolved(bench):
        raise Broken(f"{result.state}, and still among the unresolved")
    return _said(result)


async def _unresolved(bench: Bench) -> tuple[str, ...]:
    try:
        orders: tuple[str, ...] = await bench.proxy.unresolved(timeout_seconds=5.0)
    except DeviceError as error:
        raise Broken(f"it cannot say what is unresolved: {error}") from error
    return orders


def _said(result: object) -> PaymentResult:
    assert isinstance(result, PaymentResult)
    return result
