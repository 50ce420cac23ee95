"""Two people, the signed repository, and what a terminal's own TUF client makes of it (DESIGN 2.2, 5)."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import select
from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadHTTPError,
    ExpiredMetadataError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.api.metadata import Metadata, Targets
from tuf.ngclient import Updater, UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface

from fleet_server.matters import repository as signed
from fleet_server.matters import service
from fleet_server.matters.models import Draft, DraftState, MatterVersion, Submission, SubmissionState
from fleet_server.matters.repository import MatterRepository
from fleet_server.problems import ProblemError
from fleet_server.staff import service as staff
from fleet_server.terminals.models import Scope
from kiosk.contracts.bundle import Bundle, read_bundle, read_matter
from kiosk.contracts.errors import MatterInvalid, SettingsInvalid
from tests.fleet_server.conftest import MATTER as FILE
from tests.fleet_server.conftest import PASSWORD, World

MATTER = "no_house_certificate"


class _Http(FetcherInterface):
    """Fetches over the server's own address."""

    def __init__(self, world: World) -> None:
        self.world = world

    def _fetch(self, url: str) -> Any:
        with self.world.client() as client:
            answer = client.get(url)
        if answer.status_code != 200:
            raise DownloadHTTPError(url, answer.status_code)
        yield answer.content


class Terminal:
    """A terminal's trust: the root it was given at enrolment, kept between visits."""

    def __init__(self, world: World, directory: Path) -> None:
        self.world = world
        self.directory = directory
        (directory / "targets").mkdir(parents=True)
        self.root = (world.settings.repository / "metadata" / "1.root.json").read_bytes()

    def fetch(self, path: str) -> bytes:
        base = self.world.url + "/terminal/v1/repository/"
        updater = Updater(
            str(self.directory / "metadata"), base + "metadata/", str(self.directory / "targets"), base + "targets/",
            fetcher=_Http(self.world), config=UpdaterConfig(prefix_targets_with_hash=True), bootstrap=self.root,
        )  # fmt: skip
        updater.refresh()
        target = updater.get_targetinfo(path)
        if target is None:
            raise RepositoryError(f"no target {path}")
        return Path(updater.download_target(target)).read_bytes()

    def bundle(self, name: str) -> Bundle:
        return read_bundle(self.fetch(f"bundles/{name}.json"), name)


@pytest.fixture
def terminal(world: World, tmp_path: Path) -> Terminal:
    return Terminal(world, tmp_path / "terminal")


def code_of(call: Any) -> str:
    with pytest.raises(ProblemError) as refused:
        call()
    return refused.value.code


def review(world: World, submission: int, by: str, password: str = PASSWORD) -> Any:
    with world.database.writing() as session:
        return service.publish(session, world.app.state.repository, submission, by=by, password=password)


# --- the good way ----------------------------------------------------------------------------------------------------


def test_a_terminal_verifies_and_reads_what_two_people_published(world: World, terminal: Terminal) -> None:
    bundle = terminal.bundle(world.publish(2))
    (reference,) = bundle.matters
    matter = read_matter(terminal.fetch(reference.path), reference)
    assert (matter.id, matter.version) == (MATTER, 2)
    assert set(reference.step_kinds) == {step.kind for step in matter.steps}


def test_every_metadata_of_people_carries_two_signatures_of_different_keys(world: World) -> None:
    world.publish(2)
    for role in ("bundles", "department-natural_resources"):
        metadata = world.app.state.repository.role(role)
        assert len(metadata.signatures) == 2
    with world.database.reading() as session:
        keys = staff.signing_keys(session)
        row = session.exec(select(MatterVersion)).one()
    assert keys["author"] != keys["reviewer"]
    assert (row.author, row.reviewer) == ("author", "reviewer")


