"""SM2, RSA and HMAC: a published vector, another implementation's signatures, and everything that must not verify."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from typing import Literal

import pytest
from tongsuopy.crypto.asymciphers import ec, utils  # type: ignore[import-untyped]

from fleet_server.exchange.signatures import (
    HmacKey,
    Sm2Verifier,
    digest,
    new_private_pem,
    public_pem,
    signer_of,
    verifier_of,
)

Paired = Literal["rsa", "sm2"]
PAIRED: tuple[Paired, ...] = ("rsa", "sm2")
PRIVATE = {scheme: new_private_pem(scheme) for scheme in PAIRED}


def test_the_published_sm2_signature_verifies() -> None:
    """GB/T 32918.5 annex A: key, message and signature on the recommended curve, default signer id."""
    secret = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
    r = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
    s = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
    verifier = Sm2Verifier(ec.derive_private_key(secret, ec.SM2()).public_key())
    signature = base64.b64encode(utils.encode_dss_signature(r, s)).decode()
    assert verifier.verify(b"message digest", signature)
    assert not verifier.verify(b"message digesu", signature)


def test_the_published_sm3_digest() -> None:
    assert digest("sm2", b"abc") == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert digest("hmac", b"abc") == digest("rsa", b"abc") != digest("sm2", b"abc")


@pytest.mark.parametrize("scheme", PAIRED)
def test_openssl_agrees_both_ways(scheme: Paired, tmp_path: Path) -> None:
    key, public, message, signed = (tmp_path / name for name in ("key", "public", "message", "signed"))
    key.write_bytes(PRIVATE[scheme])
    public.write_bytes(public_pem(scheme, PRIVATE[scheme]))
    message.write_text("厦门样例", encoding="utf-8")
    options = ["-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678"]
    options = options if scheme == "sm2" else ["-rawin", "-digest", "sha256"]
    files = ["-in", str(message)]
    ours = signer_of(scheme, PRIVATE[scheme]).sign(message.read_bytes())
    signed.write_bytes(base64.b64decode(ours))
    check = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(public), *files, "-sigfile", str(signed)]
    assert subprocess.run([*check, *options], capture_output=True, timeout=20, check=False).returncode == 0
    make = ["openssl", "pkeyutl", "-sign", "-inkey", str(key), *files, "-out", str(signed)]
    subprocess.run([*make, *options], capture_output=True, timeout=20, check=True)
    theirs = base64.b64encode(signed.read_bytes()).decode()
    assert verifier_of(scheme, public.read_bytes()).verify(message.read_bytes(), theirs)


@pytest.mark.parametrize("scheme", PAIRED)
def test_nothing_else_verifies_and_nothing_raises(scheme: Paired) -> None:
    signature = signer_of(scheme, PRIVATE[scheme]).sign(b"text")
    verifier = verifier_of(scheme, public_pem(scheme, PRIVATE[scheme]))
    assert verifier.verify(b"text", signature)
    foreign = signer_of(scheme, new_private_pem(scheme)).sign(b"text")
    flipped = base64.b64encode(bytes([base64.b64decode(signature)[0] ^ 1]) + base64.b64decode(signature)[1:]).decode()
    for wrong in ("", "!", "é", "AAAA", signature[:-4], signature + signature, foreign, flipped):
        assert not verifier.verify(b"text", wrong)
    assert not verifier.verify(b"texu", signature)


def test_hmac_is_of_its_key_and_text() -> None:
    key = HmacKey(b"one")
    assert key.verify(b"text", key.sign(b"text"))
    for wrong in ("", "é", key.sign(b"texu"), HmacKey(b"other").sign(b"text")):
        assert not key.verify(b"text", wrong)


@pytest.mark.parametrize("scheme", PAIRED)
def test_what_is_no_key_of_the_scheme(scheme: Paired) -> None:
    other: Paired = "sm2" if scheme == "rsa" else "rsa"
    for pem in (b"", b"-----BEGIN", PRIVATE[other], public_pem(scheme, PRIVATE[scheme])):
        with pytest.raises(ValueError, match="key"):
            signer_of(scheme, pem)
    for pem in (b"", PRIVATE[scheme], public_pem(other, PRIVATE[other])):
        with pytest.raises(ValueError, match="key"):
            verifier_of(scheme, pem)
