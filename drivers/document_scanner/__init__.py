"""Papers and cards before a camera (device-classes C.6)."""
