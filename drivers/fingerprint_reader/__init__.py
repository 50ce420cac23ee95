"""Fingerprint modules."""
