"""What lies on a card, from bytes: three generations, padding, dates, and every kind of damage."""

from __future__ import annotations

import datetime as dt

import pytest

from drivers.errors import MediaError
from drivers.smart_card_reader.social_security import (
    APPLICATION,
    decode_card,
    holder_plan,
    join_record,
    specification_of,
    split_record,
)

IDENTIFICATION = bytes.fromhex("350200D1560000050000000000000001")
ISSUER = {0x01: IDENTIFICATION, 0x03: b"3.00", 0x05: bytes.fromhex("20200229"), 0x06: bytes.fromhex("99999999"),
          0x07: b"A0000001\x00"}  # fmt: skip


def test_the_application_is_called_as_the_standard_says() -> None:
    assert b"sx1.sh." + "社会保障".encode("gbk") == APPLICATION


def test_a_name_that_goes_on_in_its_extension_is_joined_before_it_is_decoded() -> None:
    name = "一二三四五六七·八九十一二三四五六".encode("gbk")
    cut = 29  # in the middle of a character
    card = decode_card(ISSUER, {0x09: name[:cut], 0x4E: name[cut:].ljust(20, b"\xff")})
    assert card.name == "一二三四五六七·八九十一二三四五六"


@pytest.mark.parametrize("padding", [b"\x00", b"\x20", b"\xff"])
def test_padding_is_taken_off(padding: bytes) -> None:
    card = decode_card(ISSUER, {0x09: "林测试".encode("gbk").ljust(30, padding), 0x4E: padding * 20})
    assert card.name == "林测试"
    assert card.card_number == "A0000001"


def test_what_the_chip_does_not_give_is_none() -> None:
    card = decode_card({0x01: IDENTIFICATION, 0x03: b"1.00"}, {0x09: b"\x20" * 30, 0x0D: bytes(4), 0x0A: b"\xff",
                                                              0x0C: b"\xff" * 3})  # fmt: skip
    given = {name for name, value in card if value is not None}
    assert given == {"specification", "identification_code", "area_code"}
    assert card.area_code == "350200"


@pytest.mark.parametrize(("value", "sex"), [(b"1", "1"), (b"2", "2"), (b"\x01", "1"), (b"\x09", "9"), (b"\x00", "0")])
def test_a_sex_is_a_character_or_a_number(value: bytes, sex: str) -> None:
    assert decode_card(ISSUER, {0x0A: value}).sex == sex


def test_dates_are_bcd_and_a_leap_day_is_one() -> None:
    card = decode_card(ISSUER, {0x0D: bytes.fromhex("19010203")})
    assert (card.issued_on, card.expires_on, card.birth_date) == (dt.date(2020, 2, 29), None, dt.date(1901, 2, 3))


@pytest.mark.parametrize(
    "holder",
    [
        {0x0D: bytes.fromhex("19010230")},  # no such day
        {0x0D: bytes.fromhex("19010A03")},  # no BCD
        {0x0D: bytes.fromhex("190102")},
        {0x09: b"\x81\x20" * 15},  # no GBK
        {0x08: b"3502\xe5\x20"},
        {0x0B: b"\x0a"},
        {0x0A: b"\xc3"},
    ],
)
def test_damaged_data_is_refused_without_a_value_in_the_words(holder: dict[int, bytes]) -> None:
    with pytest.raises(MediaError) as caught:
        decode_card(ISSUER, holder)
    assert caught.value.reason == "read_failed"
    for value in holder.values():
        assert value.hex() not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("code", [b"", IDENTIFICATION[:8], bytes.fromhex("350200A0000003330000000000000001")])
def test_a_card_of_another_issuer_is_refused(code: bytes) -> None:
    with pytest.raises(MediaError) as caught:
        decode_card({**ISSUER, 0x01: code}, {})
    assert caught.value.reason == "wrong_issuer"


def test_the_specification_decides_where_the_sex_lies() -> None:
    assert holder_plan("1.00")[2].tag == 0x0A
    assert holder_plan("2.00")[2].tag == holder_plan("3.00")[2].tag == 0x4E
    assert [item.expected for item in holder_plan("3.00")] == [0x14, 0x20, 0x16, 0x03, 0x03, 0x05, 0x06]
    for unknown in (b"", b"\xff" * 4, b"4.00", b"\xd2\x00"):
        with pytest.raises(MediaError):
            specification_of(unknown)


def test_records_are_tag_length_value_and_what_follows_is_padding() -> None:
    assert split_record(join_record(0x09, b"abc") + b"\xff" * 5) == (0x09, b"abc")
    for cut_off in (b"", b"\x09", b"\x09\x05abcd"):
        with pytest.raises(MediaError):
            split_record(cut_off)