def test_new_versions_follow_and_old_bundles_stay_for_going_back(world: World, terminal: Terminal) -> None:
    first, second = world.publish(2), world.publish(3)
    assert [matter.version for matter in terminal.bundle(second).matters] == [3]
    assert [matter.version for matter in terminal.bundle(first).matters] == [2]
    peer = world.terminal()
    with world.database.writing() as session:
        service.roll_back(session, first, scope=Scope.ALL, scope_id="", by="reviewer", reason="faulty")
    with world.client() as client:
        state = peer.get(client, "/terminal/v1/desired-state").json()["state"]
    assert (state["bundle"], state["generation"]) == (first, 3)


def test_matters_of_two_departments_go_out_in_one_bundle(world: World, terminal: Terminal) -> None:
    def elsewhere(text: str) -> str:
        return text.replace(f"id: {MATTER}", "id: other_matter").replace(
            "department: natural_resources", "department: public_security"
        )

    drafts = [world.draft(2), world.draft(2, change=elsewhere)]
    with world.database.writing() as session:
        row = service.submit(session, world.app.state.repository, drafts, by="author", password=PASSWORD)
        number = row.id or 0
    review(world, number, "reviewer")
    with world.database.reading() as session:
        bundle = terminal.bundle(service.submissions(session)[0].bundle)
    assert [(matter.id, matter.department) for matter in bundle.matters] == [
        (MATTER, "natural_resources"),
        ("other_matter", "public_security"),
    ]
    for reference in bundle.matters:
        assert read_matter(terminal.fetch(reference.path), reference)


# --- two people ------------------------------------------------------------------------------------------------------


def test_nobody_publishes_what_they_wrote(any_world: World) -> None:
    draft = any_world.draft(2, by="both")
    with any_world.database.writing() as session:
        row = service.submit(session, any_world.app.state.repository, [draft], by="both", password=PASSWORD)
        number = row.id or 0
    assert code_of(lambda: review(any_world, number, "both")) == "same_person"
    assert review(any_world, number, "reviewer") is not None


@pytest.mark.parametrize("name", ["author", "author2", "administrator", "maintainer", "auditor"])
def test_only_a_reviewer_reviews(world: World, name: str) -> None:
    number = world.submission(2)
    assert code_of(lambda: review(world, number, name)) == "wrong_role"


@pytest.mark.parametrize("name", ["reviewer", "administrator", "maintainer", "auditor"])
def test_only_an_author_writes(world: World, name: str) -> None:
    assert code_of(lambda: world.draft(2, by=name)) == "wrong_role"


def test_signing_needs_the_password_again(world: World) -> None:
    draft = world.draft(2)

    def hand_in(password: str) -> int:
        with world.database.writing() as session:
            row = service.submit(session, world.app.state.repository, [draft], by="author", password=password)
            return row.id or 0

    assert code_of(lambda: hand_in("not the password")) == "password_wrong"
    number = hand_in(PASSWORD)
    assert code_of(lambda: review(world, number, "reviewer", "not the password")) == "password_wrong"
    with world.database.reading() as session:
        assert session.exec(select(MatterVersion)).all() == []
        assert session.get_one(Draft, draft).state == DraftState.SUBMITTED


def test_the_server_keeps_no_signing_key_in_clear(world: World) -> None:
    with world.database.reading() as session:
        key = staff.open_signing_key(session, "author", PASSWORD)
    secret = key.private_bytes_raw()
    for file in world.settings.data.rglob("*"):
        assert not file.is_file() or secret not in file.read_bytes(), file


def test_one_signature_is_not_enough_whatever_the_database_says(world: World) -> None:
    number = world.submission(2)
    with world.database.reading() as session:
        row = session.get_one(Submission, number)
        proposal = signed.from_text(row.metadata_signed)
        contents = {path: text.encode() for path, text in row.contents.items()}
        people = staff.signing_keys(session)
    repository: MatterRepository = world.app.state.repository
    with pytest.raises(UnsignedMetadataError):
        repository.publish(proposal, contents, people)
    signed.sign(proposal, Ed25519PrivateKey.generate())
    with pytest.raises(UnsignedMetadataError):
        repository.publish(proposal, contents, people)
    assert repository.role("bundles") is None


