"""IPP messages as bytes (RFC 8010): every value type, collections, ranges; what is unknown is kept as it came.

Decoding is bounded and raises `Malformed` on anything that does not add up.
"""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

MOST_BYTES = 4 * 1024 * 1024
MOST_VALUES = 20_000
DEEPEST = 8


class Malformed(ValueError):
    """These bytes are no IPP message."""


class Tag(IntEnum):
    """Delimiter and value tags of RFC 8010 section 3.5."""

    OPERATION = 0x01
    JOB = 0x02
    END = 0x03
    PRINTER = 0x04
    UNSUPPORTED_GROUP = 0x05
    UNSUPPORTED = 0x10
    UNKNOWN = 0x12
    NO_VALUE = 0x13
    INTEGER = 0x21
    BOOLEAN = 0x22
    ENUM = 0x23
    OCTETS = 0x30
    DATE_TIME = 0x31
    RESOLUTION = 0x32
    RANGE = 0x33
    COLLECTION = 0x34
    TEXT_WITH_LANGUAGE = 0x35
    NAME_WITH_LANGUAGE = 0x36
    END_COLLECTION = 0x37
    TEXT = 0x41
    NAME = 0x42
    KEYWORD = 0x44
    URI = 0x45
    URI_SCHEME = 0x46
    CHARSET = 0x47
    LANGUAGE = 0x48
    MIME = 0x49
    MEMBER_NAME = 0x4A


FIRST_VALUE_TAG = 0x10
STRING_TAGS = frozenset(range(Tag.TEXT, Tag.MIME + 1)) - {0x43}


@dataclass(frozen=True)
class Range:
    lower: int
    upper: int


@dataclass(frozen=True)
class Resolution:
    """`unit` 3 is dots per inch, 4 dots per centimetre."""

    across: int
    along: int
    unit: int


@dataclass(frozen=True)
class Localized:
    language: str
    text: str


@dataclass(frozen=True)
class Value:
    """One value with its tag. Out-of-band tags carry None; a tag this codec does not know carries its bytes."""

    tag: int
    content: Content | Collection


Content = int | bool | str | bytes | dt.datetime | Range | Resolution | Localized | None
Collection = dict[str, tuple[Value, ...]]
Attributes = dict[str, tuple[Value, ...]]


@dataclass(frozen=True)
class Group:
    tag: int
    attributes: Attributes


@dataclass(frozen=True)
class IppMessage:
    """`code` is the operation of a request or the status of an answer."""

    code: int
    request_id: int
    groups: tuple[Group, ...] = ()
    data: bytes = field(default=b"", repr=False)
    version: tuple[int, int] = (2, 0)

    def group(self, tag: int) -> Attributes:
        """The first group of that kind, or an empty one."""
        return next((group.attributes for group in self.groups if group.tag == tag), {})


# --- encoding ------------------------------------------------------------------------------------------------------


def encode(message: IppMessage) -> bytes:
    parts = [struct.pack(">BBHI", *message.version, message.code, message.request_id)]
    for group in message.groups:
        parts.append(bytes((group.tag,)))
        for name, values in group.attributes.items():
            parts.extend(_encode_attribute(name, values))
    parts.extend((bytes((Tag.END,)), message.data))
    return b"".join(parts)


def _encode_attribute(name: str, values: tuple[Value, ...]) -> list[bytes]:
    parts: list[bytes] = []
    for number, value in enumerate(values):
        parts.extend(_encode_value(name if number == 0 else "", value))
    return parts


def _field(data: bytes) -> bytes:
    return struct.pack(">H", len(data)) + data


def _encode_value(name: str, value: Value) -> list[bytes]:
    head = bytes((value.tag,)) + _field(name.encode())
    if isinstance(value.content, dict):
        parts = [head, _field(b"")]
        for member, values in value.content.items():
            parts.append(bytes((Tag.MEMBER_NAME,)) + _field(b"") + _field(member.encode()))
            parts.extend(_encode_attribute("", values))
        parts.append(bytes((Tag.END_COLLECTION,)) + _field(b"") + _field(b""))
        return parts
    return [head, _field(_encode_content(value))]


def _encode_content(value: Value) -> bytes:  # noqa: PLR0911
    match value.content:
        case None:
            return b""
        case bool() as flag:
            return bytes((int(flag),))
        case int() as number:
            return struct.pack(">i", number)
        case str() as text:
            return text.encode()
        case bytes() as raw:
            return raw
        case Range(lower, upper):
            return struct.pack(">ii", lower, upper)
        case Resolution(across, along, unit):
            return struct.pack(">iib", across, along, unit)
        case Localized(language, text):
            return _field(language.encode()) + _field(text.encode())
        case dt.datetime() as moment:
            return _encode_date(moment)
        case _:
            raise TypeError("not an IPP value")


