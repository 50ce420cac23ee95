"""Leave to open a door, signed by the centre: the terminal holds only the public key (device-classes C.11, rules).

v1.DOOR.EXPIRES.NONCE.SIGNATURE: expires in unix seconds, nonce 16 hexadecimal digits, signature Ed25519 (RFC 8032), URL-safe
base64 without padding, over `yizhan-unlock.v1.TERMINAL.DOOR.EXPIRES.NONCE`. For one terminal, one door, one time.
"""  # noqa: E501

from __future__ import annotations

import base64
import binascii
import re
import secrets
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from drivers.errors import MediaError, Unsupported

LONGEST_SECONDS: Final = 3600
TOKEN: Final = re.compile(r"v1\.([a-z][a-z0-9_]{0,31})\.([0-9]{1,12})\.([0-9a-f]{16})\.([A-Za-z0-9_-]{86})")


def make_token(key: Ed25519PrivateKey, terminal: str, door: str, expires_at: int) -> str:
    """What the centre hands to whoever it sends."""
    nonce = secrets.token_hex(8)
    signature = key.sign(_statement(terminal, door, expires_at, nonce))
    return f"v1.{door}.{expires_at}.{nonce}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


class TokenCheck:
    """Remembers what was used until it has expired."""

    def __init__(self, public_key: str, terminal: str) -> None:
        """`public_key`: 32 bytes in hexadecimal. Raises `Unsupported` (`configuration_wrong`)."""
        try:
            self._key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        except ValueError as error:
            raise Unsupported("unlock_public_key is no Ed25519 key of 32 bytes", "configuration_wrong") from error
        self._terminal = terminal
        self._used: dict[str, int] = {}

    def accept(self, token: str, door: str, now: float) -> None:
        """Raises `MediaError` (`token_invalid`), without a word about why."""
        self._used = {nonce: expires for nonce, expires in self._used.items() if expires > now}
        match = TOKEN.fullmatch(token)
        if match is None or match[1] != door or match[3] in self._used:
            raise _invalid()
        expires_at = int(match[2])
        try:
            signature = base64.urlsafe_b64decode(match[4] + "==")
            self._key.verify(signature, _statement(self._terminal, door, expires_at, match[3]))
        except (InvalidSignature, binascii.Error) as error:
            raise _invalid() from error
        if not now < expires_at <= now + LONGEST_SECONDS:
            raise _invalid()
        self._used[match[3]] = expires_at


def _statement(terminal: str, door: str, expires_at: int, nonce: str) -> bytes:
    return f"yizhan-unlock.v1.{terminal}.{door}.{expires_at}.{nonce}".encode()


def _invalid() -> MediaError:
    return MediaError("this is no leave to open that door now: ask the centre for another", "token_invalid")
