"""A whole signed repository and a director in memory, for tests that attack them."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from securesystemslib.signer import CryptoSigner, Signer
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

from kiosk.contracts.bundle import Bundle, DesiredState, MatterReference, SignedDesiredState
from kiosk.contracts.errors import Unreachable
from kiosk.contracts.fleet import EnrolmentAnswer
from kiosk.contracts.matter import CONTRACT_VERSION, Matter
from kiosk.contracts.value import canonical_bytes, sha256_hex

DEPARTMENTS = ("natural_resources", "public_security")
TOP = ("root", "targets", "snapshot", "timestamp")


def words(text: str) -> dict[str, str]:
    return {"zh-CN": text, "zh-TW": text, "en": text}


def matter(
    id: str = "no_house", version: int = 1, department: str = "natural_resources", **more: Any
) -> dict[str, Any]:
    """An invented matter of one step, as plain data."""
    guide = ("conditions", "materials", "time_limit", "fee", "result", "legal_basis")
    return {
        "id": id, "code": "350200000000000", "version": version, "title": words(id), "department": department,
        "department_name": words(department), "region": "350200", "life_event": "housing", "icon": "house",
        "guide": {name: words("-") for name in guide}, "assurance": "none",
        "steps": [{"id": "rate", "kind": "rate", "title": words("评价"), "say": words("请评价")}],
        **more,
    }  # fmt: skip


def canonical_matter(data: dict[str, Any]) -> bytes:
    return canonical_bytes(Matter.model_validate(data))


def flip(content: bytes) -> bytes:
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


class City:
    """`files` is what a web server would hand out; every publication signs a new consistent snapshot."""

    def __init__(self) -> None:
        self.expires = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(days=30)
        self.files: dict[str, bytes] = {}
        self.director = Ed25519PrivateKey.generate()
        self.signers: dict[str, list[Signer]] = {role: [CryptoSigner.generate_ed25519()] for role in TOP}
        for role in ("bundles", *DEPARTMENTS):
            self.signers[role] = [CryptoSigner.generate_ed25519(), CryptoSigner.generate_ed25519()]
        self.metadata: dict[str, Metadata[Any]] = {}
        root = Root(expires=self.expires, consistent_snapshot=True)
        for role in TOP:
            root.add_key(self.signers[role][0].public_key, role)
        self.metadata["root"] = Metadata(root)
        keys = {s.public_key.keyid: s.public_key for r in ("bundles", *DEPARTMENTS) for s in self.signers[r]}
        roles = {
            role: DelegatedRole(
                role, [s.public_key.keyid for s in self.signers[role]], 2, False, paths=[pattern]
            )
            for role, pattern in (
                ("bundles", "bundles/*.json"), *((name, f"matters/{name}/*/*.json") for name in DEPARTMENTS)
            )
        }  # fmt: skip
        targets = Targets(expires=self.expires)
        targets.delegations = Delegations(keys, roles)
        self.metadata["targets"] = Metadata(targets)
        for role in ("bundles", *DEPARTMENTS):
            self.metadata[role] = Metadata(Targets(expires=self.expires))
        self.metadata["snapshot"] = Metadata(Snapshot(expires=self.expires))
        self.metadata["timestamp"] = Metadata(Timestamp(expires=self.expires))
        self._write("root")
        self.first_root = self.files["metadata/1.root.json"].decode()
        self.sign_all(first=True)

    # --- publishing ------------------------------------------------------------------------------------------------

    def add_target(self, role: str, path: str, content: bytes) -> None:
        self.metadata[role].signed.targets[path] = TargetFile.from_data(path, content, ["sha256"])
        folder, _, name = path.rpartition("/")
        self.files[f"targets/{folder}/{sha256_hex(content)}.{name}"] = content

    def publish(self, *matters: dict[str, Any], sign: bool = True, **changes: Any) -> Bundle:
        """Put matters and a bundle of them into the repository; `changes` are laid over the first reference."""
        references = []
        for data in matters:
            content = canonical_matter(data)
            path = f"matters/{data['department']}/{data['id']}/{data['version']}.json"
            self.add_target(data["department"], path, content)
            kinds = tuple(dict.fromkeys(step["kind"] for step in data["steps"]))
            references.append(
                MatterReference(id=data["id"], version=data["version"], department=data["department"], path=path,
                                sha256=sha256_hex(content), length=len(content), step_kinds=kinds)
            )  # fmt: skip
        if changes:
            references[0] = references[0].model_copy(update=changes)
        bundle = Bundle(
            contract_version=CONTRACT_VERSION, matters=tuple(references), created_at=dt.datetime.now(dt.UTC)
        )
        self.add_target("bundles", bundle.path, canonical_bytes(bundle))
        if sign:
            self.sign_all()
        return bundle

    def sign_all(self, *, first: bool = False, **numbers: int) -> None:
        """Sign a new state; `numbers` says how many signatures a role gets (all when not named)."""
        snapshot, timestamp = self.metadata["snapshot"].signed, self.metadata["timestamp"].signed
        for role in ("targets", "bundles", *DEPARTMENTS):
            if not first:
                self.metadata[role].signed.version += 1
            self._write(role, numbers.get(role))
            content = self.files[f"metadata/{self.metadata[role].signed.version}.{role}.json"]
            snapshot.meta[f"{role}.json"] = MetaFile(
                self.metadata[role].signed.version, len(content), {"sha256": sha256_hex(content)}
            )
        if not first:
            snapshot.version += 1
            timestamp.version += 1
        self._write("snapshot")
        content = self.files[f"metadata/{snapshot.version}.snapshot.json"]
        timestamp.snapshot_meta = MetaFile(snapshot.version, len(content), {"sha256": sha256_hex(content)})
        self._write("timestamp")

    def _write(self, role: str, number: int | None = None) -> None:
        metadata = self.metadata[role]
        metadata.signatures.clear()
        for signer in self.signers[role][:number]:
            metadata.sign(signer, append=True)
        name = role if role == "timestamp" else f"{metadata.signed.version}.{role}"
        self.files[f"metadata/{name}.json"] = metadata.to_bytes()

    # --- serving ---------------------------------------------------------------------------------------------------

    async def fetch(self, path: str, limit: int) -> bytes:
        content = self.files.get(path)
        if content is None:
            raise FileNotFoundError(path)
        if len(content) > limit:
            raise Unreachable(path, reason="answer_too_long")
        return content

    def enrolment(self, terminal: str = "k1", seal_authority: str = "") -> EnrolmentAnswer:
        public = self.director.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return EnrolmentAnswer(
            terminal=terminal, site="Test street 2", director_key=base64.b64encode(public).decode(),
            director_key_id="director", repository_root=self.first_root, seal_authority=seal_authority,
            server_time=dt.datetime.now(dt.UTC),
        )  # fmt: skip

    def desire(self, bundle: Bundle | str, generation: int, **changes: Any) -> SignedDesiredState:
        now = dt.datetime.now(dt.UTC)
        state = DesiredState(
            **{"terminal": "k1", "generation": generation,
               "bundle": bundle if isinstance(bundle, str) else bundle.hash,
               "not_before": now - dt.timedelta(minutes=1), "not_after": now + dt.timedelta(days=3), **changes}
        )  # fmt: skip
        signature = base64.b64encode(self.director.sign(canonical_bytes(state))).decode()
        return SignedDesiredState(state=state, key_id="director", signature=signature)
