"""What is plugged in or out is noticed at once: real pyudev under umockdev; and without udev nothing breaks."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from drivers.host import DeviceConfig, Hotplug, SupervisedDevice
from drivers.host.presence import hotplug
from drivers.host.presence.hotplug import nodes_of

PLUGS = Path(__file__).with_name("plugs.py")
ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.skipif(shutil.which("umockdev-wrapper") is None, reason="umockdev is not installed")
def test_plugging_in_and_out_is_noticed_without_waiting_and_a_stranger_is_refused(driver_package: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(driver_package)])}
    done = subprocess.run(
        ["umockdev-wrapper", sys.executable, "-W", "error", str(PLUGS)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert set(json.loads(done.stdout)) == {"plugged in", "pulled out", "accepted"}


class Event:
    """A device of the udev library, as far as it is looked at."""

    subsystem = "tty"
    sys_path = "/sys/devices/x"
    device_type = None

    def __init__(self, action: str, node: str | None, *links: str) -> None:
        self.action = action
        self.device_node = node
        self.device_links = links

    def find_parent(self, *_: str) -> None:
        return None


class Device:
    def __init__(self, fit: bool, *nodes: str) -> None:
        self.nodes = frozenset(nodes)
        self.is_fit = fit
        self.heard: list[str] = []

    def plugged_in(self, plug: dict[str, str]) -> None:
        self.heard.append("in")

    def plugged_out(self) -> None:
        self.heard.append("out")


def test_an_event_reaches_those_it_may_concern_and_nobody_else() -> None:
    link = "/dev/serial/by-id/a"
    named, other = Device(True, link), Device(False, "/dev/ttyS0")
    anywhere_fit, anywhere_lost = Device(True), Device(False)
    plugs = Hotplug(lambda: [named, other, anywhere_fit, anywhere_lost])
    plugs._heard(Event("add", "/dev/ttyUSB0", link))
    plugs._heard(Event("remove", "/dev/ttyUSB0"))  # the kernel does not know the links
    assert named.heard == ["in", "out"]
    assert other.heard == []
    assert anywhere_fit.heard == ["out"]
    assert anywhere_lost.heard == ["in", "out"]
    plugs._heard(Event("add", "/dev/ttyUSB0"))  # the number is given to another device
    plugs._heard(Event("add", None))
    assert named.heard == ["in", "out"]


def test_without_the_udev_library_the_house_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> Any:
        raise ImportError("libudev")

    monkeypatch.setattr(hotplug.importlib, "import_module", missing)

    async def story() -> None:
        device = SupervisedDevice(DeviceConfig(name="it", driver="id_card_reader/misbehaving"))
        plugs = Hotplug(lambda: [device])
        plugs.start()
        plugs.close()
        plugs.close()

    asyncio.run(story())


def test_the_nodes_of_a_device_are_its_paths_and_what_its_links_lead_to(tmp_path: Path) -> None:
    assert nodes_of({"port": "/dev/ttyS1", "baud": 9600, "address": "socket://127.0.0.1:1"}) == {"/dev/ttyS1"}
    assert nodes_of({}) == frozenset()
    assert {"/dev/stdin", os.path.realpath("/dev/stdin")} <= nodes_of({"port": "/dev/stdin"})
