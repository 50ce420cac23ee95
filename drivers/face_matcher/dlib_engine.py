"""`face_matcher/dlib`: camera and comparison in one process. Frames and encodings never leave it."""

from __future__ import annotations

import asyncio
import datetime as dt
import importlib
import secrets
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from drivers.errors import ConsentRequired, DeviceAbsent, DeviceBusy, DeviceError, DeviceOffline
from drivers.face_matcher.decision import Judgement, judge
from drivers.face_matcher.engine import DlibEngine, Vector
from drivers.face_matcher.liveness import Direction, FaceCourse, Next, Rules, Seen
from drivers.face_matcher.quality import MATCHING, POSITION, hindrance
from drivers.messages import (
    Capabilities,
    DeviceClass,
    DeviceState,
    DeviceStatus,
    FaceDecision,
    FaceProgress,
    FaceVerdict,
    Fault,
    FaultAction,
    Message,
    Preview,
)

Image = NDArray[np.uint8]
T = TypeVar("T")

CAMERA_MODULE = "drivers.face_camera.uvc"
PREVIEW_WIDTH = 480
PREVIEW_SECONDS = 1 / 15
TRY_AGAIN = frozenset(
    {"GREY_ZONE", "IDENTITY_CHANGED", "STEP_TIMEOUT", "WRONG_DIRECTION", "DISCONTINUITY", "FACE_LOST"}
)
"""Worth another attempt with new random steps; anything else ends the check."""


class FaceMatcherOptions(Message):
    """Distances: smaller is more alike. Provisional for the population served until tried there (spike-face 3)."""

    camera: str = "0"
    fps: float = Field(default=25.0, gt=0, le=120)
    loop: bool = True
    width: int = Field(default=1280, ge=320, le=4096)
    height: int = Field(default=720, ge=240, le=4096)
    detection_width: int = Field(default=480, ge=200, le=1920)
    accept_at: float = Field(default=0.50, gt=0, lt=1)
    retry_at: float = Field(default=0.60, gt=0, lt=1)
    attempts: int = Field(default=3, ge=1, le=5)
    head_turn_steps: int = Field(default=2, ge=1, le=4)
    position_seconds: float = Field(default=8.0, gt=0, le=60)
    step_seconds: float = Field(default=6.0, gt=0, le=30)


class Camera(Protocol):
    """What this room uses of drivers.face_camera.uvc; loaded by name, device classes do not import one another."""

    def open(self) -> None: ...
    def newest(self, after: int = 0, timeout_seconds: float = 2.0) -> Any: ...
    def close(self) -> None: ...


@dataclass
class _Check:
    """What one check holds: wiped when it ends, however it ends."""

    card: Vector | None = None
    live: list[Vector] = field(default_factory=list)
    turned: list[Vector] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    attempts: int = 0

    def spend(self, part: str, work: Callable[[], T]) -> T:
        started = time.perf_counter()
        try:
            return work()
        finally:
            self.seconds[part] = self.seconds.get(part, 0.0) + time.perf_counter() - started

    def forget_attempt(self) -> None:
        self.live.clear()
        self.turned.clear()

    def wipe(self) -> None:
        for vector in (*self.live, *self.turned, *(() if self.card is None else (self.card,))):
            vector[:] = 0
        self.forget_attempt()
        self.card = None


