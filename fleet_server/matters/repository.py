"""The repository of signed metadata: plain files a terminal checks with any TUF client (DESIGN 2.2).

  root        offline, names the keys of the other three
  targets     offline, delegates `department-ID` and `bundles` to people, two signatures each
  snapshot    online, which versions belong together
  timestamp   online, short-lived

Files are written in the order that keeps every moment readable: contents, people's metadata, targets, snapshot, and
the timestamp last, by renaming. Nothing that was published is ever changed.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from fleet_server.database import now
from fleet_server.settings import write_secret
from kiosk.contracts.errors import SettingsInvalid
from kiosk.contracts.value import sha256_hex

BUNDLES = "bundles"
DEPARTMENT = "department-"
THRESHOLD = 2
OFFLINE_LIFETIME = dt.timedelta(days=365)
SNAPSHOT_LIFETIME = dt.timedelta(days=7)
TIMESTAMP_LIFETIME = dt.timedelta(days=1)

Proposal = dict[str, "Metadata[Targets]"]
"""New metadata of delegated roles by role name, signed by nobody, one or two people."""


def role_of(department: str) -> str:
    return DEPARTMENT + department


def paths_of(role: str) -> list[str]:
    """What a delegated role may say anything about. A star never crosses a slash."""
    return ["bundles/*"] if role == BUNDLES else [f"matters/{role.removeprefix(DEPARTMENT)}/*/*"]


class MatterRepository:
    """Reads and writes the repository's files. Holds no state: the files are the state."""

    def __init__(self, directory: Path, *, online_key: Path, offline_keys: Path) -> None:
        self.metadata = directory / "metadata"
        self.targets = directory / "targets"
        self._lock_file = directory / ".lock"
        self._online_key = online_key
        self._offline_keys = offline_keys

    @property
    def is_initialised(self) -> bool:
        return (self.metadata / "timestamp.json").exists()

    def initialise(self) -> None:
        """Make the keys and the first, empty metadata. A repository that exists is left alone."""
        with self._locked():
            if self.is_initialised:
                return
            for path in (self._offline_keys / "root.key", self._offline_keys / "targets.key", self._online_key):
                if not path.exists():
                    key = Ed25519PrivateKey.generate()
                    raw = (serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
                    write_secret(path, key.private_bytes(*raw))
            root_signer, targets_signer = self._offline_signer("root"), self._offline_signer("targets")
            online = self._online_signer()
            root = Root(expires=_until(OFFLINE_LIFETIME), consistent_snapshot=True)
            signers = {"root": root_signer, "targets": targets_signer, "snapshot": online, "timestamp": online}
            for role, signer in signers.items():
                root.add_key(signer.public_key, role)
            signed_root = Metadata(root)
            signed_root.sign(root_signer)
            self._write(self.metadata / "1.root.json", signed_root.to_bytes())
            targets = Metadata(Targets(expires=_until(OFFLINE_LIFETIME), delegations=Delegations({}, {})))
            targets.sign(targets_signer)
            self._write(self.metadata / "1.targets.json", targets.to_bytes())
            self._write_snapshot({"targets.json": MetaFile(1)}, version=1, timestamp_version=1)

    def role(self, name: str) -> Metadata[Targets] | None:
        """The current metadata of `targets` or of a delegated role; None when the role says nothing yet."""
        entry = self._snapshot().signed.meta.get(f"{name}.json")
        if entry is None:
            return None
        return Metadata[Targets].from_file(str(self.metadata / f"{entry.version}.{name}.json"))

    def propose(self, additions: Mapping[str, Mapping[str, bytes]]) -> Proposal:
        """The next version of each role with these contents added, to be signed by people. Nothing is written."""
        proposal: Proposal = {}
        for role, contents in additions.items():
            current = self.role(role)
            targets = Targets(version=1) if current is None else current.signed
            if current is not None:
                targets.version += 1
            targets.expires = _until(OFFLINE_LIFETIME)
            for path, content in contents.items():
                targets.targets[path] = TargetFile.from_data(path, content, ["sha256"])
            proposal[role] = Metadata(targets)
        return proposal

    def still_follows(self, proposal: Proposal) -> bool:
        """True while nothing else has been published under these roles since the proposal was made."""
        for role, proposed in proposal.items():
            current = self.role(role)
            if proposed.signed.version != (0 if current is None else current.signed.version) + 1:
                return False
        return True

    def publish(self, proposal: Proposal, contents: Mapping[str, bytes], people: Mapping[str, bytes]) -> None:
        """Make it visible; tuf's `UnsignedMetadataError` unless two of `people` (public keys) signed each role."""
        with self._locked():
            targets = self._delegating(proposal, people)
            for role, proposed in proposal.items():
                targets.signed.verify_delegate(role, proposed.signed_bytes, proposed.signatures)
            for role, proposed in proposal.items():
                self._write_contents(proposed, contents)
                self._write(self.metadata / f"{proposed.signed.version}.{role}.json", proposed.to_bytes())
            self._write(self.metadata / f"{targets.signed.version}.targets.json", targets.to_bytes())
            snapshot, timestamp = self._snapshot().signed, self._timestamp().signed
            meta = snapshot.meta | {"targets.json": MetaFile(targets.signed.version)}
            for role, proposed in proposal.items():
                meta[f"{role}.json"] = MetaFile(proposed.signed.version)
            self._write_snapshot(meta, version=snapshot.version + 1, timestamp_version=timestamp.version + 1)

    def refresh_when_due(self) -> bool:
        """Sign snapshot and timestamp anew before they run out; True when something was written."""
        with self._locked():
            timestamp, snapshot = self._timestamp().signed, self._snapshot().signed
            if snapshot.expires - now() < SNAPSHOT_LIFETIME / 2:
                self._write_snapshot(
                    snapshot.meta, version=snapshot.version + 1, timestamp_version=timestamp.version + 1
                )
                return True
            if timestamp.expires - now() < TIMESTAMP_LIFETIME / 2:
                self._write_timestamp(timestamp.snapshot_meta, timestamp.version + 1)
                return True
            return False

    def _delegating(self, proposal: Proposal, people: Mapping[str, bytes]) -> Metadata[Targets]:
        """The targets metadata that lets these people speak for these roles; signed anew only when that changed."""
        current = self.role("targets")
        assert current is not None
        keys = [SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(key)) for key in people.values()]
        delegations = current.signed.delegations
        assert delegations is not None
        assert delegations.roles is not None
        roles: dict[str, DelegatedRole] = delegations.roles
        wanted = sorted(key.keyid for key in keys)
        changed = [role for role in proposal if role not in roles or sorted(roles[role].keyids) != wanted]
        if not changed:
            return current
        for role in changed:
            roles[role] = DelegatedRole(role, wanted, THRESHOLD, terminating=True, paths=paths_of(role))
        named = {keyid for role in roles.values() for keyid in role.keyids}
        known = delegations.keys | {key.keyid: key for key in keys}
        delegations.keys = {keyid: key for keyid, key in known.items() if keyid in named}
        current.signed.version += 1
        current.signed.expires = _until(OFFLINE_LIFETIME)
        current.sign(self._offline_signer("targets"))
        return current

    def _write_contents(self, proposed: Metadata[Targets], contents: Mapping[str, bytes]) -> None:
        for path, target in proposed.signed.targets.items():
            if path in contents:
                target.verify_length_and_hashes(contents[path])
                folder, _, name = path.rpartition("/")
                self._write(self.targets / folder / f"{sha256_hex(contents[path])}.{name}", contents[path])

    def _write_snapshot(self, meta: dict[str, MetaFile], *, version: int, timestamp_version: int) -> None:
        signed = Metadata(Snapshot(version=version, expires=_until(SNAPSHOT_LIFETIME), meta=meta))
        signed.sign(self._online_signer())
        self._write(self.metadata / f"{version}.snapshot.json", signed.to_bytes())
        self._write_timestamp(MetaFile(version), timestamp_version)

    def _write_timestamp(self, snapshot: MetaFile, version: int) -> None:
        timestamp = Timestamp(version=version, expires=_until(TIMESTAMP_LIFETIME), snapshot_meta=snapshot)
        signed = Metadata(timestamp)
        signed.sign(self._online_signer())
        self._write(self.metadata / "timestamp.json", signed.to_bytes())

    def _timestamp(self) -> Metadata[Timestamp]:
        return Metadata[Timestamp].from_file(str(self.metadata / "timestamp.json"))

    def _snapshot(self) -> Metadata[Snapshot]:
        version = self._timestamp().signed.snapshot_meta.version
        return Metadata[Snapshot].from_file(str(self.metadata / f"{version}.snapshot.json"))

    def _online_signer(self) -> CryptoSigner:
        return CryptoSigner(Ed25519PrivateKey.from_private_bytes(self._online_key.read_bytes()))

    def _offline_signer(self, name: str) -> CryptoSigner:
        path = self._offline_keys / f"{name}.key"
        if not path.exists():
            raise SettingsInvalid(
                f"{path} is not here: delegations change with this publication, so the offline keys are needed; "
                "bring the medium and set YIZHAN_OFFLINE_KEYS to its directory"
            )
        return CryptoSigner(Ed25519PrivateKey.from_private_bytes(path.read_bytes()))

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._lock_file.parent.mkdir(parents=True, exist_ok=True)
        with self._lock_file.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def to_text(proposal: Proposal) -> dict[str, str]:
    """For the database: the very bytes that were signed, per role."""
    return {role: proposed.to_bytes().decode() for role, proposed in proposal.items()}


def from_text(texts: Mapping[str, Any]) -> Proposal:
    return {role: cast("Metadata[Targets]", Metadata.from_bytes(text.encode())) for role, text in texts.items()}


def sign(proposal: Proposal, key: Ed25519PrivateKey) -> None:
    """Add one person's signature to every role of the proposal."""
    signer = CryptoSigner(key)
    for proposed in proposal.values():
        proposed.sign(signer, append=True)


def _until(lifetime: dt.timedelta) -> dt.datetime:
    return (now() + lifetime).replace(microsecond=0)
