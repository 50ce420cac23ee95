"""A USB port to plug devices into, without USB: run under `umockdev-wrapper` by test_hotplug.py.

Real udev library, real pyudev, a testbed's /dev and /sys. The back-off and the polling of the host are set to an hour:
what happens here, happens because something was plugged in or out.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
from collections.abc import Callable
from pathlib import Path

from drivers.host import DeviceConfig, Hotplug, SupervisedDevice, supervisor
from drivers.host.lives import system
from drivers.messages import DeviceState

PORT = "/dev/serial/by-path/pci-1-usb-1"
USB = "/devices/pci/usb1/1-{number}"
DESCRIPTION = """P: {usb}
N: bus/usb/001/00{number}=00
E: DEVNAME=/dev/bus/usb/001/00{number}
E: DEVTYPE=usb_device
E: SUBSYSTEM=usb
A: idVendor={vendor}\\n
A: idProduct=7523\\n
A: serial=S{number}\\n
A: bNumInterfaces= 1\\n

P: {usb}/1-{number}:1.0
E: DEVTYPE=usb_interface
E: SUBSYSTEM=usb

P: {usb}/1-{number}:1.0/tty/ttyUSB{number}
N: ttyUSB{number}
S: serial/by-path/pci-1-usb-1
E: DEVNAME=/dev/ttyUSB{number}
E: DEVLINKS=/dev/serial/by-path/pci-1-usb-1
E: SUBSYSTEM=tty
L: device=../../../1-{number}:1.0

"""


class Testbed:
    def __init__(self) -> None:
        library = self._library = ctypes.CDLL("libumockdev.so.0")
        library.umockdev_testbed_new.restype = ctypes.c_void_p
        library.umockdev_testbed_get_root_dir.restype = ctypes.c_char_p
        library.umockdev_testbed_get_root_dir.argtypes = [ctypes.c_void_p]
        library.umockdev_testbed_add_from_string.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        library.umockdev_testbed_remove_device.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        library.umockdev_testbed_uevent.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]
        self._bed = ctypes.c_void_p(library.umockdev_testbed_new())
        self.root = library.umockdev_testbed_get_root_dir(self._bed).decode()

    def plug_in(self, number: int, vendor: str) -> None:
        description = DESCRIPTION.format(usb=USB.format(number=number), number=number, vendor=vendor)
        error = ctypes.c_void_p()
        assert self._library.umockdev_testbed_add_from_string(self._bed, description.encode(), ctypes.byref(error))

    def pull_out(self, number: int) -> None:
        """Children first; the node and its link do not go by themselves."""
        usb = "/sys" + USB.format(number=number)
        for link in (f"{self.root}{PORT}", f"{self.root}/dev/ttyUSB{number}"):
            os.unlink(link)  # noqa: PTH108 - as the testbed's own paths
        for path in (f"{usb}/1-{number}:1.0/tty/ttyUSB{number}", f"{usb}/1-{number}:1.0", usb):
            self._library.umockdev_testbed_uevent(self._bed, path.encode(), b"remove")
            self._library.umockdev_testbed_remove_device(self._bed, path.encode())


async def until(condition: Callable[[], object], what: str) -> float:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while not condition():
        assert loop.time() - begun < 15, f"not in time: {what}"
        await asyncio.sleep(0.005)
    return loop.time() - begun


async def story(testbed: Testbed) -> dict[str, float]:
    supervisor.BACK_OFF_SECONDS = (3600.0,)
    system.INHERITED |= system.TEST_BEDS
    os.environ["UMOCKDEV_DIR"] = testbed.root
    config = DeviceConfig(name="it", driver="id_card_reader/misbehaving", options={"behaviour": "node", "port": PORT})
    device = SupervisedDevice(config, poll_seconds=3600)
    plugs = Hotplug(lambda: [device])
    plugs.start()
    device.start()
    seconds = {}
    try:
        await until(lambda: device.cached_status().device is DeviceState.NO_DEVICE, "absent at first")
        testbed.plug_in(1, "1a86")
        seconds["plugged in"] = await until(lambda: device.is_fit, "a device that is plugged in serves")
        pid = device.pid
        testbed.pull_out(1)
        seconds["pulled out"] = await until(
            lambda: device.cached_status().device is DeviceState.OFFLINE, "a device that is pulled out is gone"
        )
        testbed.plug_in(2, "1a86")
        await until(lambda: device._board.reason() == "different_device", "another serial number is noticed")
        device.acknowledge()
        seconds["accepted"] = await until(lambda: device.is_fit, "the accepted device serves")
        testbed.pull_out(2)
        await until(lambda: device.cached_status().device is DeviceState.OFFLINE, "pulled out again")
        testbed.plug_in(3, "0403")
        await until(lambda: device._board.reason() == "different_device", "another product is noticed")
        assert device.pid == pid, "no restart was needed"
    finally:
        plugs.close()
        await device.close()
    return seconds


if __name__ == "__main__":
    bed = Testbed()
    Path(f"{bed.root}/dev/serial/by-path").mkdir(parents=True, exist_ok=True)
    print(json.dumps(asyncio.run(asyncio.wait_for(story(bed), 60))))
