"""Matter files as authors keep them: DEPARTMENT/MATTER/matter.yaml; packages are composed of their neighbours."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kiosk.contracts.errors import MatterInvalid
from kiosk.contracts.matter import Matter
from kiosk.contracts.matter_file import load_matter, member_ids
from kiosk.contracts.yaml_marks import MAXIMUM_CHARACTERS


def load_file(file: Path) -> Matter:
    """One matter; a package with its members from the same folder of matters.

    Raises `MatterInvalid` with every mistake (a member's own mistakes under the member's file name), also for a file
    that cannot be read.
    """
    text = read_text(file)
    members: dict[str, Matter] = {}
    for id in member_ids(text):
        for found in sorted(file.resolve().parents[2].glob(f"*/{id}/matter.yaml")):
            member = read_text(found)
            if not member_ids(member):
                members[id] = load_matter(member, str(found))
    return load_matter(text, str(file), members=members)


def read_text(file: Path) -> str:
    """An author's file as text. Raises `MatterInvalid` for one that cannot be read, is no UTF-8, or is far too long."""
    content = b""
    try:
        with file.open("rb") as opened:
            content = opened.read(4 * MAXIMUM_CHARACTERS + 1)
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        reason = (error.strerror or "it is no file").lower()
        raise MatterInvalid(str(file), [("", 1, f"cannot be read, {reason}: correct the path")]) from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise MatterInvalid(str(file), [("", line, "is no UTF-8 text from here on: save the file as UTF-8")]) from None


def members_first(files: Iterable[Path]) -> list[Path]:
    """The same files, packages after all others: a package is composed of what is there already."""
    return sorted(files, key=lambda file: (bool(member_ids(read_text(file))), file))
