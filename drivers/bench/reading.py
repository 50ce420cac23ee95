"""python -m drivers read id_card_reader/sdt: one card, one JSON object (DESIGN 2.5)."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from typing import Any

from rich.console import Console
from rich.table import Table

from drivers.bench.words import device_config, waiting, write_json
from drivers.errors import CommandTimedOut, MediaError, Unsupported
from drivers.host import DeviceConfig, SupervisedDevice
from drivers.messages import DeviceClass, IdCard

KEYS = (
    "card_type", "name", "name_latin", "sex", "nation_code", "nation", "birth_date", "address", "id_number", "issuer",
    "valid_from", "valid_until", "permit_number", "issue_count", "country", "sam_id", "new_address",
)  # fmt: skip
SHORTEST_READ_SECONDS = 0.5
"""With less time left no card is found, selected and read."""
PAUSE_SECONDS = 0.3
"""Between a refused card and looking for it again."""
OPEN_TO_ALL = frozenset({"card_type", "sam_id"})
NAMES = frozenset({"name", "name_latin"})
NUMBERS = frozenset({"id_number", "permit_number"})
DATES = frozenset({"birth_date", "valid_from", "valid_until"})


def read(arguments: argparse.Namespace) -> int:
    config = device_config(arguments.driver, arguments.port, arguments.option)
    if config.device_class != DeviceClass.ID_CARD_READER:
        raise Unsupported(f"{config.driver} reads no identity cards: name a driver of id_card_reader", "unsupported")
    values = described(asyncio.run(_read(config, arguments.timeout)), masked=not arguments.show_personal_data)
    if arguments.json:
        write_json(values)
        return 0
    table = Table("item", "value", show_header=False)
    for key, value in values.items():
        if value is not None:
            table.add_row(key, value)
    Console().print(table)
    return 0


async def _read(config: DeviceConfig, timeout_seconds: float) -> IdCard:
    device = SupervisedDevice(config)
    try:
        await device.open()
        with waiting("Place the card on the reader", timeout_seconds):
            return await read_patiently(device, timeout_seconds)
    finally:
        await device.close()


async def read_patiently(device: SupervisedDevice, timeout_seconds: float) -> IdCard:
    """Whoever stands there is told at once what to do with a refused card, and has the rest of the time for it."""
    left_seconds = timeout_seconds
    ends_at = time.monotonic() + timeout_seconds
    refusal: MediaError | None = None
    while True:
        try:
            card: IdCard = await device.proxy.read(timeout_seconds=left_seconds, want_photo=False)
        except MediaError as error:
            left_seconds = ends_at - time.monotonic() - PAUSE_SECONDS
            if left_seconds <= SHORTEST_READ_SECONDS:
                raise
            if refusal is None and sys.stderr.isatty():
                print(error, file=sys.stderr)
            refusal = error
            await asyncio.sleep(PAUSE_SECONDS)
        except CommandTimedOut:
            if refusal is not None:
                raise refusal from None
            raise
        else:
            return card


def described(card: IdCard, *, masked: bool) -> dict[str, Any]:
    """Exactly the keys of DESIGN 2.5, dates in ISO form, absent items None."""
    values = card.model_dump(mode="json")
    return {key: _masked(key, values[key]) if masked else values[key] for key in KEYS}


def _masked(key: str, value: str | None) -> str | None:
    """First character of a name, first three and last two of a number (domain.md 6.6), nothing of the rest."""
    if value is None or key in OPEN_TO_ALL:
        return value
    if key in NAMES:
        return value[:1] + "*" * max(len(value) - 1, 1)
    if key in NUMBERS and len(value) > 8:
        return value[:3] + "*" * (len(value) - 5) + value[-2:]
    return "****-**-**" if key in DATES else "***"