def _encode_date(moment: dt.datetime) -> bytes:
    offset = int((moment.utcoffset() or dt.timedelta()).total_seconds()) // 60
    sign = b"-" if offset < 0 else b"+"
    clock = struct.pack(">HBBBBBB", *moment.timetuple()[:6], moment.microsecond // 100_000)
    return clock + sign + bytes(divmod(abs(offset), 60))


# --- decoding ------------------------------------------------------------------------------------------------------


def decode(data: bytes) -> IppMessage:
    """Raises `Malformed`."""
    if len(data) > MOST_BYTES:
        raise Malformed("message too long")
    return _Decoder(data).message()


class _Decoder:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._values = 0

    def _take(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._data):
            raise Malformed("message ends too early")
        piece = self._data[self._at : end]
        self._at = end
        return piece

    def _field(self) -> bytes:
        return self._take(int.from_bytes(self._take(2), "big"))

    def message(self) -> IppMessage:
        major, minor, code, request_id = struct.unpack(">BBHI", self._take(8))
        groups: list[Group] = []
        while True:
            tag = self._take(1)[0]
            if tag == Tag.END:
                return IppMessage(code, request_id, tuple(groups), self._data[self._at :], (major, minor))
            if tag >= FIRST_VALUE_TAG:
                raise Malformed("value outside a group")
            groups.append(Group(tag, self._attributes()))

    def _attributes(self) -> Attributes:
        attributes: dict[str, list[Value]] = {}
        name = ""
        while self._at < len(self._data) and self._data[self._at] >= FIRST_VALUE_TAG:
            tag = self._take(1)[0]
            name = _text(self._field()) or name
            if not name:
                raise Malformed("value without a name")
            attributes.setdefault(name, []).append(self._value(tag, 0))
        return {key: tuple(values) for key, values in attributes.items()}

    def _value(self, tag: int, depth: int) -> Value:
        self._values += 1
        if self._values > MOST_VALUES:
            raise Malformed("too many values")
        content = self._field()
        if tag == Tag.COLLECTION:
            return Value(tag, self._collection(depth + 1))
        return Value(tag, _decode_content(tag, content))

    def _collection(self, depth: int) -> Collection:
        if depth > DEEPEST:
            raise Malformed("collections nested too deeply")
        members: dict[str, list[Value]] = {}
        name = ""
        while True:
            tag = self._take(1)[0]
            if tag < FIRST_VALUE_TAG or self._field():
                raise Malformed("collection not ended")
            if tag == Tag.END_COLLECTION:
                self._field()
                return {key: tuple(values) for key, values in members.items()}
            if tag == Tag.MEMBER_NAME:
                name = _text(self._field())
                continue
            if not name:
                raise Malformed("member without a name")
            members.setdefault(name, []).append(self._value(tag, depth))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _decode_content(tag: int, data: bytes) -> Content:
    if tag in STRING_TAGS:
        return _text(data)
    try:
        if tag in PARSERS:
            return PARSERS[tag](data)
    except (struct.error, ValueError, OverflowError) as error:
        raise Malformed("value of the wrong length") from error
    return None if tag < Tag.INTEGER and not data else data


def _decode_localized(data: bytes) -> Localized:
    inner = _Decoder(data)
    return Localized(_text(inner._field()), _text(inner._field()))  # noqa: SLF001


def _decode_date(data: bytes) -> dt.datetime:
    year, month, day, hour, minute, second, tenth, sign, hours, minutes = struct.unpack(">HBBBBBBcBB", data)
    offset = dt.timedelta(hours=hours, minutes=minutes) * (-1 if sign == b"-" else 1)
    return dt.datetime(year, month, day, hour, minute, min(second, 59), tenth * 100_000, dt.timezone(offset))


PARSERS: dict[int, Callable[[bytes], Content]] = {
    Tag.INTEGER: lambda data: int(struct.unpack(">i", data)[0]),
    Tag.ENUM: lambda data: int(struct.unpack(">i", data)[0]),
    Tag.BOOLEAN: lambda data: bool(struct.unpack(">B", data)[0]),
    Tag.RANGE: lambda data: Range(*struct.unpack(">ii", data)),
    Tag.RESOLUTION: lambda data: Resolution(*struct.unpack(">iib", data)),
    Tag.DATE_TIME: _decode_date,
    Tag.TEXT_WITH_LANGUAGE: _decode_localized,
    Tag.NAME_WITH_LANGUAGE: _decode_localized,
}


# --- making and reading values -------------------------------------------------------------------------------------


def keyword(*words: str) -> tuple[Value, ...]:
    return tuple(Value(Tag.KEYWORD, word) for word in words)


def integer(number: int) -> tuple[Value, ...]:
    return (Value(Tag.INTEGER, number),)


def name(text: str) -> tuple[Value, ...]:
    return (Value(Tag.NAME, text),)


def uri(text: str) -> tuple[Value, ...]:
    return (Value(Tag.URI, text),)


def words_of(attributes: Attributes, key: str) -> tuple[str, ...]:
    """The text values of an attribute, without their languages."""
    contents = (value.content for value in attributes.get(key, ()))
    return tuple(
        content.text if isinstance(content, Localized) else content
        for content in contents
        if isinstance(content, (str, Localized))
    )


def number_of(attributes: Attributes, key: str) -> int | None:
    """The first integer or enum of an attribute; None when it is absent or has no value."""
    for value in attributes.get(key, ()):
        if isinstance(value.content, int) and not isinstance(value.content, bool):
            return value.content
    return None
