from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import pytest

from drivers.messages import DeviceClass
from kiosk.contracts.errors import JournalFull, Unreachable
from kiosk.machine.journal import Journal
from kiosk.machine.library import Considered
from tests.kiosk.machine.city import City, flip, matter
from tests.kiosk.machine.installed import Machine


def test_installed_only_when_told_and_then_served_offline(tmp_path: Path, city: City, journal: Journal) -> None:
    machine = Machine(tmp_path / "library", city, journal)
    assert machine.library.reported().result == "none"
    bundle = city.publish(matter(), matter("permit", department="public_security"))
    assert machine.consider(bundle, 1) is Considered.READY
    assert machine.library.matters() == ()
    assert machine.library.is_ready
    changed = []
    machine.library.on_change(lambda: changed.append(machine.library.generation))
    assert machine.library.activate()
    assert not machine.library.activate()
    assert changed == [1]
    assert machine.versions() == {"no_house": 1, "permit": 1}
    city.files.clear()
    machine.open()
    assert machine.versions() == {"no_house": 1, "permit": 1}
    assert machine.library.matter("permit") is not None
    assert machine.library.matter("nothing") is None
    reported = machine.library.reported()
    assert (reported.result, reported.bundle, reported.generation) == ("installed", bundle.hash, 1)
    [entry] = [entry for entry in journal.entries() if entry.event == "bundle_installed"]
    assert reported.applied_at_sequence == entry.sequence
    assert journal.applied() == (bundle.hash, 1, entry.sequence)


def test_the_same_sentence_again_changes_nothing(machine: Machine, city: City) -> None:
    bundle = city.publish(matter(version=2))
    signed = city.desire(bundle, 2)
    for expected in (Considered.READY, Considered.READY):
        assert asyncio.run(machine.library.consider(signed, city.fetch)) is expected
    machine.library.activate()
    assert asyncio.run(machine.library.consider(signed, city.fetch)) is Considered.UNCHANGED
    assert machine.events() == [("bundle_installed", ""), ("bundle_installed", "")]


# --- attacks on the director's sentence ------------------------------------------------------------------------------


def test_older_generation_is_refused(machine: Machine, city: City) -> None:
    new = city.publish(matter(version=2))
    machine.consider(new, 5)
    machine.library.activate()
    assert machine.consider(city.publish(matter(version=3)), 4) is Considered.REFUSED
    assert machine.library.reported().reason == "older_version"
    assert machine.versions() == {"no_house": 2}


def test_one_generation_never_means_two_bundles(machine: Machine, city: City) -> None:
    assert machine.consider(city.publish(matter(version=2)), 1) is Considered.REFUSED
    assert machine.library.reported().reason == "older_version"


def test_going_back_is_a_new_generation(machine: Machine, city: City) -> None:
    first = machine.library.bundle_hash
    machine.consider(city.publish(matter(version=2)), 2)
    machine.library.activate()
    assert machine.consider(first, 3) is Considered.READY
    machine.library.activate()
    assert (machine.versions(), machine.library.generation) == ({"no_house": 1}, 3)


def test_a_sentence_for_another_terminal_or_by_another_director(machine: Machine, city: City) -> None:
    bundle = city.publish(matter(version=2))
    assert machine.consider(bundle, 2, terminal="k2") is Considered.REFUSED
    assert machine.library.reported().reason == "malformed"
    stranger = City().desire(bundle, 2)
    assert asyncio.run(machine.library.consider(stranger, city.fetch)) is Considered.REFUSED
    assert machine.library.reported().reason == "bad_signature"
    forged = city.desire(bundle, 2).model_copy(update={"signature": "not base64!"})
    assert asyncio.run(machine.library.consider(forged, city.fetch)) is Considered.REFUSED
    unknown = city.desire(bundle, 2).model_copy(update={"algorithm": "sm2"})
    assert asyncio.run(machine.library.consider(unknown, city.fetch)) is Considered.REFUSED
    assert machine.versions() == {"no_house": 1}


