"""Matter files as authors keep them: DEPARTMENT/MATTER/matter.yaml; packages are composed of their neighbours."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kiosk.contracts.matter import Matter
from kiosk.contracts.matter_file import load_matter, member_ids


def load_file(file: Path) -> Matter:
    """One matter; a package with its members from the same folder of matters.

    Raises `MatterInvalid` with every mistake (a member's own mistakes under the member's file name), `OSError` or
    `UnicodeDecodeError` for a file that cannot be read.
    """
    text = file.read_text(encoding="utf-8")
    members: dict[str, Matter] = {}
    for id in member_ids(text):
        for found in sorted(file.resolve().parents[2].glob(f"*/{id}/matter.yaml")):
            member = found.read_text(encoding="utf-8")
            if not member_ids(member):
                members[id] = load_matter(member, str(found))
    return load_matter(text, str(file), members=members)


def members_first(files: Iterable[Path]) -> list[Path]:
    """The same files, packages after all others: a package is composed of what is there already."""
    return sorted(files, key=lambda file: (bool(member_ids(file.read_text(encoding="utf-8"))), file))
