"""An installed library of invented matters: the real ones over and over, each with an id and a title of its own."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from kiosk.contracts.bundle import Bundle, MatterReference
from kiosk.contracts.listing import Listing, listed
from kiosk.contracts.matter import CONTRACT_VERSION, Matter
from kiosk.contracts.matter_file import load_matter, member_ids
from kiosk.contracts.text import LocalizedText
from kiosk.contracts.value import canonical_bytes, sha256_hex
from kiosk.machine.fleet.installed import BUNDLE_FILE, LISTING_FILE

MATTERS = Path(__file__).resolve().parents[2] / "assets" / "matters"
DISTRICTS = ("思明", "湖里", "集美", "海沧", "同安", "翔安")
NOW = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)


def real_matters() -> list[Matter]:
    """Those with steps of their own, in the order of their files."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(MATTERS.glob("*/*/matter.yaml"))]
    return [load_matter(text, "matter.yaml") for text in texts if not member_ids(text)]


def synthetic_matters(count: int) -> list[Matter]:
    originals = real_matters()
    made = []
    for number in range(count):
        original = originals[number % len(originals)]
        place = f"{DISTRICTS[number % len(DISTRICTS)]}{number}"
        title = LocalizedText(
            zh_cn=f"{place}{original.title.zh_cn}", zh_tw=f"{place}{original.title.zh_tw}",
            en=f"{original.title.en} {number}",
        )  # fmt: skip
        made.append(original.model_copy(update={"id": f"matter_{number}", "title": title, "short_title": None}))
    return made


def install(directory: Path, matters: list[Matter]) -> str:
    """Lay the matters down as the library keeps them, active; returns the bundle's hash."""
    contents = [canonical_bytes(matter) for matter in matters]
    references = [
        MatterReference(
            id=matter.id, version=matter.version, department=matter.department,
            path=f"matters/{matter.department}/{matter.id}/{matter.version}.json", sha256=sha256_hex(content),
            length=len(content), step_kinds=tuple(sorted({step.kind for step in matter.steps})),
        )
        for matter, content in zip(matters, contents, strict=True)
    ]  # fmt: skip
    bundle = Bundle(contract_version=CONTRACT_VERSION, matters=tuple(references), created_at=NOW)
    home = directory / "bundles" / bundle.hash
    for reference, content in zip(references, contents, strict=True):
        path = home / reference.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (home / BUNDLE_FILE).write_bytes(canonical_bytes(bundle))
    listing = Listing(bundle=bundle.hash, matters=tuple(map(listed, matters)))
    (home / LISTING_FILE).write_text(listing.model_dump_json(), encoding="utf-8")
    (directory / "active.json").write_text(f'{{"bundle": "{bundle.hash}", "generation": 1}}', encoding="utf-8")
    return bundle.hash
