from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.machine.journal import Journal
from kiosk.machine.journal.verify import BROKEN, UNREADABLE, WHOLE, NotAJournal, run_verify, verify_journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal.sqlite"
    journal = Journal.open(path, terminal="k1")
    for number in range(9):
        journal.append("step_ended", transaction_number=f"T{number}", step="a", kind="b", milliseconds=number)
    journal.close()
    return path


def edit(path: Path, *statements: str) -> None:
    raw = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        raw.execute(statement)
    raw.close()


def test_a_whole_journal_says_count_and_head(path: Path) -> None:
    code, sentence = run_verify(path)
    report = verify_journal(path)
    assert (code, report.first, report.last, report.count) == (WHOLE, 1, 10, 10)
    assert "10 entries" in sentence
    assert report.head_hash in sentence


@pytest.mark.parametrize(
    ("statements", "broken"),
    [
        (["UPDATE entries SET journal_id = 'x' WHERE sequence = 4"], 4),
        (["UPDATE entries SET occurred_at = '2001-01-01T00:00:00Z' WHERE sequence = 4"], 4),
        (["UPDATE entries SET monotonic_ms = monotonic_ms + 1 WHERE sequence = 4"], 4),
        (["UPDATE entries SET event = 'machine_stopped' WHERE sequence = 4"], 4),
        (["UPDATE entries SET transaction_number = NULL WHERE sequence = 4"], 4),
        (["""UPDATE entries SET data = replace(data, '"a"', '"z"') WHERE sequence = 4"""], 4),
        (["UPDATE entries SET data = ' ' || data WHERE sequence = 4"], 4),
        (["UPDATE entries SET data = 'no json' WHERE sequence = 4"], 4),
        ([f"UPDATE entries SET previous_hash = '{'a' * 64}' WHERE sequence = 4"], 4),
        ([f"UPDATE entries SET hash = '{'a' * 64}' WHERE sequence = 4"], 4),
        (["DELETE FROM entries WHERE sequence = 4"], 4),
        (["DELETE FROM entries WHERE sequence = 1"], 1),
        (["DELETE FROM entries WHERE sequence >= 8"], 8),
        (["DELETE FROM entries"], 1),
        (["UPDATE entries SET sequence = 99 WHERE sequence = 10"], 10),
        ([f"UPDATE head SET hash = '{'a' * 64}'"], 10),
        (["UPDATE head SET sequence = 7"], 10),
        (["UPDATE head SET journal_id = 'x'"], 1),
        (
            ["UPDATE entries SET sequence = 99 WHERE sequence = 4",
             "UPDATE entries SET sequence = 4 WHERE sequence = 5",
             "UPDATE entries SET sequence = 5 WHERE sequence = 99"],
            4,
        ),
        (
            ["INSERT INTO entries SELECT journal_id, 11, occurred_at, monotonic_ms, event, transaction_number, data, "
             "previous_hash, hash FROM entries WHERE sequence = 10"],
            11,
        ),
        (
            ["CREATE TABLE copy AS SELECT * FROM entries", "DROP TABLE entries", "ALTER TABLE copy RENAME TO entries",
             "INSERT INTO entries SELECT * FROM entries WHERE sequence = 4"],
            5,
        ),
        (["UPDATE head SET base_sequence = 3", "DELETE FROM entries WHERE sequence <= 3"], 4),
        (["DELETE FROM head"], 11),
        (["DELETE FROM head", "UPDATE entries SET event = 'x' WHERE sequence = 4"], 4),
        (["DELETE FROM head", "DELETE FROM entries WHERE sequence <= 3"], 11),
    ],
)  # fmt: skip
def test_the_first_broken_sequence_is_named(path: Path, statements: list[str], broken: int) -> None:
    edit(path, *statements)
    code, sentence = run_verify(path)
    assert verify_journal(path).broken_sequence == broken
    assert code == BROKEN
    assert f"broken at sequence {broken}:" in sentence


def test_a_forged_tail_that_hashes_but_was_cut_is_seen_by_the_head(path: Path) -> None:
    edit(path, "DELETE FROM entries WHERE sequence = 10")
    assert "missing" in verify_journal(path).reason