def test_an_expired_sentence_stops_installs_never_service(machine: Machine, city: City) -> None:
    past = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    assert machine.consider(machine.library.bundle_hash, 1, not_before=past, not_after=past) is Considered.UNCHANGED
    assert machine.library.reported().result == "installed"
    assert machine.consider(city.publish(matter(version=2)), 2, not_before=past, not_after=past) is Considered.REFUSED
    assert machine.library.reported().reason == "expired"
    assert machine.versions() == {"no_house": 1}


def test_a_sentence_of_tomorrow_waits_without_alarm(machine: Machine, city: City) -> None:
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    bundle = city.publish(matter(version=2))
    assert machine.consider(bundle, 2, not_before=tomorrow, not_after=tomorrow) is Considered.UNCHANGED
    assert machine.events() == [("bundle_installed", "")]


def test_expiry_is_judged_by_the_servers_clock(tmp_path: Path, city: City, journal: Journal) -> None:
    year = dt.timedelta(days=365)
    late = Machine(tmp_path / "late", city, journal, now=lambda: dt.datetime.now(dt.UTC) + year)
    bundle = city.publish(matter())
    future = dt.datetime.now(dt.UTC) + 2 * year
    assert late.consider(bundle, 1, not_after=future) is Considered.REFUSED
    assert late.library.reported().reason == "expired", "the repository ran out in the server's time"


# --- misfortunes -----------------------------------------------------------------------------------------------------


def test_no_network_is_no_refusal(machine: Machine, city: City) -> None:
    bundle = city.publish(matter(version=2))

    async def cut(_path: str, _limit: int) -> bytes:
        raise Unreachable("the cable is out", reason="not_reached")

    with pytest.raises(Unreachable):
        asyncio.run(machine.library.consider(city.desire(bundle, 2), cut))
    assert machine.library.reported().result == "installed"
    assert machine.events() == [("bundle_installed", "")]
    assert machine.consider(bundle, 2) is Considered.READY


def test_cut_in_the_middle_leaves_nothing_half_installed(machine: Machine, city: City) -> None:
    bundle = city.publish(matter(version=2), matter("permit", department="public_security"))

    async def cut(path: str, limit: int) -> bytes:
        if "permit" in path:
            raise Unreachable("the cable is out", reason="not_reached")
        return await city.fetch(path, limit)

    with pytest.raises(Unreachable):
        asyncio.run(machine.library.consider(city.desire(bundle, 2), cut))
    assert not (machine.directory / "bundles" / bundle.hash).exists()


def test_first_sessions_that_fail_bring_the_old_bundle_back(machine: Machine, city: City) -> None:
    old, new = machine.library.bundle_hash, city.publish(matter(version=2))
    machine.consider(new, 2)
    machine.library.activate()
    assert not machine.library.report_session(ok=False)
    machine.open()
    assert machine.library.report_session(ok=False), "counted across a restart"
    assert machine.versions() == {"no_house": 1}
    reported = machine.library.reported()
    assert (reported.result, reported.bundle, reported.refused_bundle) == ("rolled_back", old, new.hash)
    assert machine.events()[-1] == ("bundle_rolled_back", "first_sessions_failed")
    assert machine.consider(new, 2) is Considered.UNCHANGED, "not tried again under the same generation"
    machine.open()
    assert machine.versions() == {"no_house": 1}
    assert machine.consider(city.publish(matter(version=3)), 3) is Considered.READY


def test_a_proven_bundle_is_not_rolled_back(machine: Machine, city: City) -> None:
    machine.consider(city.publish(matter(version=2)), 2)
    machine.library.activate()
    machine.library.report_session(ok=True)
    assert not any(machine.library.report_session(ok=False) for _ in range(5))
    assert machine.versions() == {"no_house": 2}


