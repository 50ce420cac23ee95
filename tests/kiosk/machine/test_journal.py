from __future__ import annotations

import datetime as dt
import itertools
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kiosk.contracts.errors import JournalBroken, JournalFull, KioskError
from kiosk.contracts.events import GENESIS, Disposition
from kiosk.contracts.fleet import JournalAcknowledgement
from kiosk.contracts.value import canonical_bytes
from kiosk.machine.fleet.identity import MachineKey
from kiosk.machine.journal import Journal, NotRecordable
from kiosk.machine.journal.verify import verify_journal

START = dt.datetime(2025, 3, 1, 8, 0, tzinfo=dt.UTC)
PHONE = "13900001234"


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> dt.datetime:
        self.now += dt.timedelta(milliseconds=250)
        return self.now


def valid_identity_number() -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    first = "35020319000101123"
    return first + "10X98765432"[sum(int(a) * b for a, b in zip(first, weights, strict=True)) % 11]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "journal.sqlite"


@pytest.fixture
def journal(path: Path):
    opened = Journal.open(path, terminal="k1", clock=Clock())
    yield opened
    opened.close()


def test_a_journal_of_the_first_version_goes_on(path: Path) -> None:
    Journal.open(path, terminal="k1", clock=Clock()).close()
    with sqlite3.connect(path) as old:
        old.execute("DROP TRIGGER entry_moves_head")
        old.execute("PRAGMA user_version = 1")
    old.close()
    journal = Journal.open(path, terminal="k1", clock=Clock())
    journal.append("machine_started", version="1.0", boot_id="b")
    journal.close()
    assert verify_journal(path).is_whole


def test_entries_are_chained_from_the_first_and_hash_as_the_contract_says(journal: Journal) -> None:
    journal.append("machine_started", version="1.0", boot_id="b")
    journal.append("rating_given", transaction_number="T1", grade=5, reasons=["快", "清楚"])
    entries = journal.entries()
    assert [entry.sequence for entry in entries] == [1, 2, 3]
    assert entries[0].event == "journal_opened"
    assert entries[0].previous_hash == GENESIS
    for before, entry in itertools.pairwise(entries):
        assert entry.previous_hash == before.hash
    assert all(entry.computed_hash() == entry.hash for entry in entries)
    assert journal.head().hash == entries[-1].hash
    assert verify_journal_of(journal) is None


def verify_journal_of(journal: Journal) -> int | None:
    return verify_journal(journal._path).broken_sequence


def test_a_whole_second_hashes_alike_on_both_sides(path: Path) -> None:
    journal = Journal.open(path, terminal="k1", clock=lambda: START)
    recorded = journal.append("machine_stopped")
    entry = journal.entries()[-1]
    journal.close()
    assert entry.computed_hash() == entry.hash == recorded.hash
    assert (recorded.sequence, recorded.occurred_at) == (entry.sequence, entry.occurred_at)


def test_the_file_is_the_owners_alone(journal: Journal, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("made_up", {}),
        ("machine_started", {"colour": "red"}),
        ("card_read", {"name": "陈测试"}),
        ("card_read", {"id_number": valid_identity_number()}),
        ("phone_checked", {"phone": PHONE}),
        ("service_ended", {"reason": f"no such person {valid_identity_number()}"}),
        ("service_ended", {"reason": f"未找到{valid_identity_number()}的记录"}),
        ("bundle_refused", {"detail": f"call {PHONE[:3]} {PHONE[3:7]} {PHONE[7:]}"}),
        ("bundle_refused", {"detail": f"+86{PHONE}"}),
        ("citizen_told", {"fault": ["A11", {"who": PHONE}]}),
        ("rating_given", {"grade": int(PHONE)}),
        ("machine_started", {"boot_id": object()}),
        ("transaction_begun", {"matter": "m"}),
    ],
)
def test_what_must_not_be_recorded_is_refused_and_not_repeated(journal: Journal, event: str, data: dict) -> None:
    before = journal.head()
    with pytest.raises(NotRecordable) as refusal:
        journal.append(event, **data)
    assert journal.head() == before
    assert PHONE not in str(refusal.value)
    assert valid_identity_number() not in str(refusal.value)


def test_masked_values_digests_and_numbers_of_ours_pass(journal: Journal) -> None:
    journal.append(
        "card_read", card_type="resident", name="陈**", id_number="350*************17", sam_id="05.01-20141127"
    )
    journal.append("material_collected", step="a", origin="library", certificate="FJ*******17", sha256="1" * 64)
    journal.append("face_checked", decision="accept", distance=0.3125, attempts=1, model="13812345678" + "a" * 53)
    assert journal.entries(after=3)[0].data["distance"] == "0.3125"


def test_identity_number_as_transaction_number_is_refused(journal: Journal) -> None:
    with pytest.raises(NotRecordable):
        journal.append("step_ended", transaction_number=valid_identity_number(), step="a", kind="b", milliseconds=1)


