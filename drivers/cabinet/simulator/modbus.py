"""A cabinet's controller: pymodbus's server on a pseudo-terminal, with the reference cabinet's registers behind it.

Orders: `fault NAME`, `clear`, `open DOOR`, `shut DOOR`, `force DOOR`, `approach`, `leave`, `plug`, `unplug`, `press`,
`release`, `switch run|maintenance|supervisor`, `temperature CELSIUS`, `humidity PERCENT`, `light POSITION`, `fan`,
`replug` (the cable).
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Final

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.cabinet.profile import Bit, Profile, Word, load_profile
from drivers.cabinet.simulator.bridge import Bridge

FAULTS: Final = frozenset(
    {
        "door_forced", "door_open", "over_temperature", "freezing", "tamper", "silent", "noise", "corrupt_once",
        "truncated_once", "wrong_device", "endless", "another_controller", "exception_address", "exception_busy",
        "exception_failed", "unplugged", "flicker_once",
    }
)  # fmt: skip
EXCEPTIONS: Final = {
    "exception_address": ExcCodes.ILLEGAL_ADDRESS,
    "exception_busy": ExcCodes.DEVICE_BUSY,
    "exception_failed": ExcCodes.DEVICE_FAILURE,
}
REGISTERS: Final = 128
BITS: Final = 16
COMFORTABLE_C: Final = 24.0


class ModbusSimulator:
    """Options, all strings: `profile` (as the driver's), `link` (path of the port)."""

    faults: frozenset[str] = FAULTS

    def __init__(self, profile: str = "", link: str = "") -> None:
        self._profile: Profile = load_profile(profile)
        self._active: set[str] = set()
        self._folder = ""
        self._link = Path(link) if link else None
        self._registers = [0] * REGISTERS
        self._bridge: Bridge | None = None
        self._server: ModbusSerialServer | None = None
        self.unlocked: list[str] = []
        """Doors that were opened by their coil."""
        self._rest()

    async def start(self) -> str:
        if self._link is None:
            self._folder = tempfile.mkdtemp(prefix="yizhan-modbus-")
            self._link = Path(self._folder, "port")
        await self._plug_in()
        return str(self._link)

    async def stop(self) -> None:
        await self._pull_out()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def order(self, verb: str, argument: str = "") -> str:
        profile = self._profile
        switches = {
            "approach": (profile.proximity, True), "leave": (profile.proximity, False),
            "plug": (profile.headset, True), "unplug": (profile.headset, False),
            "press": (profile.call_button, True), "release": (profile.call_button, False),
        }  # fmt: skip
        match verb, argument:
            case "fault", name if name in FAULTS:
                await self._fault(name)
            case "clear", "":
                self._active.clear()
                self._rest()
                if self._bridge is None:
                    await self._plug_in()
            case "replug", "":
                await self._pull_out()
                await self._plug_in()
            case "open" | "shut" | "force", name if name in profile.doors:
                self._move_door(name, verb)
            case _, "" if verb in switches:
                self._switch(switches[verb][0], on=switches[verb][1])
            case "switch", state if profile.operator_switch and state in profile.operator_switch.states.values():
                codes = {name: code for code, name in profile.operator_switch.states.items()}
                self._put(profile.operator_switch.word, codes[state])
            case "temperature" | "humidity" as what, text:
                self._put(profile.temperature_c if what == "temperature" else profile.humidity_percent, float(text))
            case "light", name if name in profile.lights:
                light = profile.lights[name]
                colour = self._registers[light.colour.address] if light.colour else 0
                return f"{self._registers[light.flash.address]} {colour}"
            case "fan", "" if profile.fan:
                return str(self._registers[profile.fan.address])
            case _:
                raise ValueError(f"unknown order {verb} {argument}".strip())
        return "ok"

    # --- the world --------------------------------------------------------------------------------------------------

    def _rest(self) -> None:
        """An orderly cabinet at night: doors locked, nobody near."""
        profile = self._profile
        self._registers[:] = [0] * REGISTERS
        if profile.signature is not None:
            self._registers[profile.signature.address] = profile.signature.expected
        for name in (*profile.doors,):
            self._move_door(name, "shut")
        for bit in (profile.tamper, profile.proximity, profile.headset, profile.call_button):
            self._switch(bit, on=False)
        self._put(profile.temperature_c, COMFORTABLE_C)
        self._put(profile.humidity_percent, 45.0)
        self._put(profile.ambient_lux, 180.0)

    async def _fault(self, name: str) -> None:
        profile = self._profile
        first = next(iter(profile.doors))
        match name:
            case "door_forced":
                self._move_door(first, "force")
            case "door_open":
                self._move_door(first, "open")
            case "tamper":
                self._switch(profile.tamper, on=True)
            case "over_temperature":
                self._put(profile.temperature_c, profile.limits.temperature_high_c + 12)
            case "freezing":
                self._put(profile.temperature_c, profile.limits.temperature_low_c - 6)
            case "another_controller" if profile.signature is not None:
                self._registers[profile.signature.address] = 1
            case "unplugged":
                await self._pull_out()
        self._active.add(name)

    def _move_door(self, name: str, deed: str) -> None:
        door = self._profile.doors[name]
        self._switch(door.open, on=deed != "shut")
        self._switch(door.locked, on=deed == "shut")
        self._switch(door.forced, on=deed == "force")

    def _switch(self, bit: Bit | None, *, on: bool) -> None:
        if bit is None:
            return
        mask = 1 << bit.address % BITS
        register = self._registers[bit.address // BITS]
        self._registers[bit.address // BITS] = register | mask if on != bit.inverted else register & ~mask

    def _put(self, word: Word | None, value: float) -> None:
        if word is not None:
            self._registers[word.address] = round(value / word.scale) & 0xFFFF

    # --- the wire ---------------------------------------------------------------------------------------------------

    async def _plug_in(self) -> None:
        assert self._link is not None
        self._bridge = Bridge(self._active, self._link)
        device = SimDevice(
            id=self._profile.unit,
            simdata=[SimData(0, count=REGISTERS, values=0, datatype=DataType.REGISTERS)],
            use_bit_addressing=True,
            action=self._act,
        )
        self._server = ModbusSerialServer(
            device, port=self._bridge.server_port, baudrate=19200, ignore_missing_devices=True
        )
        await self._server.serve_forever(background=True)
        for _ in range(3):  # its transport sets itself up in the next turns of the loop
            await asyncio.sleep(0)

    async def _pull_out(self) -> None:
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]
        if self._bridge is not None:
            self._bridge.close()
        self._server = self._bridge = None

    async def _act(  # noqa: PLR0917 - the server's own form
        self, function_code: int, start_address: int, address: int, count: int, registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:  # fmt: skip
        """Called by the server before it reads or writes `registers`, its copy of ours."""
        del start_address, count
        for name, code in EXCEPTIONS.items():
            if name in self._active:
                return code
        registers[:] = self._registers
        if values is None:
            if "flicker_once" in self._active:
                self._active.discard("flicker_once")
                registers[:] = [value ^ 1 if place == 101 else value for place, value in enumerate(registers)]
            return None
        if function_code == 5:
            self._unlock(address)
        elif function_code in (6, 16):
            self._registers[address : address + len(values)] = [int(value) for value in values]
        return None

    def _unlock(self, address: int) -> None:
        for name, door in self._profile.doors.items():
            if door.unlock is not None and door.unlock.address == address:
                self.unlocked.append(name)
                self._switch(door.locked, on=False)
