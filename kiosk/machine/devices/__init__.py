"""The devices of this machine, and the maintainer's hatch to them while the terminal runs."""

from kiosk.machine.devices.acquaintances import Acquaintances
from kiosk.machine.devices.hatch import Hatch
from kiosk.machine.devices.house import Devices

__all__ = ["Acquaintances", "Devices", "Hatch"]
