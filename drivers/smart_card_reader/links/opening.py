"""Which way leads to the reader of that name."""

from __future__ import annotations

from typing import Final

from drivers.smart_card_reader.links.link import Link

APDU_SCHEME: Final = "apdu://"


def open_link(reader: str) -> Link:
    """A link to the reader of that name, or to `apdu://host:port`. Raises `DeviceError`."""
    if reader.startswith(APDU_SCHEME):
        from drivers.smart_card_reader.links.virtual import ApduLink  # noqa: PLC0415 - only where a virtual card serves

        return ApduLink(reader)
    from drivers.smart_card_reader.links.pcsc import PcscLink  # noqa: PLC0415 - pyscard is needed only here

    return PcscLink(reader)
