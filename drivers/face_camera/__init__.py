"""Cameras that look at the citizen (device-classes C.3)."""
