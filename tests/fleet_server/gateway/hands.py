"""What a scenario's citizen does beside the screen: pays with a telephone, lays a chip card down and takes it back."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from drivers.card_rewriter.serial_rewriter import SerialRewriter
from drivers.card_rewriter.simulator import RewriterSimulator
from drivers.payment_terminal.simulator.zvt import ZvtSimulator
from drivers.payment_terminal.zvt import ZvtOptions, ZvtTerminal
from drivers.smart_card_reader.pcsc import PcscReader
from drivers.smart_card_reader.simulator import CardSimulator
from drivers.smart_card_reader.simulator.samples import CARDS
from kiosk.contracts.matter import Matter, WriteCardStep
from kiosk.contracts.scenario import PhoneSends
from tests.fleet_server.conftest import TLS

AT_THE_CARD_TERMINAL = {
    "paid": (), "declined": ("declined",), "removed": ("cancelled_by_citizen",), "wrong_amount": ("wrong_amount",),
    "line_lost": ("lost_after_status_ack", "no_auto_reversal"),
}  # fmt: skip
"""What a scenario's `bank_card` makes the card terminal do."""


def _photo(place: int) -> bytes:
    written = io.BytesIO()
    Image.linear_gradient("L").rotate(90 * place).convert("RGB").resize((1200, 900)).save(written, "JPEG")
    return written.getvalue()


class Hands:
    """`city` is the address of the stand-in providers. Devices are opened for matters that write cards, and for
    a citizen who signs in with a bank card.
    """

    def __init__(self, city: str, citizen: str, sign_in: str = "", bank_card: str | None = None) -> None:
        self._city, self._citizen, self._sign_in, self._bank_card = city, citizen, sign_in, bank_card
        self._opened: list[Any] = []
        self._peers: list[CardSimulator | RewriterSimulator] = []
        self._card_terminal = ZvtSimulator(card_seconds="0.2")
        self._tasks: set[asyncio.Task[str]] = set()

    async def open_devices(self, matter: Matter, devices: Any, directory: Path) -> None:
        written = {step.card for step in matter.steps if isinstance(step, WriteCardStep)}
        if "social_security" in written or self._sign_in == "bank_card":
            mine = f"bank_{self._citizen}" if self._sign_in == "bank_card" else self._citizen
            card_peer = CardSimulator(card=mine if self._citizen in CARDS else "")
            self._peers.append(card_peer)
            devices.smart_card_reader = PcscReader(PcscReader.Options(reader=await card_peer.start()))
            self._opened.append(devices.smart_card_reader)
        if "permit" in written:
            permit_peer = RewriterSimulator(card=self._citizen, state=str(directory / f"{self._citizen}-permits.json"))
            self._peers.append(permit_peer)
            devices.card_rewriter = SerialRewriter(SerialRewriter.Options(port=await permit_peer.start()))
            self._opened.append(devices.card_rewriter)

        if self._bank_card:
            for fault in AT_THE_CARD_TERMINAL[self._bank_card]:
                await self._card_terminal.order("fault", fault)
            options = ZvtOptions(port=await self._card_terminal.start(), state_path=str(directory / "cards.sqlite"))
            devices.payment_terminal = ZvtTerminal(options)
            self._opened.append(devices.payment_terminal)

    async def close(self) -> None:
        await asyncio.gather(*self._tasks)
        for opened in self._opened:
            await opened.close()
        for peer in self._peers:
            await peer.stop()
        await self._card_terminal.stop()

    def pay(self, qr: str, behave: str) -> None:
        """Blocks until the providers have told the centre, who are in threads of their own."""
        body = {"qr": qr, "behave": behave}
        answer = httpx.post(f"{self._city}/payments/pay", json=body, timeout=20, verify=TLS, trust_env=False)
        assert answer.status_code == 200, answer.text

    def send_from_phone(self, address: str, sent: PhoneSends) -> None:
        """What the phone's browser does with the page of the code it scanned."""
        page, _, token = address.partition("#")
        slip = f"{page}/v1/slip"
        with httpx.Client(trust_env=False, timeout=20, headers={"Authorization": f"Bearer {token}"}) as phone:
            phone.headers["X-Phone"] = phone.post(slip).json()["phone"]
            for place in range(sent.photos):
                assert phone.put(f"{slip}/photos/{place}", content=_photo(place)).status_code == 204
            answer = phone.post(f"{slip}/sent", json={"photos": sent.photos, "text": sent.text})
            assert answer.status_code == 204, answer.text

    def take_card(self) -> None:
        for peer in self._peers:
            task = asyncio.get_running_loop().create_task(peer.order("remove"))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
