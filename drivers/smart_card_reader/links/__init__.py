"""The ways to a card: a PC/SC reader, or a virtual card served on this machine."""
