"""Doors, lights, sensors and power of the cabinet."""
