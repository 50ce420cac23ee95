"""The suite of the class passes against the peers, and catches drivers that lie about money."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from drivers.bench import conformance as suites
from drivers.host import DeviceConfig
from drivers.registry import find_simulator

BAD_DRIVER = """
from drivers.messages import *

class Liar:
    class Options(Message):
        port: str = ""

    def __init__(self, options): ...
    async def capabilities(self):
        return Capabilities(device_class=DeviceClass.PAYMENT_TERMINAL, driver="payment_terminal/liar", version="1",
                            status_source="none", poll_safe_in_motion=True, features=frozenset({"card"}))
    async def status(self): return DeviceStatus(device=DeviceState.ONLINE)
    async def methods(self): return (PaymentMethod.CARD, PaymentMethod.QR_SHOWN)
    async def begin(self, order, *, timeout_seconds=15.0):
        return PaymentResult(order_id=order.order_id, state=PaymentState.PAYING)
    async def settle(self, order_id, *, timeout_seconds=180.0):
        return PaymentResult(order_id=order_id, state=PaymentState.SUCCEEDED, amount_fen=1)
    async def find_payment(self, order_id, *, timeout_seconds=15.0):
        return PaymentResult(order_id=order_id, state=PaymentState.SUCCEEDED, amount_fen=1)
    async def cancel_payment(self, order_id, *, timeout_seconds=15.0):
        return PaymentResult(order_id=order_id, state=PaymentState.CLOSED)
    async def refund(self, order_id, refund_id, amount_fen, reason, *, timeout_seconds=30.0):
        return RefundResult(order_id=order_id, refund_id=refund_id, state=PaymentState.SUCCEEDED, amount_fen=amount_fen)
    async def unresolved(self, *, timeout_seconds=15.0): return ("check",)
    async def wipe(self): ...
    async def close(self): ...
"""


@pytest.fixture(autouse=True)
def only_the_suite_of_the_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """What every driver must keep is tried on all drivers elsewhere."""
    whole = suites.checks_for
    monkeypatch.setattr(suites, "checks_for", lambda kind: [entry for entry in whole(kind) if entry.device_class])


async def outcomes(driver: str, options: dict[str, str], place: str) -> dict[str, tuple[str, str]]:
    config = DeviceConfig(name="it", driver=driver, options=options)
    findings = await suites.conformance(config, place, may_print=False, on_check=lambda _: None)
    return {finding.check: (finding.outcome, finding.remark) for finding in findings}


@pytest.mark.parametrize(
    ("driver", "place", "simulator"),
    [
        ("payment_terminal/gateway_qr", "address", {}),
        ("payment_terminal/zvt", "port", {"card_seconds": "30"}),
        ("payment_terminal/zvt", "port", {"transport": "pty", "card_seconds": "0.5"}),
    ],
    ids=["gateway_qr", "zvt over tcp, nobody taps", "zvt over serial, somebody taps"],
)
def test_the_drivers_are_certified(driver: str, place: str, simulator: dict[str, str], tmp_path: Path) -> None:
    async def work() -> None:
        peer = find_simulator(driver).load()(**simulator)
        options = {place: await peer.start()}
        options |= {"state_path": str(tmp_path / "orders.sqlite")} if driver.endswith("zvt") else {}
        try:
            found = await outcomes(driver, options, place)
        finally:
            await peer.stop()
        assert {check: remark for check, (outcome, remark) in found.items() if outcome == "broken"} == {}
        assert found["an order is opened once, goes on under its id, and is closed unpaid"][0] == "kept"

    asyncio.run(asyncio.wait_for(work(), 90))


def test_a_driver_that_calls_everything_paid_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "liar_driver.py").write_text(BAD_DRIVER)
    information = tmp_path / "liar-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: liar\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[yizhan.drivers]\npayment_terminal/liar = liar_driver:Liar\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    found = asyncio.run(asyncio.wait_for(outcomes("payment_terminal/liar", {}, "port"), 90))
    broken = {check for check, (outcome, _) in found.items() if outcome == "broken"}
    assert broken >= {
        "it says how one can pay, and only what it declares",
        "an order nobody has begun is never called paid",
        "waiting for money ends within its limit, uncertain",
        "an order can be taken back while it is waited for",
        "an order whose time has passed is not begun",
    }