def test_effects_open_uncertain_settled(journal: Journal) -> None:
    journal.begin_effect(
        "job-1", "print_begun", transaction_number="T1", step="paper", device="printer", job_id="job-1"
    )
    assert [(e.effect_id, e.is_uncertain) for e in journal.open_effects()] == [("job-1", False)]
    journal.end_effect("job-1", "print_ended", disposition=Disposition.UNCERTAIN, job_id="job-1", step="paper")
    [effect] = journal.open_effects()
    assert effect.is_uncertain
    assert (effect.event, effect.transaction_number, effect.data["device"]) == ("print_begun", "T1", "printer")
    journal.settle_effect("job-1", "print_reconciled", disposition=Disposition.UNCERTAIN, job_id="job-1")
    assert len(journal.open_effects()) == 1
    journal.settle_effect("job-1", "print_reconciled", disposition=Disposition.SUCCEEDED, job_id="job-1")
    assert journal.open_effects() == []


def test_an_effect_never_begins_or_ends_twice(journal: Journal) -> None:
    journal.begin_effect("job-1", "print_begun", job_id="job-1")
    before = journal.head().sequence
    with pytest.raises(NotRecordable):
        journal.begin_effect("job-1", "print_begun", job_id="job-1")
    with pytest.raises(NotRecordable):
        journal.end_effect("job-1", "service_ended", disposition=Disposition.SUCCEEDED)
    with pytest.raises(NotRecordable):
        journal.settle_effect("job-1", "print_reconciled", disposition=Disposition.SUCCEEDED)
    assert journal.head().sequence == before, "a refused change leaves no entry"
    journal.end_effect("job-1", "print_ended", disposition=Disposition.SUCCEEDED)
    with pytest.raises(NotRecordable):
        journal.end_effect("job-1", "print_ended", disposition=Disposition.SUCCEEDED)
    with pytest.raises(NotRecordable):
        journal.begin_effect("job-1", "print_begun", job_id="job-1")
    with pytest.raises(NotRecordable):
        journal.end_effect("job-2", "print_ended", disposition=Disposition.FAILED)
    assert verify_journal_of(journal) is None


def test_transactions_left_open_are_there_after_reopening(journal: Journal, path: Path) -> None:
    journal.append("transaction_begun", transaction_number="T1", matter="a", version=1, bundle="")
    journal.append("transaction_begun", transaction_number="T2", matter="b", version=1, bundle="")
    journal.append("transaction_ended", transaction_number="T1", disposition=Disposition.SUCCEEDED)
    journal.close()
    again = Journal.open(path, terminal="k1")
    assert [(t.transaction_number, t.data["matter"]) for t in again.open_transactions()] == [("T2", "b")]
    again.close()


def test_the_applied_bundle_is_known_from_its_entry(journal: Journal) -> None:
    assert journal.applied() == (None, 0, 0)
    entry = journal.append("bundle_installed", bundle="a" * 64, generation=7, matters=2)
    assert journal.applied() == ("a" * 64, 7, entry.sequence)


def test_another_terminal_gets_its_own_journal_and_the_old_one_is_kept(journal: Journal, path: Path) -> None:
    journal.append("machine_stopped")
    old = journal.journal_id
    journal.close()
    new = Journal.open(path, terminal="k2")
    assert new.journal_id != old
    assert new.head().sequence == 1
    new.close()
    [kept] = path.parent.glob("journal-k1-*.sqlite")
    assert (verify_journal(kept).journal_id, verify_journal(kept).count) == (old, 2)


def test_two_writers_are_refused(journal: Journal, path: Path) -> None:
    with pytest.raises(KioskError, match="another program"):
        Journal.open(path, terminal="k1")


def test_damage_at_the_end_is_seen_at_opening(journal: Journal, path: Path) -> None:
    journal.append("machine_stopped")
    journal.close()
    with sqlite3.connect(path) as raw:
        raw.execute("DELETE FROM entries WHERE sequence = 2")
    raw.close()
    with pytest.raises(JournalBroken):
        Journal.open(path, terminal="k1")


def test_not_a_database_is_a_broken_journal(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"these are no pages of a database, only words. " * 200)
    with pytest.raises(JournalBroken):
        Journal.open(path, terminal="k1")


def test_threads_append_without_a_gap(journal: Journal) -> None:
    def work(number: int) -> None:
        for _ in range(20):
            journal.append("step_ended", transaction_number=f"T{number}", step="a", kind="b", milliseconds=1)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = verify_journal(journal._path)
    assert (report.is_whole, report.count) == (True, 81)


# --- acknowledgement and retention --------------------------------------------------------------------------------


def acknowledge(journal: Journal, sequence: int, hash: str | None = None) -> bool:
    held = hash or (journal._hash_at(sequence) or "f" * 64)
    return journal.acknowledge(
        JournalAcknowledgement(journal_id=journal.journal_id, acked_sequence=sequence, acked_hash=held)
    )


