"""The peer of `id_card_reader/sdt`: a SAM module on a pseudo-terminal or TCP port, with sample cards and misfortunes.

Orders: `place NAME` lays a sample card down, `remove` takes it away, `fault NAME` begins a misfortune (several may be
on), `clear` ends all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from pathlib import Path
from typing import Final

from drivers.id_card_reader.sdt import commands
from drivers.id_card_reader.sdt.frames import PREAMBLE, REQUEST_HEAD_BYTES, Frame, FrameParser, encode_answer
from drivers.id_card_reader.simulator.cards import CARDS_FILE, PORTRAITS, SampleCard, load_cards
from drivers.id_card_reader.simulator.module import SAM_ID, SimulatedModule
from drivers.id_card_reader.simulator.wires import BITS_PER_BYTE, PtyWire, TcpWire, Wire, send_paced

SPLIT_AT: Final = (6, 300)
"""After the first length byte (vector A-M3), and within a card's text."""
SPLIT_SECONDS: Final = 0.3
SLOW_SECONDS: Final = 0.4
MOVED_SECONDS: Final = 0.5
ENDLESS_CHUNK_BYTES: Final = 512
ANOTHER_DEVICE_SAYS: Final = b"\r\n$GPGGA,000000.00,,,,,0,00,99.99,,,,,,*66\r\nERROR\r\n"
LONG_ANSWER_BYTES: Final = 256

SLOW_READ_SECONDS: Final = 2.0
UNKNOWN_ERROR: Final = 0x24
CARD_UNVERIFIED: Final = 0x32
WRONG_CARD: Final = 0x40

ON_EVERY_ANSWER: Final = frozenset({"noise", "split", "silent", "endless", "wrong_device", "slow"})
ON_NEXT_CARD_ONCE: Final = frozenset({"corrupt_once", "truncated_once", "refused_once", "moved"})
REFUSED_STAGES: Final = {
    "find_failed": ("find", UNKNOWN_ERROR),
    "select_refused": ("select", commands.SELECT_FAILED),
    "two_cards": ("select", commands.SELECT_FAILED),  # the module says no more than that it could select neither
    "read_failed": ("read", commands.READ_FAILED),
    "sam_auth_failed": ("read", CARD_UNVERIFIED),
    "wrong_card_type": ("read", WRONG_CARD),
}
REFUSES_ALL: Final = {"self_test_failed": commands.SELF_TEST_FAILED, "not_authorised": commands.NOT_AUTHORISED}
OF_THE_MODULE: Final = frozenset(REFUSED_STAGES) | frozenset(REFUSES_ALL) | {"no_sam", "decode_failed"}
OF_THE_CITIZEN: Final = frozenset({"moved_too_soon", "card_left", "slow_read"})


