"""The director's signature: desired state and journal receipts. An algorithm is a plug-in (DESIGN 2.2)."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Protocol

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fleet_server.settings import write_secret
from kiosk.contracts.errors import SettingsInvalid
from kiosk.contracts.value import canonical_bytes, sha256_hex


class Director(Protocol):
    """Signs for the server. `algorithm` is a name in `kiosk.contracts.bundle.VERIFIERS`."""

    algorithm: str
    key_id: str
    public_key: bytes

    def sign(self, content: bytes) -> bytes: ...


def sign_value(director: Director, value: Any) -> str:
    """Base64 signature over the canonical bytes of a contract value."""
    return base64.b64encode(director.sign(canonical_bytes(value))).decode()


class FileDirector:
    """An Ed25519 key in a file that only the server's own account may read."""

    algorithm = "ed25519"

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise SettingsInvalid(f"the director key {path} is missing: run `python -m fleet_server init`")
        if path.stat().st_mode & 0o077:
            raise SettingsInvalid(f"the director key {path} can be read by others: chmod 600 it")
        self._key = Ed25519PrivateKey.from_private_bytes(path.read_bytes())
        self.public_key = self._key.public_key().public_bytes_raw()
        self.key_id = sha256_hex(self.public_key)[:16]

    @staticmethod
    def create(path: Path) -> None:
        key = Ed25519PrivateKey.generate()
        write_secret(
            path,
            key.private_bytes(
                serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
            ),
        )

    def sign(self, content: bytes) -> bytes:
        return self._key.sign(content)
