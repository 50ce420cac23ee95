"""A small world for flow tests: scripted devices and authorities, the real journal, a citizen who reads screens."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from drivers.errors import CommandTimedOut, DeviceError, DeviceOffline
from drivers.messages import (
    Capabilities,
    CardType,
    DeviceClass,
    DeviceState,
    DeviceStatus,
    DocumentJob,
    FaceDecision,
    FaceProgress,
    FaceVerdict,
    Fault,
    IdCard,
    Preview,
    PrintJob,
    PrintOutcome,
    PrintResult,
    ScannedPage,
)
from kiosk.contracts.errors import SealRejected
from kiosk.contracts.fleet import ServiceAnswer
from kiosk.contracts.matter import Matter
from kiosk.contracts.value import sha256_hex
from kiosk.flow.equipment import Equipment, TimeOuts
from kiosk.flow.screens import Chosen, FormFilled, Left, Screen, StageKind, View, WentBack
from kiosk.flow.stage import Stage
from kiosk.machine.journal import Journal

NOW = dt.datetime(2026, 3, 5, 21, 30, tzinfo=dt.UTC)
LIN = IdCard(
    card_type=CardType.RESIDENT,
    name="林测试",
    sex="1",
    nation_code="01",
    nation="汉",
    birth_date=dt.date(1901, 2, 3),
    address="福建省厦门市思明区样例路1号101室",
    id_number="350203190102030017",
    issuer="厦门市公安局思明分局",
    valid_from=dt.date(2020, 1, 1),
    valid_until=dt.date(2040, 1, 1),
    sam_id="05.01-20141127-0000123456-1234567890",
    photo=b"photo",
)


def text(word: str) -> dict[str, str]:
    return {"zh-CN": word, "zh-TW": word, "en": word}


def matter(*steps: dict[str, Any], assurance: str = "card_person", id: str = "sample") -> Matter:
    complete = [{"title": text(step["id"]), "say": text("请看屏幕")} | step for step in steps]
    guide = {part: text("无") for part in ("conditions", "materials", "time_limit", "fee", "result", "legal_basis")}
    return Matter.model_validate(
        {
            "id": id, "code": "350200000000", "version": 1, "title": text("样例事项"), "department": "sample_office",
            "department_name": text("样例局"), "region": "350200", "life_event": "housing", "icon": "house",
            "guide": guide, "assurance": assurance, "steps": complete,
        }
    )  # fmt: skip


class ScriptedReader:
    def __init__(self) -> None:
        self.cards: list[IdCard | DeviceError] = [LIN]
        self.removals = 0

    async def read(self, *, timeout_seconds: float = 15.0, want_photo: bool = True) -> IdCard:
        del want_photo
        if not self.cards:
            await asyncio.sleep(timeout_seconds)
            raise CommandTimedOut("no card came")
        card = self.cards.pop(0)
        if isinstance(card, DeviceError):
            raise card
        return card

    async def wait_removal(self, *, timeout_seconds: float = 30.0) -> None:
        del timeout_seconds
        self.removals += 1

    async def decode_photo(self, photo: bytes) -> bytes | None:
        return b"PNG" + photo


class ScriptedFace:
    def __init__(self) -> None:
        self.decisions = [FaceDecision.ACCEPT]
        self.consents: list[str] = []

    async def verify(
        self, *, reference_png: bytes, consent_id: str, head_turn: bool = True, timeout_seconds: float = 30.0
    ) -> AsyncGenerator[FaceProgress | Preview | FaceVerdict, None]:
        del reference_png, head_turn, timeout_seconds
        self.consents.append(consent_id)
        yield FaceProgress(phase="position", prompt="LOOK_STRAIGHT")
        yield Preview(width=1, height=1, rgb=b"abc")
        decision = self.decisions.pop(0)
        yield FaceVerdict(
            decision=decision, reason="" if decision is FaceDecision.ACCEPT else "NO_MATCH", distance=0.31,
            accept_at=0.5, retry_at=0.6, engine="scripted", model_sha256="0" * 64, attempts=1,
        )  # fmt: skip


class ScriptedPrinter:
    """Both printers. `outcomes` are consumed one a job, `states` one a question; `later` is said when asked after."""

    def __init__(self) -> None:
        self.outcomes: list[PrintOutcome | DeviceError] = []
        self.later = PrintOutcome.UNCERTAIN
        self.later_reason = "job_unknown"
        self.after_cancel: PrintOutcome | None = None
        self.states: list[DeviceStatus] = []
        self.jobs: list[str] = []
        self.receipts: list[PrintJob] = []

    def _result(self, job_id: str) -> PrintResult:
        self.jobs.append(job_id)
        outcome = self.outcomes.pop(0) if self.outcomes else PrintOutcome.PRINTED
        if isinstance(outcome, DeviceError):
            raise outcome
        return PrintResult(
            job_id=job_id, outcome=outcome, reason="" if outcome is PrintOutcome.PRINTED else "paper_out"
        )

    async def status(self) -> DeviceStatus:
        return self.states.pop(0) if self.states else DeviceStatus(device=DeviceState.ONLINE)

    async def cancel_job(self, job_id: str) -> None:
        del job_id
        self.later = self.after_cancel or self.later

    async def print_document(self, job: DocumentJob, *, timeout_seconds: float = 120.0) -> PrintResult:
        del timeout_seconds
        return self._result(job.job_id)

    async def find_job(self, job_id: str, printer_job_id: str | None) -> PrintResult:
        del printer_job_id
        return PrintResult(job_id=job_id, outcome=self.later, reason=self.later_reason)

    async def print_receipt(self, job: PrintJob, *, timeout_seconds: float = 20.0) -> PrintResult:
        del timeout_seconds
        self.receipts.append(job)
        return self._result(job.job_id)


class ScriptedScanner:
    def __init__(self) -> None:
        self.pages: list[DeviceError | None] = []

    async def capabilities(self) -> Capabilities:
        return Capabilities(
            device_class=DeviceClass.DOCUMENT_SCANNER, driver="document_scanner/scripted", version="1",
            status_source="polled", poll_safe_in_motion=True, features=frozenset({"camera", "reads_zone"}),
        )  # fmt: skip

    async def capture(self, *, timeout_seconds: float = 20.0) -> ScannedPage:
        del timeout_seconds
        page = self.pages.pop(0) if self.pages else None
        if page is not None:
            raise page
        return ScannedPage(jpeg=b"jpeg", width_px=10, height_px=14, sharpness=1.0, sha256=sha256_hex(b"jpeg"))


@dataclass
class ScriptedDevices:
    card_reader: Any = field(default_factory=ScriptedReader)
    face_check: Any = field(default_factory=ScriptedFace)
    receipt_printer: Any = field(default_factory=ScriptedPrinter)
    document_printer: Any = field(default_factory=ScriptedPrinter)
    document_scanner: Any = field(default_factory=ScriptedScanner)
    signature_pad: Any = None
    payment_terminal: Any = None
    code_scanner: Any = None
    card_rewriter: Any = None
    smart_card_reader: Any = None
    unfit: set[DeviceClass] = field(default_factory=set)
    wipes: int = 0

    faults: dict[DeviceClass, tuple[Fault, ...]] = field(default_factory=dict)

    def is_fit(self, device_class: DeviceClass) -> bool:
        return device_class not in self.unfit

    def faults_of(self, device_class: DeviceClass) -> tuple[Fault, ...]:
        return self.faults.get(device_class, ())

    async def wipe(self) -> None:
        self.wipes += 1


class ScriptedServices:
    """Answers by operation: data, an exception, or a list of them consumed one a call."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.pdf = b"%PDF sealed"

    async def call(self, operation: str, payload: dict[str, Any], *, request_id: str, **_: Any) -> ServiceAnswer:
        self.calls.append((operation, request_id, payload))
        answer = self.answers.get(operation, {})
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return ServiceAnswer(request_id=request_id, outcome="done", case_number="CASE-1", data=answer)

    async def document(self, document_id: str) -> bytes:
        del document_id
        return self.pdf


