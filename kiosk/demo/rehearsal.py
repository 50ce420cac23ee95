"""A matter walked by itself, without devices, centre or city: the real flow asks, and all answer what pleases it.

What an authority would say is made up from what the matter's steps name. For pictures of a matter's screens, not for
proof: that is what scenarios are for.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import json
import re
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from drivers.messages import (
    Capabilities,
    CardType,
    DeviceClass,
    DeviceState,
    DeviceStatus,
    FaceDecision,
    FaceProgress,
    FaceVerdict,
    IdCard,
    PrintOutcome,
    PrintResult,
    ScannedPage,
)
from drivers.signature_pad.touchscreen import Touchscreen, TouchscreenOptions
from kiosk.contracts.fleet import ServiceAnswer
from kiosk.contracts.matter import CallServiceStep, Matter
from kiosk.contracts.value import Language, sha256_hex
from kiosk.demo.player import Player
from kiosk.flow.equipment import Equipment
from kiosk.flow.screens import Mode, StageKind, View
from kiosk.flow.stage import Stage
from kiosk.machine.journal import Journal
from kiosk.machine.money.till import Standing

LONGEST_SECONDS = 60.0
LONG_CARD = IdCard(
    card_type=CardType.RESIDENT, name="林测试", sex="1", nation_code="01", nation="汉", birth_date=dt.date(1901, 2, 3),
    address="福建省厦门市思明区样例路1号101室", id_number="350203190102030017", issuer="厦门市公安局思明分局",
    valid_from=dt.date(2020, 1, 1), valid_until=None, sam_id="", photo=b"photo",
)  # fmt: skip


class Reader:
    async def read(self, **_: Any) -> IdCard:
        await asyncio.sleep(0)
        return LONG_CARD

    async def wait_removal(self, **_: Any) -> None:
        return

    async def decode_photo(self, photo: bytes) -> bytes:
        return photo


class Face:
    async def verify(self, **_: Any) -> AsyncGenerator[FaceProgress | FaceVerdict, None]:
        yield FaceProgress(phase="position", prompt="LOOK_STRAIGHT")
        yield FaceVerdict(
            decision=FaceDecision.ACCEPT, reason="", distance=0.3, accept_at=0.5, retry_at=0.6, engine="rehearsal",
            model_sha256="0" * 64, attempts=1,
        )  # fmt: skip


class Printer:
    async def status(self) -> DeviceStatus:
        return DeviceStatus(device=DeviceState.ONLINE)

    async def print_document(self, job: Any, **_: Any) -> PrintResult:
        return PrintResult(job_id=job.job_id, outcome=PrintOutcome.PRINTED, reason="")

    print_receipt = print_document


class Camera:
    async def capabilities(self) -> Capabilities:
        return Capabilities(
            device_class=DeviceClass.DOCUMENT_SCANNER, driver="document_scanner/props", version="1",
            status_source="polled", poll_safe_in_motion=True, features=frozenset({"camera"}),
        )  # fmt: skip

    async def capture(self, **_: Any) -> ScannedPage:
        jpeg = page_png(b"")
        return ScannedPage(jpeg=jpeg, width_px=620, height_px=877, sharpness=1.0, sha256=sha256_hex(jpeg))


class Props:
    """Devices that always serve; cards that are written are not among them."""

    def __init__(self) -> None:
        self.card_reader, self.face_check, self.document_scanner = Reader(), Face(), Camera()
        self.receipt_printer = self.document_printer = Printer()
        self.signature_pad = Touchscreen(TouchscreenOptions())
        self.payment_terminal = self.code_scanner = self.card_rewriter = self.smart_card_reader = None

    def is_fit(self, device_class: DeviceClass) -> bool:
        return device_class is not DeviceClass.CODE_SCANNER

    def faults_of(self, _: DeviceClass) -> tuple[()]:
        return ()

    async def wipe(self) -> None:
        return


class Authorities:
    """Answers whatever the matter's later steps ask of an answer."""

    def __init__(self, matter: Matter) -> None:
        self._text = matter.model_dump_json(by_alias=True)
        self._steps = {step.operation: step.id for step in matter.steps if isinstance(step, CallServiceStep)}

    async def call(self, operation: str, payload: Mapping[str, Any], *, request_id: str, **_: Any) -> ServiceAnswer:
        if operation == "certificates.query":
            kind = str(payload.get("type"))
            data = {
                "found": True,
                "identifier": "1.2.156.3005.2." + "0" * 12,
                "fields": self._named(f"certificate.{kind}"),
            }
        elif operation.startswith("sms."):
            data = {"masked_phone": "130****0001", "challenge_id": "rehearsal"}
        else:
            data = self._named(f"service.{self._steps.get(operation, '')}")
        return ServiceAnswer(request_id=request_id, outcome="done", case_number="YZ20260001", data=data)

    async def document(self, document_id: str) -> bytes:
        return document_id.encode()

    async def outcome(self, request_id: str) -> str:
        del request_id
        return "done"

    def _named(self, prefix: str) -> dict[str, Any]:
        names = re.findall(rf"{re.escape(prefix)}\.([a-z0-9_]+)", self._text)
        lists = set(re.findall(rf'"choices_from":"{re.escape(prefix)}\.([a-z0-9_]+)"', self._text))
        return {name: _listed() if name in lists else _made_up(name) for name in names}