class FaceMatcher:
    """Implements `drivers.protocols.FaceCheck`. The camera is open only while a check runs."""

    Options = FaceMatcherOptions
    standby = True  # loading the models is what costs; no camera is opened before a check

    def __init__(self, options: FaceMatcherOptions) -> None:
        self._options = options
        uvc = importlib.import_module(CAMERA_MODULE)
        self._camera_options = uvc.CameraOptions(
            camera=options.camera, fps=options.fps, loop=options.loop, width=options.width, height=options.height
        )
        self._camera: Camera = uvc.FrameGrabber(self._camera_options)
        self._camera_status: Callable[[Any], DeviceStatus] = uvc.camera_status
        self._camera_fault: Fault | None = None
        self._engine: DlibEngine | None = None
        self._engine_failure: DeviceError | None = None
        self._engine_ready = threading.Event()
        self._check: _Check | None = None
        self._loading = threading.Thread(target=self._load, name="engine", daemon=True)
        self._loading.start()

    def _load(self) -> None:
        try:
            engine = DlibEngine(detection_width=self._options.detection_width)
            engine.warm_up()
            self._engine = engine
        except DeviceError as error:
            self._engine_failure = error
        finally:
            self._engine_ready.set()

    async def capabilities(self) -> Capabilities:
        return Capabilities(
            device_class=DeviceClass.FACE_MATCHER, driver="face_matcher/dlib", version="1", status_source="inferred",
            poll_safe_in_motion=True, cancellable=frozenset({"verify"}),
            features=frozenset({"head_turn", "preview", "match_on_host"}),
        )  # fmt: skip

    async def status(self) -> DeviceStatus:
        """The camera's node and last fault, and whether the engine is there."""
        status = self._camera_status(self._camera_options)
        if self._engine_failure is not None:
            fault = Fault(
                code=self._engine_failure.reason, action=FaultAction.CONFIGURATION, since=dt.datetime.now(dt.UTC)
            )
            return status.model_copy(update={"device": DeviceState.HARDWARE_ERROR, "faults": (fault,)})
        if not self._engine_ready.is_set():
            return status.model_copy(update={"device": DeviceState.STARTING})
        if self._camera_fault is not None and status.device is DeviceState.ONLINE:
            parts = status.parts | {"rgb": "inoperative"}
            return status.model_copy(update={"faults": (self._camera_fault,), "parts": parts})
        return status

    async def verify(
        self, *, reference_png: bytes, consent_id: str, head_turn: bool = True, timeout_seconds: float = 30.0
    ) -> AsyncGenerator[FaceProgress | Preview | FaceVerdict, None]:
        """See `FaceCheck.verify`. A lost or stalled camera ends the check with a STAFF verdict and its reason."""
        if not consent_id:
            raise ConsentRequired("a face is compared only with the citizen's consent")
        if self._check is not None:
            raise DeviceBusy("a face check is running")
        check = self._check = _Check()
        verdict: FaceVerdict | None = None
        opening: asyncio.Future[None] | None = None
        try:
            engine = await asyncio.to_thread(self._loaded_engine)
            opening = asyncio.ensure_future(asyncio.to_thread(self._camera.open))
            encoding = asyncio.to_thread(check.spend, "encode_card", lambda: engine.encode_card(reference_png))
            check.card, _ = await asyncio.gather(encoding, asyncio.shield(opening))
            self._camera_fault = None
            if check.card is None:
                verdict = self._verdict(engine, check, Judgement(FaceDecision.STAFF, "CARD_PHOTO_UNUSABLE", None))
            else:
                async for item in self._attempts(engine, check, head_turn, time.monotonic() + timeout_seconds):
                    if isinstance(item, FaceVerdict):
                        verdict = item
                    else:
                        yield item
        except (DeviceOffline, DeviceAbsent) as error:
            if opening is None:
                raise
            self._camera_fault = Fault(code=error.reason, action=FaultAction.CLEAR, since=dt.datetime.now(dt.UTC))
            verdict = self._verdict(engine, check, Judgement(FaceDecision.STAFF, error.reason.upper(), None))
        finally:
            check.wipe()
            if opening is not None:  # a camera that opens after a cancelled check must still be closed
                await asyncio.wait({opening})
            await asyncio.to_thread(self._camera.close)
            self._check = None
        assert verdict is not None
        yield verdict

    def _loaded_engine(self) -> DlibEngine:
        self._engine_ready.wait()
        if self._engine is None:
            raise self._engine_failure or DeviceAbsent("the face engine did not start", "engine_unavailable")
        return self._engine

    async def _attempts(
        self, engine: DlibEngine, check: _Check, head_turn: bool, deadline: float
    ) -> AsyncGenerator[FaceProgress | Preview | FaceVerdict, None]:
        judgement = Judgement(FaceDecision.STAFF, "ATTEMPTS_EXHAUSTED", None)
        while check.attempts < self._options.attempts and time.monotonic() < deadline:
            check.attempts += 1
            check.forget_attempt()
            outcome = ""
            async for item in self._course(engine, check, head_turn, deadline):
                if isinstance(item, str):
                    outcome = item
                else:
                    yield item
            judgement = await asyncio.to_thread(self._judged, check, outcome)
            if judgement.reason not in TRY_AGAIN:
                break
        else:
            judgement = Judgement(FaceDecision.STAFF, judgement.reason, judgement.distance)
        yield self._verdict(engine, check, judgement)

    def _judged(self, check: _Check, outcome: str) -> Judgement:
        if outcome:
            return Judgement(FaceDecision.RETRY, outcome, None)
        assert check.card is not None
        card = check.card
        limits = {"accept_at": self._options.accept_at, "retry_at": self._options.retry_at}
        return check.spend("decide", lambda: judge(check.live, card, turned=check.turned, **limits))

    async def _course(
        self, engine: DlibEngine, check: _Check, head_turn: bool, deadline: float
    ) -> AsyncIterator[FaceProgress | Preview | str]:
        """One attempt; the last item is the reason it failed, or an empty string."""
        options = self._options
        sides: tuple[Direction, ...] = ("left", "right")
        turns = [secrets.choice(sides) for _ in range(options.head_turn_steps)] if head_turn else []
        rules = Rules(position_seconds=options.position_seconds, step_seconds=options.step_seconds)
        started = time.monotonic()
        course = FaceCourse(rules, turns, started)
        told: tuple[str, int] = ("", -1)
        sequence, shown_at = 0, 0.0
        while time.monotonic() < deadline:
            frame = await asyncio.to_thread(check.spend, "capture", lambda after=sequence: self._camera.newest(after))
            sequence = frame.sequence
            step = await asyncio.to_thread(_look, engine, check, course, frame)
            if time.monotonic() - shown_at >= PREVIEW_SECONDS and not step.is_over:
                shown_at = time.monotonic()
                yield mirrored(frame.image)
            if step.is_over:
                part = "head_turn" if turns else "passive"
                check.seconds[part] = check.seconds.get(part, 0.0) + time.monotonic() - started
                yield step.failure
                return
            if (step.prompt, step.step) != told:
                told = step.prompt, step.step
                phase = "decide" if step.phase == "done" else step.phase
                yield FaceProgress(phase=phase, prompt=step.prompt, step=step.step, steps=len(turns))
        yield "POSITION_TIMEOUT" if course.phase == "position" else "STEP_TIMEOUT"

    def _verdict(self, engine: DlibEngine, check: _Check, judgement: Judgement) -> FaceVerdict:
        return FaceVerdict(
            decision=judgement.decision, reason=judgement.reason, distance=judgement.distance,
            accept_at=self._options.accept_at, retry_at=self._options.retry_at, engine=engine.name,
            model_sha256=engine.model_sha256, attempts=check.attempts,
            milliseconds={part: round(seconds * 1000) for part, seconds in check.seconds.items()},
        )  # fmt: skip

    async def wipe(self) -> None:
        if self._check is not None:
            self._check.wipe()
        await asyncio.to_thread(self._camera.close)

    async def close(self) -> None:
        await self.wipe()
        await asyncio.to_thread(self._loading.join)