def test_a_submission_tampered_with_in_the_database_is_not_published(world: World) -> None:
    number = world.submission(2)
    with world.database.writing() as session:
        row = session.get_one(Submission, number)
        role = "department-natural_resources"
        metadata = json.loads(row.metadata_signed[role])
        path = next(iter(metadata["signed"]["targets"]))
        metadata["signed"]["targets"][path]["hashes"]["sha256"] = "0" * 64
        row.metadata_signed = row.metadata_signed | {role: json.dumps(metadata)}
    assert code_of(lambda: review(world, number, "reviewer")) == "under_signed"
    with world.database.reading() as session:
        assert session.exec(select(MatterVersion)).all() == []
        assert session.get_one(Submission, number).state == SubmissionState.SUBMITTED


def test_a_signature_of_a_disabled_account_no_longer_counts(world: World) -> None:
    number = world.submission(2)
    with world.database.writing() as session:
        staff.disable(session, "author", by="administrator")
    assert code_of(lambda: review(world, number, "reviewer")) == "under_signed"


def test_what_was_signed_before_another_publication_is_signed_again(world: World, terminal: Terminal) -> None:
    early = world.submission(2)
    late = world.publish(3)
    assert review(world, early, "reviewer") is None
    with world.database.reading() as session:
        row = session.get_one(Submission, early)
        assert row.state == SubmissionState.SUPERSEDED
        assert session.get_one(Draft, row.drafts[0]).state == DraftState.DRAFT
    assert terminal.bundle(late)


def test_a_returned_submission_gives_the_drafts_back(world: World) -> None:
    number = world.submission(2)
    with world.database.writing() as session:
        service.give_back(session, number, by="reviewer", comment="the fee is wrong")
    with world.database.reading() as session:
        row = session.get_one(Submission, number)
        assert (row.state, row.comment) == (SubmissionState.RETURNED, "the fee is wrong")
        assert session.get_one(Draft, row.drafts[0]).state == DraftState.DRAFT
    assert code_of(lambda: review(world, number, "reviewer")) == "decided"


def test_a_version_is_published_once(world: World) -> None:
    world.publish(2)
    assert code_of(lambda: world.draft(2)) == "older_version"


def test_a_matter_with_a_mistake_is_refused_with_line_and_cure(world: World) -> None:
    with pytest.raises(MatterInvalid) as refused:
        world.draft(2, change=lambda text: text.replace("\nsteps:", "\nbogus: 1\nsteps:"))
    assert any("bogus" in path + message and line > 1 for path, line, message in refused.value.faults)


# --- attacks on the repository ---------------------------------------------------------------------------------------


def test_a_tampered_target_is_refused(world: World, terminal: Terminal) -> None:
    bundle = world.publish(2)
    for file in (world.settings.repository / "targets").rglob("*.json"):
        file.write_bytes(file.read_bytes().replace(b"2", b"7"))
    with pytest.raises(RepositoryError):
        terminal.bundle(bundle)


def test_an_older_timestamp_is_refused(world: World, terminal: Terminal) -> None:
    bundle = world.publish(2)
    file = world.settings.repository / "metadata" / "timestamp.json"
    old = file.read_bytes()
    newer = world.publish(3)
    terminal.bundle(newer)
    file.write_bytes(old)
    with pytest.raises(BadVersionNumberError):
        terminal.bundle(bundle)


def test_metadata_that_ran_out_is_refused_until_it_is_refreshed(world: World, terminal: Terminal) -> None:
    repository: MatterRepository = world.app.state.repository
    with patch("fleet_server.matters.repository.now", return_value=dt.datetime.now(dt.UTC) - dt.timedelta(days=9)):
        bundle = world.publish(2)
    with pytest.raises(ExpiredMetadataError):
        terminal.bundle(bundle)
    assert repository.refresh_when_due()
    assert not repository.refresh_when_due()
    assert terminal.bundle(bundle)


