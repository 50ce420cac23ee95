"""A simulated ESC/POS printer on a pty, a TCP port or what stands for a USB node: for tests and the demo.

It interprets what it receives, keeps each slip as `receipt.bin` (the bytes) and `receipt.png` (the paper), and obeys
paper, cover and link faults. Settings of a shipped terminal contain none.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import tty
from collections import deque
from contextlib import suppress
from pathlib import Path
from random import Random

from drivers.receipt_printer.simulator.paper import Paper, render
from drivers.receipt_printer.simulator.stream import REAL_TIME, CommandStream, Token

FAULTS = frozenset(
    {"paper_out", "paper_low", "cover_open", "offline", "hot", "cutter_jammed", "paper_out_mid_job", "no_backchannel",
     "backchannel_lost_mid_job", "disconnect_mid_job", "chatter", "no_clear", "small_buffer", "no_barrier", "garbage",
     "endless", "echo", "not_taken", "presenter_jammed"}
)  # fmt: skip
MID_JOB_DOTS = 150
MID_JOB_BYTES = 3_000
READ_BYTES = 4096
CLEARED = b"\x37\x25\x00"
NODES = {"pty": "port", "usb": "lp0"}
NONSENSE_BYTES = 6
ENDLESS_BYTES = 512
ENDLESS_SECONDS = 0.01
EJECTOR = "\x1de"
PRESENT, RETRACT, EJECT = 3, 2, 5


class EscposSimulator:
    """Options, all strings: `transport` (`pty`, `tcp`, `usb`), `out` (directory for receipts), `width_dots`, `cutter`
    (empty: a tear bar), `presenter` (`1`: a CUSTOM one; slips are taken at once unless `not_taken`)."""

    faults: frozenset[str] = FAULTS

    def __init__(
        self, transport: str = "pty", out: str = "", width_dots: str = "576", cutter: str = "1", presenter: str = ""
    ) -> None:
        if transport not in (*NODES, "tcp"):
            raise ValueError("transport must be pty, tcp or usb")
        self._has_cutter = bool(cutter)
        self._has_presenter = bool(presenter)
        self._is_presented = False
        self._random = Random(7)
        self.retracted = 0
        self._transport = transport
        self._out = Path(out) if out else None
        self._width_dots = int(width_dots)
        self._active: set[str] = set()
        self._folder = ""
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._readers: set[asyncio.Task[None]] = set()
        self._master = self._slave = -1
        self._power_on()
        self.receipts: list[bytes] = []
        """The bytes of every finished slip."""
        self.paper_texts: list[list[str]] = []

    def _power_on(self) -> None:
        self._stream = CommandStream(clears="no_clear" not in self._active)
        self._paper = Paper(self._width_dots)
        self._queue: deque[Token] = deque()
        self._received = bytearray()
        self._job_bytes = 0
        self._automatic = 0

    # --- life ------------------------------------------------------------------------------------------------------

    async def start(self) -> str:
        if self._out:
            self._out.mkdir(parents=True, exist_ok=True)
        if self._transport == "tcp":
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            return f"tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self._folder = tempfile.mkdtemp(prefix="yizhan-escpos-")
        self._open_pty()
        return str(self._node)

    @property
    def _node(self) -> Path:
        return Path(self._folder, NODES[self._transport])

    async def stop(self) -> None:
        self._drop_link()
        if self._server:
            self._server.close()
            await self._server.wait_closed()
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def order(self, verb: str, argument: str = "") -> str:
        match verb:
            case "fault" if argument in FAULTS:
                self._active.add(argument)
                if argument == "no_clear":
                    self._stream = CommandStream(clears=False)
                if argument == "endless":
                    self._babble()
            case "clear":
                self._active.clear()
                self._is_presented = False
                self._restore_link()
            case "take":
                self._is_presented = False
            case "refill":
                self._active -= {"paper_out", "paper_low", "paper_out_mid_job"}
            case "restart":
                self._active.clear()
                self._power_on()
                self._restore_link()
            case "receipts":
                return str(len(self.receipts))
            case _:
                raise ValueError(f"unknown order {verb} {argument}".strip())
        self._push_status()
        self._work()
        self._read_on()
        return "ok"

    # --- wire ------------------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._readers.add(task)
            task.add_done_callback(self._readers.discard)
        self._writer = writer
        with suppress(OSError):
            while (data := await reader.read(READ_BYTES)) and self._writer is writer:
                self._receive(data)
        writer.close()

    def _open_pty(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._node.unlink(missing_ok=True)
        self._node.symlink_to(os.ttyname(self._slave))
        asyncio.get_running_loop().add_reader(self._master, self._read_pty)

    def _read_pty(self) -> None:
        with suppress(BlockingIOError, OSError):
            self._receive(os.read(self._master, READ_BYTES))
        if self._stalled and "small_buffer" in self._active and self._master >= 0:
            asyncio.get_running_loop().remove_reader(self._master)  # until it works again: flow control

    def _read_on(self) -> None:
        if self._master >= 0:
            asyncio.get_running_loop().add_reader(self._master, self._read_pty)

    def _drop_link(self) -> None:
        if self._master >= 0:
            asyncio.get_running_loop().remove_reader(self._master)
            os.close(self._master)
            os.close(self._slave)
            self._master = self._slave = -1
            self._node.unlink(missing_ok=True)
        if self._writer:
            self._writer.transport.abort()
            self._writer = None

    def _restore_link(self) -> None:
        if self._transport in NODES and self._master < 0:
            self._open_pty()

    def _answer(self, data: bytes) -> None:
        if "no_backchannel" in self._active or ("backchannel_lost_mid_job" in self._active and self._job_bytes):
            return
        if self._active & {"garbage", "endless"}:
            data = self._random.randbytes(NONSENSE_BYTES)
        self._put(data)

    def _babble(self) -> None:
        """Speak without end and without sense."""
        if "endless" in self._active:
            self._put(self._random.randbytes(ENDLESS_BYTES))
            asyncio.get_running_loop().call_later(ENDLESS_SECONDS, self._babble)

    def _put(self, data: bytes) -> None:
        with suppress(OSError):
            if self._master >= 0:
                os.write(self._master, data)
            elif self._writer and not self._writer.is_closing():
                self._writer.write(data)

    # --- the printer -----------------------------------------------------------------------------------------------

    def _receive(self, data: bytes) -> None:
        if "echo" in self._active:
            self._put(data)
            return
        if "disconnect_mid_job" in self._active and self._job_bytes + len(data) > MID_JOB_BYTES:
            self._active.discard("disconnect_mid_job")
            self._drop_link()
            return
        for token in self._stream.feed(data):
            if token.name in REAL_TIME:
                self._obey_at_once(token)
            else:
                self._job_bytes += len(token.raw) if token.name != "\x1dr" else 0
                self._queue.append(token)
        self._work()

    def _obey_at_once(self, token: Token) -> None:
        if token.name == "status":
            if token.data[0] == 20:
                self._answer(self._presenter_status() if self._has_presenter else b"")
            else:
                self._answer(self._status_byte(token.data[0]))
        elif token.name == "clear":
            self._queue.clear()
            self._paper.discard()
            self._received.clear()
            self._answer(CLEARED)

    @property
    def _stalled(self) -> bool:
        return bool(self._active & {"paper_out", "cover_open", "offline", "hot", "cutter_jammed"})

    def _work(self) -> None:
        while self._queue and not self._stalled:
            token = self._queue.popleft()
            if token.name == "\x1dr":
                if "no_barrier" not in self._active:
                    self._barrier()
                continue
            if token.name == "\x1da":
                self._automatic = token.data[0]
            self._received += token.raw
            self._paper.execute(token)
            if token.name == EJECTOR and token.data[0] in (RETRACT, EJECT):
                self.retracted += self._is_presented and token.data[0] == RETRACT
                self._is_presented = False
            elif token.name in ("\x1dV", EJECTOR) or (token.name == "\x1bd" and not self._has_cutter):
                self._finish()
            elif "paper_out_mid_job" in self._active and self._paper.height > MID_JOB_DOTS:
                self._active.discard("paper_out_mid_job")
                self._active.add("paper_out")
                self._push_status()

    def _barrier(self) -> None:
        if "chatter" in self._active:
            self._answer(self._automatic_status())
        self._answer(bytes((0x03 if "paper_low" in self._active else 0x00,)))
        self._job_bytes = 0

    def _finish(self) -> None:
        self._paper.cut()
        self._is_presented = self._has_presenter and "not_taken" in self._active
        data = bytes(self._received)
        self._received.clear()
        self.receipts.append(data)
        self.paper_texts.append(list(self._paper.text))
        self._paper = Paper(self._width_dots)
        if self._out:
            picture = render(data, self._width_dots)
            for stem in ("receipt", f"receipt-{len(self.receipts):04d}"):
                (self._out / f"{stem}.bin").write_bytes(data)
                picture.save(self._out / f"{stem}.png")

    # --- what it says of itself ------------------------------------------------------------------------------------

    def _status_byte(self, number: int) -> bytes:
        active, value = self._active, 0x12
        match number:
            case 1:
                value |= 0x08 if self._stalled else 0
            case 2:
                value |= (0x04 if "cover_open" in active else 0) | (0x20 if "paper_out" in active else 0)
            case 3:
                value |= (0x40 if "hot" in active else 0) | (0x08 if "cutter_jammed" in active else 0)
            case 4:
                value |= 0x6C if "paper_out" in active else 0x0C if "paper_low" in active else 0
        return bytes((value,))

    def _presenter_status(self) -> bytes:
        """DLE EOT 20: header, paper, user, recoverable, unrecoverable."""
        paper = (0x01 if "paper_out" in self._active else 0) | (0x04 if "paper_low" in self._active else 0)
        paper |= 0x20 if self._is_presented else 0
        cover = 0x02 if "cover_open" in self._active else 0
        jam = 0x40 if "presenter_jammed" in self._active else 0
        return bytes((0x10, 0x0F, paper, cover, jam, 0))

    def _automatic_status(self) -> bytes:
        active = self._active
        return bytes(
            (
                0x10 | (0x08 if self._stalled else 0) | (0x20 if "cover_open" in active else 0),
                (0x40 if "hot" in active else 0) | (0x08 if "cutter_jammed" in active else 0),
                0x0F if "paper_out" in active else 0x03 if "paper_low" in active else 0,
                0x00,
            )
        )

    def _push_status(self) -> None:
        if self._automatic or "chatter" in self._active:
            self._answer(self._automatic_status())
