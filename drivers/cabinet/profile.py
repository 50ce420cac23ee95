"""Where each part of a cabinet is on its controller: data, so that a new cabinet needs no code (device-classes C.11).

A profile is a YAML or JSON file; `reference_profile.yaml` shows everything one can say. Addresses are those of the
request, counted from 0 (Modbus application protocol V1.1b3, 4.4).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from drivers.errors import Unsupported
from drivers.messages import Flash, Message

PROFILE_BYTES: Final = 256 * 1024
REFERENCE: Final = Path(__file__).with_name("reference_profile.yaml")

Address = Annotated[int, Field(ge=0, le=65535)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Table = Literal["coil", "discrete", "holding", "input"]


class Bit(Message):
    """A switch: `inverted` when 0 means yes."""

    table: Literal["coil", "discrete"] = "discrete"
    address: Address
    inverted: bool = False


class Word(Message):
    """A 16-bit register; the value is raw × scale."""

    table: Literal["holding", "input"] = "input"
    address: Address
    scale: float = 1.0
    signed: bool = False

    def value(self, raw: int) -> float:
        return (raw - 0x10000 if self.signed and raw & 0x8000 else raw) * self.scale


class Signature(Word):
    """What this controller always says there: another device on the port is noticed."""

    expected: int = Field(ge=0, le=0xFFFF)


class Door(Message):
    open: Bit
    locked: Bit | None = None
    forced: Bit | None = Field(default=None, description="opened without being unlocked, as the controller says")
    unlock: Bit | None = Field(default=None, description="a coil that opens the lock once")


class Switch(Message):
    """A register whose values are words, for example run, maintenance, supervisor."""

    word: Word
    states: dict[int, Name]


class Light(Message):
    flash: Word
    colour: Word | None = None


class Limits(Message):
    temperature_low_c: float = -10.0
    temperature_high_c: float = 60.0


class Profile(Message):
    name: Name
    unit: int = Field(default=1, ge=1, le=247)
    signature: Signature | None = None
    doors: dict[Name, Door] = {}
    tamper: Bit | None = None
    proximity: Bit | None = None
    headset: Bit | None = None
    call_button: Bit | None = None
    operator_switch: Switch | None = None
    temperature_c: Word | None = None
    humidity_percent: Word | None = None
    ambient_lux: Word | None = None
    limits: Limits = Limits()
    fan: Word | None = Field(default=None, description="a holding register, percent")
    lights: dict[Name, Light] = {}
    flash_codes: dict[Flash, int] = {flash: code for code, flash in enumerate(Flash)}
    colours: dict[Name, int] = {"white": 0}

    @model_validator(mode="after")
    def _writes_where_one_can(self) -> Profile:
        written = [light.flash for light in self.lights.values()]
        written += [light.colour for light in self.lights.values() if light.colour is not None]
        written += [self.fan] if self.fan is not None else []
        if any(word.table != "holding" for word in written):
            raise ValueError("lights and fan are holding registers")
        unlocks = [door.unlock for door in self.doors.values() if door.unlock is not None]
        if any(bit.table != "coil" for bit in unlocks):
            raise ValueError("unlock is a coil")
        if set(self.flash_codes) != set(Flash):
            raise ValueError("flash_codes name every way of flashing")
        return self

    @property
    def words(self) -> dict[str, Word]:
        """Every register that is read, by the part it belongs to."""
        found = {"temperature_c": self.temperature_c, "humidity_percent": self.humidity_percent}
        found |= {"ambient_lux": self.ambient_lux, "fan": self.fan}
        found |= {"operator_switch": self.operator_switch.word if self.operator_switch else None}
        found |= {f"light_{name}": light.flash for name, light in self.lights.items()}
        return {name: word for name, word in found.items() if word is not None}

    @property
    def bits(self) -> dict[str, Bit]:
        """Every switch that is read."""
        found = {"tamper": self.tamper, "proximity": self.proximity, "headset": self.headset}
        found |= {"call_button": self.call_button}
        for name, door in self.doors.items():
            found |= {f"open_{name}": door.open, f"locked_{name}": door.locked, f"forced_{name}": door.forced}
        return {name: bit for name, bit in found.items() if bit is not None}


def load_profile(path: str) -> Profile:
    """The profile in that file; of our reference cabinet without one. Raises `Unsupported` (`profile_wrong`)."""
    file = Path(path) if path else REFERENCE
    try:
        if file.stat().st_size > PROFILE_BYTES:
            raise Unsupported(f"{file.name} is too large for a cabinet's profile", "profile_wrong")
        tree: Any = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        return Profile.model_validate(tree)
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise Unsupported(f"the cabinet's profile {file.name} is wrong: {_words(error)}", "profile_wrong") from error


def _words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(str(part) for part in first['loc']) or 'profile'}: {first['msg']}"
    return str(error).replace("\n", " ")
