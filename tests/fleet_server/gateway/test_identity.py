"""The provincial app's code: whose it is, told once, for a minute. Travel documents on record, and all others."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import httpx
import pytest


def shown(city: Any, citizen: str) -> str:
    answer = httpx.get(f"{city.address}/app-code", params={"id_number": city.who(citizen)["id_number"]})
    assert answer.status_code == 200
    return answer.text


def asked(centre: Any, code: str) -> dict[str, Any]:
    answer = centre.terminal.call("identity.app_code", {"code": code})
    assert answer.status_code == 200
    return dict(answer.json())


def test_a_code_names_its_owner_once(centre: Any, city: Any) -> None:
    code = shown(city, "lin")
    who = city.who("lin")
    assert who["id_number"] not in code
    first, second = asked(centre, code), asked(centre, code)
    assert (first["outcome"], first["data"]["name"], first["data"]["id_number"]) == ("done", *reversed(who.values()))
    assert (second["outcome"], second["reason"]) == ("refused", "code_unknown")
    assert set(second["message"]) == {"zh-CN", "zh-TW", "en"}


def test_a_code_is_good_for_a_minute(centre: Any, city: Any) -> None:
    code = shown(city, "ouyang")
    city.offset = dt.timedelta(seconds=61)
    assert asked(centre, code)["reason"] == "code_expired"


def test_what_is_no_code_names_nobody(centre: Any, city: Any) -> None:
    assert asked(centre, "MZT1.made-up")["reason"] == "code_unknown"
    nobody = httpx.get(f"{city.address}/app-code", params={"id_number": "350203190001010000"})
    assert nobody.status_code == 404


LEUNG = {"document_code": "CR", "issuer": "CHN", "number": "H12345678", "birth": "070707", "expiry": "320706"}


def document(centre: Any, **changed: str) -> dict[str, Any]:
    answer = centre.terminal.call("identity.travel_document", LEUNG | changed)
    assert answer.status_code == 200
    return dict(answer.json())


def test_a_travel_document_on_record_names_its_holder_with_a_portrait(centre: Any, city: Any) -> None:
    said = document(centre)
    assert said["outcome"] == "done"
    who = city.who("leung")
    assert {"name": said["data"]["name"], "id_number": said["data"]["id_number"]} == who
    assert said["data"]["birth_date"] == "1907-07-07"
    assert base64.b64decode(said["data"]["portrait"]).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"number": "H12345679"}, "document_unknown"), ({"birth": "070708"}, "document_unknown"),
        ({"expiry": "330706"}, "document_unknown"), ({"issuer": "UTO"}, "document_unknown"),
        ({"number": "M87654321", "birth": "060214", "expiry": "340213"}, "document_lost"),
        (
            {"document_code": "P", "issuer": "GBR", "number": "987650123", "birth": "081224", "expiry": "251231"},
            "document_expired",
        ),
    ],
)  # fmt: skip
def test_any_difference_and_a_lost_or_expired_document_is_refused(
    centre: Any, city: Any, changed: dict[str, str], reason: str
) -> None:
    said = document(centre, **changed)
    assert (said["outcome"], said["reason"]) == ("refused", reason)
    assert set(said["message"]) == {"zh-CN", "zh-TW", "en"}
    assert city
