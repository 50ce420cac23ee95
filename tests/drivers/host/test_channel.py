"""Frames between the house and a device's process: whole, bounded, and not kept."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import socket
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.host import channel
from drivers.host.channel import PREFIX, Channel, ChannelClosed, FrameTooLarge, decode, encode

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.binary(max_size=200),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def through(header: dict[str, Any]) -> dict[str, Any]:
    frame = encode(header)
    header_length, _ = PREFIX.unpack(frame[: PREFIX.size])
    return decode(frame[PREFIX.size :], header_length)


@settings(deadline=None, max_examples=60)
@given(values)
def test_values_come_out_as_they_went_in(value: Any) -> None:
    assert through({"value": value}) == {"value": value}


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=300), st.integers(0, 300))
def test_noise_is_refused_by_name(noise: bytes, header_length: int) -> None:
    with pytest.raises(ChannelClosed):
        decode(bytearray(noise), header_length)


@pytest.mark.parametrize(
    "header",
    [
        {"bytes": [5]},
        {"bytes": [-1, 2]},
        {"bytes": [1], "value": {"$bytes": 7}},
        {"bytes": "x"},
        {"value": 1},
        ["bytes"],
    ],
)
def test_attachments_that_do_not_fit_are_refused(header: Any) -> None:
    text = json.dumps(header).encode()
    with pytest.raises(ChannelClosed):
        decode(bytearray(text + b"ab"), len(text))


def test_moments_sets_and_pictures_cross_and_other_things_do_not() -> None:
    assert through({"a": dt.date(1900, 1, 2), "b": frozenset({"x"}), "c": (1, b"\x00")}) == {
        "a": "1900-01-02", "b": ["x"], "c": [1, b"\x00"]
    }  # fmt: skip
    with pytest.raises(TypeError):
        encode({"a": object()})
    with pytest.raises(TypeError):
        encode({"$bytes": 0})


def test_a_picture_is_not_blown_up_on_its_way() -> None:
    assert len(encode({"rgb": bytes(1_000_000)})) < 1_000_100


def test_what_is_too_large_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "ATTACHMENTS_LIMIT", 1000)
    with pytest.raises(FrameTooLarge):
        encode({"rgb": bytes(1001)})


def test_large_frames_pass_both_ways_and_the_end_is_told() -> None:
    async def story() -> None:
        left, right = socket.socketpair()
        here, there = Channel(left), Channel(right)
        picture = bytes(range(256)) * 20_000
        for number in range(3):
            here.send({"number": number, "picture": picture})
            there.send({"number": -number})
        for number in range(3):
            assert await there.receive() == {"number": number, "picture": picture}
            assert await here.receive() == {"number": -number}
        here.close()
        with pytest.raises(ChannelClosed):
            await there.receive()
        there.close()
        with pytest.raises(ChannelClosed):
            there.send({})

    asyncio.run(asyncio.wait_for(story(), 20))


@pytest.mark.parametrize("prefix", [PREFIX.pack(2**31, 0), PREFIX.pack(2, 2**31), PREFIX.pack(2, 0) + b"[]", b"\x00"])
def test_a_broken_prefix_or_half_a_frame_ends_the_channel(prefix: bytes) -> None:
    async def story() -> None:
        left, right = socket.socketpair()
        here = Channel(left)
        right.sendall(prefix)
        right.close()
        with pytest.raises(ChannelClosed):
            await here.receive()
        here.close()

    asyncio.run(asyncio.wait_for(story(), 10))