class FixedLibrary:
    bundle_hash = "b" * 64

    def __init__(self, *matters: Matter) -> None:
        self._matters = matters

    def matters(self) -> Sequence[Matter]:
        return self._matters

    def matter(self, matter_id: str) -> Matter | None:
        return next((matter for matter in self._matters if matter.id == matter_id), None)


def verify_seal(pdf: bytes) -> str:
    if b"sealed" not in pdf:
        raise SealRejected("the seal is missing")
    return sha256_hex(pdf)


class World:
    """Stage, devices, authorities and a citizen; made inside a running loop."""

    def __init__(
        self, directory: Path, *matters: Matter, time_outs: TimeOuts | None = None, services: Any = None, **parts: Any
    ) -> None:
        """`parts` take the place of other members of the equipment, a `journal` that stays open among them."""
        self.devices = ScriptedDevices()
        self.services = services or ScriptedServices()
        self._owns_journal = "journal" not in parts
        self.journal = parts.pop("journal", None) or Journal.open(
            directory / "journal.sqlite", terminal="T-0001", clock=lambda: NOW
        )
        self.swept = 0
        self.on_sweep: Callable[[], object] = lambda: None
        self.stage = Stage(
            replace(
                Equipment(
                    devices=self.devices,
                    journal=self.journal,
                    services=self.services,
                    library=FixedLibrary(*matters),
                    verify_seal=verify_seal,
                    render_page=lambda pdf: b"PNG" + pdf,
                    sweep_memory=self._sweep,
                    now=lambda: NOW,
                    terminal="T-0001",
                    site="样例便利店",
                    time_outs=time_outs or TimeOuts(),
                ),
                **parts,
            )
        )
        self.views: list[View] = []
        self.previews: list[Preview] = []
        self._changed = asyncio.Event()
        self.stage.subscribe(self._on_view, self.previews.append)
        self._running = asyncio.create_task(self.stage.run())

    def _sweep(self) -> None:
        self.swept += 1
        self.on_sweep()

    def _on_view(self, view: View) -> None:
        self.views.append(view)
        self._changed.set()

    async def close(self) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        if self._owns_journal:
            self.journal.close()

    # --- the citizen ---------------------------------------------------------------------------------------------

    async def until(self, condition: Callable[[View], bool], seconds: float = 10.0) -> View:
        async with asyncio.timeout(seconds):
            while not condition(self.views[-1]):
                self._changed.clear()
                await self._changed.wait()
        return self.views[-1]

    async def screen(self, step_id: str, kind: str | None = None) -> Screen:
        """Wait until a screen of this step that expects an answer, or of this kind, stands."""
        view = await self.until(
            lambda view: (
                view.screen is not None
                and view.screen.step_id == step_id
                and (view.screen.kind == kind if kind else view.screen.kind != "working")
            )
        )
        assert view.screen is not None
        return view.screen

    def choose(self, screen: Screen, option: str, several: tuple[str, ...] = ()) -> None:
        self.stage.answer(Chosen(screen_id=screen.screen_id, option=option, several=several))

    def fill(self, screen: Screen, **values: str) -> None:
        self.stage.answer(FormFilled(screen_id=screen.screen_id, values=values))

    def back(self, screen: Screen) -> None:
        self.stage.answer(WentBack(screen_id=screen.screen_id))

    def leave(self) -> None:
        self.stage.answer(Left())

    async def sign_in_by_face(self, step_id: str = "who") -> None:
        self.choose(await self.screen(step_id, "choose"), "face")
        self.choose(await self.screen(step_id, "review"), "agree")

    async def finished(self) -> None:
        """Until the visit is over and everything is wiped and journalled."""
        await self.until(lambda view: view.stage in (StageKind.ATTRACT, StageKind.OUT_OF_SERVICE))
        async with asyncio.timeout(5):
            while not self.events("session_ended"):
                await asyncio.sleep(0.01)

    def events(self, *names: str) -> list[tuple[str, dict[str, Any]]]:
        return [(e.event, e.data) for e in self.journal.entries(0, 500) if not names or e.event in names]


OFFLINE = DeviceOffline("the device's process died")
