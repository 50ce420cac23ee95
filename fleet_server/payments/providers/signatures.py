"""What the providers sign and encrypt with: RSA PKCS#1 v1.5 over SHA-256 (RSA2), AES-256-GCM."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PrivateKey = rsa.RSAPrivateKey
PublicKey = rsa.RSAPublicKey


def private_key(pem: str) -> PrivateKey:
    """Raises `ValueError` when the text is no RSA private key."""
    key = serialization.load_pem_private_key(pem.encode(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA private key")  # noqa: TRY004 (a wrong value, not a wrong type)
    return key


def public_key(pem: str) -> PublicKey:
    """Raises `ValueError` when the text is no RSA public key."""
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA public key")  # noqa: TRY004 (a wrong value, not a wrong type)
    return key


def signed(key: PrivateKey, text: str) -> str:
    return base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()


def is_signed(key: PublicKey, text: str, signature: str) -> bool:
    try:
        key.verify(base64.b64decode(signature, validate=True), text.encode(), padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def joined(parameters: Mapping[str, str], *, without: tuple[str, ...] = ("sign",)) -> str:
    """Alipay's text to sign: sorted `key=value` of what is not empty, joined by `&`, values not URL-encoded."""
    return "&".join(f"{key}={parameters[key]}" for key in sorted(parameters) if key not in without and parameters[key])


def lines(*parts: str) -> str:
    """WeChat Pay's text to sign: each part and a line feed."""
    return "".join(f"{part}\n" for part in parts)


def sealed(key: str, nonce: str, text: str, associated: str) -> str:
    """AEAD_AES_256_GCM, base64."""
    return base64.b64encode(AESGCM(key.encode()).encrypt(nonce.encode(), text.encode(), associated.encode())).decode()


def opened(key: str, nonce: str, content: str, associated: str) -> str:
    """Raises `ValueError` when key, nonce, associated data or a byte of the content is another."""
    try:
        plain = AESGCM(key.encode()).decrypt(nonce.encode(), base64.b64decode(content), associated.encode())
    except InvalidTag as error:
        raise ValueError("the content was not encrypted with this key") from error
    return plain.decode()
