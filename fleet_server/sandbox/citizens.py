"""The invented people of the city and what its departments know of them.

Who they are: assets/samples/citizens.yaml. What one platform knows of them: assets/samples/city/PLATFORM.yaml.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

SAMPLES = Path(__file__).parents[2] / "assets" / "samples" / "citizens.yaml"
CITY = SAMPLES.parent / "city"
FIRMS = SAMPLES.parent / "firms.yaml"
CERTIFICATE_TYPES = SAMPLES.parent / "certificate_types.yaml"
SHARED = "_shared"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Certificate(_Record):
    """An electronic certificate in the library. `fields` are what it says, by name."""

    type: str
    title: str
    issuer: str
    serial: str
    issued_on: dt.date
    valid_until: dt.date | None = None
    fields: dict[str, str] = {}


class House(_Record):
    address: str
    certificate_number: str
    area_square_metres: str


class SocialInsurance(_Record):
    employer: str
    since: str
    months: int
    base_fen: int
    schemes: tuple[str, ...]
    ended: bool = False


class ProvidentFund(_Record):
    account: str
    employer: str
    since: str
    monthly_fen: int
    balance_fen: int


class Pension(_Record):
    monthly_fen: int
    since: str


class MedicalInsurance(_Record):
    kind: str
    employer: str
    since: str
    account: str


class Violation(_Record):
    occurred_at: str
    place: str
    act: str
    fine_fen: int
    points: int


class Vehicle(_Record):
    plate: str
    violations: tuple[Violation, ...] = ()


class Citizen(_Record):
    """`id` names the sample card of the same person. No phone: nobody registered one. `about` says who that is."""

    id: str
    about: str = ""
    name: str
    id_number: str
    address: str = ""
    residence_address: str | None = None
    phone: str | None = None
    spouse: str | None = None
    children: tuple[str, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    houses: tuple[House, ...] = ()
    social_insurance: SocialInsurance | None = None
    provident_fund: ProvidentFund | None = None
    pension: Pension | None = None
    medical_insurance: MedicalInsurance | None = None
    vehicles: tuple[Vehicle, ...] = ()

    def certificate(self, type_: str) -> Certificate | None:
        return next((held for held in self.certificates if held.type == type_), None)


class Firm(_Record):
    """A firm, school or hospital. `legal_representative` is a citizen's id."""

    name: str
    credit_code: str
    kind: str
    legal_representative: str | None = None
    address: str
    industry: str
    established_on: dt.date


class CertificateType(_Record):
    """A kind of certificate: its code (GB/T 36903) and what certificates of it say, by name."""

    code: str = Field(pattern=r"^[0-9A-Z]{21}$")
    title: str
    fields: tuple[str, ...]


def read_citizens(path: Path = SAMPLES) -> tuple[Citizen, ...]:
    listed = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["citizens"]
    return tuple(Citizen.model_validate(entry) for entry in listed)


def read_firms(path: Path = FIRMS) -> dict[str, Firm]:
    """Every firm by its unified social credit code."""
    listed = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["firms"]
    return {firm.credit_code: firm for firm in (Firm.model_validate(entry) for entry in listed)}


def read_certificate_types(path: Path = CERTIFICATE_TYPES) -> dict[str, CertificateType]:
    """Every type the library holds, by the name citizens.yaml and matters use."""
    listed = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["types"]
    return {name: CertificateType.model_validate(entry) for name, entry in listed.items()}


def facts_of(platform: str, directory: Path = CITY) -> dict[str, Any]:
    """What a platform knows of people, by id_number. Raises `ValueError` for an id that no citizen has."""
    numbers = {citizen.id: citizen.id_number for citizen in read_citizens()}
    known = {id_: facts for id_, facts in _city_file(platform, directory).items() if id_ != SHARED}
    strangers = sorted(set(known) - set(numbers))
    if strangers:
        raise ValueError(f"{platform}.yaml: no citizen has the id {', '.join(strangers)}: see citizens.yaml")
    return {numbers[id_]: facts for id_, facts in known.items()}


def shared_of(platform: str, directory: Path = CITY) -> dict[str, Any]:
    """What belongs to no citizen (offices, price lists, free times): the file's `_shared`, or nothing."""
    return dict(_city_file(platform, directory).get(SHARED) or {})


def _city_file(platform: str, directory: Path) -> dict[str, Any]:
    path = directory / f"{platform}.yaml"
    if not path.is_file():
        return {}
    return dict(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or {})


def yuan(fen: int) -> str:
    """1234567 → 12,345.67"""
    return f"{fen // 100:,}.{fen % 100:02d}"
