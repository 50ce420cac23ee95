"""Who may act for a firm (assets/samples/firms.yaml)."""

from __future__ import annotations

from pathlib import Path

import yaml

from fleet_server.sandbox.citizens import SAMPLES, Citizen


def representatives(path: Path = SAMPLES.parent / "firms.yaml") -> dict[str, str]:
    """Credit codes of registered firms and the citizen id of who represents each; empty where it is nobody known."""
    firms = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["firms"]
    return {str(firm["credit_code"]): str(firm.get("legal_representative", "")) for firm in firms}


REPRESENTATIVES = representatives()


def may_act_for(citizen: Citizen, credit_code: str) -> bool:
    """A firm registered just now is known to nobody yet: whoever brings its licence acts for it."""
    return REPRESENTATIVES.get(credit_code, citizen.id) == citizen.id
