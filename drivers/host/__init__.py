"""Every device in its own process, spoken to as if it were here.

device = SupervisedDevice(DeviceConfig(name="reader", driver="id_card_reader/sdt", options={"port": "/dev/ttyS0"}))
await device.open()
card = await device.proxy.read(timeout_seconds=15)

The names are loaded when first asked for: a device's process passes through here and needs none of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drivers.host.config import DeviceConfig
    from drivers.host.lives.nursery import Nursery
    from drivers.host.presence.hotplug import Hotplug
    from drivers.host.process import Limits
    from drivers.host.supervisor import SupervisedDevice

__all__ = ["DeviceConfig", "Hotplug", "Limits", "Nursery", "SupervisedDevice"]

_PLACES = {
    "DeviceConfig": "config",
    "Hotplug": "presence.hotplug",
    "Limits": "process",
    "Nursery": "lives.nursery",
    "SupervisedDevice": "supervisor",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
    return value
