"""Whatever bytes and keys come: codes or typed errors, bounded, nothing left behind."""

from __future__ import annotations

import random

import pytest
from evdev import ecodes as keys

from drivers.code_scanner.hid_keys import KEY_COUNT, UNICODE_DIGITS, KeyReader, keys_for
from drivers.code_scanner.payload import CODE_BYTES, SUFFIXES, CodeSplitter, code_of, decode_text
from drivers.errors import HardwareFault, MediaError

SAMPLES = ("6901234567892", "]Q1https://yizhan.example/林晓", "]C0A-1\x1dB", "㐀𠮷", "]d1" + "7" * 500)


def mutated(chance: random.Random) -> bytes:
    data = bytearray(chance.choice(SAMPLES).encode(chance.choice(("utf-8", "gb18030"))) + b"\r\n")
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0:
                data[at:at] = chance.randbytes(chance.randrange(8))
            case 1:
                del data[at : at + chance.randrange(9)]
            case 2 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case _:
                data *= 2
    return bytes(data)


def bytes_run(rounds: int, seed: int) -> int:
    chance = random.Random(seed)
    splitters = {suffix: CodeSplitter(suffix) for suffix in SUFFIXES}  # type: ignore[arg-type]
    codes = 0
    for _ in range(rounds):
        suffix = chance.choice(list(SUFFIXES))
        splitter = splitters[suffix]
        data = mutated(chance)
        try:
            found = splitter.feed(data)
        except HardwareFault:
            assert not splitter.is_within_code
            continue
        assert len(splitter._held) <= CODE_BYTES
        if suffix == "gap" and chance.random() < 0.5:
            found = [splitter.end()]
        for code in found:
            try:
                read = code_of(decode_text(code, chance.choice(("utf-8", "gb18030"))), aim_prefix=chance.random() < 0.5)
            except MediaError:
                continue
            assert read.text
            codes += 1
    return codes


def keys_run(rounds: int, seed: int) -> int:
    chance = random.Random(seed)
    reader = KeyReader()
    codes = 0
    for _ in range(rounds):
        events = [*keys_for(chance.choice(SAMPLES)), (keys.KEY_ENTER, 1), (keys.KEY_ENTER, 0)]
        for _ in range(chance.randrange(4)):
            events.insert(chance.randrange(len(events)), (chance.randrange(768), chance.randrange(-1, 3)))
            events.pop(chance.randrange(len(events)))
        for event in events:
            text = reader.feed(*event)
            if text is not None:
                if not reader.is_damaged:
                    codes += 1
                    text.encode()
                reader.forget()
        assert len(reader._number) <= UNICODE_DIGITS + 1
        if reader.is_too_long:
            assert len(reader._typed) <= KEY_COUNT + len(events)
            reader.forget()
    return codes


def test_mutated_bytes_end_as_codes_or_typed_errors() -> None:
    assert bytes_run(20_000, seed=1) > 2_000


def test_mutated_keys_end_as_codes_or_nothing() -> None:
    assert keys_run(400, seed=2) > 50


@pytest.mark.campaign
def test_a_million_mutated_codes() -> None:
    assert bytes_run(1_000_000, seed=3) > 100_000


@pytest.mark.campaign
def test_a_million_mutated_keys() -> None:
    assert keys_run(20_000, seed=4) > 1_000
