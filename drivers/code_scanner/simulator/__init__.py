"""Peers of the code scanners' drivers. Not shipped on terminals."""

from drivers.code_scanner.simulator.camera import CameraSimulator
from drivers.code_scanner.simulator.keyboard import KeyboardSimulator
from drivers.code_scanner.simulator.serial import SerialScannerSimulator

__all__ = ["CameraSimulator", "KeyboardSimulator", "SerialScannerSimulator"]
