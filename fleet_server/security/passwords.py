"""Passwords (argon2id) and private keys sealed under them (scrypt, AES-256-GCM): the server cannot open them alone."""

from __future__ import annotations

import os

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MINIMUM_LENGTH = 10
MAXIMUM_LENGTH = 200
_SALT_BYTES = 16
_NONCE_BYTES = 12

_hasher = PasswordHasher(time_cost=2, memory_cost=32 * 1024, parallelism=1)
_NOBODY = _hasher.hash(os.urandom(16).hex())


class PasswordWrong(Exception):
    """The password does not open what it should open."""


def hash_password(password: str) -> str:
    """Raises `ValueError` when the password is too short or absurdly long."""
    if not MINIMUM_LENGTH <= len(password) <= MAXIMUM_LENGTH:
        raise ValueError(f"a password has {MINIMUM_LENGTH} to {MAXIMUM_LENGTH} characters")
    return _hasher.hash(password)


def hash_pin(pin: str) -> str:
    """For a short number whose guesses are counted where it is checked; `verify_password` verifies it."""
    return _hasher.hash(pin)


def verify_password(stored: str | None, password: str) -> bool:
    """An unknown account (`stored` None) costs the same time as a known one."""
    try:
        _hasher.verify(stored or _NOBODY, password[: MAXIMUM_LENGTH + 1])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def seal_private_key(private_key: bytes, password: str) -> bytes:
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    return salt + nonce + AESGCM(_derived(password, salt)).encrypt(nonce, private_key, salt)


def open_private_key(sealed: bytes, password: str) -> bytes:
    """Raises `PasswordWrong`."""
    salt, rest = sealed[:_SALT_BYTES], sealed[_SALT_BYTES:]
    try:
        return AESGCM(_derived(password, salt)).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], salt)
    except InvalidTag as error:
        raise PasswordWrong("the password does not open the signing key") from error


def _derived(password: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(password.encode())
