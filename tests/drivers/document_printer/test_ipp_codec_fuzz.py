"""IPP answers damaged at random: `Malformed` or a message, and a health that can be read from whatever came."""

from __future__ import annotations

import random

import pytest

from drivers.document_printer.ipp_client import read_job
from drivers.document_printer.ipp_codec import (
    Group,
    IppMessage,
    Malformed,
    Resolution,
    Tag,
    Value,
    decode,
    encode,
    integer,
    keyword,
    name,
)
from drivers.document_printer.ipp_health import read_health
from drivers.document_printer.pages import form_for

SAMPLE = 5_000
CAMPAIGN = 1_000_000
SIZE = {"x-dimension": integer(21_000), "y-dimension": integer(29_700)}
ANSWER = encode(
    IppMessage(
        0, 7,
        (
            Group(Tag.OPERATION, {"attributes-charset": (Value(Tag.CHARSET, "utf-8"),)}),
            Group(
                Tag.PRINTER,
                {
                    "printer-state": (Value(Tag.ENUM, 4),),
                    "printer-state-reasons": keyword("media-jam-error", "toner-low-report"),
                    "printer-is-accepting-jobs": (Value(Tag.BOOLEAN, False),),
                    "document-format-supported": (Value(Tag.MIME, "image/pwg-raster"),),
                    "pwg-raster-document-resolution-supported": (Value(Tag.RESOLUTION, Resolution(300, 300, 3)),),
                    "media-col-default": (Value(Tag.COLLECTION, {"media-size": (Value(Tag.COLLECTION, SIZE),)}),),
                },
            ),
            Group(Tag.JOB, {"job-id": integer(3), "job-name": name("yizhan-3"), "job-state": (Value(Tag.ENUM, 5),)}),
        ),
    )
)  # fmt: skip


def play(rounds: int, seed: int) -> int:
    """How many of the damaged answers were still messages."""
    chance, read = random.Random(seed), 0
    for _ in range(rounds):
        data = bytearray(ANSWER)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(data))
            match chance.randrange(3):
                case 0:
                    data[place] = chance.randrange(256)
                case 1:
                    del data[place : place + chance.randint(1, 6)]
                case _:
                    data[place:place] = chance.randbytes(chance.randint(1, 6))
        try:
            message = decode(bytes(data))
        except Malformed:
            continue
        read += 1
        for group in message.groups:
            read_health(group.attributes)
            form_for(group.attributes)
            read_job(group.attributes)
    return read


def test_damaged_answers_are_malformed_or_messages() -> None:
    assert 0 < play(SAMPLE, 20261122) < SAMPLE


@pytest.mark.campaign
def test_a_million_damaged_answers_are_malformed_or_messages() -> None:
    play(CAMPAIGN, 8010)
