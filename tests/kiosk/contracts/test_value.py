"""What is hashed and signed has one spelling."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from kiosk.contracts.value import canonical_bytes, canonical_text


def test_canonical_bytes_are_plain_json_in_order() -> None:
    """Beside Python's own writer: every character, sorted names, no spaces."""
    letters = "".join(map(chr, [*range(0x3000), *range(0xE000, 0x10000), 0x1F600, 0x10FFFF]))
    value = {"z": [1, -2, 2**70, True, None], "é": {"b": letters, "a": ()}, "\U0001f600": "", letters[::-1]: 0}
    plainly = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical_bytes(value) == plainly.encode()
    assert canonical_text(value) == plainly


@pytest.mark.parametrize("value", [1.5, {"a": [0.0]}, dt.date(1901, 2, 3), b"bytes", {"a": object()}])
def test_canonical_bytes_hold_nothing_else(value: object) -> None:
    with pytest.raises(TypeError, match="canonical bytes hold no"):
        canonical_bytes(value)
