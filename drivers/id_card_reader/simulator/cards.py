"""Sample cards (assets/samples/cards.yaml) as the bytes a module reads from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from drivers.id_card_reader.photo import pack_sample_photo, undecodable_photo
from drivers.id_card_reader.text_block import encode_new_address, encode_text_block
from drivers.messages import IdCard

SAMPLES: Final = Path(__file__).resolve().parents[3] / "assets" / "samples"
CARDS_FILE: Final = SAMPLES / "cards.yaml"
PORTRAITS: Final = SAMPLES / "portraits"


@dataclass(frozen=True)
class SampleCard:
    """A card as it lies on the reader. `fields` is what a reading must give, without SAM id and photo."""

    fields: IdCard
    text: bytes
    photo: bytes
    new_address: bytes | None
    serial: bytes


@cache
def load_cards(path: Path = CARDS_FILE, portraits: Path = PORTRAITS) -> Mapping[str, SampleCard]:
    """Every sample card by its name; read once, since portraits take their time to pack.

    Raises `ValueError` naming the card that cannot be made.
    """
    entries: dict[str, dict[str, Any]] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    cards = {}
    for number, (name, entry) in enumerate(entries.items(), 1):
        try:
            cards[name] = _card(dict(entry), portraits, number)
        except ValueError as error:
            raise ValueError(f"{path.name}: card {name}: {error}") from error
    return cards


def _card(entry: dict[str, Any], portraits: Path, number: int) -> SampleCard:
    portrait, seed = entry.pop("portrait", ""), entry.pop("photo_seed", number)
    fields = IdCard.model_validate(entry)
    picture = portraits / f"{portrait}.png"
    return SampleCard(
        fields=fields,
        text=encode_text_block(fields),
        photo=pack_sample_photo(picture.read_bytes()) if picture.is_file() else undecodable_photo(seed),
        new_address=None if fields.new_address is None else encode_new_address(fields.new_address),
        serial=number.to_bytes(8, "big"),
    )
