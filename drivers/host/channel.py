"""Frames between the house and a device's process, over an inherited socket pair.

Frame: header length and attachments length (u32 each, network order), the header (JSON object), the attachments end to
end. `bytes` inside a value travel as attachments, so pictures and documents are never encoded as text; the header holds
`{"$bytes": index}` in their place and their lengths under `"bytes"`. Buffers are zeroed after use: they may hold a
citizen's values.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import socket
import struct
from collections import deque
from typing import Any

PREFIX = struct.Struct("!II")
HEADER_LIMIT = 4 * 1024 * 1024
ATTACHMENTS_LIMIT = 96 * 1024 * 1024
BYTES_KEY = "$bytes"

type_error = "a value of the hardware border cannot hold {}"


class ChannelClosed(Exception):
    """The other side is gone, or broke the framing."""


class FrameTooLarge(Exception):
    """What was to be sent is beyond the limits; nothing was sent."""


class Channel:
    """Both ends use one of these. `send` never blocks: one writer task keeps the frames whole and in order."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._outgoing: deque[bytearray] = deque()
        self._wake = asyncio.Event()
        self._closed = False
        self._writer = asyncio.get_running_loop().create_task(self._write())

    def send(self, header: dict[str, Any]) -> None:
        """Queue one frame. Raises `FrameTooLarge`, or `ChannelClosed` when the channel was closed."""
        if self._closed:
            raise ChannelClosed("the channel is closed")
        self._outgoing.append(encode(header))
        self._wake.set()

    async def receive(self) -> dict[str, Any]:
        """The next frame. Raises `ChannelClosed`."""
        prefix = await self._read(PREFIX.size)
        header_length, attachments_length = PREFIX.unpack(prefix)
        if header_length > HEADER_LIMIT or attachments_length > ATTACHMENTS_LIMIT:
            raise ChannelClosed(f"a frame of {header_length} + {attachments_length} bytes is beyond the limits")
        body = await self._read(header_length + attachments_length)
        try:
            return decode(body, header_length)
        finally:
            _erase(body)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._writer.cancel()
        for frame in self._outgoing:
            _erase(frame)
        self._outgoing.clear()
        self._connection.close()

    async def drain(self) -> None:
        """Return when everything queued was handed to the system, or the channel broke."""
        while self._outgoing and not self._writer.done():  # noqa: ASYNC110 - the last moments of a process
            await asyncio.sleep(0.001)

    async def _read(self, length: int) -> bytearray:
        buffer = bytearray(length)
        view = memoryview(buffer)
        received = 0
        loop = asyncio.get_running_loop()
        while received < length:
            try:
                count = await loop.sock_recv_into(self._connection, view[received:])
            except (OSError, ValueError) as error:
                raise ChannelClosed(f"the channel broke: {type(error).__name__}") from error
            if count == 0:
                raise ChannelClosed("the other side closed the channel")
            received += count
        return buffer

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._outgoing:
                try:
                    await loop.sock_sendall(self._connection, self._outgoing[0])
                except OSError:
                    return  # the reader sees the end of the channel and says so
                _erase(self._outgoing.popleft())


def encode(header: dict[str, Any]) -> bytearray:
    """One frame. Raises `FrameTooLarge`, or `TypeError` for a value that cannot cross."""
    attachments: list[bytes] = []
    tree = _without_bytes(header, attachments)
    tree["bytes"] = [len(attachment) for attachment in attachments]
    text = json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode()
    total = sum(tree["bytes"])
    if len(text) > HEADER_LIMIT or total > ATTACHMENTS_LIMIT:
        raise FrameTooLarge(f"{len(text)} + {total} bytes are beyond the limits of the hardware border")
    frame = bytearray(PREFIX.pack(len(text), total))
    frame += text
    for attachment in attachments:
        frame += attachment
    return frame


def decode(body: bytearray, header_length: int) -> dict[str, Any]:
    """The header with its bytes put back. Raises `ChannelClosed` when the frame is not well formed."""
    try:
        header = json.loads(body[:header_length].decode())
        attachments, position = [], header_length
        for length in header.pop("bytes"):
            attachments.append(bytes(body[position : position + length]))
            position += length
        if position != len(body):
            raise ChannelClosed("the attachments do not fit the frame")
        restored = _with_bytes(header, attachments)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise ChannelClosed(f"a frame is not well formed: {type(error).__name__}") from error
    if not isinstance(restored, dict):
        raise ChannelClosed("a frame's header is not an object")
    return restored


def _without_bytes(value: Any, attachments: list[bytes]) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case bytes():
            attachments.append(value)
            return {BYTES_KEY: len(attachments) - 1}
        case dict():
            if BYTES_KEY in value:
                raise TypeError(type_error.format(f"the key {BYTES_KEY}"))
            return {str(key): _without_bytes(item, attachments) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_without_bytes(item, attachments) for item in value]
        case dt.date() | dt.time():
            return value.isoformat()
        case _:
            raise TypeError(type_error.format(type(value).__name__))


def _with_bytes(tree: Any, attachments: list[bytes]) -> Any:
    if isinstance(tree, dict):
        if BYTES_KEY in tree:
            return attachments[tree[BYTES_KEY]]
        return {key: _with_bytes(item, attachments) for key, item in tree.items()}
    if isinstance(tree, list):
        return [_with_bytes(item, attachments) for item in tree]
    return tree


def _erase(buffer: bytearray) -> None:
    buffer[:] = bytes(len(buffer))