def test_a_department_speaks_only_for_its_own_paths(world: World, terminal: Terminal) -> None:
    world.publish(2)
    repository: MatterRepository = world.app.state.repository
    stolen = {"bundles/evil.json": b"{}", "matters/public_security/evil/1.json": b"{}"}
    proposal = repository.propose({"department-natural_resources": stolen})
    with world.database.reading() as session:
        for name in ("author", "reviewer"):
            signed.sign(proposal, staff.open_signing_key(session, name, PASSWORD))
        repository.publish(proposal, stolen, staff.signing_keys(session))
    for path in stolen:
        with pytest.raises(RepositoryError):
            terminal.fetch(path)


def test_delegations_change_only_with_the_offline_keys(world: World, terminal: Terminal) -> None:
    world.publish(2)
    offline = world.settings.offline_keys_directory
    offline.rename(offline.with_name("elsewhere"))
    assert terminal.bundle(world.publish(3))
    with world.database.writing() as session:
        staff.reset_password(session, "author2", "another long password", by="administrator")
    with pytest.raises(SettingsInvalid, match="offline keys"):
        world.publish(4)
    offline.with_name("elsewhere").rename(offline)
    with world.database.reading() as session:
        (draft,) = [row for row in service.drafts(session) if row.state == DraftState.SUBMITTED]
        number = next(row.id for row in service.submissions(session) if row.drafts == [draft.id])
    assignment = review(world, number or 0, "reviewer")
    assert terminal.bundle(assignment.bundle)


def test_keys_of_disabled_people_leave_the_delegation_with_the_next_publication(world: World) -> None:
    world.publish(2)
    repository: MatterRepository = world.app.state.repository
    with world.database.writing() as session:
        staff.disable(session, "author2", by="administrator")
    world.publish(3)
    targets = repository.role("targets")
    assert isinstance(targets, Metadata)
    assert isinstance(targets.signed, Targets)
    assert targets.signed.delegations is not None
    roles = targets.signed.delegations.roles or {}
    assert {len(role.keyids) for role in roles.values()} == {3}
    assert len(targets.signed.delegations.keys) == 3


@pytest.mark.parametrize(
    "path", ["../keys/director.key", "metadata/../../keys/director.key", "metadata", "", ".lock", "%2e%2e/fleet.sqlite"]
)
def test_only_published_files_are_served(world: World, path: str) -> None:
    with world.client() as client:
        answer = client.get("/terminal/v1/repository/" + path.replace("..", "%2e%2e"))
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


# --- over HTTP -------------------------------------------------------------------------------------------------------


def test_author_and_reviewer_publish_over_http(any_world: World, tmp_path: Path) -> None:
    with any_world.staff_client("author") as client:
        draft = client.post("/staff/v1/drafts", json={"text": FILE.read_text(encoding="utf-8")})
        assert draft.status_code == 201, draft.text
        wanted = {"drafts": [draft.json()["id"]], "password": PASSWORD}
        submission = client.post("/staff/v1/submissions", json=wanted).json()
        own = client.post(f"/staff/v1/submissions/{submission['id']}/review", json={"decision": "publish"})
        assert (own.status_code, own.json()["code"]) == (403, "wrong_role")
    with any_world.staff_client("reviewer") as client:
        decision = {"decision": "publish", "password": PASSWORD}
        done = client.post(f"/staff/v1/submissions/{submission['id']}/review", json=decision)
        assert (done.status_code, done.json()["state"]) == (200, "published"), done.text
        again = client.post(f"/staff/v1/submissions/{submission['id']}/review", json=decision)
        assert again.status_code == 409
        (version,) = client.get("/staff/v1/matters", params={"matter": MATTER}).json()
    assert (version["author"], version["reviewer"]) == ("author", "reviewer")
    assert Terminal(any_world, tmp_path / "t").bundle(done.json()["bundle"])
