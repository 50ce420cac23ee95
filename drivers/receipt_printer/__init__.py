"""Thermal slip printers (device-classes C.4)."""
