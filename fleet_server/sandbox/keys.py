"""The city's keys. Those of the seals are made at first start in its data directory and never leave it."""

from __future__ import annotations

import datetime as dt
import os
import threading
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from fleet_server.exchange.signatures import Signer, Verifier, new_private_pem, public_pem, signer_of, verifier_of
from fleet_server.settings import SANDBOX_KEY, write_secret

Paired = Literal["rsa", "sm2"]
PAIRED: tuple[Paired, ...] = ("rsa", "sm2")
KEY_BITS = 2048
AUTHORITY_YEARS = 10
SIGNER_YEARS = 3


def gateway_key() -> bytes:
    """The secret shared with the gateway: YIZHAN_GATEWAY_KEY, or the one every sandbox city knows."""
    return (os.environ.get("YIZHAN_GATEWAY_KEY") or SANDBOX_KEY).encode()


class ExchangeKeys:
    """RSA and SM2 key pairs of the gateway and of the city, made when first needed, in `data`/exchange.

    The city makes the gateway's too and hands them to it, as platforms do with those they connect.
    """

    def __init__(self, data: Path) -> None:
        self._directory = data / "exchange"
        self._lock = threading.Lock()
        self._made: dict[str, bytes] = {}

    def signer(self, scheme: Paired) -> Signer:
        """What the city signs its answers with."""
        return signer_of(scheme, self._private("city", scheme))

    def verifier(self, scheme: Paired) -> Verifier:
        """What the gateway's calls are verified with."""
        return verifier_of(scheme, public_pem(scheme, self._private("gateway", scheme)))

    def handed_out(self) -> dict[str, str]:
        """What the gateway is given: its private keys and the city's public ones."""
        return {
            name: pem.decode()
            for scheme in PAIRED
            for name, pem in (
                (f"{scheme}.key", self._private("gateway", scheme)),
                (f"{scheme}.pem", public_pem(scheme, self._private("city", scheme))),
            )
        }

    def _private(self, whose: str, scheme: Paired) -> bytes:
        name = f"{whose}.{scheme}.key"
        with self._lock:
            if name not in self._made:
                path = self._directory / name
                if not path.exists():
                    write_secret(path, new_private_pem(scheme))
                self._made[name] = path.read_bytes()
            return self._made[name]


class SealAuthority:
    """Certifies the departments' seals. PEM of its certificate is public; keys are files only the city may read."""

    def __init__(self, data: Path, now: dt.datetime) -> None:
        self._directory = data / "seals"
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._now = now
        key_path, certificate_path = self._directory / "authority.key", self._directory / "authority.pem"
        if not certificate_path.exists():
            key = _new_key(key_path)
            certificate = _authority_certificate(key, now)
            certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self.certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
        self.pem = certificate_path.read_text()
        (data / "authorities.pem").write_text(self.pem)

    def signer(self, department: str, seal_name: str) -> tuple[Path, Path]:
        """Key and certificate files of a department's seal, made when first asked for."""
        key_path, certificate_path = self._directory / f"{department}.key", self._directory / f"{department}.pem"
        if not certificate_path.exists():
            key_path.unlink(missing_ok=True)
            certificate = self._certify(_new_key(key_path).public_key(), seal_name)
            certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return key_path, certificate_path

    def _certify(self, public_key: rsa.RSAPublicKey, seal_name: str) -> x509.Certificate:
        authority_key = serialization.load_pem_private_key((self._directory / "authority.key").read_bytes(), None)
        if not isinstance(authority_key, rsa.RSAPrivateKey):
            raise TypeError("the seal authority's key is no RSA key: remove the data directory and start again")
        return (
            _builder(_name(seal_name), self.certificate.subject, public_key, self._now, SIGNER_YEARS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_documents=True), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
            .sign(authority_key, hashes.SHA256())
        )


def _new_key(path: Path) -> rsa.RSAPrivateKey:
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    write_secret(
        path,
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
    return key


def _authority_certificate(key: rsa.RSAPrivateKey, now: dt.datetime) -> x509.Certificate:
    name = _name("示范城市电子印章认证机构")
    return (
        _builder(name, name, key.public_key(), now, AUTHORITY_YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_documents=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: rsa.RSAPublicKey, now: dt.datetime, years: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365 * years))
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Yizhan sandbox city"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _key_usage(*, signs_documents: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs_documents, content_commitment=signs_documents, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=not signs_documents, crl_sign=not signs_documents,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
