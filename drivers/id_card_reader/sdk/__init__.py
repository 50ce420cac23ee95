"""Readers behind their vendor's library (domain.md 2.2 to 2.5)."""

from drivers.id_card_reader.sdk.reader import SdkReader

__all__ = ["SdkReader"]
