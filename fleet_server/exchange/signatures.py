"""The three schemes calls and answers are signed with: HMAC-SHA256, RSA (PKCS#1 v1.5, SHA-256) and SM2 with SM3.

A signature travels as text: hexadecimal for HMAC, Base64 for RSA and SM2 (DER, signer id 1234567812345678:
GB/T 32918, GB/T 35276). Bodies are digested with SHA-256, under SM2 with SM3.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Literal, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from tongsuopy.crypto import exceptions as sm_exceptions  # type: ignore[import-untyped]
from tongsuopy.crypto import hashes as sm_hashes
from tongsuopy.crypto import serialization as sm_serialization
from tongsuopy.crypto.asymciphers import ec as sm_ec  # type: ignore[import-untyped]

Scheme = Literal["hmac", "rsa", "sm2"]
LEAST_RSA_BITS = 2048


class Signer(Protocol):
    def sign(self, text: bytes) -> str: ...


class Verifier(Protocol):
    def verify(self, text: bytes, signature: str) -> bool:
        """False for every wrong, foreign or unreadable signature; never raises."""


class HmacKey:
    """One secret for both sides."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, text: bytes) -> str:
        return hmac.new(self._key, text, "sha256").hexdigest()

    def verify(self, text: bytes, signature: str) -> bool:
        return hmac.compare_digest(self.sign(text).encode(), signature.encode())


class RsaSigner:
    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self._key = key

    def sign(self, text: bytes) -> str:
        return base64.b64encode(self._key.sign(text, padding.PKCS1v15(), hashes.SHA256())).decode()


class RsaVerifier:
    def __init__(self, key: rsa.RSAPublicKey) -> None:
        self._key = key

    def verify(self, text: bytes, signature: str) -> bool:
        raw = _decoded(signature)
        try:
            self._key.verify(raw, text, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


class Sm2Signer:
    def __init__(self, key: object) -> None:
        self._key = key

    def sign(self, text: bytes) -> str:
        signed: bytes = self._key.sign(text, sm_ec.ECDSA(sm_hashes.SM3()))  # type: ignore[attr-defined]
        return base64.b64encode(signed).decode()


class Sm2Verifier:
    def __init__(self, key: object) -> None:
        self._key = key

    def verify(self, text: bytes, signature: str) -> bool:
        raw = _decoded(signature)
        try:
            self._key.verify(raw, text, sm_ec.ECDSA(sm_hashes.SM3()))  # type: ignore[attr-defined]
        except (sm_exceptions.InvalidSignature, sm_exceptions.InternalError):
            return False
        return True


def digest(scheme: Scheme, content: bytes) -> str:
    """The body's digest as the scheme has it, hexadecimal."""
    state = hashes.Hash(hashes.SM3() if scheme == "sm2" else hashes.SHA256())
    state.update(content)
    return state.finalize().hex()


def new_private_pem(scheme: Literal["rsa", "sm2"]) -> bytes:
    """A fresh private key, PKCS#8 PEM."""
    if scheme == "sm2":
        made: bytes = sm_ec.generate_private_key(sm_ec.SM2()).private_bytes(
            sm_serialization.Encoding.PEM, sm_serialization.PrivateFormat.PKCS8, sm_serialization.NoEncryption()
        )
        return made
    key = rsa.generate_private_key(public_exponent=65537, key_size=LEAST_RSA_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem(scheme: Literal["rsa", "sm2"], private_pem: bytes) -> bytes:
    """The public half of a private key, SubjectPublicKeyInfo PEM."""
    if scheme == "sm2":
        half: bytes = (
            sm_serialization.load_pem_private_key(private_pem, None)
            .public_key()
            .public_bytes(sm_serialization.Encoding.PEM, sm_serialization.PublicFormat.SubjectPublicKeyInfo)
        )
        return half
    return (
        serialization.load_pem_private_key(private_pem, None)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def signer_of(scheme: Literal["rsa", "sm2"], pem: bytes) -> Signer:
    """From a private key in PEM. Raises `ValueError` when it is none of that scheme."""
    if scheme == "sm2":
        return Sm2Signer(_of_sm2(_load(sm_serialization.load_pem_private_key, pem, None), "private_numbers"))
    key = _load(serialization.load_pem_private_key, pem, None)
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < LEAST_RSA_BITS:
        raise ValueError(f"no RSA private key of at least {LEAST_RSA_BITS} bits")
    return RsaSigner(key)


def verifier_of(scheme: Literal["rsa", "sm2"], pem: bytes) -> Verifier:
    """From a public key in PEM. Raises `ValueError` when it is none of that scheme."""
    if scheme == "sm2":
        return Sm2Verifier(_of_sm2(_load(sm_serialization.load_pem_public_key, pem), "public_numbers"))
    key = _load(serialization.load_pem_public_key, pem)
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < LEAST_RSA_BITS:
        raise ValueError(f"no RSA public key of at least {LEAST_RSA_BITS} bits")
    return RsaVerifier(key)


def _load(loader: object, *arguments: object) -> object:
    try:
        return loader(*arguments)  # type: ignore[operator]
    except (ValueError, TypeError, UnsupportedAlgorithm, sm_exceptions.UnsupportedAlgorithm) as error:
        raise ValueError("this is no key in PEM that can be read") from error
    except sm_exceptions.InternalError as error:
        raise ValueError("this is no key in PEM that can be read") from error


def _of_sm2(key: object, numbers: str) -> object:
    if not hasattr(key, numbers) or getattr(getattr(key, "curve", None), "name", "") != sm_ec.SM2.name:
        raise ValueError("no SM2 key")
    return key


def _decoded(signature: str) -> bytes:
    try:
        return base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return b""
