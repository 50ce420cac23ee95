"""Drivers that do what drivers should not, installed as a third party's package for the tests of the host."""

from __future__ import annotations

import asyncio
import collections
import ctypes
import datetime as dt
import itertools
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil

from drivers.errors import DeviceAbsent, HardwareFault, MediaError
from drivers.messages import (
    Capabilities,
    CardType,
    DeviceClass,
    DeviceState,
    DeviceStatus,
    DocumentJob,
    Fault,
    FaultAction,
    IdCard,
    Message,
    Preview,
    PrintJob,
    PrintOutcome,
    PrintResult,
    ScannedPage,
)

NAME = "驿测试"
PHOTO = bytes(range(256)) * 4


class NotAnError(BaseException):
    """No Exception: a handler for those does not meet it."""


class Common:
    device_class = DeviceClass.ID_CARD_READER
    driver = "id_card_reader/misbehaving"

    class Options(Message):
        behaviour: str = "serve"
        port: str = ""
        marks: str = ""
        world: str = ""
        poll_safe: bool = True

    def __init__(self, options: Any) -> None:
        self.options = options
        self.kept: list[Any] = []
        self.leftovers = 0
        match options.behaviour:
            case "broken_at_start":
                raise HardwareFault("the module is not authorised", "sam_auth_failed")
            case "absent":
                raise DeviceAbsent(f"{options.port} does not exist: check the cable", "device_absent")
            case "node" if not Path(options.port).exists():
                raise DeviceAbsent(f"{options.port} does not exist: check the cable", "device_absent")
            case "bug_at_start":
                raise RuntimeError(NAME)
            case "hang_at_start":
                time.sleep(60)

    async def capabilities(self) -> Capabilities:
        return Capabilities(
            device_class=self.device_class, driver=self.driver, version="1", status_source="polled",
            poll_safe_in_motion=self.options.poll_safe, cancellable=frozenset({"read"}),
            serial=self.world().removeprefix("serial ") if self.world().startswith("serial ") else None,
        )  # fmt: skip

    def world(self) -> str:
        """What the test says about the device: `gone`, or `serial X`."""
        if self.options.behaviour == "node" and not Path(self.options.port).exists():
            return "gone"
        return Path(self.options.world).read_text() if self.options.world else ""

    async def status(self) -> DeviceStatus:
        if self.world() == "gone":
            self.mark("missed")
            fault = Fault(code="device_offline", action=FaultAction.WAIT, since=dt.datetime.now(dt.UTC))
            return DeviceStatus(device=DeviceState.OFFLINE, faults=(fault,), parts={"media": "unknown"})
        if self.options.behaviour == "counts":
            self.mark("status")
        match self.options.behaviour:
            case "status_raises":
                raise RuntimeError("no status today")
            case "loads" if not self.kept:
                self.kept.append("library")
                asyncio.get_running_loop().call_later(0.05, time.sleep, 1.5)
                return DeviceStatus(device=DeviceState.STARTING)
            case "status_hangs":
                await asyncio.sleep(60)
            case "paper_out":
                fault = Fault(code="paper_out", action=FaultAction.CLEAR, since=dt.datetime.now(dt.UTC))
                return DeviceStatus(device=DeviceState.USER_ERROR, faults=(fault,), parts={"paper": "out"})
        return DeviceStatus(device=DeviceState.ONLINE, parts={"media": "unknown"})

    async def wipe(self) -> None:
        if self.options.behaviour == "wipe_hangs":
            await asyncio.sleep(60)
        self.kept.clear()
        self.mark("wiped")

    async def close(self) -> None:
        if self.options.behaviour == "closes_slowly":
            await asyncio.sleep(1.3)
        self.mark("closed")

    def mark(self, word: str) -> None:
        if self.options.marks:
            with Path(self.options.marks).open("a") as file:
                file.write(word + "\n")

    async def misbehave(self, behaviour: str) -> None:  # noqa: PLR0912 - a catalogue
        match behaviour:
            case "crash":
                ctypes.string_at(0)
            case "exit":
                os._exit(3)
            case "native_sleep":
                ctypes.CDLL(None).sleep(60)
            case "native_sleep_holding_the_lock":
                ctypes.PyDLL(None).sleep(60)
            case "endless_loop":
                while True:
                    pass
            case "endless_loop_in_native_code":
                collections.deque(itertools.repeat(0), maxlen=0)
            case "never_answers":
                await asyncio.sleep(60)
            case "ignores_cancel":
                while True:
                    try:
                        await asyncio.sleep(60)
                    except asyncio.CancelledError:
                        self.mark("cancel ignored")
            case "memory":
                while True:
                    self.kept.append(bytearray(os.urandom(4096)) * 4096)
                    await asyncio.sleep(0.001)
            case "files":
                while True:
                    self.kept.append(os.open("/dev/null", os.O_RDONLY))
            case "starts_a_child":
                self.mark(str(subprocess.Popen(["sleep", "60"], env={}).pid))  # noqa: ASYNC220
            case "starts_a_daemon":
                self.mark(str(subprocess.Popen(["sleep", "60"], start_new_session=True).pid))  # noqa: ASYNC220
            case "hides_a_daemon":
                hiding = "import os; os.setsid(); os.fork() and os._exit(0); os.execv('/bin/sleep', ['sleep', '60'])"
                subprocess.run([sys.executable, "-I", "-c", hiding], env={}, check=True)  # noqa: ASYNC221
                self.mark(str(next(it.pid for it in psutil.Process().children(recursive=True))))
            case "bug":
                raise RuntimeError(f"cannot read {NAME}")
            case "ends_the_program":
                sys.exit(0)
            case "interrupts":
                raise KeyboardInterrupt
            case "invents_an_end":
                raise NotAnError(NAME)
            case "unspeakable":
                raise MediaError("\ud800", "\udfff")
            case "talks":
                print("reading 350102190001010017 of", NAME, file=sys.stderr, flush=True)
                for number in range(1000):
                    print("line", number, file=sys.stderr)


