"""The driver in its process, the terminal's door, a running centre, the providers: one way from device to money.

Nothing between them is scripted: `gateway_qr` knows only the door, the door signs with the terminal's key, and the
citizen pays at the stand-in providers rightly, late, twice, wrongly, never, or by the code on the telephone.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from drivers.bench import conformance as suites
from drivers.errors import DeviceOffline
from drivers.host import DeviceConfig
from drivers.messages import DeviceClass, DeviceState, PaymentMethod, PaymentOrder, PaymentState
from drivers.protocols import PaymentTerminal
from kiosk.machine.devices import Devices
from kiosk.machine.fleet.client import FleetClient
from kiosk.machine.fleet.identity import MachineKey
from kiosk.machine.money.door import GATEWAY_QR, PaymentDoor
from tests.fleet_server.payments.conftest import Cash

FEN = 2000
CODE = "281234567890123456"
QUICK = {"poll_interval_seconds": 0.05, "verify_interval_seconds": 0.2}


@dataclass
class Machine:
    """A terminal with a `gateway_qr` whose section of machine.toml names no address."""

    client: FleetClient
    config: DeviceConfig
    devices: Devices

    @property
    def terminal(self) -> PaymentTerminal:
        found: PaymentTerminal = self.devices.device("codes").proxy
        return found

    @property
    def http(self) -> httpx.AsyncClient:
        """Another program of this machine that knows the door and not its secret."""
        return httpx.AsyncClient(base_url=self.config.options["address"], trust_env=False, timeout=5)


@asynccontextmanager
async def machine(cash: Cash, *, is_enrolled: bool = True) -> AsyncIterator[Machine]:
    key = MachineKey(cash.peer.key if is_enrolled else Ed25519PrivateKey.generate())
    client = FleetClient(cash.world.url, key, cash.peer.terminal)
    door = PaymentDoor(client)
    (config,) = await door.furnish([DeviceConfig(name="codes", driver=GATEWAY_QR, options=QUICK)])
    devices = Devices([config])
    try:
        assert await devices.open() == ({} if is_enrolled else {"codes": "not_authorised"})
        yield Machine(client, config, devices)
    finally:
        await devices.close()
        await door.close()
        await client.close()


def order(order_id: str = "order-0001", **changed: Any) -> PaymentOrder:
    values: dict[str, Any] = {
        "amount_fen": FEN, "subject": "工本费", "method": PaymentMethod.QR_SHOWN,
        "expires_at": dt.datetime.now(dt.UTC) + dt.timedelta(minutes=3),
    }  # fmt: skip
    return PaymentOrder(order_id=order_id, **(values | changed))


def scanned(order_id: str) -> PaymentOrder:
    return order(order_id, method=PaymentMethod.QR_SCANNED, payer_code=CODE)


def play(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 60))


def test_a_citizen_pays_at_the_centre_through_the_driver(cash: Cash) -> None:
    async def work() -> None:
        async with machine(cash) as it:
            assert set(await it.terminal.methods()) == {PaymentMethod.QR_SHOWN, PaymentMethod.QR_SCANNED}
            begun = await it.terminal.begin(order())
            assert (begun.state, await it.terminal.unresolved()) == (PaymentState.PENDING, ("order-0001",))
            waiting = asyncio.create_task(it.terminal.settle("order-0001", timeout_seconds=20))
            await asyncio.to_thread(cash.till.pay, begun.qr)
            paid = await waiting
            assert (paid.state, paid.amount_fen, paid.to_refund_fen) == (PaymentState.SUCCEEDED, FEN, 0)
            assert cash.look()["reference"] == paid.reference
            back = await it.terminal.refund("order-0001", "refund-0001", 500, "not_delivered")
            assert (back.state, back.amount_fen, cash.till.left_fen()) == (PaymentState.SUCCEEDED, 500, FEN - 500)
            again = await it.terminal.refund("order-0001", "refund-0001", 500, "not_delivered")
            assert (again.state, cash.till.left_fen()) == (PaymentState.SUCCEEDED, FEN - 500)
            code = await it.terminal.begin(scanned("order-0002"))
            assert (code.state, code.amount_fen) == (PaymentState.SUCCEEDED, FEN)
            repeated = await it.terminal.begin(scanned("order-0002"))
            assert (repeated.state, cash.till.left_fen()) == (PaymentState.SUCCEEDED, 2 * FEN - 500), "charged once"
            assert await it.terminal.unresolved() == ()

    play(work)


def test_late_twice_wrong_and_never(cash: Cash) -> None:
    async def work() -> None:
        async with machine(cash) as it:
            for behave, state, reason, kept in (
                ("twice", PaymentState.SUCCEEDED, "paid_twice", FEN),
                ("wrong_amount", PaymentState.FAILED, "amount_mismatch", 0),
                ("wrong_currency", PaymentState.FAILED, "currency_mismatch", 0),
                ("silent", PaymentState.SUCCEEDED, "", FEN),
            ):
                before, id = cash.till.left_fen(), f"order-{behave}"
                begun = await it.terminal.begin(order(id))
                await asyncio.to_thread(cash.till.pay, begun.qr, behave)
                found = await it.terminal.settle(id, timeout_seconds=20)
                assert (found.state, found.reason, found.to_refund_fen) == (state, reason, 0), behave
                await asyncio.to_thread(cash.tend)
                assert cash.till.left_fen() - before == kept, behave
            before = cash.till.left_fen()
            late = await it.terminal.begin(order("order-late"))
            assert (await it.terminal.cancel_payment("order-late")).state is PaymentState.CLOSED
            await asyncio.to_thread(cash.till.pay, late.qr, "late")
            found = await it.terminal.find_payment("order-late")
            assert (found.state, found.reason, found.to_refund_fen) == (PaymentState.CLOSED, "paid_after_close", 0)
            await asyncio.to_thread(cash.tend)
            assert cash.till.left_fen() == before, "it went back by itself"
            cash.till.behave("never", times=1)
            assert (await it.terminal.begin(scanned("order-never"))).state is PaymentState.PAYING
            waited = await it.terminal.settle("order-never", timeout_seconds=0.5)
            assert (waited.state, waited.reason) == (PaymentState.UNCERTAIN, "timed_out")
            assert (await it.terminal.cancel_payment("order-never")).state is PaymentState.CLOSED
            unknown = await it.terminal.find_payment("order-nobody")
            assert (unknown.state, unknown.reason) == (PaymentState.FAILED, "order_unknown")
            early = await it.terminal.refund("order-never", "refund-0002", FEN, "r", timeout_seconds=5)
            assert (early.state, early.reason) == (PaymentState.FAILED, "refused")

    play(work)


def test_a_centre_out_of_reach_is_uncertain_and_goes_on_under_the_same_id(cash: Cash) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"

        async def work() -> None:
            async with machine(cash) as it:
                begun = await it.terminal.begin(order())
                it.client.server, centre = nobody, it.client.server
                assert await it.terminal.methods() == ()
                status = await it.devices.device("codes").status()
                assert (status.device, [fault.code for fault in status.faults]) == (DeviceState.OFFLINE, ["no_answer"])
                assert it.devices.faults["codes"] == status.faults
                lost = await it.terminal.begin(order("order-0002"), timeout_seconds=0.5)
                assert (lost.state, lost.reason) == (PaymentState.UNCERTAIN, "no_answer")
                waited = await it.terminal.settle("order-0001", timeout_seconds=0.5)
                assert (waited.state, waited.reason) == (PaymentState.UNCERTAIN, "no_answer")
                await asyncio.to_thread(cash.till.pay, begun.qr)
                it.client.server = centre
                assert (await it.terminal.settle("order-0001", timeout_seconds=20)).state is PaymentState.SUCCEEDED
                assert (await it.terminal.begin(order("order-0002"))).state is PaymentState.PENDING
                assert (await it.terminal.cancel_payment("order-0002")).state is PaymentState.CLOSED
                assert (await it.devices.device("codes").status()).is_fit

        play(work)


def test_a_terminal_the_centre_refuses_says_who_must_act(cash: Cash) -> None:
    async def work() -> None:
        async with machine(cash, is_enrolled=False) as it:
            with pytest.raises(DeviceOffline, match="enrol it again") as caught:
                await it.terminal.begin(order())
            assert caught.value.reason == "not_authorised"
            assert (await it.devices.device("codes").status()).faults[0].code == "not_authorised"

    play(work)


def test_the_door_serves_its_devices_alone_and_their_interface_alone(cash: Cash) -> None:
    async def work() -> None:
        async with machine(cash) as it, it.http as stranger:
            secret = it.config.options["secret"]
            ours = {"Authorization": f"Bearer {secret}"}
            for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": f"Bearer {secret}x"}):
                assert (await stranger.get("/status", headers=headers)).status_code == 401
            assert (await stranger.get("/status", headers=ours)).status_code == 200
            await it.terminal.begin(order())
            for method, path in (
                ("POST", "/orders/order-0001/delivered"), ("POST", "/orders/order-0001/extend"),
                ("GET", "/orders?state=undelivered"), ("GET", "/../heartbeats"), ("DELETE", "/orders/order-0001"),
                ("GET", "/orders/order-0001%2F..%2F..%2Fheartbeats"), ("GET", "/orders/order-0001?verify=true&x=1"),
            ):  # fmt: skip
                assert (await stranger.request(method, path, headers=ours)).status_code == 404, path
            long = await stranger.put("/orders/order-0009", headers=ours, content=b"x" * 100_000)
            assert long.status_code == 413
            wrong = await stranger.put("/orders/order-0001", headers=ours, json={"amount_fen": -1})
            assert wrong.status_code == 422
            reader, writer = await asyncio.open_connection("127.0.0.1", stranger.base_url.port)
            writer.write(b"\x16\x03\x01 no request at all\r\n\r\n")
            assert b" 400 " in await reader.readline()
            writer.close()
            assert (await stranger.get("/status", headers=ours)).status_code == 200

    play(work)


def test_the_suite_of_the_class_passes_against_the_centre_itself(cash: Cash, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = suites.checks_for
    monkeypatch.setattr(suites, "checks_for", lambda kind: [entry for entry in whole(kind) if entry.device_class])

    async def work() -> None:
        async with machine(cash) as it:
            found = await suites.conformance(it.config, "address", may_print=False, on_check=lambda _: None)
            assert [(each.check, each.remark) for each in found if each.outcome == "broken"] == []
            assert sum(each.outcome == "kept" for each in found) >= 4

    play(work)


def test_codes_are_watched_and_cards_are_what_the_course_pays_with(cash: Cash) -> None:
    async def work() -> None:
        async with machine(cash) as it:
            assert it.devices.payment_terminal is None
            assert not it.devices.is_fit(DeviceClass.PAYMENT_TERMINAL)
            assert it.devices.statuses()["codes"].is_fit
        elsewhere = DeviceConfig(name="codes", driver=GATEWAY_QR, options={"address": "https://gateway.example"})
        assert await PaymentDoor(it.client).furnish([elsewhere]) == [elsewhere], "another gateway is left as it is"

    play(work)
