"""The peers of the cabinet drivers: a Modbus controller on a pseudo-terminal, and an upsd. Not shipped on terminals."""

from drivers.cabinet.simulator.modbus import ModbusSimulator
from drivers.cabinet.simulator.nut import NutSimulator

__all__ = ["ModbusSimulator", "NutSimulator"]
