"""XML from strangers: what is read, and what is refused whatever it would do."""

from __future__ import annotations

import contextlib
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_server.exchange.xml_tree import MAXIMUM_DEPTH, MAXIMUM_ELEMENTS, XmlRefused, tree_of, xml_of

LAUGHS = (
    b'<!DOCTYPE l [<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY %c "%s">' % (letter, b"&%c;" % (letter - 1) * 10) for letter in range(ord("b"), ord("k"))
    ) + b"]><l>&j;</l>"
)  # fmt: skip


def test_elements_become_groups_lists_and_text() -> None:
    said = tree_of(
        b'<?xml version="1.0"?><s:E xmlns:s="urn:s" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><s:B>'
        b"<one> 1 </one><none/><nil i:nil='true'>x</nil><list><item>a</item></list><two>x</two><two>y</two>"
        b"<pairs><item><k>1</k></item><item><k>2</k></item></pairs><![CDATA[<!-- ]]></s:B></s:E>"
    )
    assert said == {
        "E": {
            "B": {
                "one": "1", "none": None, "nil": None, "list": ["a"], "two": ["x", "y"],
                "pairs": [{"k": "1"}, {"k": "2"}],
            }
        }
    }  # fmt: skip


def test_chinese_encodings_are_read() -> None:
    text = '<?xml version="1.0" encoding="GBK"?><a><b>林测试</b></a>'
    assert tree_of(text.encode("gbk")) == {"a": {"b": "林测试"}}


@pytest.mark.parametrize(
    "content",
    [
        b"", b"garbage", b"\xff\xfe\x00", b"<a>", b"<a></b>", b"<a>&b;</a>", b"<a/><a/>", b"{}",
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x"> %p;]><a/>',
        b'<?xml version="1.0" encoding="klingon"?><a/>', b'<?xml version="1.0" encoding="gbk"?><a>\xff</a>',
        b"<a>" * (MAXIMUM_DEPTH + 1) + b"</a>" * (MAXIMUM_DEPTH + 1),
        b"<a>" + b"<b/>" * MAXIMUM_ELEMENTS + b"</a>",
    ],
    ids=range(15),
)  # fmt: skip
def test_what_is_never_read(content: bytes) -> None:
    with pytest.raises(XmlRefused):
        tree_of(content)


def test_a_billion_laughs_end_at_once() -> None:
    before = time.perf_counter()
    with pytest.raises(XmlRefused, match="document type"):
        tree_of(LAUGHS)
    assert time.perf_counter() - before < 0.5


def test_damaged_answers_are_refused_or_read_and_nothing_else() -> None:
    whole = xml_of("Answer", {"head": {"code": "00"}, "rows": [{"n": "1"}, {"n": "2"}], "name": "林测试"}).encode()
    chance = random.Random(20261122)
    for _ in range(3000):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(damaged))
            damaged[place : place + chance.randint(0, 3)] = bytes(chance.choices(range(256), k=chance.randint(0, 3)))
        with contextlib.suppress(XmlRefused):
            assert isinstance(tree_of(bytes(damaged)), dict)


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1).map(
    str.strip
)
NAMES = st.from_regex(r"\A[a-hj-z][a-z0-9_]{0,8}\Z")
TREES = st.recursive(
    TEXT.filter(bool), lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=4), max_leaves=12
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(NAMES, TREES, min_size=1, max_size=5))
def test_what_is_written_is_read_back(tree: dict[str, object]) -> None:
    assert tree_of(xml_of("root", tree).encode()) == {"root": tree}


def test_values_stay_values() -> None:
    text = "<b>&amp;]]>\"'\x00\x1f"
    assert tree_of(xml_of("a", {"v": text, "t": True, "n": 3, "e": None, "l": ["x"]}).encode()) == {
        "a": {"v": "<b>&amp;]]>\"'\ufffd\ufffd", "t": "true", "n": "3", "e": None, "l": ["x"]}
    }
    with pytest.raises(ValueError, match="name"):
        xml_of("a><b", "x")
