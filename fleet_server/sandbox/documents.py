"""The city's document office: sets, numbers, seals, keeps and verifies what departments issue."""

from __future__ import annotations

import datetime as dt
import secrets
import threading
import uuid
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from fleet_server.exchange.identifiers import certificate_identifier
from fleet_server.sandbox.keys import SealAuthority
from fleet_server.sandbox.press.sealing import Seal
from fleet_server.sandbox.press.typeset import Typesetter, qr_picture
from kiosk.contracts.value import masked_name, sha256_hex

MATTERS = Path(__file__).parents[2] / "assets" / "matters"
CITY_TIME = dt.timezone(dt.timedelta(hours=8))
NOTICE = "演示文件：由示范城市开具，不具法律效力。"
_CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


class DocumentTemplate(BaseModel):
    """A file in a matter's `templates/`: the words of one paper, with `{name}` places for its values.

    `document.yaml` is the matter's paper; more papers lie beside it as NAME.yaml. `kind` names the paper in the city.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    template: str = "certificate.typ"
    letterhead: str
    title: str
    subtitle: str = ""
    number: str = Field(description="with {year} and {serial}")
    seal_line: str
    seal_code: str
    type_code: str = Field(pattern=r"^[0-9A-Z]{21}$", description="certificate type of GB/T 36904")
    body_code: str = Field(pattern=r"^[0-9A-Z]{18}$", description="issuing body of GB/T 36904")
    paragraphs: tuple[str, ...]
    facts: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] = ()
    closing: tuple[str, ...] = ("特此证明。",)
    notes: tuple[str, ...] = ()


class Issued(BaseModel):
    """What the issuing office keeps of a document beside the file: no name or number in clear."""

    model_config = ConfigDict(frozen=True)

    document_id: str
    kind: str
    title: str
    number: str
    identifier: str
    verification_code: str
    sha256: str
    issuer: str
    holder: str
    issued_at: dt.datetime


class DocumentOffice:
    def __init__(self, data: Path, authority: SealAuthority) -> None:
        self._directory = data / "documents"
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._authority = authority
        self._typesetter = Typesetter()
        self._seals: dict[str, Seal] = {}
        self._lock = threading.Lock()
        self._templates = read_templates()
        self._serial = len(list(self._directory.glob("*.json")))

    def issue(
        self, kind: str, department: str, values: dict[str, str], *, now: dt.datetime, verify_at: str,
        rows: tuple[tuple[str, ...], ...] = (),
    ) -> Issued:  # fmt: skip
        """Set, seal and keep one document. `values` fill the template's places; `verify_at` is the QR's address."""
        template = self._templates.get(kind)
        if template is None:
            raise LookupError(f"no paper is of kind {kind!r}: write assets/matters/*/*/templates/document.yaml")
        local = now.astimezone(CITY_TIME)
        serial = self._next_serial()
        code = "-".join("".join(secrets.choice(_CODE_ALPHABET) for _ in range(4)) for _ in range(4))
        date = f"{local.year}年{local.month}月{local.day}日"
        known = {**values, "date": date, "moment": f"{date} {local:%H}时{local:%M}分", "year": str(local.year)}
        number = template.number.format(year=local.year, serial=f"{serial:06d}")
        identifier = certificate_identifier(template.type_code, template.body_code, f"{local.year}{serial:06d}")
        words = {
            "letterhead": template.letterhead, "title": template.title, "subtitle": template.subtitle,
            "number": number, "identifier": identifier, "verification_code": code,
            "qr": qr_picture(f"{verify_at}/{code}"), "notice": NOTICE, "issuer": template.letterhead, "date": date,
            "paragraphs": [text.format_map(known) for text in template.paragraphs],
            "facts": [(label, text.format_map(known)) for label, text in template.facts],
            "columns": template.columns, "rows": rows,
            "closing": template.closing, "notes": [text.format_map(known) for text in template.notes],
        }  # fmt: skip
        page, place = self._typesetter.page(template.template, words, now)
        seal = self._seal(department, template)
        pdf = seal.press(page, place, reason=f"{template.title} {number}", location=template.letterhead)
        issued = Issued(
            document_id=uuid.uuid4().hex, kind=kind, title=template.title + template.subtitle, number=number,
            identifier=identifier, verification_code=code, sha256=sha256_hex(pdf), issuer=template.letterhead,
            holder=masked_name(values.get("name", "")), issued_at=now,
        )  # fmt: skip
        (self._directory / f"{issued.document_id}.pdf").write_bytes(pdf)
        (self._directory / f"{issued.document_id}.json").write_text(issued.model_dump_json())
        return issued

    def pdf(self, document_id: str) -> bytes | None:
        path = self._directory / f"{document_id}.pdf"
        return path.read_bytes() if document_id.isalnum() and path.exists() else None

    def verified(self, code: str) -> Issued | None:
        """What was issued under this verification code, or None."""
        for path in self._directory.glob("*.json"):
            issued = Issued.model_validate_json(path.read_bytes())
            if secrets.compare_digest(issued.verification_code.encode(), code.encode()):
                return issued
        return None

    def _next_serial(self) -> int:
        with self._lock:
            self._serial += 1
            return self._serial

    def _seal(self, department: str, template: DocumentTemplate) -> Seal:
        with self._lock:
            if department not in self._seals:
                key, certificate = self._authority.signer(department, f"{template.letterhead}电子印章（演示）")
                picture = self._typesetter.seal_picture(template.letterhead, template.seal_line, template.seal_code)
                self._seals[department] = Seal(
                    name=template.letterhead, key=key, certificate=certificate,
                    authority_pem=self._authority.pem, picture=picture,
                )  # fmt: skip
            return self._seals[department]


def read_templates(matters: Path = MATTERS) -> dict[str, DocumentTemplate]:
    """Every paper by its kind. Raises `ValueError` when two matters name the same kind."""
    found: dict[str, DocumentTemplate] = {}
    for path in sorted(matters.glob("*/*/templates/*.yaml")):
        template = DocumentTemplate.model_validate(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
        if template.kind in found:
            raise ValueError(
                f"{path.relative_to(matters)}: a paper of kind {template.kind} is there already: rename it"
            )
        found[template.kind] = template
    return found
