"""公安 counters beside those of `public_security.py`."""