def _listed() -> list[dict[str, str]]:
    return [{"id": f"choice_{number}", "label": f"样例{number}"} for number in (1, 2, 3)]


def _made_up(name: str) -> str:
    ends = (("_fen", "2000"), ("fen", "2000"), ("date", "2026-06-30"), ("until", "2026-06-30"), ("_on", "2026-06-30"),
            ("count", "1"), ("total", "1"), ("document_id", "document"), ("code", "35020026000000000017"))  # fmt: skip
    return next((value for end, value in ends if name.endswith(end)), "样例")


class Cashier:
    """Everything is paid at the second look."""

    def __init__(self) -> None:
        self._looks = 0

    async def channels(self) -> frozenset[str]:
        return frozenset({"alipay", "wechat", "non_tax"})

    def till(self, _: str) -> Cashier:
        return self

    def settle_soon(self) -> None:
        return

    async def begin(self, order_id: str, _: Any) -> Standing:
        return Standing("waiting", qr=f"https://example.invalid/{order_id}")

    async def look(self, *_: Any, **__: Any) -> Standing:
        self._looks += 1
        now = dt.datetime.now(dt.UTC)
        return (
            Standing("paid", reference="样例", paid_at=now, channel="alipay")
            if self._looks > 1
            else Standing("waiting")
        )

    close = look

    async def allow_delivery(self, _: str) -> None:
        return

    async def delivered(self, *_: Any) -> None:
        return

    async def give_back(self, *_: Any) -> None:
        return


class Shelf:
    bundle_hash = "0" * 64

    def __init__(self, matter: Matter) -> None:
        self._matter = matter

    def matters(self) -> Sequence[Matter]:
        return (self._matter,)

    def matter(self, matter_id: str) -> Matter | None:
        return self._matter if matter_id == self._matter.id else None


async def rehearse(matter: Matter, answers: Mapping[str, str], mode: Mode, language: Language) -> list[View]:
    """Every screen the citizen sees, in order. Raises `TimeoutError` when the way does not end."""
    views: list[View] = []
    changed = asyncio.Event()

    def hear(view: View) -> None:
        views.append(view)
        changed.set()

    with tempfile.TemporaryDirectory(prefix="yizhan-rehearsal-") as place:
        journal = Journal.open(Path(place) / "journal.sqlite", terminal="rehearsal")
        stage = Stage(_equipment(matter, journal), language=language, mode=mode)
        stage.subscribe(hear, lambda _picture: None)
        stage.wake()
        stage.start(matter.id)
        async with asyncio.timeout(LONGEST_SECONDS):
            seen = await _walked(stage, Player(matter, answers), lambda: views[-1], changed)
        await stage.close()
        journal.close()
    return seen


async def _walked(stage: Stage, player: Player, now: Callable[[], View], changed: asyncio.Event) -> list[View]:
    seen: list[View] = []
    begun = False
    while True:
        changed.clear()
        view = now()
        if view.screen is not None and view.stage is StageKind.SESSION:
            begun = True
            if not seen or seen[-1].screen is not view.screen:
                seen.append(view)
                answer = player.answer_to(view.screen)
                if answer is not None:
                    stage.answer(answer)
        elif begun:
            return seen
        await changed.wait()


def _equipment(matter: Matter, journal: Journal) -> Equipment:
    props: Any = Props()
    cashier: Any = Cashier()
    return Equipment(
        devices=props, journal=journal, services=Authorities(matter), library=Shelf(matter), verify_seal=sha256_hex,
        render_page=page_png, sweep_memory=lambda: None, now=lambda: dt.datetime.now(dt.UTC), terminal="0000",
        site="样例便利店", payments=cashier,
    )  # fmt: skip


def page_png(_: bytes) -> bytes:
    """A blank page: what a paper says is its template's business."""
    content = io.BytesIO()
    Image.new("RGB", (620, 877), "white").save(content, "PNG")
    return content.getvalue()


def read_matter_json(path: Path) -> Matter:
    return Matter.model_validate(json.loads(path.read_text(encoding="utf-8")))
