"""One bundle on the disk: every byte checked when it is opened, a matter read when it is wanted."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from kiosk.contracts.bundle import Bundle, MatterReference, read_bundle, read_matter
from kiosk.contracts.errors import Malformed
from kiosk.contracts.listing import ListedMatter, Listing, listed
from kiosk.contracts.matter import Matter
from kiosk.contracts.value import sha256_hex
from kiosk.machine.fleet.identity import flush_folder, write_durably
from kiosk.machine.fleet.repository import check_matters

BUNDLE_FILE = "bundle.json"
LISTING_FILE = "listing.json"
KEPT_IN_MEMORY = 16
"""Matters read last; one is read again in about a millisecond."""

log = logging.getLogger(__name__)


class InstalledBundle:
    """Made by `read_installed`."""

    def __init__(self, home: Path, bundle: Bundle, matters: Sequence[ListedMatter]) -> None:
        self.bundle = bundle
        self.matters = tuple(matters)
        self._home = home
        self._references: Mapping[str, MatterReference] = {each.id: each for each in bundle.matters}
        self._read: dict[str, Matter] = {}

    def matter(self, matter_id: str) -> Matter | None:
        """None for one the bundle does not name. Raises `OSError`, or `Malformed` when the bytes are other ones."""
        reference = self._references.get(matter_id)
        if reference is None:
            return None
        if matter_id not in self._read:
            while len(self._read) >= KEPT_IN_MEMORY:
                del self._read[next(iter(self._read))]
            self._read[matter_id] = read_matter((self._home / reference.path).read_bytes(), reference)
        return self._read[matter_id]


def read_installed(home: Path) -> InstalledBundle:
    """The bundle in this folder, named by its hash. Raises `OSError` or a `BundleRejected` when a byte is wrong.

    Some 0.1 s for 2,000 matters; longer the first time, when their listing is still to be made.
    """
    bundle = read_bundle((home / BUNDLE_FILE).read_bytes(), home.name)
    for reference in bundle.matters:
        if sha256_hex((home / reference.path).read_bytes()) != reference.sha256:
            raise Malformed(f"matter {reference.id}: bytes differ from the bundle's")
    return InstalledBundle(home, bundle, _listing(home, bundle).matters)


def keep_bundle(home: Path, files: Sequence[tuple[str, bytes]], matters: Sequence[ListedMatter]) -> None:
    """Whole or not at all: written beside, flushed, renamed. `files` are the bundle's bytes, then its matters'."""
    beside = home.parent / f".{home.name}.{os.getpid()}"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(mode=0o700)
    for index, (path, content) in enumerate(files):
        target = beside / (BUNDLE_FILE if index == 0 else path)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_durably(target, content)
    write_durably(beside / LISTING_FILE, Listing(bundle=home.name, matters=tuple(matters)).model_dump_json().encode())
    shutil.rmtree(home, ignore_errors=True)
    beside.rename(home)
    flush_folder(home.parent)


def list_matters(bundle: Bundle, files: Mapping[str, bytes]) -> list[ListedMatter]:
    """Read every matter and list it. Raises `Malformed`."""
    return [listed(matter) for matter in check_matters(bundle, dict(files))]


def _listing(home: Path, bundle: Bundle) -> Listing:
    """The listing kept beside the bundle; made anew, and kept, where it is missing or does not fit."""
    path = home / LISTING_FILE
    try:
        found = Listing.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        found = None
    named = [(reference.id, reference.version) for reference in bundle.matters]
    if found is not None and found.bundle == home.name and [(each.id, each.version) for each in found.matters] == named:
        return found
    log.info("bundle %s has no listing: its matters are read once", home.name[:12])
    files = {reference.path: (home / reference.path).read_bytes() for reference in bundle.matters}
    made = Listing(bundle=home.name, matters=tuple(list_matters(bundle, files)))
    with contextlib.suppress(OSError):
        write_durably(path, made.model_dump_json().encode())
    return made
