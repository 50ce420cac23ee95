"""The citizen's phone as a real browser, the terminal as a real flow with the machine's own way to a real centre."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlmodel import select

from fleet_server.handover.models import HandoverPiece, HandoverSlip
from kiosk.contracts.text import Language
from kiosk.machine.fleet.client import FleetClient
from kiosk.machine.fleet.handover import HandOver
from kiosk.machine.fleet.identity import MachineKey
from tests.fleet_server.conftest import World
from tests.fleet_server.dashboard.test_chromium import ARGUMENTS, CHROMIUM, CONTRAST
from tests.fleet_server.handover.conftest import Bench, photo
from tests.kiosk.flow.world import World as Hall
from tests.kiosk.flow.world import matter, text

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True,
                         "has_touch": True}  # fmt: skip
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL = """() => [...document.querySelectorAll('button, .button, textarea')].filter((each) => each.checkVisibility())
  .filter((each) => each.getBoundingClientRect().height < 44).map((each) => each.textContent)"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if shutil.which(CHROMIUM) is None:
        pytest.skip(f"Chromium is not installed: {CHROMIUM} is missing (apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def scan(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """`scan(address)`: a phone of its own opens the code; no page complains, and none asks another server."""
    contexts, complaints, asked = [], [], []

    def scanned(address: str, locale: str = "zh-CN") -> Page:
        context = chromium.new_context(locale=locale, **PHONE)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        return page

    yield scanned
    for context in contexts:
        context.close()
    assert complaints == []
    assert {url.split("/")[2].split(":")[0] for url in asked if url.startswith("http")} <= {"127.0.0.1"}
    assert not [url for url in asked if "#" not in url and "token" in url.lower()]


def chosen(page: Page, directory: Path, *contents: bytes) -> None:
    files = [directory / f"photo-{number}.jpg" for number in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    expect(page.locator("#form")).to_be_visible()  # the slip has been heard: nobody can choose before
    page.set_input_files("#file", files)


def test_photos_and_words_in_three_languages(bench: Bench, scan: Callable[..., Page], tmp_path: Path) -> None:
    said = (
        ("zh-CN", "发送到自助机", "已经发送"), ("zh-TW", "傳送到自助機", "已經傳送"),
        ("en-GB", "Send to the terminal", "Sent"),
    )  # fmt: skip
    for locale, label, sent in said:
        slip = bench.slip()
        page = scan(slip["address"], locale)
        send = page.locator("#send")
        expect(send).to_have_text(label)
        expect(send).to_be_disabled()
        expect(page.locator("#left")).to_contain_text(":")
        chosen(page, tmp_path, photo(3000, 2000), photo(800, 1200))
        expect(page.locator("figure")).to_have_count(2)
        expect(page.locator("#add")).to_be_hidden()
        page.locator("figure button").first.click()
        expect(page.locator("figure")).to_have_count(1)
        page.fill("#text", "井盖裂了")
        assert page.evaluate(OVERFLOW) <= 0
        assert page.evaluate(SMALL) == []
        legible = page.evaluate(CONTRAST)
        assert legible["seen"] > 5
        assert legible["found"] == []
        send.click()
        expect(page.locator("#notice-title")).to_have_text(sent)
        pieces = bench.get(f"{slip['id']}/content").json()["pieces"]
        assert [piece["kind"] for piece in pieces] == ["photo", "text"]
        page.reload()
        expect(page.locator("#notice")).to_have_class("notice bad")


def test_what_goes_wrong_is_said_on_the_phone(bench: Bench, scan: Callable[..., Page], tmp_path: Path) -> None:
    slip = bench.slip()
    page = scan(slip["address"])
    expect(page.locator("#form")).to_be_visible()
    second = scan(slip["address"])
    expect(second.locator("#notice-text")).to_contain_text("另一部手机")
    chosen(page, tmp_path, b"%PDF-1.7 a letter")
    page.click("#send")
    expect(page.locator("figure p")).to_contain_text("JPEG、PNG 或 WebP")
    expect(page.locator("#send")).to_be_disabled()
    page.locator("figure button").click()
    chosen(page, tmp_path, b"\xff\xd8\xff" + bytes(16 * 1024 * 1024))
    page.click("#send")
    expect(page.locator("#wrong")).to_contain_text("15 MB")
    page.locator("figure button").click()
    page.fill("#text", "改用文字说")
    page.context.set_offline(True)
    page.click("#send")
    expect(page.locator("#wrong")).to_contain_text("没有连上服务器")
    page.context.set_offline(False)
    assert bench.delete(slip).status_code == 204
    page.click("#send")
    expect(page.locator("#notice-text")).to_contain_text("取消")
    expect(page.locator("#text")).to_have_value("")
    empty = scan(slip["address"].partition("#")[0])
    expect(empty.locator("#notice-text")).to_contain_text("二维码")


# --- the terminal's flow beside it --------------------------------------------------------------------------------


STEP = {"id": "photo_page", "kind": "collect_material", "phone": {"photos": 2, "text": 60}, "optional": True}


@contextlib.asynccontextmanager
async def terminal(bench: Bench, directory: Path) -> AsyncIterator[Any]:
    """The flow's own stage with the machine's real hand-over."""
    key = MachineKey(bench.peer.key)
    client = FleetClient(bench.world.url, key, bench.peer.terminal)
    hand_over = HandOver(client)
    steps = [
        STEP | {"material": text("现场照片"), "purpose": text("办理")},
        {"id": "form", "kind": "fill_form", "fields": [
            {"id": "words", "kind": "text", "label": text("情况"), "sources": ["material.photo_page.text"]},
            {"id": "place", "kind": "text", "label": text("地点")}]},
    ]  # fmt: skip
    hall = Hall(directory, matter(*steps, assurance="none"), hand_over=hand_over)
    hall.stage.wake()
    hall.stage.start("sample")
    try:
        yield hall
    finally:
        await hall.stage.close()
        await hall.close()
        await hand_over.close()
        await client.close()


def held(world: World) -> int:

    with world.database.reading() as session:
        return len(list(session.exec(select(HandoverSlip)))) + len(list(session.exec(select(HandoverPiece))))


async def code(hall: Any, *, other_than: str = "") -> Any:
    view = await hall.until(lambda view: getattr(view.screen, "qr", "") not in ("", other_than))
    return view.screen


def test_from_the_code_on_the_screen_to_the_form(
    bench: Bench, scan: Callable[..., Page], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled, sent, sent again, used: all in one visit. The browser lives in this thread, the flow in another."""
    monkeypatch.setattr("kiosk.flow.steps.asking.from_phone.TICK_SECONDS", 0.05)
    with contextlib.ExitStack() as stack:
        runner = stack.enter_context(_Flow())
        hall = runner.enter(terminal(bench, tmp_path))
        runner.run(_choose(hall, "phone"))
        first = runner.run(code(hall))
        page = scan(first.qr)
        expect(page.locator("#where")).to_contain_text("便利店")
        runner.run(hall.until(lambda view: view.screen is not None and "已经连上" in view.screen.say.zh_cn))
        assert runner.run(_is_resting(hall)), "the time-out rests while the citizen is busy on the phone"
        hall_screen = runner.run(code(hall))
        runner.call(lambda: hall.choose(hall_screen, "other"))
        ways = runner.run(hall.screen("photo_page", "choose"))
        page.fill("#text", "太晚了")
        page.click("#send")
        expect(page.locator("#notice-text")).to_contain_text("取消")
        runner.call(lambda: hall.choose(ways, "phone"))
        second = runner.run(code(hall, other_than=first.qr))
        page = scan(second.qr)
        page.fill("#text", "井盖裂了，车压上去会翘")
        chosen(page, tmp_path, photo(), photo(300, 900))
        page.click("#send")
        preview = runner.run(hall.screen("photo_page", "preview"))
        assert preview.page_png.startswith(b"\xff\xd8\xff")
        assert "1/2" in preview.caption.zh_cn
        runner.call(lambda: hall.choose(preview, "again"))
        third = runner.run(code(hall, other_than=second.qr))
        page = scan(third.qr)
        chosen(page, tmp_path, photo())
        page.fill("#text", "井盖裂了")
        page.click("#send")
        runner.run(_use(hall, "preview"))
        review = runner.run(_use(hall, "review"))
        assert review.items[0].value.in_language(Language.EN) == "井盖裂了"
        form = runner.run(hall.screen("form", "form"))
        assert [item.id for item in form.items] == ["place"], "what was written on the phone is not asked again"
        assert form.known[0].value.zh_cn == "井盖裂了"
        told = [(data["outcome"], data["photos"], data["has_text"]) for _, data in hall.events("handover_ended")]
        assert told == [("other", 0, False), ("sent", 2, True), ("sent", 1, True)]
        assert hall.events("material_collected")[0][1]["origin"] == "phone"
        journal = (tmp_path / "journal.sqlite").read_bytes()
        assert "井盖".encode() not in journal
        for screen in (first, second, third):
            assert screen.qr.rpartition("#")[2].encode() not in journal
        runner.run(_until_forgotten(bench.world))


async def _choose(hall: Any, way: str) -> None:
    hall.choose(await hall.screen("photo_page", "choose"), way)


async def _use(hall: Any, kind: str) -> Any:
    screen = await hall.screen("photo_page", kind)
    hall.choose(screen, "use")
    return screen


async def _is_resting(hall: Any) -> bool:
    return bool(hall.stage._session.busy)


async def _until_forgotten(world: World) -> None:
    async with asyncio.timeout(5):
        while held(world):
            await asyncio.sleep(0.02)


class _Flow:
    """A loop in a thread of its own, for what must go on while the browser is waited for."""

    def __enter__(self) -> _Flow:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._stack: contextlib.AsyncExitStack = self.run(self._opened())
        return self

    async def _opened(self) -> contextlib.AsyncExitStack:
        return contextlib.AsyncExitStack()

    def enter(self, context: Any) -> Any:
        return self.run(self._stack.enter_async_context(context))

    def run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    def call(self, act: Callable[[], Any]) -> None:
        self._loop.call_soon_threadsafe(act)

    def __exit__(self, *_: object) -> None:
        self.run(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
