"""A slip at a real server: from the terminal's question to what the phone sent, and every way it goes wrong."""

from __future__ import annotations

import base64
import datetime as dt
import io
import logging
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import update
from sqlmodel import col, select

from fleet_server.database import now
from fleet_server.handover import phone as phone_room
from fleet_server.handover import slips
from fleet_server.handover.models import HandoverPiece, HandoverSlip
from fleet_server.settings import Settings
from kiosk.contracts.errors import Garbled, SettingsInvalid
from kiosk.contracts.handover import TEXT_PLACE, Binding, Piece, unseal
from tests.fleet_server.conftest import World
from tests.fleet_server.handover.conftest import SLIP, Bench, photo

WORDS = "路灯三天不亮，晚上看不见台阶"


def opened(bench: Bench, slip: dict[str, Any], place: int, piece: dict[str, str], **other: Any) -> bytes:
    bound = {"terminal": bench.peer.terminal, "transaction_number": "T-1", "step": "photo_page", "place": place} | other
    return unseal(slip["token"], Binding.model_validate(bound), Piece.model_validate(piece))


def test_photos_and_words_reach_the_terminal_and_leave_the_centre(any_world: World) -> None:
    with any_world.client() as client:
        bench = Bench(any_world, client, any_world.terminal())
        slip = bench.slip()
        assert slip["address"].startswith(f"{any_world.url}/phone#"), "the token stands behind the #"
        assert len(base64.urlsafe_b64decode(slip["token"] + "==")) == 16
        assert bench.get(slip["id"]).json()["state"] == "waiting"
        phone = bench.phone(slip)
        told = phone.open().json()
        assert (told["material"]["zh-CN"], told["site"], told["photos"], told["text"]) == ("现场照片", "便利店", 2, 40)
        assert bench.get(slip["id"]).json()["state"] == "opened"
        assert bench.get(f"{slip['id']}/content").json()["code"] == "not_sent"
        assert phone.put(photo(), 0).status_code == 204
        assert phone.put(photo(4000, 3000), 1).status_code == 204
        assert phone.finish(2, f"  {WORDS}\n\x07 ").status_code == 204
        assert bench.get(slip["id"]).json()["state"] == "sent"
        one, two, text = bench.get(f"{slip['id']}/content").json()["pieces"]
        assert opened(bench, slip, TEXT_PLACE, text).decode() == WORDS
        for place, piece in enumerate((one, two)):
            jpeg = opened(bench, slip, place, piece)
            assert len(jpeg) <= 400 * 1024
            assert max(Image.open(io.BytesIO(jpeg)).size) <= 1600
        assert bench.get(f"{slip['id']}/content").status_code == 200, "an answer that was lost is given again"
        assert bench.delete(slip).status_code == 204
        assert bench.get(slip["id"]).status_code == 404
        assert held(any_world) == ([], [])


def held(world: World) -> tuple[list[HandoverSlip], list[HandoverPiece]]:
    with world.database.reading() as session:
        return list(session.exec(select(HandoverSlip))), list(session.exec(select(HandoverPiece)))


