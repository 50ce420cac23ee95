"""Drafts, submissions, publication by two people, roll-out and going back.

Two people, always: the author's key signs what is handed in, and another person's key signs the very same bytes. The
server holds neither key in clear; each is opened with its owner's password for one signature.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlmodel import Session, col
from tuf.api.exceptions import UnsignedMetadataError

from fleet_server.database import now
from fleet_server.matters import repository as signed
from fleet_server.matters.models import (
    Draft,
    DraftState,
    MatterVersion,
    PublishedBundle,
    Submission,
    SubmissionState,
)
from fleet_server.matters.repository import MatterRepository
from fleet_server.problems import ProblemError
from fleet_server.security import Role
from fleet_server.staff.service import find as find_account
from fleet_server.staff.service import open_signing_key, record, signing_keys
from fleet_server.terminals import desired
from fleet_server.terminals import service as terminals
from fleet_server.terminals.models import Assignment, Scope
from kiosk.contracts.bundle import MAXIMUM_MATTER_BYTES, Bundle, MatterReference
from kiosk.contracts.matter import CONTRACT_VERSION, Matter
from kiosk.contracts.matter_file import load_matter, member_ids
from kiosk.contracts.value import canonical_bytes, sha256_hex

SHOWN_BEHIND = 20


def save_draft(session: Session, text: str, *, file: str, by: str, draft: int | None = None) -> Draft:
    """Parse and keep a draft; `MatterInvalid` lists every mistake. Only its author changes a draft."""
    _need_role(session, by, Role.AUTHOR)
    matter = load_matter(text, file, members=_members(session, text, _own_drafts(session, by)))
    newest = newest_version(session, matter.id)
    if matter.version <= newest:
        raise ProblemError(409, "older_version", f"{matter.id} {newest} is published: give this a greater version")
    row = _blank_draft(by) if draft is None else find_draft(session, draft)
    if row.author != by:
        raise ProblemError(403, "not_the_author", "a draft is changed by its author")
    if draft is not None and row.state != DraftState.DRAFT:
        raise ProblemError(409, "not_a_draft", "this draft has been handed in")
    row.matter, row.version, row.department = matter.id, matter.version, matter.department
    row.title, row.text, row.updated_at = matter.title.zh_cn[:200], text, now()
    session.add(row)
    session.flush()
    record(session, by, "draft_saved", f"{matter.id} {matter.version}")
    return row


def submit(
    session: Session, repository: MatterRepository, drafts: list[int], *, by: str, password: str,
    scope: Scope = Scope.ALL, scope_id: str = "",
) -> Submission:  # fmt: skip
    """Hand drafts in together, signed by their author: the new matter files and the bundle they make."""
    _need_role(session, by, Role.AUTHOR)
    if (scope is Scope.ALL) == bool(scope_id):
        raise ProblemError(422, "scope", "scope all names nobody; every other scope names its ring, group or terminal")
    rows = [find_draft(session, draft) for draft in drafts]
    if any(row.author != by or row.state != DraftState.DRAFT for row in rows):
        raise ProblemError(409, "not_a_draft", "only one's own drafts, not yet handed in, can be submitted")
    if len({row.matter for row in rows}) != len(rows):
        raise ProblemError(422, "same_matter", "one matter is in this submission twice")
    key = open_signing_key(session, by, password)
    references, contents = _files(
        [load_matter(row.text, f"{row.matter}.yaml", members=_members(session, row.text, rows)) for row in rows]
    )
    bundle = _bundle_with(session, references)
    _refuse_terminals_behind(session, bundle_step_kinds(bundle), scope, scope_id)
    additions: dict[str, dict[str, bytes]] = {signed.BUNDLES: {bundle.path: canonical_bytes(bundle)}}
    for reference in references:
        department = additions.setdefault(signed.role_of(reference.department), {})
        department[reference.path] = contents[reference.path]
    contents[bundle.path] = canonical_bytes(bundle)
    proposal = repository.propose(additions)
    signed.sign(proposal, key)
    submission = Submission(
        drafts=drafts, references=[reference.model_dump(mode="json") for reference in references],
        metadata_signed=signed.to_text(proposal), contents={path: body.decode() for path, body in contents.items()},
        bundle=bundle.hash, scope=scope, scope_id=scope_id, author=by,
    )  # fmt: skip
    for row in rows:
        row.state = DraftState.SUBMITTED
    session.add(submission)
    session.flush()
    record(session, by, "submitted", f"submission {submission.id}", matters=[row.matter for row in rows])
    return submission


def publish(
    session: Session, repository: MatterRepository, submission: int, *, by: str, password: str
) -> Assignment | None:
    """The reviewer's signature over the same bytes; then the files, the new generation and the hint.

    None when something else was published since: the submission is superseded, its drafts are drafts again.
    """
    row = _undecided(session, submission, by)
    desired.take_turn(session)
    proposal = signed.from_text(row.metadata_signed)
    if not repository.still_follows(proposal):
        _close(session, row, SubmissionState.SUPERSEDED, by, "something else was published meanwhile; submit again")
        return None
    references = [MatterReference.model_validate(reference) for reference in row.references]
    bundle = Bundle.model_validate_json(row.contents[f"bundles/{row.bundle}.json"])
    _refuse_terminals_behind(session, bundle_step_kinds(bundle), Scope(row.scope), row.scope_id)
    signed.sign(proposal, open_signing_key(session, by, password))
    _keep_published(session, row, references, bundle, by)
    assignment = desired.assign(
        session, scope=Scope(row.scope), scope_id=row.scope_id, bundle=row.bundle, by=by,
        reason=f"submission {row.id}",
    )  # fmt: skip
    row.generation = assignment.generation
    record(session, by, "published", f"submission {row.id}", bundle=row.bundle, generation=assignment.generation)
    session.flush()
    contents = {path: text.encode() for path, text in row.contents.items()}
    try:
        repository.publish(proposal, contents, signing_keys(session))
    except UnsignedMetadataError as error:
        detail = "a signature on this submission no longer counts; submit again"
        raise ProblemError(409, "under_signed", detail) from error
    return assignment


def give_back(session: Session, submission: int, *, by: str, comment: str) -> Submission:
    row = _undecided(session, submission, by)
    _close(session, row, SubmissionState.RETURNED, by, comment)
    return row


def roll_back(session: Session, bundle: str, *, scope: Scope, scope_id: str, by: str, reason: str) -> Assignment:
    """A new generation that points to a bundle published before."""
    published = session.get(PublishedBundle, bundle)
    if published is None:
        raise ProblemError(404, "no_bundle", "no bundle of this hash has been published")
    _refuse_terminals_behind(session, set(published.step_kinds), scope, scope_id, published.contract_version)
    assignment = desired.assign(session, scope=scope, scope_id=scope_id, bundle=bundle, by=by, reason=reason)
    record(session, by, "rolled_back", bundle, scope=scope, scope_id=scope_id, generation=assignment.generation)
    return assignment


def find_draft(session: Session, draft: int) -> Draft:
    row = session.get(Draft, draft)
    if row is None:
        raise ProblemError(404, "no_draft", "there is no such draft")
    return row


def find_submission(session: Session, submission: int) -> Submission:
    row = session.get(Submission, submission, with_for_update=True)
    if row is None:
        raise ProblemError(404, "no_submission", "there is no such submission")
    return row


def newest_version(session: Session, matter: str) -> int:
    query = select(func.max(MatterVersion.version)).where(col(MatterVersion.matter) == matter)
    return session.scalar(query) or 0


def newest_references(session: Session) -> dict[str, MatterReference]:
    """The newest published version of every matter."""
    newest = select(col(MatterVersion.matter), func.max(MatterVersion.version)).group_by(col(MatterVersion.matter))
    found: dict[str, MatterReference] = {}
    for matter, version in session.execute(newest).all():
        row = session.get_one(MatterVersion, (matter, version))
        found[matter] = MatterReference.model_validate(row.reference)
    return found


def drafts(session: Session) -> list[Draft]:
    return list(session.scalars(select(Draft).order_by(col(Draft.updated_at).desc()).limit(200)))


def submissions(session: Session) -> list[Submission]:
    return list(session.scalars(select(Submission).order_by(col(Submission.id).desc()).limit(200)))


def versions(session: Session, matter: str | None = None) -> list[MatterVersion]:
    query = select(MatterVersion).order_by(col(MatterVersion.matter), col(MatterVersion.version).desc())
    if matter is not None:
        query = query.where(col(MatterVersion.matter) == matter)
    return list(session.scalars(query))


def bundles(session: Session) -> list[PublishedBundle]:
    query = select(PublishedBundle).order_by(col(PublishedBundle.published_at).desc()).limit(200)
    return list(session.scalars(query))


def _own_drafts(session: Session, author: str) -> list[Draft]:
    open_ = select(Draft).where(col(Draft.author) == author, col(Draft.state) == DraftState.DRAFT)
    return list(session.scalars(open_.order_by(col(Draft.updated_at))))


def _members(session: Session, text: str, beside: Iterable[Draft]) -> dict[str, Matter]:
    """What a package is composed of: the drafts handed in with it, else what is published."""
    drafted = {row.matter: row.text for row in beside}
    found: dict[str, Matter] = {}
    for id in member_ids(text):
        version = session.get(MatterVersion, (id, newest_version(session, id)))
        source = drafted.get(id) or (version.text if version is not None else None)
        if source is not None and not member_ids(source):
            found[id] = load_matter(source, f"{id}.yaml")
    return found


def _blank_draft(author: str) -> Draft:
    return Draft(matter="", version=0, department="", title="", text="", author=author)


def bundle_step_kinds(bundle: Bundle) -> set[str]:
    return {kind for matter in bundle.matters for kind in matter.step_kinds}


def _files(matters: Iterable[Matter]) -> tuple[list[MatterReference], dict[str, bytes]]:
    references, contents = [], {}
    for matter in matters:
        content = canonical_bytes(matter)
        if len(content) > MAXIMUM_MATTER_BYTES:
            raise ProblemError(422, "oversized", f"{matter.id} is larger than {MAXIMUM_MATTER_BYTES} bytes")
        path = f"matters/{matter.department}/{matter.id}/{matter.version}.json"
        contents[path] = content
        references.append(
            MatterReference(
                id=matter.id,
                version=matter.version,
                department=matter.department,
                path=path,
                sha256=sha256_hex(content),
                length=len(content),
                step_kinds=tuple(sorted({step.kind for step in matter.steps})),
            )
        )
    return references, contents


def _bundle_with(session: Session, references: list[MatterReference]) -> Bundle:
    """Everything published, with these versions in the place of their older ones."""
    chosen = newest_references(session) | {reference.id: reference for reference in references}
    matters = tuple(chosen[name] for name in sorted(chosen))
    return Bundle(contract_version=CONTRACT_VERSION, matters=matters, created_at=now().replace(microsecond=0))


def _keep_published(
    session: Session, row: Submission, references: list[MatterReference], bundle: Bundle, by: str
) -> None:
    assert row.id is not None
    for draft, reference in zip((find_draft(session, draft) for draft in row.drafts), references, strict=True):
        if reference.version <= newest_version(session, reference.id):
            raise ProblemError(409, "older_version", f"a newer version of {reference.id} is published already")
        draft.state = DraftState.PUBLISHED
        session.add(
            MatterVersion(
                matter=reference.id,
                version=reference.version,
                title=draft.title,
                text=draft.text,
                reference=reference.model_dump(mode="json"),
                submission=row.id,
                author=row.author,
                reviewer=by,
            )
        )
    session.add(
        PublishedBundle(
            hash=bundle.hash,
            contract_version=bundle.contract_version,
            submission=row.id,
            step_kinds=sorted(bundle_step_kinds(bundle)),
            matters=[f"{matter.id} {matter.version}" for matter in bundle.matters],
        )
    )
    row.state, row.reviewer, row.decided_at = SubmissionState.PUBLISHED, by, now()


def _undecided(session: Session, submission: int, by: str) -> Submission:
    """The submission, if this person may decide on it: a reviewer, and not the one who handed it in."""
    _need_role(session, by, Role.REVIEWER)
    row = find_submission(session, submission)
    if row.state != SubmissionState.SUBMITTED:
        raise ProblemError(409, "decided", "this submission has been decided")
    if row.author == by:
        raise ProblemError(403, "same_person", "another person reviews: nobody publishes what they wrote")
    return row


def _close(session: Session, row: Submission, state: SubmissionState, by: str, comment: str) -> None:
    row.state, row.reviewer, row.decided_at, row.comment = state, by, now(), comment
    for draft in row.drafts:
        find_draft(session, draft).state = DraftState.DRAFT
    record(session, by, f"submission_{state}", f"submission {row.id}", comment=comment)


def _need_role(session: Session, account: str, role: Role) -> None:
    if role not in find_account(session, account).role_set:
        raise ProblemError(403, "wrong_role", f"this needs the role {role}")


def _refuse_terminals_behind(
    session: Session, step_kinds: set[str], scope: Scope, scope_id: str, contract_version: int = CONTRACT_VERSION
) -> None:
    """Nothing is rolled out to a terminal that has said it does not know it; one never heard refuses for itself."""
    behind = []
    for status in terminals.statuses(session, terminals.members(session, scope, scope_id)).values():
        unknown = step_kinds - set(status.heartbeat["step_kinds"])
        if unknown or status.heartbeat["contract_version"] < contract_version:
            behind.append(f"{status.terminal} ({', '.join(sorted(unknown)) or 'contract version'})")
    if behind:
        shown = ", ".join(sorted(behind)[:SHOWN_BEHIND])
        raise ProblemError(409, "terminals_behind", f"{len(behind)} terminal(s) do not know this yet: {shown}")
