"""Bytes to codes: endings, limits, character sets, prefixes."""

from __future__ import annotations

import pytest

from drivers.code_scanner.payload import CODE_BYTES, CodeSplitter, Suffix, code_of, decode_text
from drivers.errors import HardwareFault, MediaError
from drivers.messages import Symbology


@pytest.mark.parametrize(
    ("suffix", "pieces", "codes"),
    [
        ("cr", [b"6901234567892\r"], [b"6901234567892"]),
        ("cr", [b"69012", b"34567892", b"\r"], [b"6901234567892"]),
        ("cr", [b"A\rB\rC"], [b"A", b"B"]),
        ("cr", [b"\r\r\r"], []),
        ("cr", [b"A\r\n", b"B\r\n"], [b"A", b"B"]),
        ("lf", [b"A\r\nB\r\n"], [b"A", b"B"]),
        ("crlf", [b"A\r", b"\nB\r\n"], [b"A", b"B"]),
        ("crlf", [b"first\nsecond\r\n"], [b"first\nsecond"]),
        ("gap", [b"A\rB"], []),
    ],
)
def test_endings(suffix: Suffix, pieces: list[bytes], codes: list[bytes]) -> None:
    splitter = CodeSplitter(suffix)
    assert [code for piece in pieces for code in splitter.feed(piece)] == codes


def test_silence_ends_a_code_where_it_is_agreed() -> None:
    splitter = CodeSplitter("gap")
    splitter.feed(b"69012")
    splitter.feed(b"34\r\n")
    assert splitter.is_within_code
    assert splitter.end() == b"6901234"
    assert not splitter.is_within_code


@pytest.mark.parametrize("suffix", ["cr", "lf", "crlf", "gap"])
def test_what_never_ends_is_no_scanner_and_is_not_kept(suffix: Suffix) -> None:
    splitter = CodeSplitter(suffix)
    with pytest.raises(HardwareFault) as caught:
        for _ in range(CODE_BYTES):
            splitter.feed(b"xx")
    assert caught.value.reason == "wrong_device"
    assert not splitter.is_within_code


def test_the_longest_symbol_passes() -> None:
    digits = b"7" * 7089
    assert CodeSplitter("cr").feed(digits + b"\r") == [digits]


@pytest.mark.parametrize(("encoding", "text"), [("utf-8", "林晓㐀𠮷"), ("gb18030", "林晓㐀𠮷"), ("utf-8", "a\x1db")])
def test_character_sets(encoding: str, text: str) -> None:
    assert decode_text(text.encode(encoding), encoding) == text  # type: ignore[arg-type]


def test_bytes_of_the_wrong_character_set_are_no_code_and_not_shown() -> None:
    with pytest.raises(MediaError) as caught:
        decode_text("支付码林晓".encode("gb18030"), "utf-8")
    assert caught.value.reason == "barcode_invalid"
    assert "林" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "symbology", "rest"),
    [
        ("]Q1https://example.invalid", Symbology.QR, "https://example.invalid"),
        ("]C0A-1", Symbology.CODE_128, "A-1"),
        ("]A0A-1", Symbology.CODE_39, "A-1"),
        ("]E06901234567892", Symbology.EAN_13, "6901234567892"),
        ("]E469012343", Symbology.UNKNOWN, "69012343"),
        ("]L0x", Symbology.PDF417, "x"),
        ("]d1x", Symbology.DATA_MATRIX, "x"),
        ("]z0x", Symbology.AZTEC, "x"),
        ("]X0x", Symbology.UNKNOWN, "x"),
    ],
)
def test_the_prefix_names_the_kind_and_is_no_part_of_the_code(text: str, symbology: Symbology, rest: str) -> None:
    code = code_of(text, aim_prefix=True)
    assert (code.symbology, code.text) == (symbology, rest)


def test_without_an_agreed_prefix_the_text_stays_as_it_is() -> None:
    code = code_of("]Q1x", aim_prefix=False)
    assert (code.symbology, code.text) == (Symbology.UNKNOWN, "]Q1x")


@pytest.mark.parametrize("text", ["6901234567892", "", "]Q1", "]Q1a\x00b", "]Q1\x1b[31m"])
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(MediaError) as caught:
        code_of(text, aim_prefix=True)
    assert caught.value.reason == "barcode_invalid"


def test_a_code_does_not_show_itself() -> None:
    assert "134567890123456789" not in repr(code_of("134567890123456789", aim_prefix=False))
