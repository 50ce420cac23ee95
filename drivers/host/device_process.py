"""The device's own process: one driver, spoken to over an inherited socket.

The nursery forks it (`lives.forking`). The house sends `configure`, `call`, `next`, `cancel` and
`close`; this process answers `ready` or `failed`, then `result`, `item`, `end` and `error`, and beats while its event
loop turns. Nothing about a citizen is written anywhere: an unexpected error is reported by its type and place alone.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import gc
import os
import socket
import sys
import traceback
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from drivers.errors import ERROR_KINDS, CommandCancelled, DeviceError, Unsupported
from drivers.host.channel import Channel, ChannelClosed, FrameTooLarge
from drivers.host.interface import Deviation, Method, deviation_of, methods_of
from drivers.registry import find_driver, protocol_of
from drivers.tails import overwrite_tails

BEAT_SECONDS = 0.25
CLOSE_SECONDS = 1.5
TIDY_SECONDS = 5.0
INTERNAL = "internal"


def serve(connection_fd: int) -> int:
    """Until the house closes the channel; the exit status."""
    status = asyncio.run(_DeviceProcess(socket.socket(fileno=connection_fd)).run())
    sys.stderr.flush()
    return status


class _DeviceProcess:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._methods: dict[str, Method] = {}
        self._driver: Any = None
        self._commands: dict[int, asyncio.Task[None]] = {}
        self._pulls: dict[int, asyncio.Queue[None]] = {}

    async def run(self) -> int:
        self._channel = Channel(self._connection)
        self._stop = asyncio.get_running_loop().create_future()
        try:
            configuration = await self._channel.receive()
            if not self._open(configuration):
                await self._channel.drain()
                return 1
            asyncio.get_running_loop().call_later(TIDY_SECONDS, _return_freed_memory)
            serving, beating = asyncio.create_task(self._serve()), asyncio.create_task(self._beat())
            status = int(await self._stop)
            for task in (serving, *self._commands.values()):
                task.cancel()
            await self._release()
            beating.cancel()  # a driver that takes its time to let go of the hardware is not hung
        except ChannelClosed:
            return 0
        return status

    def _open(self, configuration: dict[str, Any]) -> bool:
        try:
            entry = find_driver(configuration["driver"])
            self._methods = methods_of(protocol_of(entry.device_class))
            driver = entry.load()
            self._driver = driver(entry.options().model_validate(configuration["options"]))
        except ValidationError as error:
            wrong = Unsupported(_mistakes(error, list(entry.options().model_fields)), "configuration_wrong")
            self._channel.send({"op": "failed", "error": _error(wrong)})
        except BaseException as error:  # noqa: BLE001 - whatever a vendor's code raises ends here, by name and place
            self._channel.send({"op": "failed", "error": _error(error)})
        else:
            self._channel.send({"op": "ready", "standby": bool(getattr(driver, "standby", False))})
            return True
        return False

    async def _beat(self) -> None:
        while True:
            self._channel.send({"op": "beat"})
            await asyncio.sleep(BEAT_SECONDS)

    async def _serve(self) -> None:
        try:
            while True:
                frame = await self._channel.receive()
                self._obey(frame)
        except ChannelClosed:
            self._end(0)

    def _obey(self, frame: dict[str, Any]) -> None:
        match frame["op"]:
            case "call":
                number, method = frame["id"], self._methods[frame["method"]]
                if method.streams:
                    self._pulls[number] = asyncio.Queue()
                work = self._stream(number, method, frame) if method.streams else self._request(number, method, frame)
                self._commands[number] = task = asyncio.create_task(work)
                task.add_done_callback(lambda task: self._forget(number, task))
            case "next" if frame["id"] in self._pulls:
                self._pulls[frame["id"]].put_nowait(None)
            case "cancel" if frame["id"] in self._commands:
                self._commands[frame["id"]].cancel()
            case "close":
                self._end(0)

    def _forget(self, number: int, task: asyncio.Task[None]) -> None:
        self._commands.pop(number, None)
        self._pulls.pop(number, None)
        if task.cancelled():  # taken back before its first step
            self._answer({"op": "error", "id": number, "error": _error(_taken_back())})

    def _end(self, status: int) -> None:
        if not self._stop.done():
            self._stop.set_result(status)

    async def _request(self, number: int, method: Method, frame: dict[str, Any]) -> None:
        try:
            args, kwargs = method.load_arguments(frame.pop("arguments"))
            answer = await getattr(self._driver, method.name)(*args, **kwargs)
            self._answer({"op": "result", "id": number, "value": _dumped(method, answer)})
        except asyncio.CancelledError:
            self._answer({"op": "error", "id": number, "error": _error(_taken_back())})
        except BaseException as error:  # noqa: BLE001 - the border: whatever happened crosses it as data
            self._fail(number, deviation_of(self._driver, method, error) or error)
        if method.name == "wipe":
            _return_freed_memory()

    async def _stream(self, number: int, method: Method, frame: dict[str, Any]) -> None:
        """One item per `next`: the driver is never ahead of the one who looks."""
        pulls = self._pulls[number]
        stream: Any = None
        last: dict[str, Any] = {"op": "end", "id": number}
        try:
            args, kwargs = method.load_arguments(frame.pop("arguments"))
            stream = getattr(self._driver, method.name)(*args, **kwargs)
            while True:
                await pulls.get()
                item = await anext(stream)
                self._answer({"op": "item", "id": number, "value": _dumped(method, item)})
        except StopAsyncIteration:
            pass
        except asyncio.CancelledError:
            last = {"op": "error", "id": number, "error": _error(_taken_back())}
        except BaseException as error:  # noqa: BLE001 - the border: whatever happened crosses it as data
            last = {
                "op": "error",
                "id": number,
                "error": _error(deviation_of(self._driver, method, error) or error),
            }
        if hasattr(stream, "aclose"):
            try:
                await stream.aclose()
            except BaseException as error:  # noqa: BLE001 - as above
                last = {"op": "error", "id": number, "error": _error(error)}
        self._answer(last)

    def _answer(self, frame: dict[str, Any]) -> None:
        try:
            self._channel.send(frame)
        except ChannelClosed:
            self._end(0)
        except FrameTooLarge as error:
            wrong = Deviation(f"the driver's answer does not fit: {error}")
            self._channel.send({"op": "error", "id": frame["id"], "error": _error(wrong)})

    def _fail(self, number: int, error: BaseException) -> None:
        self._answer({"op": "error", "id": number, "error": _error(error)})
        if isinstance(error, MemoryError) or (
            isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
        ):
            self._end(1)  # out of files or memory: only a fresh process mends that

    async def _release(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._driver.close()
                await self._channel.drain()
        except Exception as error:  # noqa: BLE001 - the process ends anyway
            report(error)


def _mistakes(error: ValidationError, options: list[str]) -> str:
    said = []
    for mistake in error.errors(include_url=False, include_input=False, include_context=False):
        where = ".".join(str(part) for part in mistake["loc"]) or "options"
        match mistake["type"]:
            case "missing":
                said.append(f"{where} is missing")
            case "extra_forbidden":
                said.append(f"{where} is none of {', '.join(options)}")
            case _:
                said.append(f"{where}: {mistake['msg']}")
    return f"the options given are wrong: {'; '.join(said)}"


def _taken_back() -> CommandCancelled:
    return CommandCancelled("the command was taken back")


def _dumped(method: Method, answer: Any) -> Any:
    """Raises `Deviation` for what the protocol does not know."""
    try:
        return method.dump_result(answer)
    except PydanticSerializationError:  # its text would show what was answered
        raise Deviation(f"the driver answered {method.name} with something else: {type(answer).__name__}") from None


def _error(error: BaseException) -> dict[str, str]:
    """A device error as it is; anything else by its type and place, never by its text."""
    if isinstance(error, DeviceError) and error.kind in ERROR_KINDS:
        return {"kind": error.kind, "reason": _crossing(error.reason), "message": _crossing(str(error))}
    if isinstance(error, Deviation):
        return {"kind": INTERNAL, "reason": "driver_broken", "message": str(error)}
    report(error)
    return {"kind": INTERNAL, "reason": "driver_broken", "message": f"the driver failed: {_place(error)}"}


def _crossing(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""  # noqa: PTH119
    return type(error).__name__ + where


def report(error: BaseException) -> None:
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    places = " < ".join(f"{os.path.basename(f.filename)}:{f.lineno} {f.name}" for f in reversed(frames))  # noqa: PTH119
    print(f"{type(error).__name__} at {places}", file=sys.stderr, flush=True)


def _return_freed_memory() -> None:
    """What was freed goes back to the system: it is in no one's memory then, and costs none."""
    gc.collect()
    overwrite_tails()
    trim()


def trim() -> None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
