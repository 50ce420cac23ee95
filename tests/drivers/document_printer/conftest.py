"""A real printer on the wire, invented documents, and a peer that breaks the protocol where the real one cannot."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from drivers.document_printer.ipp import IppPrinter
from drivers.document_printer.ipp_client import (
    CANCEL_JOB,
    GET_JOB_ATTRIBUTES,
    GET_JOBS,
    GET_PRINTER_ATTRIBUTES,
    PRINT_JOB,
)
from drivers.document_printer.ipp_codec import (
    Attributes,
    Group,
    IppMessage,
    Tag,
    Value,
    decode,
    encode,
    integer,
    keyword,
    name,
    number_of,
    words_of,
)
from drivers.document_printer.simulator import IppeveSimulator
from drivers.messages import DocumentJob


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 40))


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 8.0) -> None:
    """Poll a condition to its deadline."""
    async with asyncio.timeout(seconds):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.02)


def pdf(pages: int = 2) -> bytes:
    sheets = [Image.new("1", (210, 297), 1) for _ in range(pages)]
    buffer = io.BytesIO()
    sheets[0].save(buffer, "PDF", save_all=True, append_images=sheets[1:])
    return buffer.getvalue()


def document(job_id: str = "paper-1", pages: int = 2, **fields: Any) -> DocumentJob:
    data = pdf(pages)
    return DocumentJob(job_id=job_id, pdf=data, sha256=hashlib.sha256(data).hexdigest(), **fields)


def document_of(data: bytes, job_id: str) -> DocumentJob:
    return DocumentJob(job_id=job_id, pdf=data, sha256=hashlib.sha256(data).hexdigest())


@dataclass
class Bench:
    simulator: IppeveSimulator
    printer: IppPrinter
    address: str
    out: Path

    def papers(self) -> list[Path]:
        return sorted(self.out.glob("document-*.p*"))

    def another_driver(self) -> IppPrinter:
        """As after a restart of the driver's process: it remembers nothing."""
        return IppPrinter(IppPrinter.Options(address=self.address))


@asynccontextmanager
async def bench(out: Path, **peer: str) -> AsyncIterator[Bench]:
    simulator = IppeveSimulator(out=str(out), **peer)
    address = await simulator.start()
    try:
        yield Bench(simulator, IppPrinter(IppPrinter.Options(address=address)), address, out)
    finally:
        await simulator.stop()


REFUSALS = {"refuse_job": 0x040A, "busy": 0x0507}


@dataclass
class Job:
    name: str
    state: int
    user: str
    pages: int | None = None


