"""The SAM/SDT protocol (domain.md section 1), on a serial line, a socket or USB."""

from drivers.id_card_reader.sdt.reader import SdtReader

__all__ = ["SdtReader"]
