"""Peers of the signature pads' drivers. Not shipped on terminals."""

from drivers.signature_pad.simulator.hand import HandSimulator
from drivers.signature_pad.simulator.serial import SerialPenSimulator

__all__ = ["HandSimulator", "SerialPenSimulator"]
