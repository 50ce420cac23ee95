"""Matters as the pages show them: titles in the reader's language, what changed between two versions."""

from __future__ import annotations

import difflib
import functools
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from fleet_server.matters import service
from fleet_server.matters.models import Draft, MatterVersion, Submission
from kiosk.contracts.errors import MatterInvalid
from kiosk.contracts.matter import MatterHead
from kiosk.contracts.matter_file import load_head
from kiosk.contracts.value import Language

CONTEXT_LINES = 3


@dataclass(frozen=True)
class Line:
    """One line of a comparison; `sign` is +, -, a blank, or … for what was left out between."""

    sign: str
    old: int | None
    new: int | None
    text: str


@dataclass(frozen=True)
class Change:
    """One draft beside the version published before it; `before` is None for a new matter."""

    draft: Draft
    before: MatterVersion | None
    lines: list[Line]
    added: int
    removed: int


@functools.lru_cache(maxsize=2000)
def _matter(key: str, version: int, text: str) -> MatterHead | None:
    try:
        return load_head(text, key)
    except MatterInvalid:
        return None


def newest(session: Session) -> dict[str, MatterVersion]:
    """The version in force of each matter."""
    found: dict[str, MatterVersion] = {}
    for row in service.versions(session):
        found.setdefault(row.matter, row)
    return found


def title_of(row: MatterVersion | Draft, language: Language) -> str:
    matter = _matter(row.matter, row.version, row.text)
    return matter.title.in_language(language) if matter is not None else row.title


def titles(session: Session, language: Language) -> dict[str, str]:
    """What each published matter is called."""
    return {name: title_of(row, language) for name, row in newest(session).items()}


def department_of(row: MatterVersion | Draft, language: Language) -> str:
    matter = _matter(row.matter, row.version, row.text)
    if matter is None:
        return str(row.reference["department"]) if isinstance(row, MatterVersion) else row.department
    return matter.department_name.in_language(language)


def changes(session: Session, submission: Submission) -> list[Change]:
    """What a reviewer signs, beside what is in force (or was, when it was published)."""
    return [change_of(session, service.find_draft(session, draft)) for draft in submission.drafts]


def change_of(session: Session, draft: Draft) -> Change:
    query = (
        select(MatterVersion)
        .where(col(MatterVersion.matter) == draft.matter, col(MatterVersion.version) < draft.version)
        .order_by(col(MatterVersion.version).desc())
        .limit(1)
    )
    before = session.scalars(query).first()
    lines = compare(before.text if before else "", draft.text)
    signs = [line.sign for line in lines]
    return Change(draft, before, lines, signs.count("+"), signs.count("-"))


def compare(old: str, new: str) -> list[Line]:
    """Lines that differ, each with three lines around it."""
    a, b = old.splitlines(), new.splitlines()
    lines: list[Line] = []
    for group in difflib.SequenceMatcher(None, a, b, autojunk=False).get_grouped_opcodes(CONTEXT_LINES):
        if group[0][1] > 0 or group[0][3] > 0 or lines:
            lines.append(Line("…", None, None, ""))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += [Line(" ", i + 1, j1 + i - i1 + 1, a[i]) for i in range(i1, i2)]
                continue
            lines += [Line("-", i + 1, None, a[i]) for i in range(i1, i2)]
            lines += [Line("+", None, j + 1, b[j]) for j in range(j1, j2)]
    return lines
