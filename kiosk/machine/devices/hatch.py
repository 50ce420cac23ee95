"""The maintainer's hatch: what the devices of the running terminal say, and two things one may do about it.

A socket in the terminal's data folder, for the account the terminal runs as and for root. One line of JSON each way.

| asked | done |
|---|---|
| `{"ask": "show"}` | nothing |
| `{"ask": "accept", "device": NAME}` | what sits there now is the right device, until the terminal's next start |
| `{"ask": "restart", "device": NAME}` | its process is started afresh, also one that was given up |

The answer is an `Answer`. What it did stands in the journal.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from drivers.errors import DeviceError
from drivers.messages import DeviceStatus
from kiosk.contracts.errors import JournalFull
from kiosk.machine.devices.acquaintances import said_of
from kiosk.machine.devices.house import Devices

SOCKET = "devices.sock"
LINE_BYTES = 4096
ANSWER_BYTES = 1024 * 1024
ASK_SECONDS = 5.0
SAID_SECONDS = 2.0
SETTLE_SECONDS = 3.0
LOOK_SECONDS = 0.05
PEER = struct.Struct("3i")
"""struct ucred: pid, uid, gid."""

log = logging.getLogger(__name__)


class Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    ask: Literal["show", "accept", "restart"]
    device: str = ""


class Seen(BaseModel):
    """One device: what it says of itself, how it is, and why it is not the one it should be (empty: it is)."""

    name: str
    driver: str
    said: dict[str, str] = {}
    status: DeviceStatus
    stranger: str = ""


class Answer(BaseModel):
    """`told` is one sentence; `is_done` False when nothing was done and it says why."""

    is_done: bool = True
    told: str = ""
    devices: tuple[Seen, ...] = ()


class Hatch:
    """`record(event, **data)` writes into the journal."""

    def __init__(self, devices: Devices, folder: Path, record: Callable[..., Any]) -> None:
        self._devices = devices
        self._folder = folder
        self._record = record
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen. A folder that can hold no socket costs the hatch, never the terminal."""
        try:
            listening = _listening(self._folder)
            self._server = await asyncio.start_unix_server(self._serve, sock=listening, limit=LINE_BYTES)
        except OSError as error:
            log.warning("the maintainer's hatch stays shut: %s", error.strerror)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            (self._folder / SOCKET).unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, TimeoutError, ValueError):
                async with asyncio.timeout(ASK_SECONDS):
                    line = await reader.readline()
                answer = await self.answer(line) if _may_ask(writer) else Answer(is_done=False, told="not yours to ask")
                writer.write(answer.model_dump_json().encode() + b"\n")
                await writer.drain()
        finally:
            writer.close()

    async def answer(self, line: bytes) -> Answer:
        try:
            asked = Asked.model_validate_json(line)
        except ValidationError:
            return Answer(is_done=False, told="that is no question")
        known = self._devices.statuses()
        if asked.ask == "show":
            return Answer(devices=tuple([await self._seen(name) for name in known]))
        if asked.device not in known:
            names = ", ".join(known) or "none"
            return Answer(is_done=False, told=f"no device is called {asked.device!r}; there are: {names}")
        is_done, told = self._accept(asked.device) if asked.ask == "accept" else self._restart(asked.device)
        if is_done:
            await self._settled(asked.device)
        return Answer(is_done=is_done, told=told, devices=(await self._seen(asked.device),))

    def _accept(self, name: str) -> tuple[bool, str]:
        device = self._devices.device(name)
        stranger = device.stranger
        if not stranger:
            return False, f"{name}: the device that sits there is the known one; there is nothing to accept"
        device.acknowledge()
        expected = device.config.expected_device
        self._write("device_accepted", device=name, why="not the configured one" if expected else stranger)
        after = "" if not expected else f"; machine.toml still names {expected} as expected_device: correct it there"
        return True, f"{name}: accepted ({stranger}){after}"

    def _restart(self, name: str) -> tuple[bool, str]:
        self._devices.recycle(name)
        self._write("device_restarted", device=name)
        return True, f"{name}: its process is started afresh"

    def _write(self, event: str, **data: str) -> None:
        with contextlib.suppress(JournalFull):
            self._record(event, **data)

    async def _settled(self, name: str) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                while not (await self._devices.device(name).status()).is_fit:  # noqa: ASYNC110 - each look waits itself
                    await asyncio.sleep(LOOK_SECONDS)

    async def _seen(self, name: str) -> Seen:
        device = self._devices.device(name)
        said: dict[str, str] = {}
        with contextlib.suppress(DeviceError, TimeoutError):
            async with asyncio.timeout(SAID_SECONDS):
                said = said_of(await device.capabilities())
        return Seen(
            name=name, driver=device.config.driver, said=said, status=device.cached_status(), stranger=device.stranger
        )


@contextlib.contextmanager
def address_in(folder: Path) -> Iterator[str]:
    """The socket's path, short enough for the system however deep the folder lies."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}/{SOCKET}"
    finally:
        os.close(handle)


def _listening(folder: Path) -> socket.socket:
    """Raises `OSError`."""
    listening = socket.socket(socket.AF_UNIX)
    try:
        with address_in(folder) as address:
            Path(address).unlink(missing_ok=True)
            listening.bind(address)
            Path(address).chmod(0o600)
        listening.listen()
    except OSError:
        listening.close()
        raise
    return listening


def _may_ask(writer: asyncio.StreamWriter) -> bool:
    connection = writer.get_extra_info("socket")
    _, user, _ = PEER.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size))
    return user in (0, os.getuid())
