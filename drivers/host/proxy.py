"""The protocol of a device class, built from its signatures: each method is handed to the device's process."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from typing import Any, Protocol

from drivers.host.interface import Method, methods_of
from drivers.messages import Capabilities, DeviceStatus


class Supervised(Protocol):
    """What a proxy stands on."""

    async def capabilities(self) -> Capabilities: ...
    async def status(self) -> DeviceStatus: ...
    async def wipe(self) -> None: ...
    async def close(self) -> None: ...
    async def request(self, name: str, *args: Any, **kwargs: Any) -> Any: ...
    def stream(self, name: str, *args: Any, **kwargs: Any) -> AsyncIterator[Any]: ...


class _Proxy:
    def __init__(self, device: Supervised) -> None:
        self._device = device


@functools.cache
def proxy_class(protocol: type) -> type:
    """A class with every method of the protocol, each handed to the supervised device."""

    members: dict[str, Any] = {name: _forward(name, method) for name, method in methods_of(protocol).items()}
    members["__doc__"] = f"{protocol.__name__} in its own process."
    return type(f"{protocol.__name__}Proxy", (_Proxy,), members)


def _forward(name: str, method: Method) -> Any:
    if name in ("status", "capabilities", "wipe", "close"):

        async def own(self: Any) -> Any:
            return await getattr(self._device, name)()

        forward: Any = own
    elif method.streams:

        def stream(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            items: AsyncIterator[Any] = self._device.stream(name, *args, **kwargs)
            return items

        forward = stream
    else:

        async def request(self: Any, *args: Any, **kwargs: Any) -> Any:
            return await self._device.request(name, *args, **kwargs)

        forward = request
    forward.__name__ = name
    return forward
