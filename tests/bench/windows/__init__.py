"""Processes with a window, for what is measured from outside."""