def test_only_own_content_is_acknowledged(journal: Journal) -> None:
    for _ in range(4):
        journal.append("machine_stopped")
    assert acknowledge(journal, 3)
    assert not acknowledge(journal, 4, "a" * 64), "another content under our number is a fork"
    assert not acknowledge(journal, 9)
    assert journal.acknowledged()[0] == 3
    assert acknowledge(journal, 1), "a server restored from a backup holds less"
    assert acknowledge(journal, 0, GENESIS)
    assert journal.acknowledged() == (0, GENESIS)


def test_only_what_is_acknowledged_and_weeks_old_is_trimmed(path: Path) -> None:
    clock = Clock()
    journal = Journal.open(path, terminal="k1", clock=clock, retention=dt.timedelta(weeks=2))
    for _ in range(4):
        journal.append("machine_stopped")
    clock.now += dt.timedelta(weeks=3)
    assert journal.trim() == 0, "nothing is acknowledged"
    journal.append("machine_stopped")
    assert acknowledge(journal, 3)
    assert journal.trim() == 3
    assert acknowledge(journal, 6)
    clock.now -= dt.timedelta(weeks=2)
    assert journal.trim() == 0, "what is younger stays, acknowledged or not"
    assert [entry.sequence for entry in journal.entries()] == [4, 5, 6]
    journal.close()
    report = verify_journal(path)
    assert (report.is_whole, report.first, report.last) == (True, 4, 6)
    again = Journal.open(path, terminal="k1")
    assert again.append("machine_stopped").sequence == 7
    again.close()


def test_checkpoint_is_signed_over_the_other_members(journal: Journal, tmp_path: Path) -> None:
    key = MachineKey.open(tmp_path)
    journal.append("machine_stopped")
    for checkpoint in (journal.checkpoint(key), journal.checkpoint(key, 1)):
        import base64

        content = canonical_bytes(checkpoint.model_dump(mode="json", exclude={"signature"}))
        key.private.public_key().verify(base64.b64decode(checkpoint.signature), content)
        assert checkpoint.hash == journal._hash_at(checkpoint.sequence)


# --- misfortunes -----------------------------------------------------------------------------------------------------


def test_full_disk_refuses_and_recovers(path: Path) -> None:
    journal = Journal.open(path, terminal="k1", maximum_pages=24)

    def fill() -> None:
        for _ in range(10_000):
            journal.begin_effect(os.urandom(8).hex(), "print_begun", job_id="j" * 200)

    with pytest.raises(JournalFull):
        fill()
    assert journal.is_full
    held = journal.head().sequence
    journal._connection.execute("PRAGMA max_page_count = 4096")
    assert journal.append("machine_stopped").sequence == held + 1
    assert not journal._refused_space
    journal.close()
    assert verify_journal(path).is_whole


FILE_LIMIT = """
import resource, signal, sys
from pathlib import Path
from kiosk.contracts.errors import JournalFull
from kiosk.machine.journal import Journal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = Journal.open(Path(sys.argv[1]), terminal="k1")
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
done = journal.head().sequence
try:
    for number in range(10_000):
        done = journal.append("bundle_refused", detail="x" * 2000).sequence
except JournalFull:
    print(done)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert journal.append("machine_stopped").sequence == done + 1
    journal.close()
"""


def test_a_write_the_system_refuses_is_a_full_journal(path: Path) -> None:
    command = [sys.executable, "-c", FILE_LIMIT, str(path)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert verify_journal(path).last == int(ended.stdout) + 1


APPENDER = """
import sys
from pathlib import Path
from kiosk.machine.journal import Journal
journal = Journal.open(Path(sys.argv[1]), terminal="k1")
while True:
    entry = journal.begin_effect(f"e{journal.head().sequence}", "print_begun", job_id="x" * 300)
    print(entry.sequence, entry.hash, flush=True)
"""


@pytest.mark.parametrize("reads", [3, 57, 230])
def test_kill_in_the_middle_of_an_append_loses_nothing_said(path: Path, reads: int) -> None:
    with subprocess.Popen([sys.executable, "-c", APPENDER, str(path)], stdout=subprocess.PIPE, text=True) as appender:
        assert appender.stdout is not None
        said = [appender.stdout.readline().split() for _ in range(reads)]
        os.kill(appender.pid, signal.SIGKILL)
        said += [line.split() for line in appender.stdout.read().splitlines() if len(line.split()) == 2]
    report = verify_journal(path)
    assert report.is_whole
    journal = Journal.open(path, terminal="k1")
    kept = {entry.sequence: entry.hash for entry in journal.entries(limit=100_000)}
    for sequence, digest in said:
        if len(digest) == 64:
            assert kept[int(sequence)] == digest
    assert len(journal.open_effects()) == journal.head().sequence - 1, "entry and state are one transaction"
    assert journal.append("machine_started", version="2", boot_id="b").sequence == report.last + 1
    journal.close()
