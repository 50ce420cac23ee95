"""Measures beside their limits, taken in the same run: python -m tests.bench."""
