"""A new version reaches the running terminal between citizens; what is not as it was signed is refused."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Timestamp

from tests.journeys.centre import Staff, newer_matter, publish
from tests.journeys.house import MATTER, Entry, House, until

pytestmark = pytest.mark.timeout(90)

SOON_SECONDS = 5.0
Wreck = Callable[[Path, str], None]
"""Does harm in the server's repository; the second is the hash of the bundle that is to be installed next."""


def title_on_screen(house: House) -> str:
    """What the tile on the home page says now; the citizen looks and leaves again."""
    visitor = house.visitor()
    visitor.walk(lambda state: state["stage"] == "home")
    title = until(lambda: tile(house.hand.state()), 5, "the matter's tile")
    visitor.walk(lambda state: state["stage"] == "session")
    until(lambda: house.hand.tap("leave"), 5, "the citizen leaves")
    until(lambda: house.hand.state()["stage"] == "attract", 5, "nobody is at the terminal")
    return title


def tile(state: dict[str, Any]) -> str:
    """As it is read aloud: the title, then the department."""
    names = (item["text"] for item in state["touchables"] if item["name"] == f"tile:{MATTER}")
    return next(names, "").split("，")[0]


def installed(house: House, bundle: str) -> Entry:
    found = [entry for entry in house.entries(event="bundle_installed") if entry.data["bundle"] == bundle]
    assert len(found) == 1
    return found[0]


def published_at(house: House, bundle: str) -> dt.datetime:
    """When the server's transaction wrote it: before the command that published it had returned."""
    ((at,),) = house.server_rows("SELECT published_at FROM published_bundle WHERE hash = ?", bundle)
    return dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC)


def test_a_version_published_during_a_session_waits_for_its_end(house: House, tmp_path: Path) -> None:
    visitor = house.visitor()
    visitor.to_step("review")
    title = "无房证明（新）"
    published = publish(house, newer_matter(house, title, tmp_path))
    version = int(str(published["matters"][0]).split()[-1])
    assert house.entries(event="bundle_installed")[-1].data["bundle"] != published["bundle"]
    visitor.home()
    house.one(visitor.number, "transaction_ended", disposition="succeeded")
    assert house.one(visitor.number, "transaction_begun").data["version"] == version - 1
    begun = house.one(visitor.number, "transaction_begun").sequence
    ended = until(lambda: house.entries(after=begun, event="session_ended"), 5, "everything is wiped")[0]
    until(lambda: house.entries(event="bundle_installed")[-1].data["bundle"] == published["bundle"], 10, "installed")
    arrived = installed(house, published["bundle"])
    assert arrived.sequence > ended.sequence
    assert arrived.monotonic - ended.monotonic <= SOON_SECONDS
    assert title_on_screen(house) == title
    print(f"installed {arrived.monotonic - ended.monotonic:.2f} s after the citizen had left")


def test_a_version_published_while_nobody_is_there_comes_within_five_seconds(house: House, tmp_path: Path) -> None:
    kiosk = house.kiosk_pid
    title = "无房证明（更新）"
    published = publish(house, newer_matter(house, title, tmp_path))
    until(lambda: house.entries(event="bundle_installed")[-1].data["bundle"] == published["bundle"], 10, "installed")
    took = (installed(house, published["bundle"]).at - published_at(house, published["bundle"])).total_seconds()
    assert title_on_screen(house) == title
    assert took <= SOON_SECONDS
    assert house.kiosk_pid == kiosk
    print(f"installed {took:.2f} s after it was published")


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.fixture
def staff(house: House) -> Iterator[Staff]:
    person = Staff(house, "administrator")
    yield person
    person.close()


def tampered(repository: Path, bundle: str) -> None:
    """Somebody changes one letter of the bundle on the server's disk; its length stays."""
    (file,) = (repository / "targets" / "bundles").glob(f"*.{bundle}.json")
    content = file.read_bytes()
    file.write_bytes(content.replace(b'"version":1', b'"version":7', 1))
    assert len(file.read_bytes()) == len(content)
    assert file.read_bytes() != content


def expired(repository: Path, _bundle: str) -> None:
    """The online key's holder forgot to say anew that this is still true."""
    resign_timestamp(repository, lambda said: setattr(said, "expires", dt.datetime(2026, 1, 1, tzinfo=dt.UTC)))


def under_signed(repository: Path, bundle: str) -> None:
    """The second person's signature is missing."""
    file = max((repository / "metadata").glob("*.bundles.json"), key=lambda file: int(file.name.split(".")[0]))
    content = json.loads(file.read_bytes())
    assert f"bundles/{bundle}.json" in content["signed"]["targets"]
    assert len(content["signatures"]) == 2
    content["signatures"].pop()
    file.write_text(json.dumps(content), encoding="utf-8")


def older(repository: Path, _bundle: str) -> None:
    """The repository of the day before yesterday is put back, or replayed."""
    resign_timestamp(repository, lambda said: setattr(said, "version", 1))


def resign_timestamp(repository: Path, change: Callable[[Timestamp], None]) -> None:
    file = repository / "metadata" / "timestamp.json"
    said = Metadata[Timestamp].from_file(str(file))
    change(said.signed)
    key = (repository.parent / "keys" / "online.key").read_bytes()
    said.sign(CryptoSigner(Ed25519PrivateKey.from_private_bytes(key)))
    said.to_file(str(file))


@pytest.mark.parametrize(
    ("wreck", "reason"),
    [(tampered, "bad_signature"), (expired, "expired"), (older, "older_version"), (under_signed, "under_signed")],
)
def test_what_is_not_as_it_was_signed_is_refused(
    house: House, staff: Staff, tmp_path: Path, wreck: Wreck, reason: str
) -> None:
    """The old version serves on, the journal and the centre say why; mended, it comes by itself."""
    before, title = house.entries(event="bundle_installed")[-1].data["bundle"], title_on_screen(house)
    until(lambda: staff.terminal()["reported_bundle"] == before, 15, "the centre knows what runs now")
    new_title = f"无房 {reason}"
    draft = newer_matter(house, new_title, tmp_path)
    bundle = publish(house, draft, "--scope", "ring", "--scope-id", "nobody")["bundle"]
    repository = house.city.server_data / "repository"
    whole = {file: file.read_bytes() for file in repository.rglob("*.json")}
    after = house.head()
    wreck(repository, bundle)
    try:
        generation = staff.roll_out(bundle)

        refusal = until(lambda: house.entries(after=after, event="bundle_refused"), 10, "the terminal refuses")[0]
        assert refusal.data["reason"] == reason
        assert (refusal.data["bundle"], refusal.data["generation"]) == (bundle, generation)
        told = until(lambda: refused(staff.terminal()), 10, "the centre knows")
        assert told["refused_reason"] == reason
        assert told["refused_detail"]
        assert told["reported_bundle"] == before
        assert not told["is_converged"]
        assert title_on_screen(house) == title
        assert len(house.entries(after=after, event="bundle_refused")) == 1
        assert not house.entries(after=after, event="bundle_installed")
    finally:
        for file, content in whole.items():
            file.write_bytes(content)
    until(lambda: house.entries(after=after, event="bundle_installed"), 15, "the mended bundle is installed")
    assert until(lambda: staff.terminal()["is_converged"], 10, "the centre sees it")
    assert title_on_screen(house) == new_title


def refused(terminal: dict[str, Any]) -> dict[str, Any] | None:
    return terminal if terminal["reported_result"] == "refused" else None
