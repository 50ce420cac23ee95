"""Camera and comparison in one process, whatever the engine: frames and encodings never leave it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import importlib
import secrets
import threading
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from pydantic import Field

from drivers.errors import ConsentRequired, DeviceAbsent, DeviceBusy, DeviceError, DeviceOffline
from drivers.face_matcher.decision import Judgement, judge
from drivers.face_matcher.encodings import Encoding, Encodings
from drivers.face_matcher.engine import Face, FaceEngine, Thresholds
from drivers.face_matcher.infrared import NEAR_SECONDS, InfraredCues
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

T = TypeVar("T")

CAMERA_MODULE = "drivers.face_camera.uvc"
PREVIEW_SECONDS = 1 / 15
SPENT_SECONDS = 0.4
"""Detection in the colour picture passes before the infrared one is taken."""
TRY_AGAIN = frozenset(
    {"GREY_ZONE", "IDENTITY_CHANGED", "STEP_TIMEOUT", "WRONG_DIRECTION", "DISCONTINUITY", "FACE_LOST",
     "IR_NO_FACE", "IR_MISMATCH"}
)  # fmt: skip
"""Worth another attempt with new random steps; anything else ends the check."""


class MatcherOptions(Message):
    """What every engine shares."""

    camera: str = "0"
    fps: float = Field(default=25.0, gt=0, le=120)
    loop: bool = True
    width: int = Field(default=1280, ge=320, le=4096)
    height: int = Field(default=720, ge=240, le=4096)
    ir_camera: str = Field(default="", description="an infrared camera beside it: cues of life, see README")
    ir_required: bool = Field(default=False, description="without infrared pictures nobody is accepted")
    attempts: int = Field(default=3, ge=1, le=5)
    head_turn_steps: int = Field(default=2, ge=1, le=4)
    position_seconds: float = Field(default=8.0, gt=0, le=60)
    step_seconds: float = Field(default=6.0, gt=0, le=30)


class Camera(Protocol):
    """What this room uses of drivers.face_camera.uvc; loaded by name, device classes do not import one another."""

    def open(self) -> None: ...
    def newest(self, after: int = 0, timeout_seconds: float = 2.0) -> Any: ...
    def close(self) -> None: ...
    def status(self) -> DeviceStatus: ...
    def look(self) -> None: ...

    @property
    def wants_look(self) -> bool: ...


@dataclass
class _Check:
    """What one check holds: forgotten when it ends, however it ends."""

    live: list[Encoding] = field(default_factory=list)
    turned: list[Encoding] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    attempts: int = 0
    infrared: InfraredCues = field(default_factory=InfraredCues)

    def spend(self, part: str, work: Callable[[], T]) -> T:
        started = time.perf_counter()
        try:
            return work()
        finally:
            self.seconds[part] = self.seconds.get(part, 0.0) + time.perf_counter() - started

    def forget_attempt(self) -> None:
        self.live.clear()
        self.turned.clear()
        self.infrared = InfraredCues()


class Matcher:
    """Implements `drivers.protocols.FaceCheck` for any engine. The cameras are open only while a check runs."""

    standby = True  # loading the models is what costs; no camera is opened before a check
    driver = ""

    def __init__(self, options: MatcherOptions) -> None:
        self._options = options
        uvc = importlib.import_module(CAMERA_MODULE)
        camera_options = uvc.CameraOptions(
            camera=options.camera, fps=options.fps, loop=options.loop, width=options.width, height=options.height
        )
        self._camera: Camera = uvc.WatchedCamera(camera_options)
        second = uvc.infrared_options(camera_options, options.ir_camera)
        self._infrared: Camera | None = None if second is None else uvc.WatchedCamera(second)
        self._is_simulated: bool = uvc.is_simulated(options.camera)
        self._with_infrared: Callable[[DeviceStatus, DeviceStatus | None], DeviceStatus] = uvc.with_infrared
        self._mirrored: Callable[[Any], Preview] = uvc.mirrored
        self._engine: FaceEngine | None = None
        self._engine_failure: Fault | None = None
        self._engine_ready = threading.Event()
        self._check: _Check | None = None
        self._looking: asyncio.Task[None] | None = None
        self._loading = threading.Thread(target=self._load, name="engine", daemon=True)
        self._loading.start()

    def make_engine(self) -> FaceEngine:
        """Called once, in a thread of its own. Raises `DeviceError`."""
        raise NotImplementedError

    def thresholds(self, engine: FaceEngine) -> Thresholds:
        """The engine's own, or what the settings of this machine say."""
        raise NotImplementedError

    def _load(self) -> None:
        try:
            engine = self.make_engine()
            engine.warm_up()
            self._engine = engine
        except DeviceError as error:
            self._engine_failure = _configuration_fault(error.reason)
        except Exception:  # noqa: BLE001 - a vendor's engine may raise anything, and its text may be anything
            self._engine_failure = _configuration_fault("engine_broken")
        finally:
            self._engine_ready.set()

    async def capabilities(self) -> Capabilities:
        features = {"head_turn", "preview", "match_on_host", *(["infrared"] if self._infrared is not None else [])}
        return Capabilities(
            device_class=DeviceClass.FACE_MATCHER, driver=self.driver, version="1", status_source="inferred",
            poll_safe_in_motion=True, cancellable=frozenset({"verify"}), features=frozenset(features),
        )  # fmt: skip

    async def status(self) -> DeviceStatus:
        """What the cameras' last pictures showed, and whether the engine is there. After a failure a camera is tried
        again in the background."""
        if not self._engine_ready.is_set():
            infrared = "not_fitted" if self._infrared is None else "unknown"
            parts = {"rgb": "unknown", "ir": infrared, "lens": "unknown", "illumination": "unknown"}
            return DeviceStatus(device=DeviceState.STARTING, parts=parts, simulated=self._is_simulated)
        said = await asyncio.gather(*(asyncio.to_thread(camera.status) for camera in self._cameras()))
        status = self._with_infrared(said[0], said[1] if len(said) > 1 else None)
        if self._engine_failure is not None:
            faults = (self._engine_failure,)
            return status.model_copy(update={"device": DeviceState.HARDWARE_ERROR, "faults": faults})
        if self._check is None and self._looking is None:
            wanting = [camera for camera in self._cameras() if camera.wants_look]
            if wanting:
                self._looking = asyncio.create_task(self._look(wanting))
        return status

    def _cameras(self) -> list[Camera]:
        return [self._camera] if self._infrared is None else [self._camera, self._infrared]

    async def _look(self, cameras: list[Camera]) -> None:
        try:
            for camera in cameras:
                await asyncio.to_thread(camera.look)
        finally:
            self._looking = None

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
        encodings: Encodings | None = None
        try:
            if not self._engine_ready.is_set():
                await asyncio.to_thread(self._engine_ready.wait)
            engine = self._loaded_engine()
            encodings = Encodings(engine, check.spend)
            opening = asyncio.ensure_future(asyncio.to_thread(self._open))
            await asyncio.gather(encodings.begin_card(reference_png), asyncio.shield(opening))
            async for item in self._attempts(engine, check, encodings, head_turn, time.monotonic() + timeout_seconds):
                if isinstance(item, FaceVerdict):
                    verdict = item
                else:
                    yield item
        except (DeviceOffline, DeviceAbsent) as error:
            if opening is None:
                raise
            verdict = self._verdict(engine, check, Judgement(FaceDecision.STAFF, error.reason.upper(), None))
        finally:
            check.forget_attempt()
            if encodings is not None:
                await encodings.wipe()
            if opening is not None:  # a camera that opens after a cancelled check must still be closed
                await asyncio.wait({opening})
            await asyncio.to_thread(self._close_cameras)
            self._check = None
        assert verdict is not None
        yield verdict

    def _open(self) -> None:
        if self._infrared is not None:
            with contextlib.suppress(DeviceError):  # without it the check goes on, unless it is required
                self._infrared.open()
        self._camera.open()

    def _close_cameras(self) -> None:
        for camera in self._cameras():
            camera.close()

    def _loaded_engine(self) -> FaceEngine:
        if self._engine is None:
            reason = self._engine_failure.code if self._engine_failure else "engine_unavailable"
            raise DeviceAbsent("the face engine did not start: look at its installation", reason)
        return self._engine

    async def _attempts(
        self, engine: FaceEngine, check: _Check, encodings: Encodings, head_turn: bool, deadline: float
    ) -> AsyncGenerator[FaceProgress | Preview | FaceVerdict, None]:
        judgement = Judgement(FaceDecision.STAFF, "ATTEMPTS_EXHAUSTED", None)
        while check.attempts < self._options.attempts and time.monotonic() < deadline:
            if encodings.card_is_unusable:
                judgement = Judgement(FaceDecision.STAFF, "CARD_PHOTO_UNUSABLE", None)
                break
            check.attempts += 1
            check.forget_attempt()
            outcome = ""
            async with contextlib.aclosing(self._course(engine, check, encodings, head_turn, deadline)) as course:
                async for item in course:
                    if encodings.card_is_unusable:
                        break
                    if isinstance(item, str):
                        outcome = item
                    else:
                        yield item
            judgement = await self._judged(engine, check, encodings, outcome)
            if judgement.reason not in TRY_AGAIN:
                break
        else:
            judgement = Judgement(FaceDecision.STAFF, judgement.reason, judgement.distance)
        yield self._verdict(engine, check, judgement)

    async def _judged(self, engine: FaceEngine, check: _Check, encodings: Encodings, outcome: str) -> Judgement:
        reference = await encodings.card()
        if reference is None:
            return Judgement(FaceDecision.STAFF, "CARD_PHOTO_UNUSABLE", None)
        if outcome:
            return Judgement(FaceDecision.RETRY, outcome, None)
        if self._infrared is not None:
            suspicion = check.infrared.suspicion(is_required=self._options.ir_required)
            if suspicion:
                decision = FaceDecision.STAFF if suspicion == "IR_UNAVAILABLE" else FaceDecision.RETRY
                return Judgement(decision, suspicion, None)
        live, turned = await encodings.vectors(check.live), await encodings.vectors(check.turned)
        limits = self.thresholds(engine)
        return check.spend(
            "decide",
            lambda: judge(
                live, reference, turned=turned, compare=engine.compare, accept_at=limits.accept_at,
                retry_at=limits.retry_at, same_person_at=limits.same_person_at,
                turned_person_at=limits.turned_person_at,
            ),
        )  # fmt: skip

    async def _course(
        self, engine: FaceEngine, check: _Check, encodings: Encodings, head_turn: bool, deadline: float
    ) -> AsyncGenerator[FaceProgress | Preview | str, None]:
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
            frame, face, step = await asyncio.to_thread(self._look_at_next, engine, check, course, sequence)
            sequence = frame.sequence
            if step.encode and face is not None:
                (check.turned if step.turned else check.live).append(await encodings.of_frame(frame.image, face))
            if time.monotonic() - shown_at >= PREVIEW_SECONDS and not step.is_over:
                shown_at = time.monotonic()
                yield self._mirrored(frame.image)
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

    def _look_at_next(
        self, engine: FaceEngine, check: _Check, course: FaceCourse, after: int
    ) -> tuple[Any, Face | None, Next]:
        frame = check.spend("capture", lambda: self._camera.newest(after))
        return frame, *_look(engine, check, course, frame, self._infrared)

    def _verdict(self, engine: FaceEngine, check: _Check, judgement: Judgement) -> FaceVerdict:
        limits = self.thresholds(engine)
        return FaceVerdict(
            decision=judgement.decision, reason=judgement.reason, distance=judgement.distance,
            accept_at=limits.accept_at, retry_at=limits.retry_at, engine=engine.name,
            model_sha256=engine.model_sha256, attempts=check.attempts,
            milliseconds={part: round(seconds * 1000) for part, seconds in check.seconds.items()},
        )  # fmt: skip

    async def wipe(self) -> None:
        await asyncio.to_thread(self._close_cameras)

    async def close(self) -> None:
        await self.wipe()
        await asyncio.to_thread(self._loading.join)


