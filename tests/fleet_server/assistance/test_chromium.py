"""The helper's pages in a real browser: live without reload, one touch to speak or point, legible, nothing cut off."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.fleet_server.assistance.test_calls import report
from tests.fleet_server.conftest import PASSWORD, World
from tests.fleet_server.dashboard.test_chromium import ARGUMENTS, CHROMIUM, CONTRAST, CUT_OFF, DESKTOP, PHONE
from tests.kiosk.flow.world import text


def said(zh_cn: str, zh_tw: str, en: str) -> dict[str, str]:
    return {"zh-CN": zh_cn, "zh-TW": zh_tw, "en": en}


WAYS: dict[str, Any] = {
    "screen": 12, "stage": "session", "kind": "choose", "place": "screen", "step": 3, "steps": 6,
    "matter": said("随手拍（城市问题反映）", "隨手拍（城市問題反映）", "Report it"),
    "title": said("照片和说明", "照片和說明", "Photos and words"),
    "say": said("请选一种办法", "請選一種辦法", "How would you like to give it?"),
    "touchables": [
        {"name": "option:phone", "label": said("用自己的手机发", "用自己的手機傳", "Send it from your phone")},
        {"name": "option:camera", "label": said("放到高拍仪下拍", "放到高拍儀下拍", "Lay it here"), "enabled": False},
        {"name": "back"},
    ],
}  # fmt: skip
FORM: dict[str, Any] = WAYS | {
    "screen": 13, "kind": "form", "title": said("写清情况", "寫清情況", "Describe it"), "say": None, "step": 4,
    "shown": [said("姓名", "姓名", "Name"), None],
    "fields": [{"name": "field:place", "label": text("地点")}, {"name": "field:phone", "label": text("联系电话"),
               "is_required": False, "is_filled": True}],
    "touchables": [{"name": "primary", "label": text("下一步"), "is_primary": True}, {"name": "back"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if shutil.which(CHROMIUM) is None:
        pytest.skip(f"Chromium is not installed: {CHROMIUM} is missing (apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def test_from_the_list_to_the_last_word(world: World, chromium: Browser) -> None:
    peer = world.terminal()
    context = chromium.new_context(viewport=DESKTOP, base_url=world.url)
    page = context.new_page()
    page.set_default_timeout(10_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/sign-in")
    page.fill("[name=name]", "operator")
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.goto("/help")
    expect(page.locator("main")).to_contain_text("没有人在等")
    body = {"mode": "elder", "language": "zh-CN", "description": WAYS}
    with world.client() as client:
        call = peer.post(client, "/terminal/v1/assistance", body).json()["id"]
    expect(page.locator(f"#take-{call}")).to_be_visible()
    expect(page.locator("main")).to_contain_text("随手拍（城市问题反映）")
    legible(page)
    page.click(f"#take-{call}")
    expect(page.locator("main")).to_contain_text("放到高拍仪下拍")
    page.locator("[id='point-option:phone']").click()
    page.click("#ready-this")
    spoken = report(world, peer, call, description=WAYS).json()
    assert spoken["state"] == "taken"
    assert [(each["point"], each["screen"]) for each in spoken["messages"]] == [("option:phone", 12), ("", 12)]
    report(world, peer, call, description=FORM, heard=2)
    expect(page.locator("main")).to_contain_text("写清情况")
    expect(page.locator("main")).to_contain_text("内容只有市民能看到")
    expect(page.locator("main .chip.good").first).to_contain_text("已填")
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)
        legible(page)
    page.fill("[name=words]", "电话可以不填，直接点下一步")
    page.get_by_role("button", name="发送").click()
    expect(page.locator("main")).to_contain_text("电话可以不填，直接点下一步")
    page.click("#end")
    expect(page.locator("main")).to_contain_text("协助员结束")
    assert json.loads(report(world, peer, call).text)["code"] == "no_call"
    assert complaints == []
    context.close()


def legible(page: Any) -> None:
    found = page.evaluate(CONTRAST)
    assert found["seen"] > 20
    assert found["found"] == []
    assert page.evaluate(CUT_OFF) == []
    assert page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
