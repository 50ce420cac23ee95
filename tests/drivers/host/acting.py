"""A driver of every class whose every act ends as the world file says: for the tests of open endings."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from drivers.errors import CommandCancelled, DeviceOffline
from drivers.messages import Capabilities, DeviceClass, DeviceState, DeviceStatus, Message


class Acting:
    class Options(Message):
        world: str
        device_class: DeviceClass

    def __init__(self, options: Any) -> None:
        self.options = options

    async def capabilities(self) -> Capabilities:
        return Capabilities(
            device_class=self.options.device_class, driver=f"{self.options.device_class}/acting", version="1",
            status_source="none", poll_safe_in_motion=True,
        )  # fmt: skip

    async def status(self) -> DeviceStatus:
        return DeviceStatus(device=DeviceState.ONLINE)

    async def wipe(self) -> None: ...

    async def close(self) -> None: ...

    def __getattr__(self, name: str) -> Any:
        """Any act of any class."""

        async def act(*_: Any, **__: Any) -> Any:
            match Path(self.options.world).read_text():  # noqa: ASYNC240
                case "lost":
                    os._exit(3)
                case "bug":
                    raise RuntimeError("a bug")
                case "nonsense":
                    return {"outcome": "a good one"}
                case "endless":
                    return await asyncio.sleep(3600)
                case "cancelled":
                    raise CommandCancelled("not asked for", "cancelled")
                case _:
                    raise DeviceOffline("nothing was sent", "device_offline")

        return act
