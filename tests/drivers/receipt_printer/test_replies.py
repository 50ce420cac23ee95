"""Replies told apart by their fixed bits, in any mixture and any split."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from drivers.receipt_printer.health import read_health
from drivers.receipt_printer.replies import ReplyKind, ReplyReader
from drivers.receipt_printer.simulator.stream import CommandStream

REPLIES = {
    b"\x12": ReplyKind.REAL_TIME,
    b"\x1a": ReplyKind.REAL_TIME,
    b"\x7e": ReplyKind.REAL_TIME,
    b"\x00": ReplyKind.BARRIER,
    b"\x03": ReplyKind.BARRIER,
    b"\x10\x00\x00\x00": ReplyKind.AUTOMATIC,
    b"\x38\x40\x0f\x0f": ReplyKind.AUTOMATIC,
    b"\x37\x25\x00": ReplyKind.BLOCK,
    b"\x5fTM-T20\x00": ReplyKind.BLOCK,
}


@given(st.lists(st.sampled_from(sorted(REPLIES)), max_size=12), st.integers(1, 7))
def test_any_mixture_is_told_apart(sent: list[bytes], split: int) -> None:
    reader = ReplyReader()
    data = b"".join(sent)
    got = [reply for start in range(0, len(data), split) for reply in reader.feed(data[start : start + split])]
    assert [(reply.kind, reply.data) for reply in got] == [(REPLIES[item], item) for item in sent]


def test_a_status_answer_amid_pushed_status_is_found() -> None:
    kinds = [reply.kind for reply in ReplyReader().feed(b"\x10\x00\x12\x00\x00\x00")]
    assert kinds == [ReplyKind.REAL_TIME, ReplyKind.AUTOMATIC, ReplyKind.BARRIER]


def test_flow_control_and_noise_are_no_answers() -> None:
    assert ReplyReader().feed(b"\x11\x13\xff\x91\x9f") == []


@given(st.binary(max_size=300))
def test_noise_never_breaks_the_readers(data: bytes) -> None:
    ReplyReader().feed(data)
    CommandStream().feed(data)


@given(st.binary(max_size=300), st.integers(1, 9))
def test_commands_do_not_depend_on_the_split(data: bytes, split: int) -> None:
    whole = b"".join(token.raw for token in CommandStream(clears=False).feed(data))
    stream = CommandStream(clears=False)
    parts = [token for start in range(0, len(data), split) for token in stream.feed(data[start : start + split])]
    assert b"".join(token.raw for token in parts).startswith(whole[: len(whole)]) or whole.startswith(
        b"".join(token.raw for token in parts)
    )


def test_status_bytes_as_measured() -> None:
    assert read_health(0x12, 0x12, 0x12, 0x12).faults == ()
    assert read_health(0x12, 0x12, 0x12, 0x1E).faults == ("paper_low",)
    assert read_health(0x1A, 0x32, 0x12, 0x7E).faults == ("paper_out",)
    assert read_health(0x1A, 0x16, 0x12, 0x12).faults == ("cover_open",)
    assert read_health(0x1A, 0x12, 0x12, 0x12).faults == ("offline",)
    assert read_health(0x1A, 0x36, 0x12, 0x7E).faults == ("cover_open", "paper_out")
