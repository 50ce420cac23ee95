"""A ZVT card terminal on a TCP port or a pseudo-terminal: the other end of the wire.

Orders: `fault NAME`, `clear`, `drop` (the connection), `charged` (fen all citizens are out of pocket), `journal`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import random
import shutil
import tempfile
import tty
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Final

from drivers.payment_terminal.simulator.zvt_terminal import REFUSALS, RESULTS, STEPS, CardTerminal, LinkLost
from drivers.payment_terminal.zvt_apdu import Apdu, ApduReader, NotZvt, decode
from drivers.payment_terminal.zvt_serial import ACK, NAK, FrameReader, Signal, encode_frame

FAULTS: Final = frozenset(
    {
        "pay_late", "never", "wrong_amount", "wrong_currency", "status_twice", "garbled_status", "garbled_status_once",
        "prints_garbage", "no_auto_reversal", "silent", "wrong_device", "endless", "out_of_order", "reversal_fails",
        "refuses_registration", "cannot_query", "lost_before_reversal", "lost_after_reversal", "corrupt_once", "split",
        "unplugged", *RESULTS, *REFUSALS, *(f"lost_{step}" for step in STEPS),
    }
)  # fmt: skip
READ_BYTES: Final = 4096
ACK_SECONDS: Final = 1.0
AWAY_SECONDS: Final = 0.15
SEED: Final = 20261122


class ZvtSimulator:
    """Options, all strings: `transport` (tcp or pty), `card_seconds` until a card is read, `port`."""

    faults: frozenset[str] = FAULTS

    def __init__(self, transport: str = "tcp", card_seconds: str = "0.3", port: str = "0") -> None:
        if transport not in ("tcp", "pty"):
            raise ValueError("transport must be tcp or pty")
        self.terminal = CardTerminal(float(card_seconds))
        self._transport = transport
        self._port = int(port)
        self._folder = ""
        self._server: asyncio.Server | None = None
        self._links: set[_Link] = set()
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        if self._transport == "tcp":
            await self._listen()
            return f"socket://127.0.0.1:{self._port}"
        self._folder = tempfile.mkdtemp(prefix="yizhan-zvt-")
        self._plug_in()
        return str(Path(self._folder, "port"))

    async def stop(self) -> None:
        self.terminal.active.discard("endless")
        if self._server is not None:
            self._server.close()
        for link in list(self._links):
            link.cut()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def order(self, verb: str, argument: str = "") -> str:
        match verb:
            case "fault" if argument in FAULTS:
                self.terminal.active.add(argument)
                if argument == "unplugged":
                    self._unplug()
            case "clear":
                self.terminal.active.clear()
                if self._transport == "tcp" and self._server is None:
                    await self._listen()
                elif self._transport == "pty" and not self._links:
                    self._plug_in()
            case "drop":
                for link in list(self._links):
                    link.cut()
            case "charged":
                return str(self.terminal.charged_fen)
            case "journal":
                return json.dumps([dataclasses.asdict(booking) for booking in self.terminal.journal])
            case _:
                raise ValueError(f"unknown order {verb} {argument}".strip())
        return "ok"

    # --- the wire ---------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(lambda: _TcpLink(self), "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    def _unplug(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for link in list(self._links):
            link.cut()

    def _plug_in(self) -> None:
        if self._folder and Path(self._folder).is_dir():
            self.serve(_PtyLink(self, Path(self._folder, "port")))

    def serve(self, link: _Link) -> None:
        self._links.add(link)
        task = asyncio.get_running_loop().create_task(self.terminal.serve(link))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    def left(self, link: _Link) -> None:
        self._links.discard(link)
        if isinstance(link, _PtyLink) and "unplugged" not in self.terminal.active:
            asyncio.get_running_loop().call_later(AWAY_SECONDS, self._plug_in)


class _Link(asyncio.Protocol):
    """One connection; `heard` is called with bytes, `put` sends them."""

    def __init__(self, simulator: ZvtSimulator) -> None:
        self._simulator = simulator
        self._inbox: asyncio.Queue[Apdu | None] = asyncio.Queue()
        self._is_cut = False
        self._random = random.Random(SEED)

    @property
    def _active(self) -> set[str]:
        return self._simulator.terminal.active

    async def receive(self, seconds: float | None) -> Apdu | None:
        try:
            apdu = await asyncio.wait_for(self._inbox.get(), seconds)
        except TimeoutError:
            return None
        if apdu is None:
            self._inbox.put_nowait(None)
            raise LinkLost
        return apdu

    async def send(self, apdu: Apdu) -> None:
        if self._is_cut:
            raise LinkLost
        if "split" in self._active:
            for byte in self._encoded(apdu):
                self._put(bytes([byte]))
                await asyncio.sleep(0)
        else:
            self._put(self._encoded(apdu))

    def _encoded(self, apdu: Apdu) -> bytes:
        return apdu.encode()

    def heard(self, data: bytes) -> None:
        if "wrong_device" in self._active:
            self._put(b"\x1b[2JLogin: ")
        elif "endless" in self._active:
            task = asyncio.get_running_loop().create_task(self._send_endlessly())
            self._endless = task
        else:
            self._take(data)

    def _take(self, data: bytes) -> None:
        raise NotImplementedError

    def _put(self, data: bytes) -> None:
        raise NotImplementedError

    async def _send_endlessly(self) -> None:
        while "endless" in self._active and not self._is_cut:
            self._put(self._random.randbytes(512))
            await asyncio.sleep(0.002)

    def cut(self) -> None:
        if self._is_cut:
            return
        self._is_cut = True
        self._inbox.put_nowait(None)
        self._simulator.left(self)


class _TcpLink(_Link):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._wire = transport
        self._reader = ApduReader()
        self._simulator.serve(self)

    def data_received(self, data: bytes) -> None:
        self.heard(data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        super().cut()

    def _take(self, data: bytes) -> None:
        try:
            for apdu in self._reader.feed(data):
                self._inbox.put_nowait(apdu)
        except NotZvt:
            self.cut()

    def _put(self, data: bytes) -> None:
        if not self._wire.is_closing():
            self._wire.write(data)

    def cut(self) -> None:
        self._wire.abort()
        super().cut()


class _PtyLink(_Link):
    """With the acknowledgements of the serial transport."""

    def __init__(self, simulator: ZvtSimulator, link: Path) -> None:
        super().__init__(simulator)
        self._link = link
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(self._slave))
        self._reader = FrameReader()
        self._signals: deque[Signal] = deque()
        self._signalled = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._master, self._listen)

    async def send(self, apdu: Apdu) -> None:
        for _ in range(3):
            self._signals.clear()
            self._signalled.clear()
            await super().send(apdu)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._signalled.wait(), ACK_SECONDS)
            if Signal.ACK in self._signals:
                return
        raise LinkLost

    def _encoded(self, apdu: Apdu) -> bytes:
        frame = encode_frame(apdu.encode())
        if "corrupt_once" in self._active:
            self._active.discard("corrupt_once")
            frame = frame[:4] + bytes([frame[4] ^ 0x41]) + frame[5:]
        return frame

    def _listen(self) -> None:
        with suppress(BlockingIOError, OSError):
            self.heard(os.read(self._master, READ_BYTES))

    def _take(self, data: bytes) -> None:
        for item in self._reader.feed(data):
            if item in (Signal.ACK, Signal.NAK):
                self._signals.append(Signal(item))
                self._signalled.set()
            elif isinstance(item, Signal):
                self._put(bytes([NAK]))
            elif "silent" not in self._active:
                self._put(bytes([ACK]))
                with suppress(NotZvt):
                    self._inbox.put_nowait(decode(item))

    def _put(self, data: bytes) -> None:
        if not self._is_cut:
            with suppress(BlockingIOError):
                os.write(self._master, data)

    def cut(self) -> None:
        if not self._is_cut:
            asyncio.get_running_loop().remove_reader(self._master)
            self._link.unlink(missing_ok=True)
            os.close(self._master)
            os.close(self._slave)
        super().cut()
