"""The bench: a shell to find, read, simulate and certify one device (`python -m drivers`)."""
