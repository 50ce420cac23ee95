"""How a virtual card is reached: served to the driver itself, or laid into vpcd behind pcscd.

The wire of vpcd: two bytes of length, big-endian, then the payload; one byte 0, 1, 2, 4 is power off, power on, reset,
answer to reset; anything longer is an APDU.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

POWER_OFF, POWER_ON, RESET, GET_ATR = 0, 1, 2, 4
CONNECT_SECONDS: Final = 5.0
RETRY_SECONDS: Final = 0.05


class Slot(Protocol):
    """The reader behind a wire."""

    def atr(self) -> bytes:
        """Empty when no card is there."""
        ...

    def power(self, order: int) -> None: ...

    def visit(self) -> int:
        """Another number for every card laid down; 0 for none."""
        ...

    async def answer(self, apdu: bytes) -> bytes:
        """Empty when the card was taken away meanwhile."""
        ...


class Wire(Protocol):
    async def start(self, slot: Slot) -> str: ...
    async def card_came(self) -> None: ...
    async def card_left(self) -> None: ...
    async def unplug(self) -> None: ...
    async def plug_in(self) -> None: ...
    async def stop(self) -> None: ...


class ServedWire:
    """`apdu://127.0.0.1:PORT`: the driver connects, once to look and once to speak."""

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._conversations: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self, slot: Slot) -> str:
        self._slot = slot
        await self.plug_in()
        return f"apdu://127.0.0.1:{self._port}"

    async def card_came(self) -> None:
        """The next look sees it."""

    async def card_left(self) -> None:
        """The next look misses it."""

    async def plug_in(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
            self._port = self._server.sockets[0].getsockname()[1]

    async def unplug(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        conversations = dict(self._conversations)
        for writer in conversations.values():
            writer.close()
        await server.wait_closed()
        if conversations:
            await asyncio.wait(conversations, timeout=CONNECT_SECONDS)

    async def stop(self) -> None:
        await self.unplug()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._conversations[task] = writer
        powered_for = 0

        async def obey(payload: bytes) -> bytes | None:
            nonlocal powered_for
            if len(payload) == 1 and payload[0] != GET_ATR:
                powered_for = self._slot.visit() if payload[0] == POWER_ON else powered_for
                if powered_for and powered_for == self._slot.visit():
                    self._slot.power(payload[0])
                return None
            if payload == bytes((GET_ATR,)):
                return self._slot.atr() if powered_for in (0, self._slot.visit()) else b""
            if not powered_for or powered_for != self._slot.visit():
                return b""
            return await self._slot.answer(payload)

        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await _converse(reader, writer, obey)
        del self._conversations[task]
        writer.close()


class VpcdWire:
    """Connects to vpcd while a card is there; the connection is the card."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._conversation: asyncio.Task[None] | None = None

    async def start(self, slot: Slot) -> str:
        self._slot = slot
        return "Virtual PCD"

    async def card_came(self) -> None:
        await self.card_left()
        ends_at = asyncio.get_running_loop().time() + CONNECT_SECONDS
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                break
            except OSError:
                if asyncio.get_running_loop().time() > ends_at:
                    raise ValueError("pcscd with vpcd does not listen: start it first") from None
                await asyncio.sleep(RETRY_SECONDS)
        self._conversation = asyncio.create_task(self._speak(reader, writer))

    async def card_left(self) -> None:
        conversation, self._conversation = self._conversation, None
        if conversation is not None and conversation is not asyncio.current_task():
            conversation.cancel()
            await asyncio.wait({conversation})

    async def unplug(self) -> None:
        raise ValueError("a virtual reader of vpcd is unplugged by ending pcscd")

    async def plug_in(self) -> None:
        """It always is."""

    async def stop(self) -> None:
        await self.card_left()

    async def _speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def obey(payload: bytes) -> bytes | None:
            if payload == bytes((GET_ATR,)):
                return self._slot.atr()
            if len(payload) == 1:
                self._slot.power(payload[0])
                return None
            answer = await self._slot.answer(payload)
            if not answer:
                raise ConnectionError
            return answer

        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await _converse(reader, writer, obey)
        finally:
            writer.close()


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, obey: Callable[[bytes], Awaitable[bytes | None]]
) -> None:
    while True:
        payload = await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
        answer = await obey(payload)
        if answer is not None:
            writer.write(len(answer).to_bytes(2) + answer)
            await writer.drain()
