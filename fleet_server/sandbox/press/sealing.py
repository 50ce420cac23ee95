"""Sealing a PDF: PAdES signature with the department's key, its red seal as the visible mark (pyHanko)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from asn1crypto import pem, x509  # type: ignore[import-untyped]
from PIL import Image
from pyhanko import stamp
from pyhanko.keys import load_private_key_from_pemder_data
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import AxisAlignment, Margins, SimpleBoxLayoutRule
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from fleet_server.sandbox.press.typeset import SealPlace

SEAL_MILLIMETRES = 42.0
PAGE_HEIGHT_MILLIMETRES = 297.0
POINTS_PER_MILLIMETRE = 72 / 25.4


class Seal:
    """One department's seal: its key, certificate, chain and picture."""

    def __init__(self, *, name: str, key: Path, certificate: Path, authority_pem: str, picture: bytes) -> None:
        self.name = name
        registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        registry.register(_certificate(authority_pem.encode()))
        self._signer = signers.SimpleSigner(
            signing_cert=_certificate(certificate.read_bytes()),
            signing_key=load_private_key_from_pemder_data(key.read_bytes(), passphrase=None),
            cert_registry=registry,
        )
        self._picture = Image.open(io.BytesIO(picture))
        self._picture.load()

    def press(self, pdf: bytes, place: SealPlace, *, reason: str, location: str) -> bytes:
        """The same document, sealed; any later change breaks the seal. Blocking: a few hundredths of a second."""
        field = fields.SigFieldSpec("DepartmentSeal", on_page=place.page - 1, box=_box(place))
        metadata = signers.PdfSignatureMetadata(
            field_name="DepartmentSeal", md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES,
            certify=True, docmdp_permissions=fields.MDPPerm.NO_CHANGES, reason=reason, location=location,
            name=self.name,
        )  # fmt: skip
        signer = signers.PdfSigner(metadata, self._signer, stamp_style=self._style(), new_field_spec=field)
        out = io.BytesIO()
        signer.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), output=out)
        return out.getvalue()

    def _style(self) -> Any:
        layout = SimpleBoxLayoutRule(
            x_align=AxisAlignment.ALIGN_MID, y_align=AxisAlignment.ALIGN_MID, margins=Margins(0, 0, 0, 0)
        )
        return stamp.StaticStampStyle(
            background=PdfImage(self._picture), border_width=0, background_opacity=0.78, background_layout=layout
        )


def _certificate(pem_or_der: bytes) -> x509.Certificate:
    _, _, der = pem.unarmor(pem_or_der)
    return x509.Certificate.load(der)


def _box(place: SealPlace) -> tuple[int, int, int, int]:
    half = SEAL_MILLIMETRES / 2
    left, right = place.x_mm - half, place.x_mm + half
    top, bottom = PAGE_HEIGHT_MILLIMETRES - place.y_mm + half, PAGE_HEIGHT_MILLIMETRES - place.y_mm - half
    x1, y1, x2, y2 = (round(millimetres * POINTS_PER_MILLIMETRE) for millimetres in (left, bottom, right, top))
    return x1, y1, x2, y2
