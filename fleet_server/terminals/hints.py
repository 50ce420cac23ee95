"""The channel: "look now" and nothing else. Push is a hint, pull is the truth (DESIGN 2.4)."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import logging
from collections import defaultdict

import psycopg
from sqlalchemy import select
from sqlmodel import col
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketState

from fleet_server.database import NOTIFY_CHANNEL, Database, now
from fleet_server.security import TerminalKey
from fleet_server.terminals.models import GenerationCounter, Scope
from fleet_server.terminals.service import members

SEND_SECONDS = 2.0
WATCH_SECONDS = 1.0
RECONNECT_SECONDS = 2.0
REVOKED = 4403
"""WebSocket close code: this terminal has been revoked."""

log = logging.getLogger(__name__)


class ChannelHub:
    """The connected terminals of this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connected: defaultdict[str, set[WebSocket]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._deliveries: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return sum(len(sockets) for sockets in self._connected.values())

    def is_connected(self, terminal: str) -> bool:
        return terminal in self._connected

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        if self._database.is_sqlite:
            self._database.listeners.append(self.post)

    def post(self, message: str) -> None:
        """Called from any thread, after the commit."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._begin_delivery, message)

    def _begin_delivery(self, message: str) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(message))
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)

    async def _deliver(self, message: str) -> None:
        """Waits for each terminal at most `SEND_SECONDS`; one that does not take its hint polls later."""
        hint = json.loads(message)
        scope = Scope(hint["scope"])
        for terminal in await self._addressed(scope, hint["scope_id"]):
            if hint["look"] == "revoked":
                await self._close(terminal)
            else:
                await self._send(terminal, {"look": hint["look"]})

    async def _addressed(self, scope: Scope, scope_id: str) -> list[str]:
        match scope:
            case Scope.ALL:
                return list(self._connected)
            case Scope.TERMINAL:
                return [scope_id] if scope_id in self._connected else []
            case Scope.RING | Scope.GROUP:
                return [
                    name for name in await run_in_threadpool(self._members, scope, scope_id) if name in self._connected
                ]

    def _members(self, scope: Scope, scope_id: str) -> list[str]:
        with self._database.reading() as session:
            return members(session, scope, scope_id)

    async def serve(self, terminal: str, socket: WebSocket) -> None:
        """Hold one accepted channel until it ends. It begins with a hint: what was said before is not lost."""
        self._connected[terminal].add(socket)
        try:
            await socket.send_json({"look": "desired-state"})
            while (await socket.receive())["type"] != "websocket.disconnect":
                pass
        finally:
            self._connected[terminal].discard(socket)
            if not self._connected[terminal]:
                del self._connected[terminal]

    async def _send(self, terminal: str, content: dict[str, str]) -> None:
        for socket in list(self._connected.get(terminal, ())):
            with contextlib.suppress(Exception):
                await asyncio.wait_for(socket.send_json(content), SEND_SECONDS)

    async def _close(self, terminal: str) -> None:
        for socket in list(self._connected.get(terminal, ())):
            if socket.application_state is WebSocketState.CONNECTED:
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(socket.close(REVOKED, "revoked"), SEND_SECONDS)

    async def watch(self) -> None:
        """Until cancelled: hear what other processes committed, and close the channels of revoked terminals."""
        listening = asyncio.create_task(self._watch_generations() if self._database.is_sqlite else self._listen())
        try:
            while True:
                await asyncio.sleep(WATCH_SECONDS)
                if self._connected:
                    for terminal in await run_in_threadpool(self._recently_revoked):
                        await self._close(terminal)
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening

    def _recently_revoked(self) -> list[str]:
        since = now() - dt.timedelta(minutes=5)
        with self._database.reading() as session:
            return list(session.scalars(select(col(TerminalKey.terminal)).where(col(TerminalKey.revoked_at) > since)))

    async def _watch_generations(self) -> None:
        """SQLite has no notifications between processes: a change made by a command is seen within a second."""
        seen = await run_in_threadpool(self._generation)
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            current = await run_in_threadpool(self._generation)
            if current != seen:
                seen = current
                self.post(json.dumps({"look": "desired-state", "scope": Scope.ALL, "scope_id": ""}))

    def _generation(self) -> int:
        with self._database.reading() as session:
            row = session.get(GenerationCounter, 1)
            return row.value if row else 0

    async def _listen(self) -> None:
        address = self._database.url.replace("postgresql+psycopg://", "postgresql://", 1)
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(address, autocommit=True)
                async with connection:
                    await connection.execute(f"LISTEN {NOTIFY_CHANNEL}")
                    self.post(json.dumps({"look": "desired-state", "scope": Scope.ALL, "scope_id": ""}))
                    async for notification in connection.notifies():
                        self.post(notification.payload)
            except psycopg.Error as error:
                log.warning("listening for hints failed: %s", type(error).__name__)
            await asyncio.sleep(RECONNECT_SECONDS)
