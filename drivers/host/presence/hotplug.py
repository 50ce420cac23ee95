"""Something was plugged in or out: the devices it concerns are told at once, the rest of the back-off is saved.

Two sources are heard: the kernel, which is first and also there where no udevd runs, and udev, which speaks when links
and permissions are in place. Both repeat themselves, so what follows an event must be harmless when done twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
from collections.abc import Callable, Iterable
from typing import Any, Protocol

LOG = logging.getLogger("drivers.host")

SOURCES = ("kernel", "udev")
SUBSYSTEMS = frozenset({"tty", "usb", "usbmisc", "hidraw", "input", "video4linux"})
GONE = ("remove", "unbind", "offline")
NODES = "/dev/"


class Pluggable(Protocol):
    """What is told. `nodes` are the device nodes and links its options name; none: it may be at any plug."""

    @property
    def nodes(self) -> frozenset[str]: ...
    @property
    def is_fit(self) -> bool: ...
    def plugged_in(self, plug: dict[str, str]) -> None: ...
    def plugged_out(self) -> None: ...


class Hotplug:
    """Listens on the running loop until closed. Without libudev nothing is heard, and polling goes on as before."""

    def __init__(self, devices: Callable[[], Iterable[Pluggable]]) -> None:
        self._devices = devices
        self._monitors: list[Any] = []
        self._links: dict[str, frozenset[str]] = {}

    def start(self) -> None:
        try:
            pyudev = importlib.import_module("pyudev")
            context = pyudev.Context()
            for source in SOURCES:
                monitor = pyudev.Monitor.from_netlink(context, source=source)
                monitor.start()
                self._monitors.append(monitor)
        except (ImportError, OSError) as error:
            LOG.info("what is plugged in or out is found by polling alone: %s", type(error).__name__)
            return
        loop = asyncio.get_running_loop()
        for monitor in self._monitors:
            loop.add_reader(monitor.fileno(), self._readable, monitor)
        wanted: set[str] = set().union(*(device.nodes for device in self._devices()))
        if wanted:
            self._introduce(context, wanted)

    def close(self) -> None:
        loop = asyncio.get_running_loop()
        for monitor in self._monitors:
            with contextlib.suppress(OSError, ValueError):
                loop.remove_reader(monitor.fileno())
        self._monitors.clear()

    def _introduce(self, context: Any, wanted: set[str]) -> None:
        """Who sits at the nodes of the configuration now."""
        for subsystem in SUBSYSTEMS:
            for found in context.list_devices(subsystem=subsystem):
                names = self._names(found)
                for device in self._devices():
                    if names & device.nodes & wanted:
                        device.plugged_in(_plug(found))

    def _readable(self, monitor: Any) -> None:
        with contextlib.suppress(OSError):
            while (event := monitor.poll(timeout=0)) is not None:
                if event.subsystem in SUBSYSTEMS:
                    self._heard(event)

    def _heard(self, event: Any) -> None:
        gone = event.action in GONE
        names = self._names(event)
        if gone:
            self._links.pop(event.device_node, None)
        LOG.debug("%s %s", event.action, event.sys_path)
        for device in self._devices():
            named = bool(names & device.nodes)
            if gone and (named or not device.nodes):
                device.plugged_out()
            elif not gone and (named or not (device.nodes or device.is_fit)):
                device.plugged_in(_plug(event) if named else {})

    def _names(self, device: Any) -> frozenset[str]:
        """Node and links; the kernel does not know the links, so those that udev told last are remembered."""
        node = device.device_node
        if node is None:
            return frozenset()
        links = frozenset(device.device_links) | self._links.get(node, frozenset())
        self._links[node] = links
        return links | {node}


def nodes_of(options: dict[str, Any]) -> frozenset[str]:
    """The device nodes and links that options name, and what the links lead to now."""
    named = {value for value in options.values() if isinstance(value, str) and value.startswith(NODES)}
    return frozenset(named | {os.path.realpath(node) for node in named if os.path.islink(node)})  # noqa: PTH114


def _plug(device: Any) -> dict[str, str]:
    """`usb` (vendor:product) and `usb_serial` of the plug a node belongs to; empty for what is not on USB."""
    usb = device if device.device_type == "usb_device" else device.find_parent("usb", "usb_device")
    if usb is None:
        return {}
    known = {name: _attribute(usb, name) for name in ("idVendor", "idProduct", "serial")}
    plug = {}
    if known["idVendor"] and known["idProduct"]:
        plug["usb"] = f"{known['idVendor']}:{known['idProduct']}"
    if known["serial"]:
        plug["usb_serial"] = known["serial"]
    return plug


def _attribute(device: Any, name: str) -> str:
    try:
        return str(device.attributes.asstring(name)).strip()
    except (KeyError, OSError, UnicodeDecodeError):
        return ""
