"""What scanimage and a network scanner send, mutated: a typed error or a value, never anything else."""

from __future__ import annotations

import random

import numpy as np
import pytest

from drivers.document_scanner.escl_status import FAULT_WORDS, FEEDER_WORDS, EsclStatus, status_in
from drivers.document_scanner.pnm import GREATEST_PIXELS, head_of, picture
from drivers.document_scanner.sane_facts import facts_of
from drivers.document_scanner.sane_status import FAULTS, SaneStatus, error_of
from drivers.errors import DeviceError, HardwareFault, Unsupported
from drivers.messages import ScanOrder, ScanSource

PPM = b"P6\n# SANE data follows\n4 3\n255\n" + bytes(range(36))
PGM = b"P5\n# SANE data follows\n4 3\n255\n" + bytes(range(12))
OPTIONS = b"""All options specific to device `test:0':
  Scan Mode:
    --mode Gray|Color [Gray]
    --resolution 75|100|300dpi [75]
    --source Flatbed|ADF|ADF Duplex [Flatbed]
  Geometry:
    -x 0..215.9mm [215.9]
    -y 0..297.011mm [297.011]
"""
STATUS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<?xml version='1.0'?><scan:ScannerStatus><pwg:State>Idle"
    b"</pwg:State><scan:AdfState>ScannerAdfLoaded</scan:AdfState></scan:ScannerStatus>"
)
WORDS = b"Scanning page 1\nscanimage: sane_read: Document feeder jammed\n"


def mutated(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(changed) + 1)
        match chance.randrange(4):
            case 0:
                changed[place : place + chance.randint(0, 8)] = b""
            case 1:
                changed[place:place] = chance.randbytes(chance.randint(1, 8))
            case 2:
                changed[place : place + 1] = bytes([chance.choice(b"\x00\xff<>|.-0159[]\n")])
            case _:
                changed[place : place + 4] = chance.choice([b"9999", b"999999999", b"nan", b"1e99", b"..", b"--"])
    return bytes(changed)


def trial(chance: random.Random) -> None:
    try:
        image = picture(bytearray(mutated(chance, chance.choice([PPM, PGM]))))
    except HardwareFault as error:
        assert error.reason in ("page_incomplete", "page_unreadable")  # noqa: PT017
    else:
        assert image.dtype == np.uint8
        assert image.shape[2] == 3
    facts = facts_of(mutated(chance, OPTIONS).decode("utf-8", "replace"))
    try:
        settings = facts.settings(ScanOrder(source=chance.choice(list(ScanSource)), dpi=chance.choice([75, 300, 1200])))
    except Unsupported:
        pass
    else:
        assert all(setting.isprintable() for setting in settings)
    said = status_in(mutated(chance, STATUS))
    assert not said.fault or said.fault in FAULTS
    assert said.feeder in {"unknown", "not_fitted", *FEEDER_WORDS.values()}
    error = error_of(chance.randint(-15, 255), mutated(chance, WORDS).decode("utf-8", "replace"))
    assert error is None or isinstance(error, DeviceError)


def test_a_sample_of_mutations() -> None:
    chance = random.Random(1903)
    for _ in range(3000):
        trial(chance)


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_a_million_mutations() -> None:
    """Of each of the four codecs."""
    chance = random.Random(1904)
    for _ in range(1_000_000):
        trial(chance)


def test_pictures_are_read_to_the_last_byte_or_refused() -> None:
    image = picture(bytearray(PPM))
    assert image[0, 0].tolist() == [2, 1, 0]
    assert image[2, 3].tolist() == [35, 34, 33]
    assert picture(bytearray(PGM))[2, 3].tolist() == [11, 11, 11]
    for length in range(len(PPM)):
        with pytest.raises(HardwareFault):
            picture(bytearray(PPM[:length]))
    with pytest.raises(HardwareFault):
        picture(bytearray(PPM + b"x"))
    assert head_of(b"P6\n# SANE") is None
    for wrong in (
        b"P4\n4 3\n" + bytes(3),
        b"P6\n4 3\n65535\n",
        b"P6\n0 3\n255\n",
        b"P6\n999999 %d\n255\n" % (GREATEST_PIXELS // 999_999 + 1),
        b"#" * 600,
    ):
        with pytest.raises(HardwareFault):
            head_of(wrong)


def test_the_words_of_options_become_what_is_asked() -> None:
    facts = facts_of(OPTIONS.decode())
    assert facts.features == {"flatbed", "feeder", "two_sided", "colour", "crop"}
    assert facts.settings(ScanOrder(source=ScanSource.FEEDER, dpi=200, two_sided=True)) == [
        "--source=ADF Duplex", "--mode=Color", "--resolution=300", "-x", "210.0", "-y", "297.0",
    ]  # fmt: skip
    with pytest.raises(Unsupported) as error:
        facts.settings(ScanOrder(source=ScanSource.FLATBED, dpi=600))
    assert error.value.reason == "resolution_not_fitted"
    bare = facts_of("    --resolution 50..600dpi (in steps of 1) [50]\n    --source A|B [inactive]\n")
    assert bare.settings(ScanOrder(dpi=300)) == ["--resolution=300"], "one glass, no choice"


@pytest.mark.parametrize(
    ("state", "feeder", "expected"),
    [
        (b"Idle", b"ScannerAdfLoaded", EsclStatus("", "loaded", "unknown")),
        (b"Idle", b"ScannerAdfEmpty", EsclStatus("", "empty", "unknown")),
        (b"Idle", b"ScannerAdfJam", EsclStatus("media_jammed", "jammed", "unknown")),
        (b"Idle", b"ScannerAdfHatchOpen", EsclStatus("cover_open", "unknown", "open")),
        (b"Processing", b"ScannerAdfProcessing", EsclStatus("scanner_busy", "loaded", "unknown")),
        (b"Stopped", b"ScannerAdfEmpty", EsclStatus("scanner_stopped", "empty", "unknown")),
    ],
)
def test_what_a_network_scanner_says(state: bytes, feeder: bytes, expected: EsclStatus) -> None:
    assert status_in(STATUS.replace(b"Idle", state).replace(b"ScannerAdfLoaded", feeder)) == expected
    assert set(FAULT_WORDS.values()) <= set(FAULTS)


def test_every_status_of_sane_is_told_apart_by_its_number_alone() -> None:
    reasons = {status: error_of(status, "") for status in SaneStatus}
    assert reasons[SaneStatus.GOOD] is None
    assert len({error.reason for error in reasons.values() if error is not None}) == 10
    killed = error_of(-9, "")
    assert killed is not None
    assert killed.reason == "scanner_lost"
