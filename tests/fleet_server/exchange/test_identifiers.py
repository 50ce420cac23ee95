"""GB/T 36904 identifiers: three public examples, and a wrong character is seen."""

from __future__ import annotations

import pytest

from fleet_server.exchange.identifiers import certificate_identifier, check_character, is_certificate_identifier


@pytest.mark.parametrize(
    ("content", "check"),
    [
        ("11100000000013338W011.11430000006122244L.20230000403.001", "U"),
        ("11100000MB03271699022.340100.000000016.001", "9"),
        ("11100000000013338W009.11330105002500287C.2025052201.002", "0"),
    ],
)
def test_public_examples(content: str, check: str) -> None:
    assert check_character(content) == check
    assert is_certificate_identifier(f"1.2.156.3005.2.{content}.{check}")


def test_made_and_recognised() -> None:
    made = certificate_identifier("11350200000099101X001", "11350200000099101X", "2026000001")
    assert is_certificate_identifier(made)
    for place in range(len("1.2.156.3005.2."), len(made)):
        other = "7" if made[place] != "7" else "8"
        if made[place] != ".":
            assert not is_certificate_identifier(made[:place] + other + made[place + 1 :])


@pytest.mark.parametrize("text", ["", "1.2.3", "1.2.156.3005.2.a.b.c.001.1", "2.2.156.3005.2.A.B.C.001.1"])
def test_what_is_none(text: str) -> None:
    assert not is_certificate_identifier(text)
