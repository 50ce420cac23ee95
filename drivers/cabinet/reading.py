"""One look at a cabinet's controller, as the parts and measures of the house (device-classes C.11)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from drivers.cabinet.modbus_line import ModbusLine
from drivers.cabinet.profile import Bit, Profile, Table, Word
from drivers.errors import HardwareFault
from drivers.messages import Readings

UNKNOWN: Final = "unknown"
GAP: Final = 8
BLOCK: Final = {"coil": 512, "discrete": 512, "holding": 100, "input": 100}


@dataclass(frozen=True)
class Look:
    parts: dict[str, str]
    readings: Readings


class Reader:
    """Reads what a profile names, in as few requests as there are neighbourhoods."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._blocks = _blocks([*profile.bits.values(), *profile.words.values()])
        self.part_names = tuple(self._parts({}, {}))

    def check_signature(self, line: ModbusLine) -> None:
        """Raises `HardwareFault` (`wrong_device`) when another controller answers there."""
        signature = self._profile.signature
        if signature is None:
            return
        said = line.read(signature.table, signature.address, 1)[0]
        if said != signature.expected:
            raise HardwareFault(
                f"a controller answers that is not the {self._profile.name} cabinet's: correct port or profile",
                "wrong_device",
            )

    def look(self, line: ModbusLine) -> Look:
        raw: dict[tuple[Table, int], int] = {}
        for table, address, count in self._blocks:
            raw |= {(table, address + place): value for place, value in enumerate(line.read(table, address, count))}
        bits = {name: bool(raw[bit.table, bit.address]) != bit.inverted for name, bit in self._profile.bits.items()}
        words = {name: word.value(raw[word.table, word.address]) for name, word in self._profile.words.items()}
        return Look(self._parts(bits, words), self._readings(words))

    def _parts(self, bits: dict[str, bool], words: dict[str, float]) -> dict[str, str]:
        profile = self._profile
        parts = {f"door_{name}": _door(name, bits) for name in profile.doors}
        for name, yes, no in (
            ("tamper", "tampered", "ok"), ("proximity", "present", "not_present"), ("headset", "plugged", "unplugged"),
            ("call_button", "pressed", "released"),
        ):  # fmt: skip
            if getattr(profile, name) is not None:
                parts[name] = UNKNOWN if name not in bits else yes if bits[name] else no
        if profile.operator_switch is not None:
            parts["operator_switch"] = profile.operator_switch.states.get(
                int(words.get("operator_switch", -1)), UNKNOWN
            )
        if profile.temperature_c is not None:
            parts["temperature"] = self._temperature(words.get("temperature_c"))
        if profile.fan is not None:
            parts["fan"] = UNKNOWN if "fan" not in words else "on" if words["fan"] > 0 else "off"
        codes = {code: flash.value for flash, code in profile.flash_codes.items()}
        for name in profile.lights:
            parts[f"light_{name}"] = codes.get(int(words.get(f"light_{name}", -1)), UNKNOWN)
        return parts

    def _temperature(self, degrees: float | None) -> str:
        limits = self._profile.limits
        if degrees is None:
            return UNKNOWN
        return "high" if degrees > limits.temperature_high_c else "low" if degrees < limits.temperature_low_c else "ok"

    def _readings(self, words: dict[str, float]) -> Readings:
        names = ("temperature_c", "humidity_percent", "ambient_lux")
        return Readings(**{name: round(words[name], 3) for name in names if name in words})


def _door(name: str, bits: dict[str, bool]) -> str:
    if f"open_{name}" not in bits:
        return UNKNOWN
    if bits.get(f"forced_{name}"):
        return "tampered"
    if bits[f"open_{name}"]:
        return "open"
    return "locked" if bits.get(f"locked_{name}") else "closed"


def _blocks(points: Iterable[Bit | Word]) -> list[tuple[Table, int, int]]:
    """Table, first address, count."""
    found: list[tuple[Table, int, int]] = []
    for table, address in sorted({(point.table, point.address) for point in points}):
        if found:
            last, first, count = found[-1]
            if last == table and address - (first + count) <= GAP and address - first < BLOCK[table]:
                found[-1] = (last, first, address - first + 1)
                continue
        found.append((table, address, 1))
    return found