def test_the_disk_of_the_centre_holds_nothing_that_can_be_read(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    slip = bench.slip()
    phone = bench.phone(slip)
    phone.open()
    phone.put(photo())
    phone.finish(1, WORDS)
    data = b"".join(file.read_bytes() for file in bench.world.settings.data.rglob("*") if file.is_file())
    for secret in (slip["token"].encode(), phone.key.encode(), WORDS.encode(), b"JFIF"):
        assert secret not in data
    assert slip["token"] not in caplog.text
    one, *_ = bench.get(f"{slip['id']}/content").json()["pieces"]
    for other in ({"transaction_number": "T-2"}, {"terminal": "bench-9"}, {"step": "other"}):
        with pytest.raises(Garbled, match="does not open"):
            opened(bench, slip, 0, one, **other)
    with pytest.raises(Garbled, match="does not open"):
        opened(bench, slip, 1, one)


def test_what_is_hidden_in_a_photo_does_not_go_on(bench: Bench) -> None:
    exif = Image.Exif()
    exif[0x010E] = "under the sofa"
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    slip = bench.slip()
    phone = bench.phone(slip)
    phone.open()
    assert phone.put(photo(300, 200, exif=exif, comment=b"a remark")).status_code == 204
    phone.finish(1)
    jpeg = opened(bench, slip, 0, bench.get(f"{slip['id']}/content").json()["pieces"][0])
    picture = Image.open(io.BytesIO(jpeg))
    assert picture.size == (200, 300), "it stands upright"
    assert not picture.getexif()
    assert b"remark" not in jpeg
    assert b"sofa" not in jpeg


def bomb() -> bytes:
    """A PNG of 300 kilobytes that unpacks to three gigabytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 32_000, 32_000, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(3_000_000), 9) * 100
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"%PDF-1.7 not a photo at all", 422, "not_a_picture"),
        (b"", 422, "not_a_picture"),
        (b"GIF89a" + bytes(200), 422, "not_a_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "not_a_picture"),
        (photo()[:2000], 422, "broken_picture"),
        (bomb(), 422, "too_many_pixels"),
        (photo(9000, 7000, "PNG"), 422, "too_many_pixels"),
        (b"\xff\xd8\xff" + bytes(30 * 1024 * 1024), 413, "too_large"),
    ],
    ids=["pdf", "empty", "gif", "svg", "torn", "bomb", "sixty-three megapixels", "thirty megabytes"],
)  # fmt: skip
def test_what_is_no_photo_is_refused_and_the_slip_still_serves(
    bench: Bench, content: bytes, status: int, code: str
) -> None:
    slip = bench.slip()
    phone = bench.phone(slip)
    phone.open()
    answer = phone.put(content)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert phone.finish(1).json()["code"] == "nothing_sent"
    assert phone.put(photo()).status_code == 204
    assert phone.finish(1).status_code == 204


def test_one_phone_and_once(bench: Bench) -> None:
    slip = bench.slip()
    first, second = bench.phone(slip), bench.phone(slip)
    assert first.open().status_code == 200
    assert first.open().status_code == 200, "the page was loaded again on the same phone"
    assert second.open().json()["code"] == "other_phone"
    assert second.put(photo()).json()["code"] == "other_phone"
    assert second.finish(0, "x").json()["code"] == "other_phone"
    assert first.put(photo(), 2).json()["code"] == "no_place"
    assert first.finish(0, "长" * 41).json()["code"] == "text_too_long"
    assert first.finish(0, " \n ").json()["code"] == "nothing_sent"
    assert first.finish(0, "好").status_code == 204
    for again in (first.open(), first.put(photo()), first.finish(0, "再")):
        assert (again.status_code, again.json()["code"]) == (410, "slip_used")


def test_two_phones_in_the_same_moment_are_not_both_the_first(any_world: World) -> None:
    with any_world.client() as client:
        bench = Bench(any_world, client, any_world.terminal())
        slip = bench.slip()
        with ThreadPoolExecutor(6) as pool:
            said = list(pool.map(lambda _: bench.phone(slip).open().status_code, range(6)))
        assert sorted(said) == [200, 409, 409, 409, 409, 409]


def test_a_photo_taken_back_is_not_handed_over(bench: Bench) -> None:
    slip = bench.slip()
    phone = bench.phone(slip)
    phone.open()
    phone.put(photo(), 0)
    phone.put(photo(), 1)
    assert phone.finish(1).status_code == 204
    assert len(bench.get(f"{slip['id']}/content").json()["pieces"]) == 1


def test_a_slip_that_ran_out_or_was_ended_takes_nothing(bench: Bench) -> None:
    slip = bench.slip()
    phone = bench.phone(slip)
    phone.open()
    phone.put(photo())
    with bench.world.database.writing() as session:
        session.execute(update(HandoverSlip).values(expires_at=now() - dt.timedelta(seconds=1)))
    for late in (phone.open(), phone.put(photo()), phone.finish(1)):
        assert (late.status_code, late.json()["code"]) == (410, "slip_gone")
    assert bench.get(slip["id"]).json()["code"] == "no_slip"
    with bench.world.database.writing() as session:
        slips.forget_expired(session)
    assert held(bench.world) == ([], [])
    ended = bench.slip()
    phone = bench.phone(ended)
    phone.open()
    phone.put(photo())
    newer = bench.slip()
    assert phone.finish(1).json()["code"] == "slip_gone", "a new code ends the one before"
    with bench.world.database.reading() as session:
        assert list(session.exec(select(col(HandoverSlip.id)))) == [newer["id"]]
        assert not list(session.exec(select(HandoverPiece)))


def test_another_terminal_sees_nothing_of_it(bench: Bench) -> None:
    slip = bench.slip()
    stranger = bench.world.terminal("bench-2")
    path = f"/terminal/v1/handovers/{slip['id']}"
    assert stranger.get(bench.client, path).status_code == 404
    assert stranger.get(bench.client, f"{path}/content").status_code == 404
    bench.client.delete(path, headers=stranger.sign("DELETE", str(bench.client.base_url) + path))
    assert bench.get(slip["id"]).status_code == 200
    assert bench.client.get(path).status_code == 401
    assert bench.peer.post(bench.client, "/terminal/v1/handovers", SLIP | {"photos": 9}).status_code == 422


def test_who_guesses_or_hurries_is_slowed_down(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone_room, "WRONG_TOKENS", phone_room.Limit(3, 300.0))
    slip = bench.slip()
    for guess in ("A" * 22, "B" * 22, "C" * 22):
        headers = {"Authorization": f"Bearer {guess}"}
        assert bench.client.post("/phone/v1/slip", headers=headers).json()["code"] == "slip_gone"
    refused = bench.phone(slip).open()
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    monkeypatch.setattr(phone_room, "WRONG_TOKENS", phone_room.Limit(3, 300.0))
    phone = bench.phone(slip)
    phone.open()
    many = [phone.put(photo(40, 30)).status_code for _ in range(13)]
    assert (many[:12], many[12]) == ([204] * 12, 429)


def test_a_limit_forgets() -> None:
    moment = 0.0
    limit = phone_room.Limit(2, 10.0, clock=lambda: moment)
    limit.add("a")
    assert not limit.is_reached("a")
    limit.add("a")
    assert limit.is_reached("a")
    assert not limit.is_reached("b")
    moment = 11.0
    assert not limit.is_reached("a")


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("", "zh-CN"), ("en-US,en;q=0.9", "en"), ("zh-TW,zh;q=0.8", "zh-TW"), ("zh-Hant-HK", "zh-TW"), ("zh", "zh-CN"),
     ("fr,en;q=0.4,zh-CN;q=0.5", "zh-CN"), ("en;q=0,zh-TW;q=x", "zh-CN"), ("de", "zh-CN")],
)  # fmt: skip
def test_the_page_speaks_the_phones_language_and_loads_nothing_from_elsewhere(
    bench: Bench, accepted: str, language: str
) -> None:
    page = bench.client.get("/phone", headers={"Accept-Language": accepted})
    assert f'<html lang="{language}">' in page.text
    assert "http://" not in page.text.replace(bench.world.url, "")
    assert "https://" not in page.text
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert bench.client.get("/phone/../settings.py").status_code == 404
    assert bench.client.get("/phone/words.yaml").status_code == 404


def test_without_an_address_for_phones_the_terminal_is_told(bench: Bench) -> None:
    state = bench.world.app.state
    state.settings = state.settings.model_copy(update={"environment": "production"})
    answer = bench.peer.post(bench.client, "/terminal/v1/handovers", SLIP)
    assert (answer.status_code, answer.json()["code"]) == (503, "no_phone_address")
    state.settings = state.settings.model_copy(update={"phone_url": "https://phone.example.org/"})
    assert bench.slip()["address"].startswith("https://phone.example.org/phone#")
    with pytest.raises(SettingsInvalid, match="YIZHAN_PHONE_URL"):
        Settings.from_environment(
            {"YIZHAN_ENVIRONMENT": "production", "YIZHAN_SECRET": "0123456789abcdefghijklmnopqrstuv",
             "YIZHAN_PHONE_URL": "http://phone.example.org"}
        )  # fmt: skip
