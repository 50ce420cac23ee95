"""Whatever a printer answers over IPP: a message or `Malformed`, in time and with bounded memory."""

from __future__ import annotations

import datetime as dt
import time

import pytest

from drivers.document_printer.ipp_codec import (
    Group,
    IppMessage,
    Malformed,
    Tag,
    Value,
    decode,
    encode,
    integer,
    keyword,
    name,
    number_of,
    uri,
    words_of,
)
from drivers.document_printer.ipp_health import read_health
from tests.drivers.mutations import CAMPAIGN, SAMPLE, mutated

MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
SLOW_SECONDS = 2.0
PRINTER = {
    "printer-state": integer(3), "printer-state-reasons": keyword("media-low-report", "toner-empty-warning"),
    "printer-is-accepting-jobs": (Value(Tag.BOOLEAN, True),), "printer-current-time": (Value(Tag.DATE_TIME, MOMENT),),
    "printer-name": name("样例打印机"), "printer-uri-supported": uri("ipp://localhost/ipp/print"),
    "document-format-supported": keyword("application/pdf"),
    "media-col-default": (Value(Tag.COLLECTION, {"media-type": keyword("stationery")}),),
}  # fmt: skip


def _good() -> tuple[bytes, ...]:
    answer = IppMessage(0x0000, 7, (Group(Tag.PRINTER, PRINTER),))
    empty = IppMessage(0x0406, 8, ())
    return encode(answer), encode(empty)


def read(count: int, seed: int) -> tuple[int, int]:
    whole = refused = 0
    good = _good()
    for data in mutated(good, count, seed):
        begun = time.process_time()
        try:
            message = decode(data)
        except Malformed:
            refused += 1
        else:
            whole += 1
            for group in message.groups:
                words_of(group.attributes, "printer-state-reasons")
                number_of(group.attributes, "printer-state")
                read_health(group.attributes)
        assert time.process_time() - begun < SLOW_SECONDS
    return whole, refused


def test_a_sample_of_damaged_answers() -> None:
    whole, refused = read(SAMPLE, 7)
    assert min(whole, refused) > SAMPLE / 20


@pytest.mark.campaign
def test_a_million_damaged_answers() -> None:
    whole, refused = read(CAMPAIGN, 8)
    assert min(whole, refused) > CAMPAIGN / 20
