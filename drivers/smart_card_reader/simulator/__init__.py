"""Virtual social-security cards and the reader they lie in. Not shipped on terminals."""

from drivers.smart_card_reader.simulator.reader import CardSimulator

__all__ = ["CardSimulator"]
