"""Every attack on the repository is refused by name, and version 1 keeps serving."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import MetaFile

from kiosk.contracts.value import canonical_bytes, sha256_hex
from kiosk.machine.library import Considered
from tests.kiosk.machine.city import City, canonical_matter, flip, matter
from tests.kiosk.machine.installed import Machine


def tampered_target(city: City) -> Any:
    bundle = city.publish(matter(version=2))
    name = f"targets/bundles/{bundle.hash}.{bundle.hash}.json"
    city.files[name] = flip(city.files[name])
    return bundle


def tampered_matter(city: City) -> Any:
    bundle = city.publish(matter(version=2))
    [name] = [name for name in city.files if name.startswith("targets/matters/") and name.endswith(".2.json")]
    city.files[name] = flip(city.files[name])
    return bundle


def tampered_role(city: City) -> Any:
    """The bundles role is changed after both have signed, and everything above it is signed anew."""
    bundle = city.publish(matter(version=2), sign=False)
    city.sign_all()
    role = f"{city.metadata['bundles'].signed.version}.bundles.json"
    data = json.loads(city.files[f"metadata/{role}"])
    data["signed"]["expires"] = "2099-01-01T00:00:00Z"
    city.files[f"metadata/{role}"] = json.dumps(data).encode()
    resign_above(city, "bundles")
    return bundle


def resign_above(city: City, role: str) -> None:
    """Let snapshot and timestamp (online keys) agree with whatever the file of `role` now is."""
    snapshot, timestamp = city.metadata["snapshot"].signed, city.metadata["timestamp"].signed
    version = city.metadata[role].signed.version
    content = city.files[f"metadata/{version}.{role}.json"]
    snapshot.meta[f"{role}.json"] = MetaFile(version, len(content), {"sha256": sha256_hex(content)})
    snapshot.version += 1
    city._write("snapshot")
    content = city.files[f"metadata/{snapshot.version}.snapshot.json"]
    timestamp.snapshot_meta = MetaFile(snapshot.version, len(content), {"sha256": sha256_hex(content)})
    timestamp.version += 1
    city._write("timestamp")


def under_signed_bundle(city: City) -> Any:
    bundle = city.publish(matter(version=2), sign=False)
    city.sign_all(bundles=1)
    return bundle


def under_signed_matter(city: City) -> Any:
    bundle = city.publish(matter(version=2), sign=False)
    city.sign_all(natural_resources=1)
    return bundle


def signed_twice_by_one(city: City) -> Any:
    bundle = city.publish(matter(version=2), sign=False)
    city.signers["bundles"][1] = city.signers["bundles"][0]
    city.sign_all()
    return bundle


def signed_by_strangers(city: City) -> Any:
    bundle = city.publish(matter(version=2), sign=False)
    city.signers["bundles"] = [CryptoSigner.generate_ed25519(), CryptoSigner.generate_ed25519()]
    city.sign_all()
    return bundle


def signed_by_the_other_department(city: City) -> Any:
    """One department's keys sign a matter in another department's folder."""
    bundle = city.publish(matter(version=2), sign=False)
    path = "matters/natural_resources/no_house/2.json"
    city.metadata["public_security"].signed.targets[path] = city.metadata["natural_resources"].signed.targets.pop(path)
    city.sign_all()
    return bundle


def nobody_signed(city: City) -> Any:
    del city
    return "ab" * 32


def expired_timestamp(city: City) -> Any:
    city.metadata["timestamp"].signed.expires = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=1)
    return city.publish(matter(version=2))


def expired_role(city: City) -> Any:
    city.metadata["bundles"].signed.expires = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=1)
    return city.publish(matter(version=2))


def older_repository(city: City) -> Any:
    """The whole repository as it was before the terminal last looked."""
    bundle = city.publish(matter(version=2))
    city.metadata["timestamp"].signed.version = 1
    city._write("timestamp")
    return bundle


def older_snapshot(city: City) -> Any:
    """Mix and match: a fresh timestamp over yesterday's snapshot."""
    bundle = city.publish(matter(version=2))
    snapshot = city.metadata["snapshot"].signed
    now, before = f"metadata/{snapshot.version}.snapshot.json", f"metadata/{snapshot.version - 1}.snapshot.json"
    city.files[now] = city.files[before]
    return bundle


def mixed_role(city: City) -> Any:
    """Mix and match: the snapshot of today with the bundles role of yesterday."""
    bundle = city.publish(matter(version=2))
    version = city.metadata["bundles"].signed.version
    city.files[f"metadata/{version}.bundles.json"] = city.files[f"metadata/{version - 1}.bundles.json"]
    return bundle


def endless_timestamp(city: City) -> Any:
    bundle = city.publish(matter(version=2))
    city.files["metadata/timestamp.json"] += b" " * 3_000_000
    return bundle


def endless_target(city: City) -> Any:
    bundle = city.publish(matter(version=2))
    city.files[f"targets/bundles/{bundle.hash}.{bundle.hash}.json"] += b" " * 3_000_000
    return bundle


