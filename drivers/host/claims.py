"""Who may command a device: one session at a time, until its end (device-classes C.0).

A claim is taken by the first command of a session, or at once by `SupervisedDevice.claim`. While it lasts, commands of
others are refused with `DeviceBusy` (`claimed`); when it has ended, its own late commands are too (`claim_over`). What
passes the queue (status, capabilities, taking a job back, watching) and questions (`find_…`) are open to all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol

from drivers.errors import DeviceBusy
from drivers.messages import Capabilities, DeviceStatus


@dataclass(eq=False)
class Claim:
    """One session's hold on one device."""

    session_id: str
    over: bool = False


class Claims:
    def __init__(self, name: str) -> None:
        self._name = name
        self._of: dict[str, Claim] = {}
        self._holder: Claim | None = None

    @property
    def claimed_by(self) -> str | None:
        return self._holder.session_id if self._holder is not None else None

    def of(self, session_id: str) -> Claim:
        """The claim of that session, taken or not yet. A session that came back after its end gets a new one."""
        return self._of.setdefault(session_id, Claim(session_id))

    def take(self, claim: Claim | None) -> None:
        """Hold the device by `claim`, or see that nobody does (None: the house). Raises `DeviceBusy`."""
        if claim is not None and claim.over:
            raise DeviceBusy(f"{self._name}: the session of this command is over: begin a new one", "claim_over")
        if self._holder is None:
            self._holder = claim
        elif self._holder is not claim:
            raise DeviceBusy(f"{self._name} is held by another session: wait for its end", "claimed")

    def close_all(self) -> None:
        """No claim is good for another command. The device stays held until `free`."""
        for claim in self._of.values():
            claim.over = True
        self._of.clear()

    def free(self) -> None:
        self._holder = None

    def end(self, session_id: str) -> bool:
        """End the claim of a session; True when it held the device, which stays held until `free`."""
        claim = self._of.pop(session_id, None)
        if claim is None:
            return False
        claim.over = True
        return claim is self._holder


class Device(Protocol):
    """What a claimed device stands on: the supervised one."""

    async def capabilities(self) -> Capabilities: ...
    async def status(self) -> DeviceStatus: ...
    async def release(self, session_id: str) -> None: ...
    async def close(self) -> None: ...
    async def command(self, claim: Claim | None, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...
    def stream_for(
        self, claim: Claim | None, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> AsyncIterator[Any]: ...


class Claimed:
    """The device as one session has it; a proxy stands on it as on the device itself."""

    def __init__(self, device: Device, claim: Claim) -> None:
        self._device = device
        self._claim = claim

    async def capabilities(self) -> Capabilities:
        return await self._device.capabilities()

    async def status(self) -> DeviceStatus:
        return await self._device.status()

    async def wipe(self) -> None:
        await self._device.release(self._claim.session_id)

    async def close(self) -> None:
        await self._device.release(self._claim.session_id)

    async def request(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return await self._device.command(self._claim, name, args, kwargs)

    def stream(self, name: str, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        return self._device.stream_for(self._claim, name, args, kwargs)
