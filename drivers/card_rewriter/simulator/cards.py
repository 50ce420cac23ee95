"""Invented permits: what their chips hold and what stands on their films, kept in a file from life to life."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from drivers.card_rewriter.chip import BODY_AT, CHIP_BYTES, ChipState, dump_slot
from drivers.messages import Endorsement

OVERPRINTED: Final = "###"


@dataclass
class PermitCard:
    """`film`: lines by their number. Printing on a line that is not erased spoils it."""

    chip: bytearray = field(default_factory=lambda: bytearray(CHIP_BYTES))
    film: dict[int, str] = field(default_factory=dict)
    erasures: int = 0

    @classmethod
    def issued(cls, state: ChipState) -> PermitCard:
        card = cls()
        head, body = dump_slot(state, 1)
        card.chip[: len(head)] = head
        card.chip[BODY_AT : BODY_AT + len(body)] = body
        card.film = {0: "签注样例", 1: "已使用"}
        return card

    @property
    def lines(self) -> list[str]:
        return [self.film[number] for number in sorted(self.film)]

    def print_line(self, number: int, text: str) -> None:
        self.film[number] = OVERPRINTED if self.film.get(number) else text

    def erase(self) -> None:
        self.film.clear()
        self.erasures += 1

    def dump(self) -> dict[str, Any]:
        return {"chip": self.chip.hex(), "film": self.film, "erasures": self.erasures}

    @classmethod
    def load(cls, tree: dict[str, Any]) -> PermitCard:
        film = {int(number): str(text) for number, text in tree["film"].items()}
        return cls(bytearray.fromhex(tree["chip"]), film, int(tree["erasures"]))


def issued_cards() -> dict[str, PermitCard]:
    used = Endorsement(kind="L", valid_from=dt.date(1930, 1, 1), valid_until=dt.date(1930, 7, 1))
    states = {
        "lin": ChipState("C00000001", "林测试", (used,), ("sample-0",)),
        "ouyang": ChipState("C00000002", "欧阳示范"),
        "zheng": ChipState("L00000003", "郑示范"),
        "gao": ChipState("C00000005", "高样例"),
    }
    return {name: PermitCard.issued(state) for name, state in states.items()} | {"blank": PermitCard()}


class Memory:
    """All cards and where they are. With a file, they outlive the process; every change is on disk at once."""

    def __init__(self, path: str = "") -> None:
        self._path = Path(path) if path else None
        self.cards = issued_cards()
        self.inserted = ""
        self.position = 0
        self.retained: list[str] = []
        if self._path is not None and self._path.is_file():
            tree = json.loads(self._path.read_text())
            self.cards = {name: PermitCard.load(card) for name, card in tree["cards"].items()}
            self.inserted, self.position, self.retained = tree["inserted"], tree["position"], tree["retained"]

    @property
    def card(self) -> PermitCard | None:
        return self.cards[self.inserted] if self.inserted else None

    def keep(self) -> None:
        if self._path is None:
            return
        tree = {
            "cards": {name: card.dump() for name, card in self.cards.items()},
            "inserted": self.inserted,
            "position": self.position,
            "retained": self.retained,
        }
        beside = self._path.with_suffix(".new")
        beside.write_text(json.dumps(tree, ensure_ascii=False))
        beside.replace(self._path)
