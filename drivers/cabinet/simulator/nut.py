"""An upsd with one UPS, on a loopback port. Orders: `mains_cut MINUTES`, `mains_back`, `fault NAME`, `clear`.

Tests also speak to the real upsd with its dummy-ups driver; this one can be told to misbehave.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

FAULTS: Final = frozenset(
    {
        "mains_cut", "battery_low", "battery_worn", "overload", "off", "stale", "driver_gone", "unknown_ups",
        "access_denied", "silent", "garbage", "endless", "wrong_device", "unplugged", "no_runtime",
    }
)  # fmt: skip
ERRORS: Final = {
    "stale": "DATA-STALE", "driver_gone": "DRIVER-NOT-CONNECTED", "unknown_ups": "UNKNOWN-UPS",
    "access_denied": "ACCESS-DENIED",
}  # fmt: skip
FULL_MINUTES: Final = 40.0
CUT_MINUTES: Final = 12.0
LINE_BYTES: Final = 1024


class NutSimulator:
    """Options, all strings: `port`, `ups` (its name)."""

    faults: frozenset[str] = FAULTS

    def __init__(self, port: str = "0", ups: str = "cabinet") -> None:
        self._port = int(port)
        self._ups = ups
        self._active: set[str] = set()
        self._minutes = FULL_MINUTES
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> str:
        await self._listen()
        return f"nut://127.0.0.1:{self._port}/{self._ups}"

    async def stop(self) -> None:
        await self._hang_up()

    async def order(self, verb: str, argument: str = "") -> str:
        match verb:
            case "mains_cut":
                self._active.add("mains_cut")
                self._minutes = float(argument or CUT_MINUTES)
            case "mains_back":
                self._active -= {"mains_cut", "battery_low"}
                self._minutes = FULL_MINUTES
            case "fault" if argument in FAULTS:
                self._active.add(argument)
                if argument in ("mains_cut", "battery_low"):
                    self._minutes = CUT_MINUTES if argument == "mains_cut" else 1.0
                if argument == "unplugged":
                    await self._hang_up()
            case "clear":
                self._active.clear()
                self._minutes = FULL_MINUTES
                if self._server is None:
                    await self._listen()
            case _:
                raise ValueError(f"unknown order {verb} {argument}".strip())
        return "ok"

    def variables(self) -> dict[str, str]:
        active = self._active
        words = ["OB" if active & {"mains_cut", "battery_low"} else "OL"]
        words += [word for name, word in (("battery_low", "LB"), ("battery_worn", "RB")) if name in active]
        words += [word for name, word in (("overload", "OVER"), ("off", "OFF")) if name in active]
        found = {
            "device.mfr": "Yizhan",
            "device.model": 'Reference "UPS"',
            "battery.charge": f"{min(self._minutes / FULL_MINUTES, 1) * 100:.0f}",
            "battery.runtime": f"{self._minutes * 60:.0f}",
            "ups.status": " ".join(words),
            "ups.temperature": "27.5",
        }
        if "no_runtime" in active:
            del found["battery.runtime"]
        return found

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, limit=LINE_BYTES)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _hang_up(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for writer in self._writers:
            writer.transport.abort()
        await server.wait_closed()
        while self._writers:  # noqa: ASYNC110 - the readers of aborted connections end in the next turns of the loop
            await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while True:
                words = (await reader.readuntil(b"\n")).decode("utf-8", "replace").split()
                await self._answer(words, writer)
        self._writers.discard(writer)
        writer.close()

    async def _answer(self, words: list[str], writer: asyncio.StreamWriter) -> None:
        if "silent" in self._active:
            return
        if "wrong_device" in self._active:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        elif "endless" in self._active:
            while "endless" in self._active:
                writer.write(b"x" * 4096)
                await writer.drain()
        else:
            writer.write("".join(f"{line}\n" for line in self._lines(words)).encode())
        await writer.drain()

    def _lines(self, words: list[str]) -> list[str]:
        error = next((word for name, word in ERRORS.items() if name in self._active), "")
        if words[:2] == ["LIST", "UPS"]:
            return ["BEGIN LIST UPS", f'UPS {self._ups} "Reference"', "END LIST UPS"]
        if words[:2] not in (["LIST", "VAR"], ["GET", "VAR"]):
            return ["ERR UNKNOWN-COMMAND"]
        if error or words[2:3] != [self._ups]:
            return [f"ERR {error or 'UNKNOWN-UPS'}"]
        if words[0] == "GET":
            value = self.variables().get(words[3] if len(words) > 3 else "")
            return ["ERR VAR-NOT-SUPPORTED"] if value is None else [f'VAR {self._ups} {words[3]} "{_quoted(value)}"']
        listed = [f'VAR {self._ups} {name} "{_quoted(value)}"' for name, value in self.variables().items()]
        if "garbage" in self._active:
            listed[2] = "VAR \x00\x7f 7"
        return [f"BEGIN LIST VAR {self._ups}", *listed, f"END LIST VAR {self._ups}"]


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
