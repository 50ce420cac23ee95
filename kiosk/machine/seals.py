"""Is this paper what an authority sealed? Checked before every print; the key that seals is never on a terminal."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import logging
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from asn1crypto import pem, x509  # type: ignore[import-untyped]
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import (
    EmbeddedPdfSignature,
    PdfSignatureStatus,
    SignatureCoverageLevel,
    async_validate_pdf_signature,
)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator import ValidationContext

from kiosk.contracts.errors import SealRejected
from kiosk.contracts.value import sha256_hex
from kiosk.machine.memory import CleaningExecutor

MAXIMUM_SIGNATURES = 8
SLOW_CLOCK = dt.timedelta(hours=24)
"""A seal dated later than this ahead of our clock is refused."""

for _name in ("pyhanko", "pyhanko_certvalidator"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class SealReport:
    """Who sealed (the certificate's common name), when (as the seal says, None when it does not), and what."""

    signer: str
    sealed_at: dt.datetime | None
    sha256: str


def verify_seal(pdf: bytes, authorities_pem: str, now: dt.datetime) -> SealReport:
    """The last seal covers the whole document, every seal is intact and from a known authority, nothing came after.

    `authorities_pem` holds the certificates of the seal authorities, `now` is the server's time. Blocking, about a
    tenth of a second. Raises `SealRejected`; what cannot be verified is rejected.
    """
    work = _verify(pdf, authorities_pem, now)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with CleaningExecutor(max_workers=1) as other_thread:
        return other_thread.submit(asyncio.run, work).result()


async def _verify(pdf: bytes, authorities_pem: str, now: dt.datetime) -> SealReport:
    roots = _certificates(authorities_pem)
    try:
        signatures = list(PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures)
        _check_number(len(signatures))
        for signature in signatures:
            status = await _status(signature, roots, now)
            _check(status, now, is_last=signature is signatures[-1])
    except SealRejected:
        raise
    except Exception as error:
        raise SealRejected(f"the document cannot be verified ({type(error).__name__})") from error
    signer = status.signing_cert.subject.native.get("common_name", "")
    return SealReport(signer=str(signer), sealed_at=status.signer_reported_dt, sha256=sha256_hex(pdf))


async def _status(signature: EmbeddedPdfSignature, roots: tuple[Any, ...], now: dt.datetime) -> PdfSignatureStatus:
    context = ValidationContext(trust_roots=list(roots), moment=now, allow_fetching=False)
    usage = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False)
    return await async_validate_pdf_signature(
        signature, signer_validation_context=context, key_usage_settings=usage, skip_diff=False
    )


def _check_number(seals: int) -> None:
    if not 0 < seals <= MAXIMUM_SIGNATURES:
        raise SealRejected("the document carries no seal" if seals == 0 else "the document carries too many seals")


def _check(status: PdfSignatureStatus, now: dt.datetime, *, is_last: bool) -> None:
    if not (status.intact and status.valid):
        raise SealRejected("the seal is broken: the document was changed after it was sealed")
    if not status.trusted:
        raise SealRejected("the seal is not from a known authority, or its certificate is not in force")
    if is_last and status.coverage is not SignatureCoverageLevel.ENTIRE_FILE:
        raise SealRejected("the seal does not cover the whole document: something was added after it")
    if not status.docmdp_ok:
        raise SealRejected("the document was changed in a way its seal forbids")
    if status.signer_reported_dt is not None and status.signer_reported_dt > now + SLOW_CLOCK:
        raise SealRejected("the seal is dated in the future")


@lru_cache(maxsize=4)
def _certificates(authorities_pem: str) -> tuple[Any, ...]:
    try:
        blocks = pem.unarmor(authorities_pem.encode(), multiple=True)
        found = tuple(x509.Certificate.load(der) for _, _, der in blocks)
    except ValueError as error:
        raise SealRejected("no seal authority is known here: enrol the machine anew") from error
    if not found:
        raise SealRejected("no seal authority is known here: enrol the machine anew")
    return found
