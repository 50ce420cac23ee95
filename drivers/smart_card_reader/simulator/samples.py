"""Invented citizens' cards, one of each generation, and one with a long name. All were born before 1911."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from drivers.smart_card_reader.social_security import join_record

CONTACT_ATR: Final = bytes.fromhex("3B6D000000816973786D86400000000001")
CONTACTLESS_ATR: Final = bytes.fromhex("3B888001000000000000000009")
NAME_BYTES: Final = 30


@dataclass(frozen=True)
class SampleCard:
    """`free` False: the holder's data is shown after the PIN. `t0`: answers wait to be fetched (61xx)."""

    generation: int
    name: str
    sex: str
    nation: str
    birth_place: str
    birth_date: str
    number: str
    area: str = "350200"
    card_number: str = "A00000001"
    pin: str = "190102"
    free: bool = True
    t0: bool = True

    @property
    def atr(self) -> bytes:
        return CONTACT_ATR if self.t0 else CONTACTLESS_ATR

    @property
    def identification(self) -> bytes:
        return bytes.fromhex(f"{self.area}D156000005") + self.number[-12:-4].encode()

    def files(self) -> dict[int, dict[int, bytes]]:
        """Records as the chip holds them: tag, length, value (LD/T 32-2015; domain.md 3.2)."""
        return {0xEF05: self._issuer(), 0xEF06: self._holder()}

    def _issuer(self) -> dict[int, bytes]:
        return {
            1: join_record(0x01, self.identification),
            2: join_record(0x02, bytes((self.generation,))),
            3: join_record(0x03, f"{self.generation}.00".encode()),
            4: join_record(0x04, bytes(12)),
            5: join_record(0x05, bytes.fromhex("20200101")),
            6: join_record(0x06, bytes.fromhex("20400101")),
            7: join_record(0x07, self.card_number.encode()),
        }

    def _holder(self) -> dict[int, bytes]:
        name = self.name.encode("gb18030")
        sex = join_record(0x0A, self.sex.encode())
        rest = [
            join_record(0x0B, bytes.fromhex(self.nation)),
            join_record(0x0C, bytes.fromhex(self.birth_place)),
            join_record(0x0D, bytes.fromhex(self.birth_date)),
        ]
        more = join_record(0x4E, name[NAME_BYTES:].ljust(20, b"\x00"))
        records = [
            join_record(0x08, self.number.encode()),
            join_record(0x09, name[:NAME_BYTES].ljust(NAME_BYTES, b"\x20" if self.generation == 1 else b"\x00")),
            *([sex] if self.generation == 1 else [more, sex]),
            *rest,
        ]
        return dict(enumerate(records, 1))


CARDS: Final = {
    "lin": SampleCard(3, "林测试", "1", "01", "350203", "19010203", "350203190102030017", t0=False),
    "ouyang": SampleCard(2, "欧阳示范", "2", "22", "350212", "19031130", "350212190311300024", card_number="A00000002"),
    "old": SampleCard(1, "陈样本", "2", "01", "350206", "19050505", "35020619050505002X", card_number="A00000003"),
    "long_name": SampleCard(
        3, "阿依古丽·样例·示范·测试·凭证·公示·范本", "2", "05", "350203", "19070801", "350203190708010029",
        card_number="A00000004",
    ),
    "closed": SampleCard(
        2, "周封样", "1", "01", "350205", "19080808", "350205190808080019", card_number="A00000005", free=False
    ),
}  # fmt: skip
