"""IPP messages: there and back, and nothing but `Malformed` from bytes that are none."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.document_printer.ipp_codec import (
    Group,
    IppMessage,
    Localized,
    Malformed,
    Range,
    Resolution,
    Tag,
    Value,
    decode,
    encode,
    integer,
    keyword,
    words_of,
)
from drivers.document_printer.ipp_health import read_health
from drivers.messages import DeviceState

INT = st.integers(-(2**31), 2**31 - 1)
TEXT = st.text(max_size=40).filter(lambda text: "\x00" not in text)
MOMENT = st.datetimes().map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 100_000 * 100_000, tzinfo=dt.UTC)
)
SIMPLE = st.one_of(
    st.builds(Value, st.sampled_from([Tag.INTEGER, Tag.ENUM]), INT),
    st.builds(Value, st.just(Tag.BOOLEAN), st.booleans()),
    st.builds(Value, st.sampled_from([Tag.TEXT, Tag.NAME, Tag.KEYWORD, Tag.URI, Tag.MIME]), TEXT),
    st.builds(Value, st.just(Tag.RANGE), st.builds(Range, INT, INT)),
    st.builds(Value, st.just(Tag.RESOLUTION), st.builds(Resolution, INT, INT, st.sampled_from([3, 4]))),
    st.builds(Value, st.just(Tag.NAME_WITH_LANGUAGE), st.builds(Localized, TEXT, TEXT)),
    st.builds(Value, st.just(Tag.DATE_TIME), MOMENT),
    st.builds(Value, st.sampled_from([Tag.OCTETS, 0x7F, 0x3A]), st.binary(max_size=40)),
    st.builds(Value, st.sampled_from([Tag.NO_VALUE, Tag.UNKNOWN, Tag.UNSUPPORTED]), st.none()),
)
NAME = st.text(st.characters(codec="ascii", categories=["Ll", "Nd"]), min_size=1, max_size=20)


def attributes(value: st.SearchStrategy[Value]) -> st.SearchStrategy[dict[str, tuple[Value, ...]]]:
    return st.dictionaries(NAME, st.lists(value, min_size=1, max_size=2).map(tuple), max_size=3)


VALUE = st.recursive(SIMPLE, lambda inner: st.builds(Value, st.just(Tag.COLLECTION), attributes(inner)), max_leaves=4)
MESSAGE = st.builds(
    IppMessage,
    code=st.integers(0, 0xFFFF),
    request_id=st.integers(0, 2**32 - 1),
    groups=st.lists(
        st.builds(Group, st.sampled_from([Tag.OPERATION, Tag.JOB, Tag.PRINTER, 0x09]), attributes(VALUE)), max_size=2
    ).map(tuple),
    data=st.binary(max_size=50),
)


@settings(max_examples=60, deadline=None)
@given(MESSAGE)
def test_every_message_comes_back_as_it_went(message: IppMessage) -> None:
    assert decode(encode(message)) == message


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_noise_is_malformed_or_a_message(data: bytes) -> None:
    try:
        decode(data)
    except Malformed:
        return


@settings(max_examples=60, deadline=None)
@given(MESSAGE, st.data())
def test_damaged_messages_never_crash(message: IppMessage, data: st.DataObject) -> None:
    whole = bytearray(encode(message))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    try:
        decoded = decode(bytes(whole[:cut]))
    except Malformed:
        return
    read_health(decoded.group(Tag.PRINTER))


def test_a_known_message_byte_by_byte() -> None:
    message = IppMessage(0x000B, 1, (Group(Tag.OPERATION, {"copies": integer(2)}),), version=(1, 1))
    assert encode(message) == bytes.fromhex("0101 000b 00000001 01 21 0006 636f70696573 0004 00000002 03")


def test_deep_nesting_is_refused() -> None:
    value = integer(1)
    for _ in range(40):
        value = (Value(Tag.COLLECTION, {"a": value}),)
    with pytest.raises(Malformed):
        decode(encode(IppMessage(0, 1, (Group(Tag.JOB, {"a": value}),))))


def test_an_endless_list_is_refused() -> None:
    with pytest.raises(Malformed):
        decode(encode(IppMessage(0, 1, (Group(Tag.JOB, {"a": integer(1) * 30_000}),))))


def test_texts_with_a_language_read_like_others() -> None:
    assert words_of({"a": (Value(Tag.NAME_WITH_LANGUAGE, Localized("en", "x")), Value(Tag.NAME, "y"))}, "a") == (
        "x",
        "y",
    )


@pytest.mark.parametrize(
    ("reasons", "codes", "state"),
    [
        (("none",), [], DeviceState.ONLINE),
        (("media-empty-report", "media-needed-warning"), ["paper_out"], DeviceState.USER_ERROR),
        (("toner-low-report", "media-jam-error"), ["media_jammed", "toner_low"], DeviceState.USER_ERROR),
        (("toner-empty",), ["toner_out"], DeviceState.HARDWARE_ERROR),
        (("marker-waste-full-warning",), ["waste_full"], DeviceState.HARDWARE_ERROR),
        (("vendor-flux-error",), ["hardware_error"], DeviceState.HARDWARE_ERROR),
        (("vendor-flux-report",), [], DeviceState.ONLINE),
        (("cover-open", "media-low"), ["cover_open", "paper_low"], DeviceState.USER_ERROR),
        (("offline-report",), ["offline"], DeviceState.OFFLINE),
    ],
)
def test_reasons_are_read_by_their_stem(reasons: tuple[str, ...], codes: list[str], state: DeviceState) -> None:
    health = read_health({"printer-state": (Value(Tag.ENUM, 3),), "printer-state-reasons": keyword(*reasons)})
    assert [meaning.code for meaning, _ in health.found] == codes
    assert health.state is state


def tray(level: int, feed: int = 29700, across: int = 21000) -> str:
    return f"type=sheetFeedAutoRemovableTray;mediafeed={feed};mediaxfeed={across};maxcapacity=250;level={level};name=a"


@pytest.mark.parametrize(
    ("reason", "trays", "state", "code"),
    [
        ("media-empty-report", (tray(250), tray(0, 21000, 14800)), 3, "paper_low"),
        ("media-empty-report", (tray(0), tray(-3, 21000, 29700)), 4, "paper_low"),
        ("input-tray-missing-report", (tray(1),), 3, "paper_low"),
        ("media-empty-report", (tray(0), tray(250, 21000, 14800)), 3, "paper_out"),
        ("media-empty-report", (tray(-2), tray(-1)), 3, "paper_out"),
        ("media-empty-report", (), 3, "paper_out"),
        ("media-empty-report", (tray(250),), 5, "paper_out"),
        ("media-empty-error", (tray(250),), 3, "paper_out"),
        ("media-empty", (tray(250),), 3, "paper_out"),
    ],
)
def test_an_empty_tray_beside_one_with_a4_stops_nothing(
    reason: str, trays: tuple[str, ...], state: int, code: str
) -> None:
    health = read_health({
        "printer-state": (Value(Tag.ENUM, state),), "printer-state-reasons": keyword(reason),
        "media-ready": keyword("iso_a4_210x297mm"),
        "printer-input-tray": tuple(Value(Tag.OCTETS, each.encode()) for each in trays),
    })  # fmt: skip
    assert [meaning.code for meaning, _ in health.found] == [code]
    assert health.obstacle == ("paper_out" if code == "paper_out" else "")