@dataclass
class Peer:
    """A printer of our own making. `misbehave` names what it does wrong; `jobs` is its queue."""

    misbehave: str = ""
    jobs: dict[int, Job] = field(default_factory=dict)
    received: list[tuple[int, Attributes, Attributes, bytes]] = field(default_factory=list)
    address: str = ""
    polls_until_done: int = 0

    def operations(self) -> list[int]:
        return [operation for operation, *_ in self.received]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.split("content-length:")[1].split("\r\n")[0])
            request = decode(await reader.readexactly(length))
            asked = request.group(Tag.OPERATION)
            is_too_new = self.misbehave == "old_version" and request.version > (1, 1)
            if not is_too_new:
                self.received.append((request.code, asked, request.group(Tag.JOB), request.data))
            answer = IppMessage(0x0503, 0, ()) if is_too_new else self._answer(request.code, asked)
            await self._reply(writer, request, answer)
        writer.close()

    async def _reply(self, writer: asyncio.StreamWriter, request: IppMessage, answer: IppMessage) -> None:
        number = request.request_id + (1 if self.misbehave == "wrong_number" else 0)
        body = encode(IppMessage(answer.code, number, answer.groups))
        match self.misbehave:
            case "lose_answer" | "lose_job" if request.code == PRINT_JOB:
                return
            case "half_answer" if request.code == PRINT_JOB:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + body[:20])
            case "garbage":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nnot ipp at a")
            case "no_http":
                writer.write(b"\x12\x34\x56\x78\r\n\r\n")
            case "server_error" if request.code == PRINT_JOB:
                writer.write(b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n")
            case "endless":
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                while not writer.is_closing():
                    writer.write(bytes(65_536))
                    await writer.drain()
            case _:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    def _answer(self, operation: int, asked: Attributes) -> IppMessage:
        fixed = Group(Tag.OPERATION, {"attributes-charset": (Value(Tag.CHARSET, "utf-8"),)})
        number = number_of(asked, "job-id") or 0
        status, groups = 0, []
        if operation == GET_PRINTER_ATTRIBUTES:
            groups = [Group(Tag.PRINTER, self._printer())]
        elif operation == PRINT_JOB:
            return self._accept(fixed, asked)
        elif operation == GET_JOB_ATTRIBUTES:
            self._work()
            status = 0 if number in self.jobs else 0x0406
            groups = [Group(Tag.JOB, self._job(number))] if number in self.jobs else []
        elif operation == GET_JOBS:
            status = 0x0501 if self.misbehave == "no_lists" else 0
            done = words_of(asked, "which-jobs") == ("completed",)
            listed = [number for number, job in self.jobs.items() if (job.state >= 7) is done]
            groups = [] if status else [Group(Tag.JOB, self._job(number)) for number in listed]
        elif operation == CANCEL_JOB and number in self.jobs and self.misbehave != "will_not_cancel":
            self.jobs[number].state = max(self.jobs[number].state, 7)
        return IppMessage(status, 0, (fixed, *groups))

    def _printer(self) -> Attributes:
        formats = "image/urf" if self.misbehave == "no_pdf" else "application/pdf"
        return {
            "printer-state": (Value(Tag.ENUM, 3),),
            "printer-state-reasons": keyword("none"),
            "printer-is-accepting-jobs": (Value(Tag.BOOLEAN, True),),
            "document-format-supported": (Value(Tag.MIME, formats),),
        }

    def _accept(self, fixed: Group, asked: Attributes) -> IppMessage:
        if self.misbehave in REFUSALS:
            return IppMessage(REFUSALS[self.misbehave], 0, (fixed,))
        number = len(self.jobs) + 1
        if self.misbehave != "lose_job":
            user = words_of(asked, "requesting-user-name")[0]
            self.jobs[number] = Job(words_of(asked, "job-name")[0], 5, user)
            return IppMessage(0, 0, (fixed, Group(Tag.JOB, self._job(number))))
        return IppMessage(0, 0, (fixed,))

    def _work(self) -> None:
        self.polls_until_done -= 1
        for job in self.jobs.values():
            if job.state == 5 and self.polls_until_done <= 0:
                job.state, job.pages = 9, 2

    def _job(self, number: int) -> Attributes:
        job = self.jobs[number]
        attributes: Attributes = {
            "job-id": integer(number),
            "job-name": name(job.name),
            "job-state": (Value(Tag.ENUM, job.state),),
            "job-state-reasons": keyword("none"),
            "job-originating-user-name": name(job.user),
            "time-at-processing": integer(5),
        }
        if self.misbehave == "tells_little":
            del attributes["time-at-processing"]
        return attributes | ({"job-impressions-completed": integer(job.pages)} if job.pages is not None else {})


@asynccontextmanager
async def peer(misbehave: str = "") -> AsyncIterator[tuple[Peer, IppPrinter]]:
    own = Peer(misbehave)
    server = await asyncio.start_server(own.serve, "127.0.0.1", 0)
    own.address = f"ipp://127.0.0.1:{server.sockets[0].getsockname()[1]}/ipp/print"
    try:
        yield own, IppPrinter(IppPrinter.Options(address=own.address))
    finally:
        server.close()
        await server.wait_closed()
