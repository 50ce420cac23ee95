"""The city over HTTP: who may call, codes by text message, verification for anyone, and a process of its own."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import os
import secrets
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from fleet_server.gateway.authority import Exchange
from fleet_server.sandbox.city import CODE_SECONDS, CODE_TRIES

KEY = b"a key of the test"
LIN = "350203190102030017"


def codes(city: Any, phone: str = "13000000001") -> list[str]:
    return [
        message["text"].split("验证码")[1][:6] for message in city.client.get("/inbox", params={"phone": phone}).json()
    ]


def test_a_code_reaches_the_registered_phone_and_is_good_once(city: Any) -> None:
    sent = city.post("/sms/codes", {"idNo": LIN}).json()
    assert sent["mobile"] == "130****01"
    assert len(codes(city)) == 1
    assert codes(city, "13000000002") == []
    right = {"taskId": sent["taskId"], "code": codes(city)[0]}
    assert city.post("/sms/codes/verify", right).json()["verified"] is True
    assert city.post("/sms/codes/verify", right).json()["code"] == "CODE_EXPIRED"


def test_wrong_codes_run_out(city: Any) -> None:
    sent = city.post("/sms/codes", {"idNo": LIN}).json()
    right = codes(city)[0]
    wrong = {"taskId": sent["taskId"], "code": "000000" if right != "000000" else "111111"}
    said = [city.post("/sms/codes/verify", wrong).json()["code"] for _ in range(CODE_TRIES)]
    assert said == ["CODE_WRONG"] * (CODE_TRIES - 1) + ["TOO_MANY"]
    assert city.post("/sms/codes/verify", wrong | {"code": right}).json()["code"] == "TOO_MANY"


def test_a_code_expires(tmp_path: Path, start_city: Any) -> None:
    offset = [0]
    with start_city(tmp_path, clock=lambda: dt.datetime.now(dt.UTC) + dt.timedelta(seconds=offset[0])) as city:
        sent = city.post("/sms/codes", {"idNo": LIN}).json()
        offset[0] = CODE_SECONDS + 1
        late = city.post("/sms/codes/verify", {"taskId": sent["taskId"], "code": codes(city)[0]})
        assert late.json()["code"] == "CODE_EXPIRED"


def test_nobody_registered_nobody_told(city: Any) -> None:
    assert city.post("/sms/codes", {"idNo": "350203190904180068"}).json()["code"] == "NO_PHONE"
    assert city.post("/sms/codes", {"idNo": "x"}).json()["code"] == "NO_PHONE"


def test_only_the_gateway_is_served(city: Any) -> None:
    body = json.dumps({"idNo": LIN}).encode()
    assert city.client.post("/sms/codes", content=body).status_code == 401
    good = city.exchange.headers("POST", "/sms/codes", body)
    assert city.client.post("/sms/codes", content=body + b" ", headers=good).status_code == 401
    assert city.client.post("/sms/codes", content=body, headers=good).status_code == 200
    assert city.client.post("/sms/codes", content=body, headers=good).text == "replayed"
    foreign = Exchange("", b"another key").headers("POST", "/sms/codes", body)
    assert city.client.post("/sms/codes", content=body, headers=foreign).status_code == 401
    assert city.client.get("/documents/abc").status_code == 401
    assert len(codes(city)) == 1


def test_an_old_signature_is_refused(city: Any) -> None:
    body, moment, nonce = b"{}", str(int(time.time()) - 3600), secrets.token_hex(8)
    text = "\n".join(("POST", "/sms/codes", moment, nonce, "", hashlib.sha256(body).hexdigest()))
    headers = {
        "x-yizhan-moment": moment,
        "x-yizhan-nonce": nonce,
        "x-yizhan-signature": hmac.new(KEY, text.encode(), hashlib.sha256).hexdigest(),
    }
    assert city.client.post("/sms/codes", content=body, headers=headers).text == "moment is not now"


def test_an_idempotency_key_is_honoured_and_bound_to_its_body(city: Any) -> None:
    first = city.post("/sms/codes", {"idNo": LIN}, key="k1").json()
    assert city.post("/sms/codes", {"idNo": LIN}, key="k1").json() == first
    assert len(codes(city)) == 1
    assert city.post("/sms/codes", {"idNo": "350212190311300024"}, key="k1").status_code == 409


def test_orders_are_taken_listed_used_up_and_forgotten(city: Any) -> None:
    city.client.post("/orders", json={"authority": "messages", "behave": "down", "times": 2})
    assert [order["left"] for order in city.client.get("/orders").json()] == [2]
    assert [city.post("/sms/codes", {"idNo": LIN}).status_code for _ in range(3)] == [503, 503, 200]
    assert city.client.get("/orders").json() == []
    assert city.client.post("/orders", json={"authority": "messages", "behave": "dance"}).status_code == 422
    city.client.post("/orders", json={"authority": "messages", "operation": "sms.verify_code", "behave": "down"})
    assert city.post("/sms/codes", {"idNo": LIN}).status_code == 200
    city.client.delete("/orders")
    assert city.client.get("/orders").json() == []


def test_anyone_may_verify_a_paper_and_learns_no_name(city: Any) -> None:
    body = {"applicant": {"idNo": LIN, "name": "林测试"}, "usage": "school"}
    code = city.post("/bdc/v1/no-house-certificates", body).json()["result"]["checkCode"]
    page = city.client.get(f"/verify/{code}")
    assert page.status_code == 200
    assert "核验通过" in page.text
    assert "林测试" not in page.text
    missing = city.client.get("/verify/<script>alert(1)")
    assert missing.status_code == 404
    assert "<script>" not in missing.text


def test_the_process_says_where_it_serves_and_refuses_production(tmp_path: Path) -> None:
    code = "import sys, pathlib; from fleet_server.sandbox import run; run(port=0, data=pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-c", code, str(tmp_path / "city")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            pem = httpx.get(f"{said['address']}/authorities.pem", timeout=20, trust_env=False).text
            assert pem == Path(said["authorities"]).read_text()
        finally:
            process.terminate()
            process.wait(timeout=20)
    refused = subprocess.run(
        command, env=os.environ | {"YIZHAN_ENVIRONMENT": "production"}, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert refused.returncode != 0
    assert "never run in production" in refused.stderr
