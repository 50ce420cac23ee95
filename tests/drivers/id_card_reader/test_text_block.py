"""Text blocks against vectors A-T, A-L and A-S10 of domain.md 1.12, and every layout there and back."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import MediaError
from drivers.id_card_reader.citizen_number import check_character
from drivers.id_card_reader.photo import undecodable_photo
from drivers.id_card_reader.sdt import commands
from drivers.id_card_reader.sdt.frames import ANSWER_HEAD_BYTES, FrameParser, encode_answer
from drivers.id_card_reader.simulator.cards import load_cards
from drivers.id_card_reader.text_block import (
    LAYOUTS,
    NATIONS,
    decode_new_address,
    decode_text_block,
    encode_new_address,
    encode_text_block,
)
from drivers.messages import CardType, IdCard

T1 = bytes.fromhex(
    "97674B6DD58B2000200020002000200020002000200020002000200020003100"
    "30003100310039003000310030003200300033008F79FA5E0177A653E895025E"
    "1D600E663A5337688B4FEF8D3100F753310030003100A45B2000200020002000"
    "2000200020002000200020002000200020002000200020002000330035003000"
    "320030003300310039003000310030003200300033003000300031003700A653"
    "E895025E6C51895B405C1D600E660652405C2000200020002000200032003000"
    "3200300030003100300031003200300034003000300031003000310020002000"
    "2000200020002000200020002000200020002000200020002000200020002000"
)
T2 = bytes.fromhex(
    "276B33963A790383200020002000200020002000200020002000200020003200"
    "32003200310039003000330031003100330030008F79FA5E0177A653E895025E"
    "0C54895B3A53B283B182479537688B4F51673300F75320002000200020002000"
    "2000200020002000200020002000200020002000200020002000330035003000"
    "320031003200310039003000330031003100330030003000300032003400A653"
    "E895025E6C51895B405C0C54895B0652405C2000200020002000200032003000"
    "3100390030003600330030007F951F6720002000200020002000200020002000"
    "2000200020002000200020002000200020002000200020002000200020002000"
)
T3 = bytes.fromhex(
    "7396236A2C672000200020002000200020002000200020002000200020003200"
    "20002000310039003000350030003500300035008F79FA5E0177A653E895025E"
    "566ECC913A5337688B4F3E793A533800F7537C69200020002000200020002000"
    "2000200020002000200020002000200020002000200020002000380033003000"
    "300030003000310039003000350030003500300035003000300032003500A653"
    "E895025E6C51895B405C20002000200020002000200020002000200032003000"
    "3200330030003900300031003200300032003800300039003000310031003200"
    "3300340035003600370038002000300031002000200020004A00200020002000"
)
S10 = bytes.fromhex(
    "AAAAAA9669004A0000908F79FA5E0177A653E895025E1D600E663A534B6DD58BEF8D3200F75320002000200020002000"
    "2000200020002000200020002000200020002000200020002000200020002000FA"
)

LIN = IdCard(
    card_type=CardType.RESIDENT,
    name="林测试",
    sex="1",
    nation_code="01",
    nation="汉",
    birth_date=dt.date(1901, 2, 3),
    address="福建省厦门市思明区样例路1号101室",
    id_number="350203190102030017",
    issuer="厦门市公安局思明分局",
    valid_from=dt.date(2020, 1, 1),
    valid_until=dt.date(2040, 1, 1),
)
OUYANG = IdCard(
    card_type=CardType.RESIDENT,
    name="欧阳示范",
    sex="2",
    nation_code="22",
    nation="畲",
    birth_date=dt.date(1903, 11, 30),
    address="福建省厦门市同安区莲花镇样例村3号",
    id_number="350212190311300024",
    issuer="厦门市公安局同安分局",
    valid_from=dt.date(2019, 6, 30),
    valid_until=None,
)
CHEN = IdCard(
    card_type=CardType.HMT_RESIDENCE,
    name="陳樣本",
    sex="2",
    birth_date=dt.date(1905, 5, 5),
    address="福建省厦门市湖里区样例社区8号楼",
    id_number="830000190505050025",
    issuer="厦门市公安局",
    valid_from=dt.date(2023, 9, 1),
    valid_until=dt.date(2028, 9, 1),
    permit_number="12345678",
    issue_count="01",
)
BLANK = " ".encode("utf-16-le")


def altered(block: bytes, offset: int, text: str) -> bytes:
    written = text.encode("utf-16-le")
    return block[:offset] + written + block[offset + len(written) :]


def read_answer(text: bytes, seed: int, *further: bytes) -> bytes:
    portions = (text, undecodable_photo(seed), *further)
    return encode_answer(0x90, b"".join(len(portion).to_bytes(2, "big") for portion in portions) + b"".join(portions))


@pytest.mark.parametrize(
    ("block", "card", "sha256"),
    [
        (T1, LIN, "0297de1ea84cc3536e09538de616d839f633ae08b0718d829506233225a0596a"),
        (T2, OUYANG, "e007834338b879c57ef1d446f5527346835405dde4c588070a08cec3bfb9d42a"),
        (T3, CHEN, "d4c520157484687d9bd39d9e243d274f7db6259b858c724fa0ec19f2323482c0"),
    ],
)
def test_blocks_are_vectors_t(block: bytes, card: IdCard, sha256: str) -> None:
    assert hashlib.sha256(block).hexdigest() == sha256
    assert decode_text_block(block) == card
    assert encode_text_block(card) == block


@pytest.mark.parametrize(
    ("block", "seed", "card", "check", "sha256"),
    [
        (T1, 3, LIN, 0x57, "e9e167d9c5e67ff9c28deb149e7294e15d6b24300a17f22dadb025f6d167cf86"),
        (T2, 16, OUYANG, 0x28, "06299182ed8f896cefd0faf701eb4dbe7b3aa54ca35a00394f2f541b9fb6c82e"),
        (T3, 200, CHEN, 0x0E, "b26e37f893ff28ab0b3d0342dc223f6efbf8d44fce6a492a4b690a1d7938ed14"),
    ],
)
def test_long_answers_are_vectors_l(block: bytes, seed: int, card: IdCard, check: int, sha256: str) -> None:
    sent = read_answer(block, seed)
    assert (len(sent), sent[-1]) == (1295, check)
    assert hashlib.sha256(sent).hexdigest() == sha256
    (frame,) = FrameParser(ANSWER_HEAD_BYTES).feed(sent)
    text, photo = commands.split_card(frame.data)
    assert decode_text_block(text) == card
    assert photo == undecodable_photo(seed)


def test_answer_with_an_empty_fingerprint_is_vector_l4() -> None:
    sent = read_answer(T1, 3, b"")
    assert hashlib.sha256(sent).hexdigest() == "390cbab09b6ba1790b02dac272e75f4f7fb35aa3fa027aa92e7e1ab780d37205"
    assert len(FrameParser(ANSWER_HEAD_BYTES).feed(sent)) == 1


def test_new_address_is_vector_s10() -> None:
    (frame,) = FrameParser(ANSWER_HEAD_BYTES).feed(S10)
    assert decode_new_address(frame.data) == "福建省厦门市思明区测试路2号"
    assert encode_new_address("福建省厦门市思明区测试路2号") == frame.data


@pytest.mark.parametrize("empty", [b"", BLANK * 35, bytes(70)])
def test_an_empty_new_address_is_none(empty: bytes) -> None:
    assert decode_new_address(empty) is None


@pytest.mark.parametrize("block", [T1, T2, T3])
def test_padding_may_be_nul(block: bytes) -> None:
    assert decode_text_block(block.replace(BLANK, b"\0\0")) == decode_text_block(block)


def test_what_has_no_chip_of_this_kind_is_not_written() -> None:
    with pytest.raises(ValueError, match="passport"):
        encode_text_block(IdCard(card_type=CardType.PASSPORT, name="A"))


def test_every_sample_card_survives_the_block() -> None:
    cards = load_cards()
    assert {card.fields.card_type for card in cards.values()} == set(LAYOUTS)
    for card in cards.values():
        read = decode_text_block(card.text)
        assert read.model_copy(update={"nation": None, "new_address": card.fields.new_address}) == card.fields
        assert read.birth_date is not None
        assert read.birth_date.year < 1911


def test_a_latin_name_keeps_its_blanks_and_commas() -> None:
    assert decode_text_block(load_cards()["sample"].text).name_latin == "SAMPLE, VERA MARIA"


def test_a_latin_name_keeps_the_blank_between_its_two_places() -> None:
    card = load_cards()["invented"]
    assert card.text[52:122].decode("utf-16-le").endswith(" ")
    assert decode_text_block(card.text).name_latin == "INVENTED CONSTANTINE ALEXANDER-JOH PETER"


def test_an_unknown_nation_is_no_exception() -> None:
    card = decode_text_block(altered(T1, 32, "57"))
    assert (card.nation_code, card.nation) == ("57", "unknown")
    blank = decode_text_block(altered(T1, 32, "  "))
    assert (blank.nation_code, blank.nation) == (None, None)
    assert (len(NATIONS), NATIONS["46"], NATIONS["31"]) == (58, "德昂", "达斡尔")


@pytest.mark.parametrize(
    ("offset", "text", "reason"),
    [
        (36, "19010229", "decode_failed"),  # birth date does not exist
        (36, "        ", "decode_failed"),
        (36, "19010204", "decode_failed"),  # differs from the number's
        (188, "2020010O", "decode_failed"),
        (204, "永久", "decode_failed"),
        (204, "        ", "decode_failed"),
        (30, "2", "decode_failed"),  # a man's number
        (122, "350203190102030010", "decode_failed"),  # wrong check character
        (122, "350203190102290011", "decode_failed"),  # 29 February 1901
        (248, "Z", "wrong_card_type"),
        (0, "\ud800", "decode_failed"),
    ],
)
def test_what_makes_no_sense_is_refused(offset: int, text: str, reason: str) -> None:
    written = text.encode("utf-16-le", "surrogatepass")
    block = T1[:offset] + written + T1[offset + len(written) :]
    with pytest.raises(MediaError) as caught:
        decode_text_block(block)
    assert caught.value.reason == reason
    assert text.strip() not in str(caught.value) or not text.strip().isdigit()
    assert "林测试" not in str(caught.value)


def test_a_type_decides_before_anything_else() -> None:
    """In layout I the bytes of a resident's name are latin letters and those of his number a permit number."""
    card = decode_text_block(load_cards()["sample"].text)
    assert (card.card_type, card.id_number, card.permit_number) == (
        CardType.FOREIGN_PERMANENT_2017,
        None,
        "FRA350003070801",
    )


