"""Terminals: who is out there, how they became known, what they should run, what they say of themselves."""
