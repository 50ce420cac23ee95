"""Handwritten signatures."""
