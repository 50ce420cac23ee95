"""Money at the machine."""
