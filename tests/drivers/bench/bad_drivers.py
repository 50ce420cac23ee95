"""One good reader, printer and scanner, and each way of not keeping the contract, one class each."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import re
import subprocess
import sys
import threading
import time
from typing import Any, ClassVar

from drivers.errors import CommandTimedOut, DeviceAbsent, Unsupported
from drivers.messages import (
    Capabilities,
    CardType,
    CodePurpose,
    DeviceClass,
    DeviceState,
    DeviceStatus,
    IdCard,
    Message,
    PrintJob,
    PrintOutcome,
    PrintResult,
    ScannedCode,
    Symbology,
)

SLEEP = "61.4159"
NOWHERE = "/dev/nonexistent"


class Options(Message):
    port: str = "somewhere"


class Common:
    Options = Options
    device_class: ClassVar[DeviceClass]
    name: ClassVar[str]
    features: ClassVar[frozenset[str]] = frozenset()
    poll_safe = False
    cancellable: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, options: Options) -> None:
        if options.port == NOWHERE:
            raise DeviceAbsent(f"{options.port} does not exist: check the cable", "device_absent")
        self.options = options
        self.asked = 0

    async def capabilities(self) -> Capabilities:
        return Capabilities(
            device_class=self.device_class, driver=f"{self.device_class}/{self.name}", version="1",
            status_source="polled", poll_safe_in_motion=self.poll_safe, cancellable=self.cancellable,
            features=self.features,
        )  # fmt: skip

    async def status(self) -> DeviceStatus:
        self.asked += 1
        await self.before_status()
        return DeviceStatus(device=DeviceState.ONLINE, parts=self.parts())

    async def before_status(self) -> None: ...

    def parts(self) -> dict[str, str]:
        return {"media": "unknown"}

    async def wipe(self) -> None: ...

    async def close(self) -> None: ...


class GoodReader(Common):
    device_class = DeviceClass.ID_CARD_READER
    name = "good"
    cancellable = frozenset({"read", "wait_removal"})

    async def read(self, *, timeout_seconds: float = 15.0, want_photo: bool = True) -> IdCard:
        await asyncio.sleep(timeout_seconds)
        raise CommandTimedOut("no card came: lay one on the reader", "no_card")

    async def wait_removal(self, *, timeout_seconds: float = 30.0) -> None: ...

    async def decode_photo(self, photo: bytes) -> bytes | None:
        return None


class LiesAboutMotion(GoodReader):
    """It may be asked while it reads, it says; then it answers when the read has ended."""

    name = "lies_about_motion"
    poll_safe = True

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.line = asyncio.Lock()

    async def read(self, *, timeout_seconds: float = 15.0, want_photo: bool = True) -> IdCard:
        async with self.line:
            return await super().read(timeout_seconds=timeout_seconds)

    async def before_status(self) -> None:
        async with self.line:
            pass


class LiesAboutPhoto(GoodReader):
    """It reads photos, it says."""

    name = "lies_about_photo"
    features = frozenset({"photo"})

    async def read(self, *, timeout_seconds: float = 15.0, want_photo: bool = True) -> IdCard:
        return IdCard(card_type=CardType.RESIDENT, id_number="350102190001010017", birth_date=dt.date(1900, 1, 1))


class Hangs(GoodReader):
    name = "hangs"

    async def wait_removal(self, *, timeout_seconds: float = 30.0) -> None:
        await asyncio.sleep(3600)


class SwallowsCancel(GoodReader):
    name = "swallows_cancel"

    async def read(self, *, timeout_seconds: float = 15.0, want_photo: bool = True) -> IdCard:
        deadline = asyncio.get_running_loop().time() + timeout_seconds
        while (left := deadline - asyncio.get_running_loop().time()) > 0:
            try:
                await asyncio.sleep(left)
            except asyncio.CancelledError:
                continue
        raise CommandTimedOut("no card came: lay one on the reader", "no_card")


class GoodPrinter(Common):
    device_class = DeviceClass.RECEIPT_PRINTER
    name = "good"

    async def print_receipt(self, job: PrintJob, *, timeout_seconds: float = 20.0) -> PrintResult:
        return PrintResult(job_id=job.job_id, outcome=PrintOutcome.UNCERTAIN, reason="no_back_channel")


class FloodsStatus(GoodPrinter):
    """The paper comes and goes with every answer."""

    name = "floods_status"

    def parts(self) -> dict[str, str]:
        return {"paper": "full" if self.asked % 2 else "low"}


class SlowsDown(GoodPrinter):
    """It keeps all it ever said and reads it through again each time."""

    name = "slows_down"

    async def before_status(self) -> None:
        await asyncio.sleep(min(0.001 * 1.3**self.asked, 0.25))


class LeaksFiles(GoodPrinter):
    name = "leaks_files"
    kept: ClassVar[list[int]] = []

    async def before_status(self) -> None:
        self.kept.append(os.open(os.devnull, os.O_RDONLY))


class LeaksProcesses(GoodPrinter):
    """In a session of its own, where killing the group does not find it."""

    name = "leaks_processes"
    kept: ClassVar[list[Any]] = []

    async def before_status(self) -> None:
        self.kept.append(subprocess.Popen(["sleep", SLEEP], start_new_session=True))  # noqa: ASYNC220


class HidesProcesses(GoodPrinter):
    """Twice removed and with nothing inherited, where neither its group nor its environment tells of it."""

    name = "hides_processes"

    async def before_status(self) -> None:
        hiding = (
            f"import os; os.fork() and os._exit(0); os.setsid(); os.execve('/bin/sleep', ['sleep', '{SLEEP}'], {{}})"
        )
        subprocess.run([sys.executable, "-I", "-c", hiding], env={}, check=True)  # noqa: ASYNC221


class LeaksThreads(GoodPrinter):
    name = "leaks_threads"

    async def before_status(self) -> None:
        for _ in range(4):
            threading.Thread(target=time.sleep, args=(600,), daemon=True).start()


class NeverCloses(GoodPrinter):
    name = "never_closes"

    async def close(self) -> None:
        await asyncio.sleep(600)


class SaysPrinted(GoodPrinter):
    """Whatever it is given, it has printed it."""

    name = "says_printed"

    async def print_receipt(self, job: PrintJob, *, timeout_seconds: float = 20.0) -> PrintResult:
        return PrintResult(job_id=job.job_id, outcome=PrintOutcome.PRINTED)


class SentIsPrinted(GoodPrinter):
    """What the system took is printed, it thinks."""

    name = "sent_is_printed"

    async def print_receipt(self, job: PrintJob, *, timeout_seconds: float = 20.0) -> PrintResult:
        port = os.open(self.options.port, os.O_WRONLY | os.O_NOCTTY)
        try:
            os.write(port, b"slip\n" * 40)
        finally:
            os.close(port)
        return PrintResult(job_id=job.job_id, outcome=PrintOutcome.PRINTED)


class GoodScanner(Common):
    device_class = DeviceClass.CODE_SCANNER
    name = "good"
    cancellable = frozenset({"read"})

    async def read(
        self, *, purpose: CodePurpose, symbologies: tuple[Symbology, ...] = (), pattern: str = "",
        timeout_seconds: float = 30.0,
    ) -> ScannedCode:  # fmt: skip
        try:
            re.compile(pattern)
        except re.error:
            raise Unsupported("the pattern is none: correct it", "pattern_wrong") from None
        await asyncio.sleep(timeout_seconds)
        raise CommandTimedOut("no code came: hold one before the scanner", "no_code")


class LeaksWhileReading(GoodScanner):
    """Its status costs nothing; each read leaves its line open."""

    name = "leaks_while_reading"
    kept: ClassVar[list[int]] = []

    async def read(self, **asked: Any) -> ScannedCode:
        self.kept.append(os.open(os.devnull, os.O_RDONLY))
        return await super().read(**asked)


ALL = (
    GoodReader, LiesAboutMotion, LiesAboutPhoto, Hangs, SwallowsCancel,
    GoodPrinter, FloodsStatus, SlowsDown, LeaksFiles, LeaksProcesses, HidesProcesses, LeaksThreads, NeverCloses,
    SaysPrinted, SentIsPrinted,
    GoodScanner, LeaksWhileReading,
)  # fmt: skip