def _look(engine: DlibEngine, check: _Check, course: FaceCourse, frame: Any) -> Next:
    """Detect, judge the quality, move the course on, and encode when it asks for this frame."""
    faces = check.spend("detect", lambda: engine.detect(frame.image))
    poses_freely = course.phase in ("turn", "return")
    loose = hindrance(frame.image, faces, POSITION, pose_matters=not poses_freely)
    unfit = loose or hindrance(frame.image, faces, MATCHING)
    face = faces[0] if faces else None
    seen = Seen(loose, unfit) if face is None else Seen(loose, unfit, face.parallax, face.centre, face.width)
    step = course.feed(seen, frame.taken_at)
    if step.encode and face is not None:
        vectors = check.turned if step.turned else check.live
        vectors.append(check.spend("encode", lambda: engine.encode(frame.image, face)))
    return step


def mirrored(image: Image) -> Preview:
    """A small picture as a mirror shows it, for the screen."""
    height = round(image.shape[0] * PREVIEW_WIDTH / image.shape[1])
    small = cv2.flip(cv2.resize(image, (PREVIEW_WIDTH, height), interpolation=cv2.INTER_LINEAR), 1)
    return Preview(width=PREVIEW_WIDTH, height=height, rgb=cv2.cvtColor(small, cv2.COLOR_BGR2RGB).tobytes())
