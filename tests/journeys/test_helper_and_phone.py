"""A terminal, a server and their city as processes; a helper and a citizen's phone as real browsers beside them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from kiosk.demo.citizen import Citizen, Journey
from kiosk.demo.city import City
from kiosk.demo.hand import Hand
from kiosk.demo.run import cards_for, fresh
from tests.fleet_server.dashboard.test_chromium import ARGUMENTS, CHROMIUM

pytestmark = pytest.mark.campaign
WORDS = "井盖裂了，自行车压上去会翘起来"
SECONDS = 40.0


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    fresh(tmp_path / "demo")
    made = City(tmp_path / "demo")
    try:
        made.start(lambda _said: None)
        yield made
    finally:
        made.stop()


@pytest.fixture
def chromium() -> Iterator[Browser]:
    if shutil.which(CHROMIUM) is None:
        pytest.skip(f"Chromium is not installed: {CHROMIUM} is missing (apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def at(hand: Hand, kind: str) -> None:
    until(lambda: hand.state()["screen"]["kind"] == kind)


def tap(hand: Hand, name: str) -> None:
    until(lambda: hand.tap(name))


def code_on(hand: Hand, picture: Path) -> str:
    """What a phone's camera reads off the screen."""
    found: list[str] = []

    def read() -> bool:
        hand.shot(picture)
        found.append(cv2.QRCodeDetector().detectAndDecode(cv2.imread(str(picture)))[0])
        return bool(found[-1])

    until(read)
    return found[-1]


def test_a_helper_points_at_the_phone_and_the_phone_sends(city: City, chromium: Browser, tmp_path: Path) -> None:
    hand = Hand(city.hand)
    until(lambda: hand.state()["matters"])
    journey = Journey(cards_for("report_it")[0], "report_it", "elder")
    screen = {"step": "photo_page", "kind": "choose"}
    Citizen(city, hand, None).walk(journey, until=lambda state: screen.items() <= state["screen"].items())
    helper = chromium.new_page(base_url=f"http://127.0.0.1:{city.server_port}")
    account = city.seed["accounts"]["operator"]
    helper.goto("/sign-in")
    helper.fill("[name=name]", account["name"])
    helper.fill("[name=password]", account["password"])
    helper.click("main button")
    helper.goto("/help")
    for name in ("help", "remote_helper", "helper_agree"):
        tap(hand, name)
    helper.locator("[id^=take-]").click()
    helper.locator("[id='point-option:phone']").click()
    helper.locator(".chip.good").first.wait_for()
    tap(hand, "option:phone")
    at(hand, "instruct")
    phone = chromium.new_context(locale="zh-CN", is_mobile=True, has_touch=True).new_page()
    phone.goto(code_on(hand, tmp_path / "screen.png"))
    Image.linear_gradient("L").resize((3000, 2000)).convert("RGB").save(tmp_path / "photo.jpg")
    phone.fill("#text", WORDS)
    phone.set_input_files("#file", tmp_path / "photo.jpg")
    phone.locator("figure").wait_for()
    phone.click("#send")
    phone.locator("#notice.good").wait_for()
    at(hand, "preview")
    tap(hand, "primary")
    at(hand, "review")
    helper.get_by_text("您在手机上写的").wait_for()
    assert WORDS not in helper.content()
    tap(hand, "end_helper")
    helper.get_by_text("市民结束").wait_for()
    tap(hand, "primary")
    at(hand, "form")
    hand.close()
    logs = b"".join(log.read_bytes() for log in city.logs.iterdir())
    assert WORDS.encode() not in logs
