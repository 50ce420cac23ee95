"""Is it still the same device? Known by what it says of itself and by what the system says of its plug."""

from __future__ import annotations

from drivers.messages import Capabilities

SAID = ("serial", "vendor", "model")
PLUG = ("usb", "usb_serial")


class Identity:
    """Learns who the device is from the first answers, and says which part of it has changed since.

    `expected` comes from the configuration: the serial number the device says, or where it says none the USB serial
    number or `vendor:product` of its plug. Empty: the first device seen since the start is the right one. What a device
    does not say is not compared.
    """

    def __init__(self, expected: str = "") -> None:
        self._expected = expected
        self._known: dict[str, str] = {}
        self._now: dict[str, str] = {}
        self._heard = False

    def heard(self, capabilities: Capabilities) -> None:
        """What the device says of itself."""
        self._heard = True
        self._learn(SAID, {name: getattr(capabilities, name) or "" for name in SAID})

    def plugged(self, plug: dict[str, str]) -> None:
        """What the system says of the plug: `usb` and `usb_serial`."""
        self._learn(PLUG, plug)

    def accept(self) -> None:
        """What is there now is the right device."""
        self._expected = ""
        self._known = dict(self._now)

    @property
    def stranger(self) -> str:
        """Why this is not the device it should be, for staff; empty when it is, or nobody can tell."""
        changed = [name for name, value in self._now.items() if self._known.get(name, value) != value]
        if changed:
            return f"another device sits there: {', '.join(sorted(changed))} changed"
        if self._expected and self._heard:
            said = [self._now["serial"]] if "serial" in self._now else [self._now[n] for n in PLUG if n in self._now]
            if said and self._expected not in said:
                return f"the device that sits there is not {self._expected}"
        return ""

    def _learn(self, names: tuple[str, ...], said: dict[str, str]) -> None:
        for name in names:
            self._now.pop(name, None)
            if said.get(name):
                self._now[name] = said[name]
        if not self.stranger:
            self._known |= self._now
