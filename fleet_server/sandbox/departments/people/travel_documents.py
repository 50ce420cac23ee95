"""Travel documents the identity platform has registered (assets/samples/travel_documents.yaml), and whose they are.

Number, birth date and expiry must all be those on record; which of them is not, nobody is told.
"""

from __future__ import annotations

import base64
import datetime as dt
from functools import cache
from typing import Any

import yaml

from fleet_server.sandbox.calls import Call, Declined
from fleet_server.sandbox.citizens import SAMPLES

DOCUMENTS = SAMPLES.parent / "travel_documents.yaml"
PORTRAITS = SAMPLES.parent / "portraits"


@cache
def _by_number() -> dict[tuple[str, str], tuple[str, dict[str, Any]]]:
    entries: dict[str, dict[str, Any]] = yaml.load(DOCUMENTS.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {(entry["issuer"], entry["number"]): (id_, entry) for id_, entry in entries.items()}


def verify_travel_document(call: Call) -> dict[str, Any]:
    asked = call.body
    id_, entry = _by_number().get((str(asked.get("issuer")), str(asked.get("docNo"))), ("", {}))
    citizen = next((each for each in call.city.people.values() if each.id == id_), None)
    if citizen is None or any(
        asked.get(name) != _printed(entry[key]) for name, key in (("birth", "birth_date"), ("expiry", "valid_until"))
    ):
        raise Declined("4061", "未查询到该证件或信息不一致")
    if entry.get("state") == "lost":
        raise Declined("4062", "该证件已挂失")
    if entry["valid_until"] < call.city.clock().date():
        raise Declined("4063", "该证件已过有效期")
    portrait = PORTRAITS / f"{id_}.png"
    return {
        "errcode": 0,
        "user": {
            "xm": citizen.name, "sfzh": citizen.id_number, "zz": citizen.residence_address or citizen.address,
            "csrq": entry["birth_date"].isoformat(), "xb": "1" if entry["sex"] == "M" else "2",
            "zp": base64.b64encode(portrait.read_bytes()).decode() if portrait.is_file() else None,
        },
        "level": "L1",
    }  # fmt: skip


def _printed(day: dt.date) -> str:
    return day.strftime("%y%m%d")