def oversized_target(city: City) -> Any:
    """Honestly signed, but beyond what this machine takes."""
    content = b" " * (4 * 1024 * 1024 + 1)
    name = sha256_hex(content)
    city.add_target("bundles", f"bundles/{name}.json", content)
    city.sign_all()
    return name


def not_metadata(city: City) -> Any:
    bundle = city.publish(matter(version=2))
    city.files["metadata/timestamp.json"] = b"<html>Hotel Wi-Fi: please sign in</html>"
    return bundle


def raw_bundle(city: City, matters: list[dict[str, Any]], **changes: Any) -> str:
    content = canonical_bytes(
        {"contract_version": 1, "matters": matters, "created_at": "2025-01-01T00:00:00Z", **changes}
    )
    name = sha256_hex(content)
    city.add_target("bundles", f"bundles/{name}.json", content)
    city.sign_all()
    return name


def unknown_step_kind(city: City) -> Any:
    data = matter(version=2)
    content = canonical_matter(data)
    city.add_target("natural_resources", "matters/natural_resources/no_house/2.json", content)
    reference = {"id": "no_house", "version": 2, "department": "natural_resources",
                 "path": "matters/natural_resources/no_house/2.json", "sha256": sha256_hex(content),
                 "length": len(content), "step_kinds": ["rate", "teleport"]}  # fmt: skip
    return raw_bundle(city, [reference])


def later_contract(city: City) -> Any:
    return raw_bundle(city, [], contract_version=99)


def unreadable_bundle(city: City) -> Any:
    return raw_bundle(city, [{"id": "x"}])


def hidden_step_kind(city: City) -> Any:
    """The bundle says less than the matter does."""
    return city.publish(matter(version=2), step_kinds=("consent",))


def wrong_department(city: City) -> Any:
    data = matter(version=2)
    content = canonical_matter({**data, "department": "public_security"})
    path = "matters/natural_resources/no_house/2.json"
    city.add_target("natural_resources", path, content)
    reference = {"id": "no_house", "version": 2, "department": "natural_resources", "path": path,
                 "sha256": sha256_hex(content), "length": len(content), "step_kinds": ["rate"]}  # fmt: skip
    return raw_bundle(city, [reference])


def path_of_another(city: City) -> Any:
    return city.publish(matter(version=2), path="matters/natural_resources/no_house/1.json")


@pytest.mark.parametrize(
    ("attack", "reason"),
    [
        (tampered_target, "bad_signature"),
        (tampered_matter, "bad_signature"),
        (tampered_role, "bad_signature"),
        (under_signed_bundle, "under_signed"),
        (under_signed_matter, "under_signed"),
        (signed_twice_by_one, "under_signed"),
        (signed_by_strangers, "bad_signature"),
        (signed_by_the_other_department, "under_signed"),
        (nobody_signed, "under_signed"),
        (expired_timestamp, "expired"),
        (expired_role, "expired"),
        (older_repository, "older_version"),
        (older_snapshot, "bad_signature"),
        (mixed_role, "bad_signature"),
        (endless_timestamp, "oversized"),
        (endless_target, "oversized"),
        (oversized_target, "oversized"),
        (not_metadata, "malformed"),
        (unknown_step_kind, "unknown_kind"),
        (later_contract, "unknown_kind"),
        (unreadable_bundle, "malformed"),
        (hidden_step_kind, "malformed"),
        (wrong_department, "malformed"),
        (path_of_another, "malformed"),
    ],
    ids=lambda item: getattr(item, "__name__", item),
)
def test_attack_is_refused_and_the_old_bundle_serves(
    machine: Machine, city: City, attack: Callable[[City], Any], reason: str
) -> None:
    bundle = attack(city)
    assert machine.consider(bundle, 2) is Considered.REFUSED
    assert machine.consider(bundle, 2) is Considered.REFUSED
    assert not machine.library.is_ready
    assert not machine.library.activate()
    assert machine.versions() == {"no_house": 1}
    assert machine.events() == [("bundle_installed", ""), ("bundle_refused", reason)], "said once"
    reported = machine.library.reported()
    name = bundle if isinstance(bundle, str) else bundle.hash
    assert (reported.result, reported.reason, reported.refused_bundle) == ("refused", reason, name)
    assert (reported.generation, reported.bundle) == (1, machine.library.bundle_hash)
    machine.open()
    assert machine.versions() == {"no_house": 1}


def test_after_an_attack_the_honest_bundle_is_taken(machine: Machine, city: City) -> None:
    machine.consider(under_signed_bundle(city), 2)
    city.sign_all()
    assert machine.consider(city.publish(matter(version=3)), 3) is Considered.READY
    assert machine.library.activate()
    assert machine.versions() == {"no_house": 3}
    assert machine.library.reported().result == "installed"


def test_a_mistaken_refusal_heals_when_the_repository_does(machine: Machine, city: City) -> None:
    bundle = under_signed_bundle(city)
    assert machine.consider(bundle, 2) is Considered.REFUSED
    city.sign_all()
    assert machine.consider(bundle, 2) is Considered.READY
