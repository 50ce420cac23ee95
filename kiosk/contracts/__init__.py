"""The language the terminal and the fleet server share: frozen values, no I/O, no clock, no threads."""
