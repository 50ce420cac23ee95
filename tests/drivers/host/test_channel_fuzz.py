"""Whatever a driver's process writes to the house: a value or `ChannelClosed`, never code, never a crash."""

from __future__ import annotations

import datetime as dt

import pytest

from drivers.host.channel import PREFIX, ChannelClosed, decode, encode
from drivers.messages import DeviceState, DeviceStatus, Fault, FaultAction
from tests.drivers.mutations import CAMPAIGN, SAMPLE, mutated

STATUS = DeviceStatus(
    device=DeviceState.USER_ERROR,
    faults=(Fault(code="paper_out", action=FaultAction.CLEAR, since=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),),
    parts={"paper": "out"},
)
GOOD = tuple(
    bytes(encode(header))
    for header in (
        {"op": "beat"}, {"op": "result", "id": 7, "value": STATUS.model_dump(mode="json")},
        {"op": "item", "id": 8, "value": {"width": 2, "height": 1, "rgb": b"abcdef"}},
        {"op": "error", "id": 9, "error": {"kind": "media_error", "reason": "read_failed", "message": "again"}},
        {"op": "result", "id": 1, "value": [b"", b"\x00" * 64, {"deep": [[[[b"x"]]]]}]},
    )
)  # fmt: skip


def read(count: int, seed: int) -> tuple[int, int]:
    whole = refused = 0
    for frame in mutated(GOOD, count, seed):
        if len(frame) < PREFIX.size:
            continue
        header_length, attachments_length = PREFIX.unpack(frame[: PREFIX.size])
        body = bytearray(frame[PREFIX.size :])
        for length in {min(header_length, len(body)), len(body) - min(attachments_length, len(body))}:
            try:
                header = decode(bytearray(body), length)
            except ChannelClosed:
                refused += 1
            else:
                assert isinstance(header, dict)
                assert "bytes" not in header
                whole += 1
    return whole, refused


def test_a_sample_of_damaged_frames() -> None:
    whole, refused = read(SAMPLE, 9)
    assert min(whole, refused) > SAMPLE / 20


def test_a_header_nested_without_end_is_refused() -> None:
    for deep in (b"[" * 100_000, b'{"a":' * 100_000, b'{"bytes":[],"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}"):
        with pytest.raises(ChannelClosed):
            decode(bytearray(deep), len(deep))


@pytest.mark.campaign
def test_a_million_damaged_frames() -> None:
    whole, refused = read(CAMPAIGN, 10)
    assert min(whole, refused) > CAMPAIGN / 20