class Reader(Common):
    async def read(self, *, timeout_seconds: float = 15.0, want_photo: bool = True) -> IdCard:
        self.mark("read")
        try:
            await self.misbehave(self.options.behaviour)
        except asyncio.CancelledError:
            self.mark("cancelled")
            raise
        match self.options.behaviour:
            case "unreadable":
                raise MediaError("the card was moved", "moved_too_soon")
            case "lies":
                return "a card"  # type: ignore[return-value]
            case "slow":
                await asyncio.sleep(0.3)
                self.mark("read ended")
        return IdCard(
            card_type=CardType.RESIDENT, name=NAME, birth_date=dt.date(1900, 1, 1), photo=PHOTO if want_photo else None
        )

    async def wait_removal(self, *, timeout_seconds: float = 30.0) -> None:
        self.mark("wait_removal")

    async def decode_photo(self, photo: bytes) -> bytes | None:
        if photo.startswith(b"now "):
            await self.misbehave(photo[4:].decode())
        if photo == b"chance":
            return random.randbytes(8)
        return photo[::-1]


class Printer(Common):
    device_class = DeviceClass.RECEIPT_PRINTER
    driver = "receipt_printer/misbehaving"

    async def print_receipt(self, job: PrintJob, *, timeout_seconds: float = 20.0) -> PrintResult:
        self.mark(job.job_id)
        await self.misbehave(self.options.behaviour)
        return PrintResult(job_id=job.job_id, outcome=PrintOutcome.PRINTED)


class SlowToLoad(Reader):
    """Loads for a while when constructed, and touches nothing."""

    driver = "id_card_reader/slow_to_load"
    standby = True

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self.loaded_at = asyncio.get_running_loop().time() + 0.7

    async def status(self) -> DeviceStatus:
        if asyncio.get_running_loop().time() < self.loaded_at:
            return DeviceStatus(device=DeviceState.STARTING, parts={"media": "unknown"})
        return await super().status()


class PagePrinter(Common):
    device_class = DeviceClass.DOCUMENT_PRINTER
    driver = "document_printer/misbehaving"

    async def print_document(self, job: DocumentJob, *, timeout_seconds: float = 120.0) -> PrintResult:
        self.taken_back = asyncio.Event()
        self.mark("printing")
        await self.taken_back.wait()
        return PrintResult(job_id=job.job_id, outcome=PrintOutcome.FAILED, reason="cancelled")

    async def find_job(self, job_id: str, printer_job_id: str | None) -> PrintResult:
        return PrintResult(job_id=job_id, outcome=PrintOutcome.PRINTED, printer_job_id=printer_job_id)

    async def cancel_job(self, job_id: str) -> None:
        self.taken_back.set()


class Scanner(Common):
    device_class = DeviceClass.DOCUMENT_SCANNER
    driver = "document_scanner/misbehaving"

    async def preview(self) -> AsyncIterator[Preview]:
        try:
            for number in range(10_000):
                if number == 3:
                    await self.misbehave(self.options.behaviour)
                yield Preview(width=640, height=480, rgb=bytes([number % 256]) * (640 * 480 * 3))
                if self.options.behaviour == "three" and number == 2:
                    return
        finally:
            self.mark("camera stopped")

    async def capture(self, *, timeout_seconds: float = 20.0) -> ScannedPage:
        return ScannedPage(jpeg=b"\xff\xd8" * 500_000, width_px=1, height_px=1, sharpness=1.0, sha256="0")