def test_damage_on_the_disk_brings_the_bundle_before(machine: Machine, city: City) -> None:
    new = city.publish(matter(version=2))
    machine.consider(new, 2)
    machine.library.activate()
    [file] = (machine.directory / "bundles" / new.hash / "matters").rglob("*.json")
    file.write_bytes(flip(file.read_bytes()))
    machine.open()
    assert machine.versions() == {"no_house": 1}
    assert machine.library.reported().result == "rolled_back"


def test_a_pointer_that_cannot_be_read_begins_empty(machine: Machine, city: City) -> None:
    (machine.directory / "active.json").write_bytes(b"{")
    machine.open()
    assert machine.library.matters() == ()
    assert machine.consider(city.publish(matter(version=2)), 2) is Considered.READY


def test_only_bundles_in_use_stay_on_the_disk(machine: Machine, city: City) -> None:
    for version in (2, 3, 4):
        machine.consider(city.publish(matter(version=version)), version)
        machine.library.activate()
    assert len(list((machine.directory / "bundles").iterdir())) == 2


def test_a_matter_this_machine_has_no_device_for_is_refused(tmp_path: Path, city: City, journal: Journal) -> None:
    words = {"zh-CN": "证", "zh-TW": "證", "en": "card"}
    steps = [{"id": "card", "kind": "identify", "title": words, "say": words}]
    bundle = city.publish(matter(steps=steps))
    bare = Machine(tmp_path / "bare", city, journal, devices=frozenset({DeviceClass.RECEIPT_PRINTER}))
    assert bare.consider(bundle, 1) is Considered.REFUSED
    assert bare.library.reported().reason == "unknown_kind"
    able = Machine(tmp_path / "able", city, journal, devices=frozenset({DeviceClass.ID_CARD_READER}))
    assert able.consider(bundle, 1) is Considered.READY


def test_a_full_journal_keeps_the_bundle_waiting(machine: Machine, city: City, journal: Journal) -> None:
    def fill(length: int) -> None:
        while True:
            journal.append("bundle_refused", detail="x" * length)

    machine.consider(city.publish(matter(version=2)), 2)
    journal._connection.execute("PRAGMA max_page_count = 20")
    for length in (3000, 1):
        with pytest.raises(JournalFull):
            fill(length)
    assert not machine.library.activate()
    assert machine.versions() == {"no_house": 1}
    journal._connection.execute("PRAGMA max_page_count = 4096")
    assert machine.library.activate()
    assert machine.versions() == {"no_house": 2}


# --- what lies on the disk -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["", "{", '{"bundle": "another", "matters": []}'])
def test_a_listing_that_is_lost_or_damaged_is_made_anew(
    tmp_path: Path, city: City, journal: Journal, damage: str
) -> None:
    machine = Machine(tmp_path / "library", city, journal)
    machine.consider(city.publish(matter(), matter("permit", department="public_security")), 1)
    machine.library.activate()
    [listing] = (tmp_path / "library").glob("bundles/*/listing.json")
    before = listing.read_bytes()
    listing.write_text(damage) if damage else listing.unlink()
    machine.open()
    assert machine.versions() == {"no_house": 1, "permit": 1}
    assert listing.read_bytes() == before


def test_a_matter_that_the_disk_loses_later_is_not_served(tmp_path: Path, city: City, journal: Journal) -> None:
    machine = Machine(tmp_path / "library", city, journal)
    machine.consider(city.publish(matter(), matter("permit", department="public_security")), 1)
    machine.library.activate()
    machine.open()
    [file] = (tmp_path / "library").glob("bundles/*/matters/*/permit/1.json")
    file.write_bytes(flip(file.read_bytes()))
    assert machine.library.matter("permit") is None
    assert machine.library.matter("no_house") is not None
    machine.open()
    assert machine.library.matters() == (), "with one wrong byte, and no bundle before it, nothing is served"
