"""Fingerprint modules on a serial line: R503, AS608, ZFM-20/60/70 (device-classes C.9; packet format: packets.py)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from pydantic import Field

from drivers.errors import (
    CommandCancelled,
    CommandTimedOut,
    ConsentRequired,
    DeviceBusy,
    DeviceError,
    DeviceOffline,
    MediaError,
    NeedsAttention,
    Unsupported,
)
from drivers.fingerprint_reader.commands import (
    ADVICE,
    COMBINE_FAILED,
    DARK,
    NO_FINGER,
    NO_MATCH,
    OK,
    REFUSED,
    RESIDUE,
    WAITING,
    Instruction,
    Prompt,
    refusal,
)
from drivers.fingerprint_reader.health import Health
from drivers.fingerprint_reader.module import CAPTURE_SECONDS, LARGEST_TEMPLATE_BYTES, FingerModule
from drivers.messages import (
    Capabilities,
    DeviceClass,
    DeviceState,
    DeviceStatus,
    FaceDecision,
    FingerGuidance,
    FingerTemplate,
    FingerVerdict,
    Message,
)

VERSION: Final = "1.0"
POLL_SECONDS: Final = 0.1
MOST_POOR: Final = 6
MOST_RESIDUES: Final = 4
MOST_MISMATCHES: Final = 3
VERIFY_ATTEMPTS: Final = 3
FEWEST_CAPTURES: Final = 2
LIVE, REFERENCE = 1, 2

Result = TypeVar("Result")


class R503Reader:
    """Implements `drivers.protocols.FingerprintReader`.

    One thread speaks on the line, one command at a time. Templates are only ever in the module's volatile buffers: what
    others stored in its flash is deleted when it is opened, and the buffers are overwritten after each command and when
    it is wiped.
    """

    class Options(Message):
        port: str = Field(min_length=1, description="serial device, pseudo-terminal, or socket://host:port")
        baud_rate: int = Field(default=57600, ge=9600, le=115200)
        module_address: int = Field(default=0xFFFFFFFF, ge=0, le=0xFFFFFFFF)
        password: int = Field(default=0, ge=0, le=0xFFFFFFFF, repr=False)
        template_format: str = Field(default="r503", pattern=r"^[a-z0-9_]+$", description="whose templates it makes")
        template_bytes: int = Field(default=1536, ge=256, le=LARGEST_TEMPLATE_BYTES, description="512 for an AS608")
        accept_at: int = Field(default=50, ge=1, le=65535, description="least score of an accepted finger")
        least_quality: int = Field(default=40, ge=0, le=100, description="least agreement of two captures")
        char_buffers: int = Field(default=2, ge=2, le=6, description="2; an R503 has 6")
        fake_code: int | None = Field(
            default=None, ge=0x2A, le=0xEF, description="confirmation by which this firmware reports a false finger"
        )

    def __init__(self, options: R503Reader.Options) -> None:
        self._options = options
        self._module = FingerModule(
            options.port, options.baud_rate, options.module_address, options.password, options.template_bytes
        )
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="r503")
        self._health = Health()
        self._subject = "unknown"
        self._is_running = self._is_closed = self._is_taken_back = False

    # --- what every device can do -----------------------------------------------------------------------------------

    async def capabilities(self) -> Capabilities:
        features = {"verify", "match_on_device", "persistence_clear", f"format_{self._options.template_format}"}
        if self._options.fake_code is not None:
            features.add("fake_detection")
        return Capabilities(
            device_class=DeviceClass.FINGERPRINT_READER,
            driver="fingerprint_reader/r503",
            version=VERSION,
            status_source="polled",
            poll_safe_in_motion=False,
            cancellable=frozenset({"read", "verify"}),
            features=frozenset(features),
        )

    async def status(self) -> DeviceStatus:
        if not self._is_running and not self._is_closed:
            with contextlib.suppress(DeviceError):
                await self._call(self._probe)
        health, state = self._health, self._health.state
        if self._is_running and state in (DeviceState.ONLINE, DeviceState.UNKNOWN):
            state = DeviceState.BUSY
        stored = self._module.stored
        holds = "yes" if self._module.used_buffers or stored else "unknown" if stored is None else "no"
        return DeviceStatus(
            device=state,
            faults=(health.fault,) if health.fault else (),
            parts={"subject": self._subject, "sensor": health.sensor, "holds_data": holds, "persistence": "clear"},
        )

    async def wipe(self) -> None:
        """Also takes back a command that is running. Raises `DeviceError` when the module did not confirm."""
        if self._is_closed:
            return
        self._is_taken_back = True
        self._module.cancelled.set()
        await self._call(self._clear)

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._module.cancelled.set()

        def leave() -> None:
            with contextlib.suppress(DeviceError):
                self._clear()
            self._module.close()

        await asyncio.get_running_loop().run_in_executor(self._worker, leave)
        self._worker.shutdown(wait=False)

    def _probe(self) -> None:
        """A sensor that was dirty or dead is looked through again: a clean, empty one sees no finger."""
        if self._module.is_open:
            self._module.look_up()
        self._module.open()
        if self._health.sensor in ("dirty", "inoperative") and self._take_picture() in (OK, NO_FINGER):
            self._health.good()

    def _clear(self) -> None:
        self._module.cancelled.clear()
        self._module.forget()
        self._subject = "unknown"
        if self._module.is_open:
            self._module.clear_buffers()

    # --- fingers ----------------------------------------------------------------------------------------------------

    async def read(
        self, *, consent_id: str, captures: int = 2, timeout_seconds: float = 30.0
    ) -> AsyncGenerator[FingerGuidance | FingerTemplate, None]:
        """At least two captures, at most as many as the module has buffers."""
        _require(consent_id)
        wanted = min(max(captures, FEWEST_CAPTURES), self._options.char_buffers)
        async with self._turn():
            visit = _Visit(self, timeout_seconds, wanted)
            while True:
                for number in range(1, wanted + 1):
                    async for guidance in visit.capture(number, first=number == 1):
                        yield guidance
                quality = await self._call(self._agreement)
                if quality >= self._options.least_quality:
                    break
                visit.note_mismatch()
                await self._call(lambda: self._module.show(REFUSED))
            template = await self._call(self._take_template)
            yield FingerTemplate(format=self._options.template_format, template=template, quality=quality)

    async def verify(
        self, *, reference: FingerTemplate, consent_id: str, timeout_seconds: float = 30.0
    ) -> AsyncGenerator[FingerGuidance | FingerVerdict, None]:
        _require(consent_id)
        wanted = self._options.template_format
        if reference.format != wanted or not 0 < len(reference.template) <= LARGEST_TEMPLATE_BYTES:
            raise Unsupported(f"this reader compares templates of format {wanted} only", "format_unsupported")
        async with self._turn():
            visit = _Visit(self, timeout_seconds, 1)
            score: int | None = None
            for attempt in range(1, VERIFY_ATTEMPTS + 1):
                async for guidance in visit.capture(LIVE, first=attempt == 1):
                    yield guidance
                score = await self._call(lambda: self._compare(reference.template))
                if score is not None and score >= self._options.accept_at:
                    yield self._verdict(FaceDecision.ACCEPT, "", score, attempt)
                    return
                await self._call(lambda: self._module.show(REFUSED))
            yield self._verdict(FaceDecision.REJECT, "NO_MATCH", score, VERIFY_ATTEMPTS)

    def _verdict(self, decision: FaceDecision, reason: str, score: int | None, captures: int) -> FingerVerdict:
        accept_at = self._options.accept_at
        return FingerVerdict(decision=decision, reason=reason, score=score, accept_at=accept_at, captures=captures)

    def _take_picture(self) -> int:
        """The confirmation: OK, no finger, or one of `ADVICE`. Raises for everything else."""
        code = self._module.ask(Instruction.GEN_IMG, seconds=CAPTURE_SECONDS).code
        self._subject = "not_present" if code == NO_FINGER else "present"
        if code == self._options.fake_code:
            raise MediaError("the finger is not taken for a living one", "fake_suspected")
        if code not in (OK, NO_FINGER) and code not in ADVICE:
            raise refusal(Instruction.GEN_IMG, code)
        return code

    def _take_features(self, buffer: int) -> int:
        self._module.used_buffers.add(buffer)
        code = self._module.ask(Instruction.IMG_2_TZ, bytes([buffer]), seconds=CAPTURE_SECONDS).code
        if code == self._options.fake_code:
            raise MediaError("the finger is not taken for a living one", "fake_suspected")
        if code != OK and code not in ADVICE:
            raise refusal(Instruction.IMG_2_TZ, code)
        if code == OK:
            self._health.good()
        return code

    def _agreement(self) -> int:
        """How well the first two captures agree: 0 to 100."""
        return min(100, self._match() or 0)

    def _match(self) -> int | None:
        answer = self._module.ask(Instruction.MATCH)
        if answer.code == NO_MATCH:
            return None
        if answer.code != OK:
            raise refusal(Instruction.MATCH, answer.code)
        return int.from_bytes(answer.data, "big")

    def _take_template(self) -> bytes:
        code = self._module.ask(Instruction.REG_MODEL).code
        if code == COMBINE_FAILED:
            raise MediaError("the captures are not of one finger: try again", "low_quality")
        if code != OK:
            raise refusal(Instruction.REG_MODEL, code)
        template = self._module.upload(LIVE)
        self._module.template_bytes = len(template)
        return template

    def _compare(self, reference: bytes) -> int | None:
        """The reference is handed over for each finger anew: what lies in the buffer then is known."""
        self._module.download(REFERENCE, reference)
        return self._match()

    # --- one command at a time --------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncGenerator[None, None]:
        if self._is_closed:
            raise DeviceOffline("the fingerprint reader was closed")
        if self._is_running:
            raise DeviceBusy("the fingerprint reader is busy with another command")
        self._is_running = True
        self._is_taken_back = False
        self._module.cancelled.clear()
        try:
            await self._call(self._module.open)
            await self._call(lambda: self._module.show(WAITING))
            yield
        except DeviceError as error:
            self._health.note(error)
            raise
        finally:
            self._is_running = False
            await asyncio.get_running_loop().run_in_executor(self._worker, self._end)

    def _end(self) -> None:
        """Whatever failed before stays what is known of the reader."""
        with contextlib.suppress(DeviceError):
            self._clear()
            self._module.show(DARK)

    async def _call(self, work: Callable[[], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, self._noting, work)
        except asyncio.CancelledError:
            self._module.cancelled.set()
            raise

    def _noting(self, work: Callable[[], Result]) -> Result:
        try:
            result = work()
        except DeviceError as error:
            self._health.note(error)
            raise
        self._health.note(None)
        return result

    async def picture(self) -> int:
        if self._is_taken_back:
            raise CommandCancelled("the command was taken back")
        return await self._call(self._take_picture)

    async def features(self, buffer: int) -> int:
        return await self._call(lambda: self._take_features(buffer))


def _require(consent_id: str) -> None:
    if not consent_id:
        raise ConsentRequired("a fingerprint is taken only with the citizen's consent")


class _Visit:
    """One citizen's command: its limit, and what went wrong so far."""

    def __init__(self, reader: R503Reader, timeout_seconds: float, captures: int) -> None:
        self._reader = reader
        self._captures = captures
        self._clock = asyncio.get_running_loop().time
        self._ends_at = self._clock() + timeout_seconds
        self._poor = self._residues = self._mismatches = 0

    async def capture(self, number: int, *, first: bool) -> AsyncGenerator[FingerGuidance, None]:
        """Until the finger's features are in the buffer of that number; first the finger of before must go."""
        if not first or self._mismatches:
            yield self._guidance("LIFT_FINGER", number)
            await self._lifted()
        yield self._guidance("PRESENT_FINGER", number)
        while True:
            code = await self._picture()
            if code == OK:
                code = await self._reader.features(number)
                if code == OK:
                    return
            self._note_poor(code)
            yield self._guidance(ADVICE[code], number)
            await asyncio.sleep(POLL_SECONDS)

    async def _picture(self) -> int:
        while (code := await self._reader.picture()) == NO_FINGER:
            self._check("no finger was placed on the reader", "no_finger")
            await asyncio.sleep(POLL_SECONDS)
        self._check("no finger was seen well in time", "no_finger")
        return code

    async def _lifted(self) -> None:
        while await self._reader.picture() != NO_FINGER:
            self._check("the finger still lies on the reader", "finger_left")
            await asyncio.sleep(POLL_SECONDS)

    def note_mismatch(self) -> None:
        """Two captures that are not of one finger."""
        self._mismatches += 1
        if self._mismatches >= MOST_MISMATCHES:
            raise MediaError("the captures do not agree: try another finger", "low_quality")

    def _note_poor(self, code: int) -> None:
        self._poor += 1
        self._residues += code == RESIDUE
        if self._residues >= MOST_RESIDUES:
            raise NeedsAttention("the sensor shows the print of another: wipe it clean", "dirty")
        if self._poor >= MOST_POOR:
            raise MediaError("the finger gives no features: try another finger", "low_quality")

    def _check(self, sentence: str, reason: str) -> None:
        if self._clock() >= self._ends_at:
            raise CommandTimedOut(sentence, reason)

    def _guidance(self, prompt: Prompt, number: int) -> FingerGuidance:
        return FingerGuidance(prompt=prompt, capture=number, captures=self._captures)
