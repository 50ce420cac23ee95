"""A terminal that is killed at one counted step. Run as a program it answers orders, one JSON line each.

Each order is done by a child of its own, forked from a process that has everything loaded, so that SIGKILL is real and
cheap. Steps are counted, not listed: every entry the journal is about to write, every call that is about to be sent,
and every call that has been sent and is not answered yet.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.contracts.matter import Matter
from kiosk.flow.equipment import Equipment
from kiosk.flow.recovery import ask_after, report_open_ends
from kiosk.flow.screens import Chosen, Left, PayScreen, View
from kiosk.flow.stage import Stage
from kiosk.flow.steps.effects import orders
from kiosk.flow.words import word
from kiosk.machine.fleet import client
from kiosk.machine.fleet.client import Answer, FleetClient
from kiosk.machine.fleet.identity import MachineKey
from kiosk.machine.journal import Journal
from kiosk.machine.money.payments import Payments
from kiosk.machine.services import Services
from tests.journeys.cuts.card import mortal_terminal
from tests.kiosk.flow.world import FixedLibrary, ScriptedDevices, matter, text, verify_seal

SENT_SECONDS = 0.02
LONGEST_SECONDS = 20.0
RECOVERY_LOOKS = 60


def paid_matter(channel: str) -> Matter:
    return matter(
        {
            "id": "pay", "kind": "pay", "payee": text("交警支队"), "subject": text("罚款"), "channels": [channel],
            "lines": [{"label": text("罚款"), "amount_fen": "2000"}],
        },
        {
            "id": "notice", "kind": "call_service", "operation": "vehicle.move_notice", "effect": "submit",
            "send": {"plate": "闽D00000", "place": "样例路 1 号", "obstruction": "garage"}, "timeout_seconds": 10,
        },
        {"id": "slip", "kind": "print_receipt", "layout": {"heading": text("凭条"), "items": []}},
        assurance="none",
    )  # fmt: skip


class Death:
    """Counts steps and ends this process at one of them, by its number or its name, without a word."""

    def __init__(self, at: int, name: str = "") -> None:
        self.at = at
        self.name = name
        self.count = 0
        self.trail: list[str] = []

    def step(self, name: str) -> None:
        self.count += 1
        self.trail.append(name)
        if self.count == self.at or name == self.name:
            os.kill(os.getpid(), signal.SIGKILL)

    def is_next(self) -> bool:
        return self.count + 1 == self.at


class MortalJournal(Journal):
    death: Death

    def _write(self, event: str, *rest: Any, **more: Any) -> Any:
        if hasattr(self, "death"):
            self.death.step(f"write {event}")
        return super()._write(event, *rest, **more)


class MortalClient(FleetClient):
    death: Death

    async def request(self, method: str, path: str, **more: Any) -> Answer:
        name = f"{method} {path}"
        self.death.step(f"before {name}")
        if self.death.is_next():
            sending = asyncio.ensure_future(super().request(method, path, **more))
            await asyncio.sleep(SENT_SECONDS)
            del sending
        self.death.step(f"sent {name}")
        return await super().request(method, path, **more)


class Machine:
    """One terminal with its journal on disk, its centre and its money; made inside a running loop."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.death = Death(order.get("at", 0), order.get("at_name", ""))
        self.order = order
        key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(order["key"]))
        self.client = MortalClient(order["server"], MachineKey(key), order["terminal"])
        self.client.death = self.death
        journal = MortalJournal.open(Path(order["journal"]), terminal=order["terminal"])
        assert isinstance(journal, MortalJournal)
        self.journal = journal
        self.journal.death = self.death
        self.services = Services(self.client)
        self.payments = Payments(self.client, self.journal, self.services, lambda: self.devices.payment_terminal)
        self.devices = ScriptedDevices()
        if order.get("cards"):
            self.devices.payment_terminal = mortal_terminal(
                order["cards"], Path(order["journal"]).with_name("cards.sqlite"), self.death
            )
        self.matter = paid_matter("bank_card" if order.get("cards") else "alipay")
        self.stage = Stage(
            Equipment(
                devices=self.devices, journal=self.journal, services=self.services, library=FixedLibrary(self.matter),
                verify_seal=verify_seal, render_page=bytes, sweep_memory=lambda: None, now=self.client.clock.now,
                terminal=order["terminal"], site="", payments=self.payments,
            )
        )  # fmt: skip
        self.paid = False

    async def visit(self) -> None:
        """The citizen pays what is shown, and finishes."""
        done = asyncio.Event()
        self.stage.subscribe(lambda view: self._act(view, done), lambda _: None)
        running = [asyncio.ensure_future(work) for work in (self.stage.run(), self.payments.run())]
        self.stage.start(self.matter.id)
        await done.wait()
        while any(effect.event == "payment_begun" for effect in self.journal.open_effects()):
            await asyncio.sleep(0.01)
        for task in running:
            task.cancel()

    def _act(self, view: View, done: asyncio.Event) -> None:
        screen = view.screen
        if isinstance(screen, PayScreen) and screen.qr and not self.paid:
            self.paid = True
            self._pay(screen.qr)
        elif screen is not None and screen.kind == "notice":
            if screen.step_id == "slip":
                self.stage.answer(Chosen(screen_id=screen.screen_id, option="finish"))
            else:
                self.stage.answer(Left())
            done.set()

    def _pay(self, qr: str) -> None:
        body = {"qr": qr, "behave": self.order.get("behave", "paid")}
        asyncio.ensure_future(asyncio.to_thread(_post, f"{self.order['city']}/payments/pay", body))  # noqa: RUF006

    async def recover(self) -> bool:
        """What a start does before the next citizen; True once no order is open."""
        ends = report_open_ends(self.journal)
        await ask_after(ends, self.journal, self.devices)
        for _ in range(RECOVERY_LOOKS):
            if not await self.payments.settle_all():
                return True
            await asyncio.sleep(0.05)
        return False


def _post(url: str, body: dict[str, Any]) -> None:
    httpx.post(url, json=body, timeout=20, trust_env=False)


def obey(order: dict[str, Any]) -> dict[str, Any]:
    """Done in the child: {"settled": bool, "steps": [...]}; nothing is answered by one that was killed."""

    async def live() -> dict[str, Any]:
        machine = Machine(order)
        async with asyncio.timeout(LONGEST_SECONDS):
            settled = True
            if order["do"] == "visit":
                await machine.visit()
            else:
                settled = await machine.recover()
        return {"settled": settled, "steps": machine.death.trail}

    orders.TICK_SECONDS = 0.02
    orders.VERIFY_EVERY = 3
    return asyncio.run(live())


def warm() -> None:
    """What every start would read again: words, and the certificates this test's plain HTTP never needs."""
    word("next")
    context = client.tls_context(None)
    client.tls_context = lambda ca: context
    asyncio.run(FleetClient("http://127.0.0.1:9", MachineKey(Ed25519PrivateKey.generate()), "warm").close())


def main() -> None:
    warm()
    for line in sys.stdin:
        order = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            answer = json.dumps(obey(order)).encode()
            os.write(writing, answer)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        answer_line = {"killed": killed, "at": time.monotonic(), **(json.loads(said) if said else {})}
        if not killed and not said:
            answer_line["failed"] = True
        sys.stdout.write(json.dumps(answer_line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
