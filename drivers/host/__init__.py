"""Every device in its own process, spoken to as if it were here.

device = SupervisedDevice(DeviceConfig(name="reader", driver="id_card_reader/sdt", options={"port": "/dev/ttyS0"}))
await device.open()
card = await device.proxy.read(timeout_seconds=15)
"""

from drivers.host.process import Limits
from drivers.host.spare import Spare
from drivers.host.supervisor import DeviceConfig, SupervisedDevice

__all__ = ["DeviceConfig", "Limits", "Spare", "SupervisedDevice"]