@pytest.mark.parametrize("share", [0.12, 0.3, 0.5, 0.7, 0.9, 0.999])
def test_a_file_cut_short_is_broken_where_it_ends(tmp_path: Path, share: float) -> None:
    path = tmp_path / "journal.sqlite"
    journal = Journal.open(path, terminal="k1")
    for number in range(60):
        journal.append("step_ended", transaction_number=f"T{number}", step="a", kind="b", milliseconds=number)
    journal.close()
    content = path.read_bytes()
    path.write_bytes(content[: round(len(content) * share)])
    code, sentence = run_verify(path)
    broken = verify_journal(path).broken_sequence or 0
    assert code == BROKEN
    assert f"broken at sequence {broken}:" in sentence
    assert 1 <= broken <= 61
    assert path.stat().st_size == round(len(content) * share)
    if share == 0.9:
        assert broken > 30


def test_a_tail_cut_with_its_head_is_seen_by_what_the_centre_has_received(path: Path) -> None:
    hashes = dict(sqlite3.connect(path).execute("SELECT sequence, hash FROM entries"))
    said = f'{{"hash":"{hashes[8]}","sequence":8}}'
    edit(path, f"INSERT INTO state VALUES ('acknowledged', '{said}')")
    assert verify_journal(path).is_whole
    edit(path, "DELETE FROM entries WHERE sequence > 6", f"UPDATE head SET sequence = 6, hash = '{hashes[6]}'")
    assert verify_journal(path).broken_sequence == 7


def test_a_chain_forged_anew_is_not_what_the_centre_has_received(path: Path) -> None:
    edit(path, f"""INSERT INTO state VALUES ('acknowledged', '{{"hash":"{"a" * 64}","sequence":5}}')""")
    assert verify_journal(path).broken_sequence == 5


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"not a database at all " * 400),
        lambda path: (path.unlink(), edit(path, "CREATE TABLE notes (a)")),
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes()[:60]),
        lambda path: (path.unlink(), path.mkdir()),
    ],
)
def test_what_is_no_journal_is_said_so(path: Path, make: Callable[[Path], object]) -> None:
    make(path)
    code, sentence = run_verify(path)
    assert code == UNREADABLE
    assert str(path) in sentence
    with pytest.raises(NotAJournal):
        verify_journal(path)


def test_any_damaged_page_is_a_finding_never_a_crash(path: Path) -> None:
    whole, noise = path.read_bytes(), random.Random(7)
    for offset in range(100, len(whole), 997):
        damaged = bytearray(whole)
        damaged[offset : offset + 64] = noise.randbytes(64)
        path.write_bytes(damaged)
        code, sentence = run_verify(path)
        assert code in (WHOLE, BROKEN, UNREADABLE), sentence


WRITER = """
import os, sys
from pathlib import Path
from kiosk.machine.journal import Journal
journal = Journal.open(Path(sys.argv[1]), terminal="k1")
for number in range(20):
    journal.append("machine_stopped")
os._exit(9)
"""


def crashed(tmp_path: Path) -> Path:
    path = tmp_path / "crashed" / "journal.sqlite"
    subprocess.run([sys.executable, "-c", WRITER, str(path)], check=False, timeout=60)
    assert path.with_name("journal.sqlite-wal").stat().st_size > 0
    return path


def test_a_crashed_journal_is_verified_and_left_as_it_was(tmp_path: Path) -> None:
    path = crashed(tmp_path)
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    assert verify_journal(path).count == 21
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


def test_a_copy_without_its_log_holds_up_to_its_own_head(tmp_path: Path) -> None:
    path = crashed(tmp_path)
    Journal.open(path, terminal="k1").close()
    lone = tmp_path / "lone.sqlite"
    shutil.copyfile(path, lone)
    report = verify_journal(lone)
    assert (report.is_whole, report.count) == (True, 21)
    assert not (tmp_path / "lone.sqlite-wal").exists()


def test_a_folder_that_may_not_be_written_is_enough(tmp_path: Path) -> None:
    path = crashed(tmp_path)
    before = sorted(file.name for file in path.parent.iterdir())
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        assert verify_journal(path).count == 21
        assert sorted(file.name for file in path.parent.iterdir()) == before
    finally:
        path.parent.chmod(0o755)


def test_a_journal_in_use_can_be_verified(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal.sqlite", terminal="k1")
    journal.append("machine_stopped")
    assert verify_journal(tmp_path / "journal.sqlite").count == 2
    journal.append("machine_stopped")
    assert verify_journal(tmp_path / "journal.sqlite").count == 3
    journal.close()
