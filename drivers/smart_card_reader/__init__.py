"""Chip cards read and written by PC/SC."""
