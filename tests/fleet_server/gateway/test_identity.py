"""The provincial app's code: whose it is, told once, for a minute."""

from __future__ import annotations

import datetime as dt
from typing import Any

import httpx


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
