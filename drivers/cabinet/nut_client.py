"""The protocol of Network UPS Tools, as far as a reader needs it (NUT developer guide, "Network protocol information").

Lines of text over TCP, port 3493: `LIST VAR ups` is answered `BEGIN LIST VAR ups`, `VAR ups name "value"` …, `END LIST
VAR ups`; what cannot be answered is `ERR WORD`. Values are quoted, with backslash escapes.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final

from drivers.errors import DeviceError, DeviceOffline, HardwareFault, Unsupported

PORT: Final = 3493
LINE_BYTES: Final = 4096
LIST_LINES: Final = 2000
VARIABLE: Final = re.compile(r'VAR (\S{1,64}) ([A-Za-z0-9._-]{1,96}) "((?:[^"\\]|\\.)*)"')


class NutClient:
    """One connection, opened when needed and again after an error. One question at a time.

    Raises `DeviceOffline` (`device_offline`: nobody there; `no_answer`; `ups_stale`: upsd has lost the UPS or its
    driver), `HardwareFault` (`wrong_device`) or `Unsupported` (`ups_unknown`, `access_denied`).
    """

    def __init__(self, host: str, port: int, ups: str) -> None:
        self._host, self._port, self._ups = host, port, ups
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()

    async def variables(self, seconds: float) -> dict[str, str]:
        """Every variable of the UPS, by name."""
        async with self._turn:
            try:
                async with asyncio.timeout(seconds):
                    return await self._list()
            except BaseException as error:
                self.close()
                raise self._renamed(error) from error

    def close(self) -> None:
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()

    async def _list(self) -> dict[str, str]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, limit=LINE_BYTES)
        reader, writer = self._streams
        writer.write(f"LIST VAR {self._ups}\n".encode())
        await writer.drain()
        first = await _line(reader)
        if first.startswith("ERR "):
            raise _refusal(first.split()[1], self._ups)
        if first != f"BEGIN LIST VAR {self._ups}":
            raise _not_nut()
        found: dict[str, str] = {}
        for _ in range(LIST_LINES):
            line = await _line(reader)
            if line == f"END LIST VAR {self._ups}":
                return found
            found |= [parse_variable(line, self._ups)]
        raise _not_nut()

    def _renamed(self, error: BaseException) -> BaseException:
        match error:
            case DeviceError():
                return error
            case TimeoutError():
                return DeviceOffline("upsd does not answer: restart it", "no_answer")
            case asyncio.IncompleteReadError() | ConnectionError():
                return DeviceOffline(f"upsd at {self._host}:{self._port} hung up or is not there: start it")
            case OSError():
                return DeviceOffline(f"upsd at {self._host}:{self._port} cannot be reached: start it")
            case asyncio.LimitOverrunError() | ValueError():
                return _not_nut()
            case _:
                return error


async def _line(reader: asyncio.StreamReader) -> str:
    return (await reader.readuntil(b"\n")).decode("utf-8").rstrip("\r\n")


def parse_variable(line: str, ups: str) -> tuple[str, str]:
    """Name and value. Raises `HardwareFault` (`wrong_device`)."""
    match = VARIABLE.fullmatch(line)
    if match is None or match[1] != ups:
        raise _not_nut()
    return match[2], re.sub(r"\\(.)", r"\1", match[3])


def _refusal(word: str, ups: str) -> DeviceError:
    match word:
        case "DATA-STALE" | "DRIVER-NOT-CONNECTED":
            return DeviceOffline(f"upsd has lost the UPS {ups}: look at its cable, restart its driver", "ups_stale")
        case "UNKNOWN-UPS":
            return Unsupported(f"upsd knows no UPS called {ups}: correct the address", "ups_unknown")
        case "ACCESS-DENIED":
            return Unsupported("upsd does not let this machine ask: see upsd.conf", "access_denied")
        case _:
            return HardwareFault(f"upsd refuses ({word[:40]}): see its log", "ups_refused")


def _not_nut() -> HardwareFault:
    return HardwareFault("what answers there is no upsd: correct the address", "wrong_device")
