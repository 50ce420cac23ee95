"""The invented people of the city and what its departments know of them (assets/samples/citizens.yaml)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

SAMPLES = Path(__file__).parents[2] / "assets" / "samples" / "citizens.yaml"


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
    """`id` names the sample card of the same person. No phone: nobody registered one."""

    id: str
    name: str
    id_number: str
    address: str = ""
    residence_address: str | None = None
    phone: str | None = None
    certificates: tuple[Certificate, ...] = ()
    houses: tuple[House, ...] = ()
    social_insurance: SocialInsurance | None = None
    provident_fund: ProvidentFund | None = None
    pension: Pension | None = None
    medical_insurance: MedicalInsurance | None = None
    vehicles: tuple[Vehicle, ...] = ()

    def certificate(self, type_: str) -> Certificate | None:
        return next((held for held in self.certificates if held.type == type_), None)


def read_citizens(path: Path = SAMPLES) -> tuple[Citizen, ...]:
    listed = yaml.safe_load(path.read_text(encoding="utf-8"))["citizens"]
    return tuple(Citizen.model_validate(entry) for entry in listed)


def yuan(fen: int) -> str:
    """1234567 → 12,345.67"""
    return f"{fen // 100:,}.{fen % 100:02d}"
