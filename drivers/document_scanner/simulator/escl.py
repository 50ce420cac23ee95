"""A network scanner's peer: eSCL over HTTP on loopback, with a glass and a feeder, driven through sane-airscan.

`place NAME` lays an original down (`permit`, `tenancy`, `nothing`), `load N` fills the feeder, `fault NAME`, `clear`.
The simulated citizen takes the original off the glass after a scan and lays it down before the next; under
`original_left` it stays. Source: Mopria eSCL 2.97.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from functools import lru_cache

import cv2
import numpy as np

from drivers.document_scanner.simulator.papers import DRAWN_PX_PER_MM, NOTHING, drawn, known

LID = 246
MM_PER_INCH = 25.4
COARSE_DPI = 100
"""Below it nobody scans a paper: the driver looks whether one was left."""
SLOW_SECONDS = 60.0
PAGES_BEFORE_A_JAM = 2
SHARE_BEFORE_A_CUT = 0.4
MOST_LOADED = 200
FAULT_STATES = {
    "jam": "ScannerAdfJam", "cover_open": "ScannerAdfHatchOpen", "feeder_empty": "ScannerAdfEmpty",
    "multiple_feed": "ScannerAdfMultipickDetected",
}  # fmt: skip
NAMES = 'xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03" xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm"'
PROFILE = """<scan:{caps}><scan:MinWidth>16</scan:MinWidth><scan:MaxWidth>2550</scan:MaxWidth>
<scan:MinHeight>16</scan:MinHeight><scan:MaxHeight>3508</scan:MaxHeight><scan:SettingProfiles><scan:SettingProfile>
<scan:ColorModes><scan:ColorMode>RGB24</scan:ColorMode><scan:ColorMode>Grayscale8</scan:ColorMode></scan:ColorModes>
<scan:DocumentFormats><pwg:DocumentFormat>image/jpeg</pwg:DocumentFormat></scan:DocumentFormats>
<scan:SupportedResolutions><scan:DiscreteResolutions>{steps}</scan:DiscreteResolutions></scan:SupportedResolutions>
</scan:SettingProfile></scan:SettingProfiles></scan:{caps}>"""
STEPS = "".join(
    f"<scan:DiscreteResolution><scan:XResolution>{dpi}</scan:XResolution><scan:YResolution>{dpi}</scan:YResolution>"
    "</scan:DiscreteResolution>"
    for dpi in (75, 100, 200, 300)
)
CAPABILITIES = (
    f'<?xml version="1.0"?><scan:ScannerCapabilities {NAMES}><pwg:Version>2.97</pwg:Version>'
    "<pwg:MakeAndModel>Yizhan simulated scanner</pwg:MakeAndModel>"
    f"<scan:Platen>{PROFILE.format(caps='PlatenInputCaps', steps=STEPS)}</scan:Platen>"
    f"<scan:Adf>{PROFILE.format(caps='AdfSimplexInputCaps', steps=STEPS)}"
    f"{PROFILE.format(caps='AdfDuplexInputCaps', steps=STEPS)}</scan:Adf></scan:ScannerCapabilities>"
)


class EsclSimulator:
    """Its glass is A4; its feeder holds what was loaded, three pages at first."""

    faults = frozenset(
        {"feeder_empty", "jam", "cover_open", "multiple_feed", "busy", "broken", "dead", "silent", "slow", "cut",
         "original_left", "nothing", "jam_later"}
    )  # fmt: skip

    def __init__(self, *, page: str = "permit", loaded: str = "3") -> None:
        self._page = known(page)
        self._fault = ""
        self._is_on_glass = True
        self._loaded = self._load = _count(loaded)
        self._job: dict[str, str] | None = None
        self._served = 0
        self._number = 0
        self._server: asyncio.Server | None = None
        self._port = 0
        self._talks: set[asyncio.Task[None]] = set()
        self.jobs_ended = 0
        """Deleted by the other side, as it should when it leaves off."""

    async def start(self) -> str:
        await self._listen()
        return f"http://127.0.0.1:{self._port}/eSCL"

    async def order(self, verb: str, argument: str = "") -> str:
        match verb:
            case "place":
                self._page, self._is_on_glass = known(argument), True
            case "remove":
                self._page = NOTHING
            case "load":
                self._loaded = self._load = _count(argument)
            case "fault" if argument in self.faults:
                self._fault = argument
                if argument == "dead":
                    await self._hang_up()
            case "clear":
                self._fault = ""
                self._loaded = self._load
                await self._listen()
            case _:
                raise ValueError(f"unknown order {verb} {argument}: known are place, remove, load, fault, clear")
        return "done"

    async def stop(self) -> None:
        await self._hang_up()

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._greet, "127.0.0.1", self._port)
            self._port = self._server.sockets[0].getsockname()[1]

    async def _hang_up(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    # --- HTTP ---------------------------------------------------------------------------------------------------------

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self._talks.add(talk)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: *(\d{1,6})", head, re.IGNORECASE)
                body = await reader.readexactly(int(length[1])) if length else b""
                method, path, *_ = head.decode("latin-1").split(" ", 2)
                if self._fault == "silent":
                    await asyncio.sleep(SLOW_SECONDS)
                await self._answer(writer, method, path, body.decode("utf-8", "replace"))
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError, ValueError):
            pass
        finally:
            self._talks.discard(talk)
            with contextlib.suppress(OSError, RuntimeError):
                writer.transport.abort()

    async def _answer(self, writer: asyncio.StreamWriter, method: str, path: str, body: str) -> None:
        match method, path.rpartition("/")[2]:
            case "GET", "ScannerCapabilities":
                await self._say(writer, "200 OK", CAPABILITIES.encode())
            case "GET", "ScannerStatus":
                await self._say(writer, "200 OK", self._status().encode())
            case "POST", "ScanJobs":
                await self._begin(writer, body)
            case "GET", "NextDocument":
                await self._next(writer)
            case "DELETE", _:
                self._job, self.jobs_ended = None, self.jobs_ended + 1
                await self._say(writer, "200 OK")
            case _:
                await self._say(writer, "404 Not Found")

    @staticmethod
    async def _say(
        writer: asyncio.StreamWriter, line: str, body: bytes = b"", kind: str = "text/xml", extra: str = ""
    ) -> None:
        head = f"HTTP/1.1 {line}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    def _status(self) -> str:
        state = {"busy": "Processing", "broken": "Stopped"}.get(self._fault, "Processing" if self._job else "Idle")
        feeder = FAULT_STATES.get(self._feeder_fault, "ScannerAdfLoaded" if self._loaded else "ScannerAdfEmpty")
        return (
            f'<?xml version="1.0"?><scan:ScannerStatus {NAMES}><pwg:Version>2.97</pwg:Version>'
            f"<pwg:State>{state}</pwg:State><scan:AdfState>{feeder}</scan:AdfState></scan:ScannerStatus>"
        )

    @property
    def _feeder_fault(self) -> str:
        """Under `jam_later` two pages come before the jam."""
        if self._fault == "jam_later":
            return "jam" if self._served >= PAGES_BEFORE_A_JAM else ""
        return self._fault

    # --- jobs ---------------------------------------------------------------------------------------------------------

    async def _begin(self, writer: asyncio.StreamWriter, body: str) -> None:
        if self._fault in ("busy", "broken") or self._job is not None:
            await self._say(writer, "503 Service Unavailable")
            return
        asked = {word: _asked(body, word) for word in ("InputSource", "XResolution", "ColorMode", "Width", "Height")}
        if asked["InputSource"] == "Feeder" and (self._feeder_fault in FAULT_STATES or not self._loaded):
            await self._say(writer, "409 Conflict")
            return
        self._job, self._served, self._number = asked, 0, self._number + 1
        place = f"http://127.0.0.1:{self._port}/eSCL/ScanJobs/{self._number}"
        await self._say(writer, "201 Created", extra=f"Location: {place}\r\n")

    async def _next(self, writer: asyncio.StreamWriter) -> None:
        job = self._job
        from_feeder = job is not None and job["InputSource"] == "Feeder"
        if job is None or (not from_feeder and self._served):
            self._job = None
            await self._say(writer, "404 Not Found")
            return
        if from_feeder and self._feeder_fault in FAULT_STATES:
            self._job = None
            await self._say(writer, "409 Conflict")
            return
        if from_feeder and not self._loaded:
            self._job, self._loaded = None, self._load
            await self._say(writer, "404 Not Found")
            return
        self._loaded -= from_feeder
        self._served += 1
        jpeg = await asyncio.to_thread(_page, *self._seen(job, from_feeder))
        if self._fault in ("slow", "cut"):
            await self._falter(writer, jpeg)
            return
        await self._say(writer, "200 OK", jpeg, "image/jpeg")

    def _seen(self, job: dict[str, str], from_feeder: bool) -> tuple[str, int, int, int, bool]:
        """What lies there: the coarse look of a driver meets an empty glass unless the original was left."""
        dpi = int(job["XResolution"] or 200)
        page = self._page
        if from_feeder:
            page = "tenancy"
        elif self._fault == NOTHING or (dpi < COARSE_DPI and self._fault != "original_left"):
            page = NOTHING
        wide, high = (int(int(job[side] or 2480) * dpi / 300) for side in ("Width", "Height"))
        return page, dpi, wide, high, job["ColorMode"] != "Grayscale8"

    async def _falter(self, writer: asyncio.StreamWriter, jpeg: bytes) -> None:
        """The page begins and does not end: in time, or at all."""
        part = jpeg[: int(len(jpeg) * SHARE_BEFORE_A_CUT)]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg) + part)
        await writer.drain()
        if self._fault == "slow":
            await asyncio.sleep(SLOW_SECONDS)
        raise ConnectionError


def _asked(body: str, word: str) -> str:
    found = re.search(rf"<(?:\w+:)?{word}>\s*([\w:]{{1,40}})\s*<", body)
    return found[1] if found else ""


def _count(text: str) -> int:
    if not text.isdigit() or int(text) > MOST_LOADED:
        raise ValueError(f"a feeder holds 0 to {MOST_LOADED} pages, not {text!r}")
    return int(text)


@lru_cache(maxsize=8)
def _page(name: str, dpi: int, wide: int, high: int, in_colour: bool) -> bytes:
    """The whole glass as JPEG: the paper at its upper left corner, the lid around it."""
    glass = np.full((high, wide, 3), LID, np.uint8)
    if name != NOTHING:
        scale = dpi / MM_PER_INCH / DRAWN_PX_PER_MM
        paper = cv2.cvtColor(np.asarray(drawn(name)), cv2.COLOR_RGB2BGR)
        laid = cv2.resize(paper, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:high, :wide]
        glass[: laid.shape[0], : laid.shape[1]] = laid
    shown = glass if in_colour else cv2.cvtColor(glass, cv2.COLOR_BGR2GRAY)
    return bytes(cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