def refusal_of(block: bytes) -> str:
    try:
        decode_text_block(block)
    except MediaError as error:
        return error.reason
    return ""


@given(st.binary(max_size=300) | st.binary(min_size=256, max_size=256))
def test_any_bytes_decode_or_are_refused(block: bytes) -> None:
    assert refusal_of(block) in ("decode_failed", "wrong_card_type", "")


@given(st.sampled_from([T1, T2, T3]), st.integers(0, 255), st.integers(0, 255))
def test_one_changed_byte_decodes_or_is_refused(block: bytes, position: int, value: int) -> None:
    changed = bytearray(block)
    changed[position] = value
    assert refusal_of(bytes(changed)) in ("decode_failed", "wrong_card_type", "")


latin = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ ,-", max_size=46).map(lambda name: name.strip() or None)
hanzi = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1, max_size=15)
dates = st.dates(dt.date(1900, 1, 1), dt.date(1910, 12, 31))


@st.composite
def cards(draw: st.DrawFn) -> IdCard:
    born, card_type = draw(dates), draw(st.sampled_from(list(LAYOUTS)))
    body = draw(st.sampled_from(["350203", "810000", "935826"])) + f"{born:%Y%m%d}" + f"{draw(st.integers(0, 999)):03}"
    is_male = int(body[16]) % 2 == 1
    fields: dict[str, object] = {
        "name": draw(hanzi),
        "sex": draw(st.sampled_from(["0", "9", "1" if is_male else "2"])),
        "birth_date": born,
        "valid_from": draw(st.dates(dt.date(2000, 1, 1), dt.date(2026, 1, 1))),
        "valid_until": draw(st.none() | st.dates(dt.date(2000, 1, 1))),
    }
    if card_type is CardType.FOREIGN_PERMANENT_2017:
        fields |= {"name_latin": draw(latin), "permit_number": "FRA350003070801", "country": "FRA"}
    else:
        fields |= {"id_number": body + check_character(body)}
    if card_type is CardType.FOREIGN_PERMANENT_2023:
        fields |= {"name_latin": draw(latin), "issue_count": "03", "country": "250"}
    if card_type in (CardType.RESIDENT, CardType.HMT_RESIDENCE):
        fields |= {"address": draw(hanzi) * 2, "issuer": draw(hanzi)}
    if card_type is CardType.RESIDENT:
        code = draw(st.sampled_from(sorted(NATIONS)))
        fields |= {"nation_code": code, "nation": NATIONS[code]}
    if card_type is CardType.HMT_RESIDENCE:
        fields |= {"permit_number": "H12345678", "issue_count": "02"}
    return IdCard.model_validate({"card_type": card_type, **fields})


@given(cards())
def test_every_layout_there_and_back(card: IdCard) -> None:
    assert decode_text_block(encode_text_block(card)) == card


def test_a_field_too_long_for_its_place_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        encode_text_block(LIN.model_copy(update={"name": "样" * 16}))
