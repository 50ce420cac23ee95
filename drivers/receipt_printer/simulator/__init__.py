"""The other end of the wire: a printer that understands ESC/POS, has paper, and obeys faults."""

from drivers.receipt_printer.simulator.printer import EscposSimulator

__all__ = ["EscposSimulator"]
