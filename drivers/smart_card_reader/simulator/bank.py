"""A virtual bank card: directory, UnionPay debit, two records (JR/T 0025; domain.md 3.2). Its number is invented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from drivers.smart_card_reader.bank_card import DIRECTORIES, UNIONPAY
from drivers.smart_card_reader.simulator.samples import CARDS, CONTACT_ATR

APPLICATION: Final = UNIONPAY + b"\x01\x01\x01"
DIRECTORY_FILE: Final = 0x01
RECORDS_FILE: Final = 0x02
OPTIONS_WANTED: Final = bytes.fromhex("9F66049F02065F2A02")


@dataclass(frozen=True)
class SampleBankCard:
    number: str
    expires: str = "401231"

    @property
    def atr(self) -> bytes:
        return CONTACT_ATR


class VirtualBankCard:
    """Speaks as `VirtualCard` does; without PIN and without anything to write."""

    def __init__(self, sample: SampleBankCard, faults: set[str]) -> None:
        self.sample = sample
        self._faults = faults
        self.files: dict[int, dict[int, bytes]] = {}
        self.tries = 0
        self.power_off()

    @property
    def atr(self) -> bytes:
        return b"\x00" if "mute" in self._faults else self.sample.atr

    def power_off(self) -> None:
        self._chosen = b""
        self._is_begun = False

    def answer(self, apdu: bytes) -> bytes:
        match apdu[:2]:
            case b"\x00\xa4":
                return self._select(apdu)
            case b"\x80\xa8":
                return self._options(apdu[5:])
            case b"\x00\xb2":
                return self._read(apdu[2], apdu[3])
            case b"\x00\x20":
                return b"\x69\x85"
        return b"\x6d\x00"

    def _select(self, apdu: bytes) -> bytes:
        name = apdu[5 : 5 + apdu[4]] if len(apdu) > 4 else b""
        if "strict_select" in self._faults and len(apdu) != 6 + len(name):
            return b"\x67\x00"
        if name == DIRECTORIES[0] and "no_directory" not in self._faults:
            self._chosen = name
            return _item(0x6F, _item(0x84, name) + _item(0xA5, _item(0x88, bytes((DIRECTORY_FILE,))))) + b"\x90\x00"
        if not name or not APPLICATION.startswith(name) or "wrong_card" in self._faults:
            return b"\x6a\x82"
        if "application_blocked" in self._faults:
            return b"\x62\x83"
        self._chosen, self._is_begun = APPLICATION, False
        wants = _item(0x50, b"UnionPay Debit") + _item(0x9F38, OPTIONS_WANTED)
        return _item(0x6F, _item(0x84, APPLICATION) + _item(0xA5, wants)) + b"\x90\x00"

    def _options(self, body: bytes) -> bytes:
        wanted = 4 + 6 + 2
        if self._chosen != APPLICATION or body[:2] != bytes((0x83, wanted)) or len(body) != wanted + 3:
            return b"\x69\x85"
        self._is_begun = True
        return _item(0x80, bytes.fromhex("7C00") + bytes((RECORDS_FILE << 3, 1, 2, 0))) + b"\x90\x00"

    def _read(self, record: int, reference: int) -> bytes:
        place = (self._chosen, reference >> 3, record)
        if place == (DIRECTORIES[0], DIRECTORY_FILE, 1):
            listed = [APPLICATION] if "wrong_card" not in self._faults else [bytes.fromhex("A0000000031010")]
            return _item(0x70, b"".join(_item(0x61, _item(0x4F, name)) for name in listed)) + b"\x90\x00"
        if place == (APPLICATION, RECORDS_FILE, 1) and self._is_begun:
            return _item(0x70, _item(0x5F20, b"CARDHOLDER/SAMPLE")) + b"\x90\x00"
        if place == (APPLICATION, RECORDS_FILE, 2) and self._is_begun:
            number = bytes.fromhex(self.sample.number + "F" * (len(self.sample.number) % 2))
            if "damaged_name" in self._faults:
                number = number[:-1] + bytes((number[-1] ^ 0x01,))
            expiry = bytes.fromhex(self.sample.expires)
            return _item(0x70, _item(0x5A, number) + _item(0x5F24, expiry)) + b"\x90\x00"
        return b"\x6a\x83"


def invented_number(id_number: str) -> str:
    """The bank card of an invented citizen: 6200, the birth date, the sequence, and the digit that checks."""
    digits = f"6200{id_number[6:14]}{id_number[14:17]}"
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits))]
    return digits + str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)


def _item(tag: int, value: bytes) -> bytes:
    return tag.to_bytes(2 if tag > 0xFF else 1) + bytes((len(value),)) + value


BANK_CARDS: Final = {f"bank_{name}": SampleBankCard(invented_number(card.number)) for name, card in CARDS.items()}
