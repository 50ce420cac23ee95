from __future__ import annotations

import asyncio
import datetime as dt
import io
import random
from typing import Any

import pypdfium2
import pytest
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from PIL import Image
from pyhanko import stamp
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from kiosk.contracts.errors import Garbled, SealRejected
from kiosk.contracts.value import sha256_hex
from kiosk.machine.documents import page_pngs
from kiosk.machine.seals import verify_seal

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)


class Authority:
    def __init__(self, name: str = "Seal authority") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._certificate(self.name, self.key.public_key(), NOW - 9 * DAY, NOW + 900 * DAY, ca=True)
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def _certificate(self, subject: x509.Name, public: Any, since: Any, until: Any, *, ca: bool) -> x509.Certificate:
        unused = ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only")
        usage = dict.fromkeys(unused, False)
        return (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(public)
            .serial_number(x509.random_serial_number()).not_valid_before(since).not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(digital_signature=not ca, content_commitment=not ca, key_cert_sign=ca,
                                         crl_sign=ca, **usage), critical=True)
            .sign(self.key, hashes.SHA256())
        )  # fmt: skip

    def signer(self, since: Any = NOW - DAY, until: Any = NOW + 90 * DAY) -> signers.SimpleSigner:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "不动产登记专用章")])
        certificate = self._certificate(subject, key.public_key(), since, until, ca=False)
        raw = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        registry = SimpleCertificateStore()
        registry.register(_asn1(self.certificate))
        return signers.SimpleSigner(
            signing_cert=_asn1(certificate), signing_key=asn1_keys.PrivateKeyInfo.load(raw), cert_registry=registry
        )


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


def blank(pages: int = 1) -> bytes:
    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(595, 842).close()
    content = io.BytesIO()
    document.save(content)
    document.close()
    return content.getvalue()


def seal(pdf: bytes, signer: signers.SimpleSigner, name: str = "Seal") -> bytes:
    style = stamp.StaticStampStyle(background=PdfImage(Image.new("RGB", (50, 50), "red")), background_opacity=1)
    field = fields.SigFieldSpec(name, on_page=0, box=(300, 100, 400, 200))
    metadata = signers.PdfSignatureMetadata(
        field_name=name, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES
    )
    out = io.BytesIO()
    sealing = signers.PdfSigner(metadata, signer, stamp_style=style, new_field_spec=field)
    sealing.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), output=out)
    return out.getvalue()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def sealed(authority: Authority) -> bytes:
    return seal(blank(), authority.signer())


def test_a_good_seal_names_signer_moment_and_bytes(sealed: bytes, authority: Authority) -> None:
    report = verify_seal(sealed, authority.pem, NOW)
    assert report.signer == "不动产登记专用章"
    assert report.sealed_at is not None
    assert abs(report.sealed_at - NOW) < DAY
    assert report.sha256 == sha256_hex(sealed)


def test_it_can_be_called_from_a_running_loop(sealed: bytes, authority: Authority) -> None:
    async def within() -> str:
        return verify_seal(sealed, authority.pem, NOW).signer

    assert asyncio.run(within())


def test_two_departments_may_seal_one_document(sealed: bytes, authority: Authority) -> None:
    assert verify_seal(seal(sealed, authority.signer(), "Second"), authority.pem, NOW).signer


def test_any_of_several_authorities_is_known(sealed: bytes, authority: Authority) -> None:
    assert verify_seal(sealed, Authority("Other").pem + authority.pem, NOW).signer


def test_a_seal_from_elsewhere_is_rejected(sealed: bytes) -> None:
    with pytest.raises(SealRejected, match="known authority"):
        verify_seal(sealed, Authority("Seal authority").pem, NOW)


def test_one_stranger_among_the_seals_is_rejected(sealed: bytes, authority: Authority) -> None:
    both = seal(sealed, Authority("Stranger").signer(), "Second")
    with pytest.raises(SealRejected, match="known authority"):
        verify_seal(both, authority.pem, NOW)


@pytest.mark.parametrize("moment", [NOW + 120 * DAY, NOW - 5 * DAY])
def test_out_of_force_is_rejected(sealed: bytes, authority: Authority, moment: dt.datetime) -> None:
    with pytest.raises(SealRejected, match="not in force"):
        verify_seal(sealed, authority.pem, moment)


def test_no_seal_is_rejected(authority: Authority) -> None:
    with pytest.raises(SealRejected, match="no seal"):
        verify_seal(blank(), authority.pem, NOW)


def test_an_addition_after_the_seal_is_rejected(sealed: bytes, authority: Authority) -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(sealed))
    page = writer.root["/Pages"]["/Kids"].raw_get(0)
    page.get_object()["/Rotate"] = generic.NumberObject(90)
    writer.mark_update(page)
    out = io.BytesIO()
    writer.write(out)
    with pytest.raises(SealRejected, match="added after it"):
        verify_seal(out.getvalue(), authority.pem, NOW)
    with pytest.raises(SealRejected):
        verify_seal(sealed + b"\n% a line at the end\n", authority.pem, NOW)


def test_no_byte_of_the_document_can_change(sealed: bytes, authority: Authority) -> None:
    """Only the seal's own container has bytes without meaning: padding, and copies of certificates we hold anyway."""
    begins = sealed.index(b"<", sealed.index(b"/Contents"))
    ends = sealed.index(b">", begins)
    noise = random.Random(3)
    for at in noise.sample([*range(begins), *range(ends + 1, len(sealed))], 120):
        changed = sealed[:at] + bytes([sealed[at] ^ (1 << noise.randrange(8))]) + sealed[at + 1 :]
        with pytest.raises(SealRejected):
            verify_seal(changed, authority.pem, NOW)


@pytest.mark.parametrize("pdf", [b"", b"%PDF-1.7", b"<html>", b"%PDF-1.7\n" + b"x" * 5000, b"\x00" * 5000])
def test_what_is_no_pdf_is_rejected(pdf: bytes, authority: Authority) -> None:
    with pytest.raises(SealRejected):
        verify_seal(pdf, authority.pem, NOW)


def test_a_truncated_document_is_rejected(sealed: bytes, authority: Authority) -> None:
    for part in (3, 2):
        with pytest.raises(SealRejected):
            verify_seal(sealed[: len(sealed) // part], authority.pem, NOW)


@pytest.mark.parametrize("authorities", ["", "no certificates", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_without_authorities_nothing_is_believed(sealed: bytes, authorities: str) -> None:
    with pytest.raises(SealRejected, match="authority"):
        verify_seal(sealed, authorities, NOW)


def test_the_preview_shows_the_red_seal(sealed: bytes) -> None:
    [png] = page_pngs(sealed, 72)
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    assert picture.size == (595, 842)
    red, green, _ = picture.getpixel((350, 842 - 150))
    assert red > 200
    assert green < 80
    assert picture.getpixel((100, 100)) == (255, 255, 255)


def test_previews_are_bounded() -> None:
    assert len(page_pngs(blank(25), 20)) == 20
    assert len(page_pngs(blank(3), 20, maximum_pages=1)) == 1
    with pytest.raises(Garbled):
        page_pngs(blank(), 3000)
    with pytest.raises(Garbled):
        page_pngs(b"<html>")
