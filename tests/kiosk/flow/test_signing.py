"""Signing at the screen: the real pad takes the strokes, and the signature is bound to exactly what was shown."""

from __future__ import annotations

import asyncio
import base64
import functools
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from drivers.signature_pad.touchscreen import Touchscreen, TouchscreenOptions
from kiosk.contracts.value import Language, canonical_bytes, sha256_hex
from kiosk.flow.screens import SignScreen, Wrote
from tests.kiosk.flow.world import OFFLINE, World, matter, text

SIGN: dict[str, Any] = {
    "id": "sign", "kind": "sign",
    "text": {
        "zh-CN": "我是{card.name}，以上属实。", "zh-TW": "我是{card.name}，以上屬實。",
        "en": "I, {card.name}, confirm.",
    },
    "show": [{"label": text("证件号码"), "value": "{card.id_number}", "masked": True}],
}  # fmt: skip
WHO: dict[str, Any] = {"id": "who", "kind": "identify"}
SEND: dict[str, Any] = {
    "id": "send", "kind": "call_service", "operation": "sample.submit", "effect": "submit",
    "send": {"page": "material.sign.page", "sha256": "material.sign.sha256", "origin": "material.sign.origin"},
}  # fmt: skip
NAME = tuple((20.0 + 3 * at, 20.0 + 15 * (at % 2), 40 * at) for at in range(30))


def live(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(*given: Any, **named: Any) -> None:
        asyncio.run(test(*given, **named))

    return run


def signing(directory: Path) -> World:
    world = World(directory, matter(WHO, SIGN, SEND, assurance="card"))
    world.devices.signature_pad = Touchscreen(TouchscreenOptions())
    world.stage.start("sample")
    return world


async def sheet(world: World, *, written: bool = False, after: int = 0) -> SignScreen:
    view = await world.until(
        lambda view: (
            isinstance(view.screen, SignScreen)
            and view.screen.screen_id > after
            and view.screen.primary is not None
            and view.screen.primary.enabled == written
        )
    )
    assert isinstance(view.screen, SignScreen)
    return view.screen


def write(world: World, screen: SignScreen, *points: tuple[float, float, int]) -> None:
    world.stage.answer(Wrote(screen_id=screen.screen_id, points=points or NAME))


async def settle(world: World, seconds: float = 0.1) -> None:
    """Let the pad be armed."""
    del world
    await asyncio.sleep(seconds)


@live
async def test_a_signature_is_bound_to_what_was_shown_and_sent(tmp_path: Path) -> None:
    world = signing(tmp_path)
    screen = await sheet(world)
    assert screen.text.zh_cn == "我是林测试，以上属实。"
    assert screen.items[0].masked
    await settle(world)
    write(world, screen)
    world.choose(await sheet(world, written=True), "confirm")
    await world.screen("send", "notice")
    sent = world.services.calls[0][2]
    shown = {
        "language": "zh-CN", "statement": "我是林测试，以上属实。", "values": [["证件号码", "350203190102030017"]],
    }  # fmt: skip
    assert sent["sha256"] == sha256_hex(canonical_bytes(shown))
    assert base64.b64decode(sent["page"]).startswith(b"\x89PNG")
    assert sent["origin"] == "signature"
    signed = world.events("document_signed")[0][1]
    assert signed["sha256"] != sent["sha256"], "a hash of what was shown could be guessed from"
    assert signed["pad"] == "touchscreen"
    await world.close()


@live
async def test_a_sheet_stands_right_after_an_authority_answered(tmp_path: Path) -> None:
    asked = {"id": "ask", "kind": "call_service", "operation": "sample.look", "effect": "query", "send": {}}
    world = World(tmp_path, matter(WHO, asked, SIGN, SEND, assurance="card"))
    world.devices.signature_pad = Touchscreen(TouchscreenOptions())
    world.stage.start("sample")
    screen = await sheet(world)
    await settle(world)
    write(world, screen)
    world.choose(await sheet(world, written=True), "confirm")
    await world.screen("send", "notice")
    assert len(world.events("document_signed")) == 1
    await world.close()


@pytest.mark.parametrize(("points", "said"), [((), "还没有写名字"), (((20.0, 20.0, 0), (21.0, 20.0, 30)), "太短")])
@live
async def test_nothing_and_too_little_are_no_signature(
    tmp_path: Path, points: tuple[tuple[float, float, int], ...], said: str
) -> None:
    world = signing(tmp_path)
    screen = await sheet(world)
    await settle(world)
    if points:
        write(world, screen, *points)
    world.choose(screen, "confirm")
    again = await sheet(world, after=screen.screen_id)
    assert again.hint is not None
    assert said in again.hint.zh_cn
    assert world.events("document_signed") == []
    await world.close()


@live
async def test_written_again_the_first_name_is_gone(tmp_path: Path) -> None:
    world = signing(tmp_path)
    screen = await sheet(world)
    await settle(world)
    write(world, screen)
    world.choose(await sheet(world, written=True), "again")
    fresh = await sheet(world, after=screen.screen_id)
    await settle(world)
    world.choose(fresh, "confirm")
    refused = await sheet(world, after=fresh.screen_id)
    assert refused.hint is not None
    assert "还没有写名字" in refused.hint.zh_cn
    await world.close()


@live
async def test_another_language_is_another_text_to_sign(tmp_path: Path) -> None:
    world = signing(tmp_path)
    screen = await sheet(world)
    await settle(world)
    write(world, screen)
    written = await sheet(world, written=True)
    world.stage.set_language(Language.EN)
    world.choose(written, "confirm")
    anew = await sheet(world, after=screen.screen_id)
    assert anew.hint is not None
    assert "language" in anew.hint.en
    await settle(world)
    write(world, anew)
    world.choose(await sheet(world, written=True, after=screen.screen_id), "confirm")
    await world.screen("send", "notice")
    shown = {"language": "en", "statement": "I, 林测试, confirm.", "values": [["证件号码", "350203190102030017"]]}
    assert world.services.calls[0][2]["sha256"] == sha256_hex(canonical_bytes(shown))
    await world.close()


@live
async def test_leaving_wipes_the_sheet(tmp_path: Path) -> None:
    world = signing(tmp_path)
    screen = await sheet(world)
    await settle(world)
    write(world, screen)
    await sheet(world, written=True)
    world.leave()
    await world.finished()
    assert not world.devices.signature_pad._desk.is_armed
    assert world.devices.wipes == 1
    assert world.services.calls == []
    await world.close()


class LostOnce(Touchscreen):
    """Its process dies in the first capture."""

    def __init__(self) -> None:
        super().__init__(TouchscreenOptions())
        self.lost = False

    async def capture(self, **asked: Any) -> Any:
        if not self.lost:
            self.lost = True
            raise OFFLINE
        async for ink in super().capture(**asked):
            yield ink


@live
async def test_a_pad_that_restarts_is_signed_on_again(tmp_path: Path) -> None:
    world = signing(tmp_path)
    world.devices.signature_pad = LostOnce()
    first = await sheet(world)
    screen = await sheet(world, after=first.screen_id - 1)
    await settle(world, 0.4)
    screen = await sheet(world)
    write(world, screen)
    world.choose(await sheet(world, written=True), "confirm")
    await world.screen("send", "notice")
    await world.close()
