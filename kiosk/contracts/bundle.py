"""A bundle: exact versions of matters under one hash; and the director's signed sentence about it (DESIGN 2.2).

Layout of the repository (python-tuf; plain files, target paths):

  matters/DEPARTMENT/MATTER/VERSION.json     canonical bytes of one Matter; delegated per department, threshold 2
  bundles/HASH.json                          canonical bytes of one Bundle; delegated to `bundles`, threshold 2
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import Field, ValidationError

from kiosk.contracts.errors import BadSignature, Expired, Malformed, OlderVersion, UnknownKind
from kiosk.contracts.matter import CONTRACT_VERSION, STEP_KINDS, Matter
from kiosk.contracts.value import Contract, canonical_bytes, sha256_hex

MAXIMUM_MATTER_BYTES = 512 * 1024
MAXIMUM_BUNDLE_BYTES = 4 * 1024 * 1024


class MatterReference(Contract):
    """One exact version, named by where it lies and what it hashes to."""

    id: str
    version: int
    department: str
    path: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    length: int = Field(ge=2, le=MAXIMUM_MATTER_BYTES)
    step_kinds: tuple[str, ...]


class Bundle(Contract):
    """Immutable; its name is the SHA-256 of its canonical bytes."""

    contract_version: int = Field(ge=1)
    matters: tuple[MatterReference, ...] = Field(max_length=5000)
    created_at: dt.datetime

    @property
    def hash(self) -> str:
        return sha256_hex(canonical_bytes(self))

    @property
    def path(self) -> str:
        return f"bundles/{self.hash}.json"


class DesiredState(Contract):
    """The director's sentence: terminal K, generation G, runs bundle H, not before, until."""

    terminal: str
    generation: int = Field(ge=1)
    bundle: str = Field(pattern=r"^[0-9a-f]{64}$")
    not_before: dt.datetime
    not_after: dt.datetime


class SignedDesiredState(Contract):
    """`signature` is base64 Ed25519 (or the plug-in's algorithm) over the canonical bytes of `state`."""

    state: DesiredState
    key_id: str
    algorithm: str = "ed25519"
    signature: str


Verifier = Callable[[bytes, bytes, bytes], None]
"""(public key, signature, content): returns, or raises `BadSignature`."""


def verify_ed25519(public_key: bytes, signature: bytes, content: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, content)
    except (InvalidSignature, ValueError) as error:
        raise BadSignature("the signature does not fit the content") from error


VERIFIERS: dict[str, Verifier] = {"ed25519": verify_ed25519}
"""Signature algorithms by name; a national algorithm is added here."""


def verify_desired_state(
    signed: SignedDesiredState, *, director_key: bytes, terminal: str, now: dt.datetime, installed_generation: int
) -> DesiredState:
    """Return the state if it may be followed, else raise `BadSignature`, `Expired`, `OlderVersion` or `Malformed`."""
    verifier = VERIFIERS.get(signed.algorithm)
    if verifier is None:
        raise BadSignature(f"signature algorithm {signed.algorithm!r} is not known here")
    try:
        signature = base64.b64decode(signed.signature, validate=True)
    except ValueError as error:
        raise BadSignature("the signature is not base64") from error
    verifier(director_key, signature, canonical_bytes(signed.state))
    state = signed.state
    if state.terminal != terminal:
        raise Malformed(f"the desired state names terminal {state.terminal}, this is {terminal}")
    if not state.not_before <= now <= state.not_after:
        raise Expired(f"the desired state holds from {state.not_before} to {state.not_after}")
    if state.generation < installed_generation:
        raise OlderVersion(f"generation {state.generation} is older than the installed {installed_generation}")
    return state


def read_bundle(content: bytes, expected_hash: str) -> Bundle:
    """Bytes in, bundle out, or `Malformed` / `UnknownKind`. Trust in the bytes comes from TUF; fitness from here."""
    if len(content) > MAXIMUM_BUNDLE_BYTES or sha256_hex(content) != expected_hash:
        raise Malformed("the bundle's bytes are not the ones named by its hash")
    try:
        bundle = Bundle.model_validate_json(content)
    except ValidationError as error:
        raise Malformed(f"the bundle cannot be read: {error.error_count()} mistakes") from error
    if bundle.contract_version > CONTRACT_VERSION:
        raise UnknownKind(f"contract version {bundle.contract_version} is beyond the {CONTRACT_VERSION} known here")
    for matter in bundle.matters:
        unknown = set(matter.step_kinds) - set(STEP_KINDS)
        if unknown:
            raise UnknownKind(f"matter {matter.id} uses step kinds not known here: {', '.join(sorted(unknown))}")
    return bundle


def read_matter(content: bytes, reference: MatterReference) -> Matter:
    """Bytes in, matter out; raises `Malformed` when the bytes are not what the bundle names."""
    if len(content) != reference.length or sha256_hex(content) != reference.sha256:
        raise Malformed(f"matter {reference.id}: bytes differ from the bundle's")
    try:
        matter = Matter.model_validate_json(content)
    except ValidationError as error:
        raise Malformed(f"matter {reference.id} cannot be read: {error.error_count()} mistakes") from error
    if (matter.id, matter.version) != (reference.id, reference.version):
        raise Malformed(f"matter {reference.id} says it is {matter.id} version {matter.version}")
    return matter
