"""The peer of the fingerprint drivers. A shipped terminal contains none of this folder."""

from drivers.fingerprint_reader.simulator.r503 import R503Simulator

__all__ = ["R503Simulator"]