class SdtSimulator:
    """Implements `drivers.protocols.Simulator`. Options are strings.

    `card`: laid down from the start; `transport`: pty or tcp; `baud`: speed of the line; `link`: a symbolic link that
    points at the pseudo-terminal; `tcp_port`: 0 for any; `cards`, `portraits`: other sample cards and pictures;
    `sam_id`: the number printed on another reader.
    """

    faults = ON_EVERY_ANSWER | ON_NEXT_CARD_ONCE | OF_THE_MODULE | OF_THE_CITIZEN

    def __init__(
        self,
        *,
        card: str = "",
        transport: str = "pty",
        baud: str = "115200",
        link: str = "",
        tcp_port: str = "0",
        cards: str = "",
        portraits: str = "",
        sam_id: str = SAM_ID,
    ) -> None:
        if transport not in ("pty", "tcp"):
            raise ValueError(f"transport is pty or tcp, not {transport!r}")
        self._wire: Wire = PtyWire(link) if transport == "pty" else TcpWire(int(tcp_port))
        self._baud_rate = int(baud)
        self._cards = load_cards(Path(cards or CARDS_FILE), Path(portraits or PORTRAITS))
        self._module = SimulatedModule(sam_id)
        self._parser = FrameParser(REQUEST_HEAD_BYTES)
        self._requests: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._active: set[str] = set()
        self._random = random.Random(1910)
        self._card: SampleCard | None = None
        self._tasks: list[asyncio.Task[None]] = []
        if card:
            self._place(card)

    async def start(self) -> str:
        address = await self._wire.start(self._hear)
        self._tasks.append(asyncio.create_task(self._serve()))
        return address

    async def order(self, verb: str, argument: str = "") -> str:
        match verb:
            case "place":
                self._place(argument)
            case "remove":
                self._card = None
                if "card_left" not in self._active:
                    self._module.remove()
            case "fault":
                if argument not in self.faults:
                    raise ValueError(f"no fault is called {argument!r}: choose one of {', '.join(sorted(self.faults))}")
                self._active.add(argument)
            case "clear":
                self._active.clear()
            case _:
                raise ValueError(f"no order is called {verb!r}: place, remove, fault, clear")
        self._set_module()
        return "ok"

    async def stop(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._wire.stop()

    def _place(self, name: str) -> None:
        if name not in self._cards:
            raise ValueError(f"no sample card is called {name!r}: choose one of {', '.join(self._cards)}")
        self._card = self._cards[name]
        self._module.place(self._card)

    def _set_module(self) -> None:
        self._module.knows_sam = "no_sam" not in self._active
        self._module.misstates_lengths = "decode_failed" in self._active
        refusing = [status for fault, status in REFUSES_ALL.items() if fault in self._active]
        self._module.refuses_all = refusing[0] if refusing else None
        self._module.refusals = dict(stage for fault, stage in REFUSED_STAGES.items() if fault in self._active)

    def _hear(self, data: bytes) -> None:
        damaged = self._parser.rejected
        for frame in self._parser.feed(data):
            self._requests.put_nowait(frame)
        for _ in range(self._parser.rejected - damaged):
            self._requests.put_nowait(None)

    async def _serve(self) -> None:
        while True:
            request = await self._requests.get()
            request_bytes = len(PREAMBLE) + 2 + REQUEST_HEAD_BYTES + 1
            await asyncio.sleep(request_bytes * BITS_PER_BYTE / self._baud_rate)
            with contextlib.suppress(OSError):
                await self._answer(request)
            self._module.rest()

    async def _answer(self, request: Frame | None) -> None:
        if "silent" in self._active:
            return
        if "endless" in self._active:
            await self._send_endlessly()
            return
        if "wrong_device" in self._active:
            await self._send(ANOTHER_DEVICE_SAYS)
            return
        answer = self._reply(request)
        if "slow" in self._active:
            await asyncio.sleep(SLOW_SECONDS)
        if "slow_read" in self._active and len(answer) >= LONG_ANSWER_BYTES:
            await asyncio.sleep(SLOW_READ_SECONDS)
        if "noise" in self._active:
            await self._send(self._random.randbytes(self._random.randint(1, 40)) + PREAMBLE[:3])
        await self._deliver(answer)

    def _reply(self, request: Frame | None) -> bytes:
        """What the module says, after the misfortunes that befall the card. None: the request was damaged."""
        if request is None:
            return encode_answer(commands.REQUEST_CHECKSUM_WRONG)
        if request.head == commands.READ.request[7:9]:
            if self._befalls("refused_once"):
                return encode_answer(commands.READ_FAILED, card_status=b"\x69\x82")
            if "moved_too_soon" in self._active or self._befalls("moved"):
                self._module.remove()
                self._tasks.append(asyncio.create_task(self._put_back()))
                return encode_answer(commands.NO_CARD)
        return self._module.answer(request)

    async def _put_back(self) -> None:
        await asyncio.sleep(MOVED_SECONDS)
        if self._card is not None:
            self._module.place(self._card)

    async def _deliver(self, answer: bytes) -> None:
        if len(answer) >= LONG_ANSWER_BYTES:
            if self._befalls("corrupt_once"):
                middle = len(answer) // 2
                answer = answer[:middle] + bytes([answer[middle] ^ 0x40]) + answer[middle + 1 :]
            if self._befalls("truncated_once"):
                answer = answer[: len(answer) // 2]
        begin = 0
        for end in SPLIT_AT if "split" in self._active else ():
            if end < len(answer):
                await self._send(answer[begin:end])
                await asyncio.sleep(SPLIT_SECONDS)
                begin = end
        await self._send(answer[begin:])

    def _befalls(self, fault: str) -> bool:
        """True, and the misfortune is over, when it was on."""
        is_on = fault in self._active
        self._active.discard(fault)
        return is_on

    async def _send_endlessly(self) -> None:
        while "endless" in self._active:
            await self._send(self._random.randbytes(ENDLESS_CHUNK_BYTES))

    async def _send(self, data: bytes) -> None:
        await send_paced(self._wire, data, self._baud_rate)