def _look(
    engine: FaceEngine, check: _Check, course: FaceCourse, frame: Any, infrared: Camera | None
) -> tuple[Face | None, Next]:
    """Detect, judge the quality, move the course on; look in infrared too when it asks for this frame."""
    faces = check.spend("detect", lambda: engine.detect(frame.image))
    poses_freely = course.phase in ("turn", "return")
    loose = hindrance(frame.image, faces, POSITION, pose_matters=not poses_freely)
    unfit = loose or hindrance(frame.image, faces, MATCHING)
    face = faces[0] if faces else None
    seen = Seen(loose, unfit) if face is None else Seen(loose, unfit, face.parallax, face.centre, face.width)
    step = course.feed(seen, frame.taken_at)
    if step.encode and face is not None and infrared is not None:
        check.spend("infrared", lambda: _look_in_infrared(engine, check, face, frame, infrared, turned=step.turned))
    return face, step


def _look_in_infrared(
    engine: FaceEngine, check: _Check, face: Face, frame: Any, infrared: Camera, *, turned: bool
) -> None:
    """The same moment through the other camera; without a picture of it there is no pair."""
    try:
        other = infrared.newest(0, NEAR_SECONDS)
    except DeviceError:
        return
    if abs(other.taken_at - frame.taken_at) > NEAR_SECONDS + SPENT_SECONDS:
        return
    faces = engine.detect(other.image)
    largest = max(faces, key=lambda each: each.width, default=None)
    check.infrared.see(face, largest, turned=turned)


def _configuration_fault(code: str) -> Fault:
    return Fault(code=code, action=FaultAction.CONFIGURATION, since=dt.datetime.now(dt.UTC))
