"""Every device in its own process, spoken to as if it were here.

device = SupervisedDevice(DeviceConfig(name="reader", driver="id_card_reader/sdt", options={"port": "/dev/ttyS0"}))
await device.open()
card = await device.proxy.read(timeout_seconds=15)
"""

from drivers.host.config import DeviceConfig
from drivers.host.lives.spare import Spare
from drivers.host.presence.hotplug import Hotplug
from drivers.host.process import Limits
from drivers.host.supervisor import SupervisedDevice

__all__ = ["DeviceConfig", "Hotplug", "Limits", "Spare", "SupervisedDevice"]
