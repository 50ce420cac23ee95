"""A virtual social-security card: understands APDUs as ISO/IEC 7816-4 and domain.md 3.2 say, and can be out of sorts.

Its authentication (`00 84`, then `00 82` with SM4 over the challenge) is invented: the true one is not public.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

from drivers.smart_card_reader.simulator.samples import SampleCard
from drivers.smart_card_reader.social_security import APPLICATION

TRIES: Final = 3
SAMPLE_KEY: Final = b"Yizhan-sample-01"
CHALLENGE_BYTES: Final = 8


class VirtualCard:
    """`faults` are shared with the reader it lies in. Its memory lasts from insertion to insertion."""

    def __init__(self, sample: SampleCard, faults: set[str]) -> None:
        self.sample = sample
        self._faults = faults
        self.files = sample.files()
        self.tries = TRIES
        self.writes = 0
        self.power_off()

    @property
    def atr(self) -> bytes:
        return b"\x00" if "mute" in self._faults else self.sample.atr

    def power_off(self) -> None:
        self._is_selected = self._is_verified = self._is_authenticated = False
        self._file: int | None = None
        self._waiting = b""
        self._challenge = b""

    def answer(self, apdu: bytes) -> bytes:
        """Data and status word."""
        if len(apdu) < 4:
            return b"\x67\x00"
        if apdu[1] != 0xC0:
            self._waiting = b""
        head, body, expected = apdu[:4], apdu[5:], apdu[4] if len(apdu) > 4 else 0
        known: dict[int, Callable[[], bytes]] = {
            0xA4: lambda: self._select(head, apdu),
            0xB2: lambda: self._read(head, expected),
            0xDC: lambda: self._update(head, body),
            0x20: lambda: self._verify(body),
            0x84: self._challenged,
            0x82: lambda: self._authenticate(body),
            0xC0: lambda: self._fetch(expected),
        }
        return known[apdu[1]]() if apdu[1] in known else b"\x6d\x00"

    def _select(self, head: bytes, apdu: bytes) -> bytes:
        length = apdu[4] if len(apdu) > 4 else 0
        body = apdu[5 : 5 + length]
        if head[2] == 0x04:
            if body != APPLICATION or "wrong_card" in self._faults:
                return b"\x6a\x82"
            if "strict_select" in self._faults and len(apdu) != 6 + length:
                return b"\x67\x00"
            self.power_off()
            self._is_selected = True
            return self._give(b"\x6f\x11\x84\x0f" + APPLICATION, 0)
        if head[2] not in self._file_forms() or not self._is_selected:
            return b"\x6a\x86"
        file = int.from_bytes(body)
        if file not in self.files:
            return b"\x6a\x82"
        self._file = file
        return b"\x90\x00"

    def _file_forms(self) -> tuple[int, ...]:
        if "no_file_select" in self._faults:
            return ()
        return (0x00,) if "old_select" in self._faults else (0x00, 0x02)

    def _addressed(self, p2: int) -> dict[int, bytes] | None:
        """The records P2 speaks of: of the current file, or by short identifier."""
        if not self._is_selected or p2 & 0x07 != 0x04:
            return None
        file = self._file if p2 >> 3 == 0 else 0xEF00 | p2 >> 3
        return self.files.get(file) if file is not None else None

    def _read(self, head: bytes, expected: int) -> bytes:
        records = self._addressed(head[3])
        if records is None:
            return b"\x69\x86"
        needs_pin = not self.sample.free or "pin_needed" in self._faults
        if records is self.files[0xEF06] and needs_pin and not self._is_verified:
            return b"\x69\x82"
        record = self._record(records, head[2])
        if record is None:
            return b"\x6a\x83"
        if "wrong_length" in self._faults and expected != len(record):
            return bytes((0x6C, len(record)))
        return self._give(record, expected)

    def _record(self, records: dict[int, bytes], number: int) -> bytes | None:
        record = records.get(number)
        if record is None:
            return None
        if "wrong_issuer" in self._faults and record[:2] == b"\x01\x10":
            return record[:5] + b"\xa0\x00\x00\x03\x33" + record[10:]
        if "damaged_name" in self._faults and record[:1] == b"\x09":
            return record[:2] + b"\x81\x20" * 15
        return record

    def _give(self, data: bytes, expected: int) -> bytes:
        if not self.sample.t0 or (expected and expected <= len(data)):
            return data + b"\x90\x00"
        self._waiting = data
        return bytes((0x61, len(data)))

    def _fetch(self, expected: int) -> bytes:
        if not self._waiting:
            return b"\x69\x85"
        if expected not in (0, len(self._waiting)):
            return bytes((0x6C, len(self._waiting)))
        data, self._waiting = self._waiting, b""
        return data + b"\x90\x00"

    def _update(self, head: bytes, body: bytes) -> bytes:
        records = self._addressed(head[3])
        refusal = self._refusal(records, head[2], len(body))
        if records is None or refusal:
            return refusal
        self.writes += 1
        if "memory_failure" in self._faults:
            return b"\x65\x81"
        if "torn_write" in self._faults:
            half = len(body) // 2 + 1
            body = body[:half] + records[head[2]][half:]
        records[head[2]] = body
        return b"\x90\x00"

    def _refusal(self, records: dict[int, bytes] | None, number: int, size: int) -> bytes:
        if records is None:
            return b"\x69\x86"
        lacks_key = "psam_missing" in self._faults and not self._is_authenticated
        lacks_pin = not self.sample.free and not self._is_verified
        if lacks_key or lacks_pin or records is not self.files[0xEF06]:
            return b"\x69\x82"
        if number not in records:
            return b"\x6a\x83"
        return b"" if size == len(records[number]) else b"\x6a\x84"

    def _verify(self, pin: bytes) -> bytes:
        if self.tries == 0:
            return b"\x69\x83"
        if not self._is_selected:
            return b"\x69\x85"
        if not pin:
            return b"\x90\x00" if self._is_verified else bytes((0x63, 0xC0 | self.tries))
        self._is_verified = pin == bytes.fromhex(self.sample.pin)
        if self._is_verified:
            self.tries = TRIES
            return b"\x90\x00"
        self.tries -= 1
        return bytes((0x63, 0xC0 | self.tries)) if self.tries else b"\x69\x83"

    def _challenged(self) -> bytes:
        self._challenge = secrets.token_bytes(CHALLENGE_BYTES)
        return self._challenge + b"\x90\x00"

    def _authenticate(self, cryptogram: bytes) -> bytes:
        expected = cryptogram_for(self._challenge) if self._challenge else b""
        self._challenge = b""
        self._is_authenticated = bool(expected) and cryptogram == expected
        return b"\x90\x00" if self._is_authenticated else b"\x63\x00"


def cryptogram_for(challenge: bytes) -> bytes:
    """What the centre's key module would answer for this sample's challenge."""
    encryptor = Cipher(SM4(SAMPLE_KEY), modes.ECB()).encryptor()
    return encryptor.update(challenge.ljust(16, b"\x00")) + encryptor.finalize()
