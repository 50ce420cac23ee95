"""Comparison of a living face with a card's picture: camera and engine in one process (spike-face)."""
