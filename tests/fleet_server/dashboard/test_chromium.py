"""The pages in a real browser: signed in by keyboard, live without reload, published by two people, legible."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.fleet_server.conftest import MATTER, PASSWORD, World
from tests.fleet_server.dashboard.sample_data import fill
from tests.fleet_server.peer import Journal

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
SEEN_WITHIN_MS = 3000

CONTRAST = """() => {
  const channel = (v) => (v /= 255, v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (node) => {
    for (let each = node; each; each = each.parentElement) {
      const colour = parse(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    seen += 1;
    if (ratio < 7) found.push(`${ratio.toFixed(2)} ${walker.currentNode.data.trim().slice(0, 30)}`);
  }
  return { seen, found };
}"""


CUT_OFF = """() => [...document.querySelectorAll('.flush')].flatMap((card) =>
  [...card.querySelectorAll('button, a, time, .chip, b')].filter((each) => each.checkVisibility() &&
    !each.closest('.tabs, .code-view') &&
    each.getBoundingClientRect().right > card.getBoundingClientRect().right + 1).map((each) => each.textContent))"""
"""What a card that hides its overflow would hide."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if shutil.which(CHROMIUM) is None:
        pytest.skip(f"Chromium is not installed: {CHROMIUM} is missing (apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def window(world: World, chromium: Browser) -> Iterator[Callable[..., Page]]:
    """`window()`: a person's own browser; with a name, already signed in. What its console says must stay empty."""
    contexts, complaints = [], []

    def opened(name: str = "", size: Any = DESKTOP) -> Page:
        context = chromium.new_context(viewport=size, base_url=world.url)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if name:
            page.goto("/sign-in")
            page.fill("[name=name]", name)
            page.fill("[name=password]", PASSWORD)
            page.click("main button")
            page.wait_for_url(lambda url: "sign-in" not in url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints


def test_signing_in_and_out_by_keyboard_alone(window: Callable[..., Page]) -> None:
    page = window()
    page.goto("/audit")
    page.keyboard.type("auditor")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url.endswith("/audit") and "sign-in" not in url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    reached = set()
    page.goto("/overview")
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.getAttribute('href') || document.activeElement.innerText"))
        outline = page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
        assert outline >= 2 or page.evaluate("document.activeElement === document.body")
    assert {"/terminals", "/transactions", "/audit", "/account"} <= reached
    page.focus(".leave button")
    page.keyboard.press("Space")
    expect(page.get_by_text("已退出。")).to_be_visible()


def test_a_fault_in_a_heartbeat_appears_and_goes_without_reload(world: World, window: Callable[..., Page]) -> None:
    peer = world.terminal()
    page = window("maintainer")
    page.goto("/overview")
    page.evaluate("window.sameDocument = true")
    expect(page.get_by_text("没有需要处理的故障。")).to_be_visible()
    page.focus("#tab-clerk")

    def say(*faults: str) -> None:
        device = {
            "device": "user_error" if faults else "online", "parts": {},
            "faults": [{"code": code, "action": "clear", "since": "2026-01-01T00:00:00Z"} for code in faults],
        }  # fmt: skip
        with world.client() as machine:
            beat = peer.heartbeat(devices={"receipt_printer": device})
            assert peer.post(machine, "/terminal/v1/heartbeats", beat).status_code == 200

    begun = time.monotonic()
    say("paper_out", "cover_open")
    row = page.locator("tr", has_text="缺纸")
    expect(row).to_be_visible(timeout=SEEN_WITHIN_MS)
    assert time.monotonic() - begun < SEEN_WITHIN_MS / 1000
    for said in ("便利店", "bench-1", "凭条打印机", "店员", "80 mm 热敏纸卷"):
        expect(row).to_contain_text(said)
    assert page.evaluate("document.activeElement.id") == "tab-clerk", "the reader's place is kept"
    row.get_by_role("button", name="我来处理").click()
    expect(page.locator("tr", has_text="缺纸")).to_contain_text("Maintainer")
    page.evaluate("window.sameDocument = true")
    say("cover_open")
    expect(page.locator("tr", has_text="缺纸")).to_have_count(0, timeout=SEEN_WITHIN_MS)
    expect(page.locator("tr", has_text="盖板未关")).to_be_visible()
    assert page.evaluate("window.sameDocument"), "the page was reloaded"


def test_a_lost_server_is_said(world: World, window: Callable[..., Page]) -> None:
    page = window("maintainer")
    page.goto("/overview")
    page.context.set_offline(True)
    expect(page.locator("#link-state")).to_contain_text("连接中断", timeout=20_000)
    page.context.set_offline(False)
    expect(page.locator("#link-state")).to_be_empty(timeout=20_000)


def test_two_people_publish_in_two_browsers(world: World, window: Callable[..., Page]) -> None:
    author, reviewer = window("author"), window("reviewer")
    author.goto("/matters/drafts/new")
    broken = MATTER.read_text(encoding="utf-8").replace("assurance:", "assurence:")
    author.set_input_files("#draft-file", {"name": "m.yaml", "mimeType": "text/yaml", "buffer": broken.encode()})
    expect(author.locator("#draft-text")).to_have_value(broken)
    author.get_by_role("button", name="检查并保存").click()
    line = broken.split("\n").index("assurence: card_person") + 1
    author.get_by_role("link", name=f"第 {line} 行").click()
    selected = "(area => area.value.slice(area.selectionStart, area.selectionEnd))"
    assert author.evaluate(f"{selected}(document.getElementById('draft-text'))") == "assurence: card_person"
    author.fill("#draft-text", broken.replace("assurence:", "assurance:"))
    author.get_by_role("button", name="检查并保存").click()
    expect(author.get_by_text("草稿已保存，没有错误。")).to_be_visible()
    author.fill("input[name=password]", PASSWORD)
    author.get_by_role("button", name="签名并提交").click()
    expect(author.get_by_text("等待另一人审核").first).to_be_visible()
    reviewer.goto("/matters")
    reviewer.locator(".lines a").first.click()
    reviewer.fill("input[name=password]", PASSWORD)
    reviewer.get_by_role("button", name="签名并发布").click()
    expect(reviewer.get_by_text("已由两人签名发布")).to_be_visible()
    reviewer.goto("/matters")
    expect(reviewer.locator("table.rows")).to_contain_text("不动产登记信息查询证明（无房）")


def test_a_transaction_is_searched_and_its_proof_read(world: World, window: Callable[..., Page]) -> None:
    journal = Journal(world.terminal())
    journal.transaction("260101-BNCH-AAAAAA")
    journal.transaction("260101-BNCH-BBBBBB")
    with world.client() as machine:
        journal.upload(machine)
    page = window("auditor")
    page.goto("/transactions")
    page.fill("[name=number]", "260101-bnch")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("link", name="260101-BNCH-BBBBBB").click()
    expect(page.locator(".proof")).to_contain_text("已核验：完整，未被改动")
    expect(page.locator(".timeline > li")).to_have_count(5)


def test_every_page_is_legible_on_a_desk_and_on_a_telephone(world: World, window: Callable[..., Page]) -> None:
    """A contrast of 7:1 for every text, nothing wider than the screen, on a telephone nothing too small to touch."""
    fill(world.app, transactions=12)
    pages = {
        "administrator": ["/overview", "/terminals", "/terminals/xm-huli-002a", "/terminals/new", "/transactions",
                          "/accounts", "/accounts/author", "/audit", "/nothing", "/money", "/ratings"],
        "author": ["/matters", "/matters/versions/no_house_certificate", "/matters/drafts/new", "/account",
                   "/accounts"],
        "reviewer": ["/matters/submissions/3", "/rollout"],
    }  # fmt: skip
    for size in (DESKTOP, PHONE):
        for name, paths in pages.items():
            page = window(name, size)
            for path in paths:
                page.goto(f"/language/{'en' if size is DESKTOP else 'zh-CN'}?back={path}")
                audit = page.evaluate(CONTRAST)
                assert audit["seen"] > 5, path
                assert not audit["found"], f"{path} at {size['width']}: {audit['found'][:5]}"
                assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], f"{path} is too wide"
                assert not page.evaluate(CUT_OFF), f"{path} at {size['width']}: {page.evaluate(CUT_OFF)}"
                if size is PHONE:
                    small = page.evaluate(
                        "[...document.querySelectorAll('button, .button, .side a, select, input:not([type=hidden]):"
                        "not([type=checkbox])')].filter(e => e.checkVisibility() && e.getBoundingClientRect().height"
                        " < 40).map(e => e.outerHTML.slice(0, 80))"
                    )
                    assert not small, f"{path}: {small}"
