"""A4 page printers (device-classes C.5)."""
