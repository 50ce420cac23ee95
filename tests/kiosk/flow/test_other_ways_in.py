"""Without the identity card: the provincial app's code, or the social-security card and its PIN."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from flow_world import LIN, World, matter

from drivers.errors import CommandTimedOut, ConsentRequired, DeviceError, MediaError
from drivers.messages import (
    CardInterface,
    ChipCard,
    CodePurpose,
    DeviceClass,
    PinResult,
    ScannedCode,
    SocialSecurityCard,
    Symbology,
)
from kiosk.contracts.errors import Refused
from kiosk.flow.screens import Place

NUMBER = "350203190102030017"
NAMED = {"name": "林测试", "id_number": NUMBER, "address": "福建省厦门市思明区样例路1号101室"}
PROFILE = SocialSecurityCard(
    specification="3.00", identification_code="350200", area_code="350200", name="林测试",
    social_security_number=NUMBER, sex="1", birth_date=dt.date(1901, 2, 3), expires_on=dt.date(2040, 1, 1),
)  # fmt: skip
REVIEW = {
    "id": "look", "kind": "review",
    "show": [{"label": {"zh-CN": "号", "zh-TW": "號", "en": "No."}, "value": "{card.id_number}", "masked": True}],
}  # fmt: skip
MATTER = matter({"id": "who", "kind": "identify"}, REVIEW)


class ScriptedCodes:
    """Codes shown one after another; an error stands for one that was not read."""

    def __init__(self, *codes: str | DeviceError) -> None:
        self.codes = list(codes)

    async def read(self, *, purpose: CodePurpose, timeout_seconds: float = 30.0, **_: Any) -> ScannedCode:
        assert purpose is CodePurpose.LOGIN
        if not self.codes:
            await asyncio.sleep(timeout_seconds)
            raise CommandTimedOut("no code")
        code = self.codes.pop(0)
        if isinstance(code, DeviceError):
            raise code
        return ScannedCode(symbology=Symbology.QR, text=code)


class ScriptedChip:
    """A social-security card with a PIN and three tries."""

    def __init__(self, profile: SocialSecurityCard = PROFILE, pin: str = "246810") -> None:
        self.profile, self.pin, self.left = profile, pin, 3
        self.pulled = 0

    async def wait_card(self, *, timeout_seconds: float = 30.0) -> ChipCard:
        del timeout_seconds
        return ChipCard(interface=CardInterface.CONTACT, atr="3B00")

    async def read_profile(self, *, timeout_seconds: float = 10.0) -> SocialSecurityCard:
        del timeout_seconds
        if self.pulled:
            self.pulled -= 1
            raise MediaError("the card was pulled out", "removed")
        return self.profile

    async def verify_pin(self, pin: str, *, last_try: bool = False, timeout_seconds: float = 10.0) -> PinResult:
        del timeout_seconds
        if self.left == 1 and not last_try:
            raise ConsentRequired("one try is left", "pin_last_try")
        if pin == self.pin:
            self.left = 3
            return PinResult(accepted=True)
        self.left -= 1
        return PinResult(accepted=False, tries_left=self.left, blocked=self.left == 0)


def told_of(tmp_path: Path, story: Callable[[World], Awaitable[None]]) -> None:
    """Tell a story in a fresh world where nobody has a card with them."""

    async def tell() -> None:
        world = World(tmp_path, MATTER)
        world.devices.card_reader.cards = []
        world.devices.code_scanner, world.devices.smart_card_reader = ScriptedCodes(), ScriptedChip()
        world.services.answers["identity.app_code"] = NAMED
        try:
            await story(world)
        finally:
            await world.close()

    asyncio.run(tell())


async def begin(world: World, way: str) -> None:
    world.stage.wake()
    world.stage.start("sample")
    world.choose(await world.screen("who", "instruct"), "without_card")
    world.choose(await world.screen("who", "choose"), way)


def journalled(world: World, event: str) -> list[dict[str, Any]]:
    return [entry.data for entry in world.journal.entries(limit=1000) if entry.event == event]


async def signed_in(world: World, way: str) -> None:
    await world.screen("look", "review")
    assert journalled(world, "signed_in") == [{"way": way, "assurance": "card_person"}]
    held = "".join(str(entry.data) for entry in world.journal.entries(limit=1000))
    assert NUMBER not in held
    assert "林测试" not in held


def test_the_apps_code_is_enough(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.code_scanner.codes = ["MZT1.a-code-good-once"]
        await begin(world, "app_code")
        await signed_in(world, "app_code")
        assert world.services.calls[0][2] == {"code": "MZT1.a-code-good-once"}
        assert "a-code-good-once" not in str([entry.data for entry in world.journal.entries(limit=1000)])

    told_of(tmp_path, story)


def test_a_used_code_is_told_and_a_fresh_one_asked_for(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.services.answers["identity.app_code"] = [Refused("used", reason="code_unknown"), NAMED]
        world.devices.code_scanner.codes = [
            MediaError("torn", "barcode_invalid"), "MZT1.a-used-code", "MZT1.a-fresh-code",
        ]  # fmt: skip
        await begin(world, "app_code")
        await signed_in(world, "app_code")
        hints = [view.screen.hint for view in world.views if view.screen and view.screen.kind == "instruct"]
        assert any(hint is not None for hint in hints)
        assert [each["decision"] for each in journalled(world, "app_code_checked")] == ["refused", "accepted"]

    told_of(tmp_path, story)


@pytest.mark.parametrize("said", [{}, {"name": "林测试"}, {"name": "林测试", "id_number": "350203190102030018"}])
def test_a_platform_that_names_nobody_signs_nobody_in(tmp_path: Path, said: dict[str, str]) -> None:
    async def story(world: World) -> None:
        world.services.answers["identity.app_code"] = said
        world.devices.code_scanner.codes = ["MZT1.a-code-good-once"]
        await begin(world, "app_code")
        told = await world.screen("who", "notice")
        assert told.fault == "C34"
        assert journalled(world, "signed_in") == []

    told_of(tmp_path, story)


def test_the_social_card_and_its_pin_are_enough(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.smart_card_reader.pulled = 1
        await begin(world, "social_card")
        form = await world.screen("who", "form")
        assert form.items[0].kind == "pin"
        assert "林测试" not in form.say.zh_cn
        world.fill(form, pin="246810")
        await signed_in(world, "social_card")
        assert "246810" not in str([entry.data for entry in world.journal.entries(limit=1000)])

    told_of(tmp_path, story)


def test_a_wrong_pin_says_how_many_tries_are_left_and_the_last_is_asked_about(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await begin(world, "social_card")
        world.fill(await world.screen("who", "form"), pin="111111")
        form = (
            await world.until(
                lambda view: bool(view.screen and view.screen.kind == "form" and view.screen.items[0].error)
            )
        ).screen
        assert "2" in form.items[0].error.zh_cn
        world.fill(form, pin="222222")
        form = (
            await world.until(
                lambda view: bool(
                    view.screen
                    and view.screen.kind == "form"
                    and view.screen.items[0].error
                    and "1" in view.screen.items[0].error.zh_cn
                )
            )
        ).screen
        world.fill(form, pin="333333")
        last = await world.screen("who", "review")
        assert world.devices.smart_card_reader.left == 1
        world.choose(last, "try")
        told = await world.screen("who", "notice")
        assert told.fault == "A14"
        assert world.devices.smart_card_reader.left == 0

    told_of(tmp_path, story)


def test_the_last_try_need_not_be_taken(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.smart_card_reader.left = 1
        await begin(world, "social_card")
        world.fill(await world.screen("who", "form"), pin="246810")
        world.choose(await world.screen("who", "review"), "stop")
        await world.screen("who", "instruct")
        assert world.devices.smart_card_reader.left == 1

    told_of(tmp_path, story)


def test_an_expired_card_is_refused(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.smart_card_reader.profile = PROFILE.model_copy(update={"expires_on": dt.date(2020, 1, 1)})
        await begin(world, "social_card")
        assert (await world.screen("who", "notice")).fault == "A13"

    told_of(tmp_path, story)


def test_a_way_whose_device_is_down_is_greyed(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.unfit = {DeviceClass.CODE_SCANNER}
        world.stage.wake()
        world.stage.start("sample")
        world.choose(await world.screen("who", "instruct"), "without_card")
        ways = {way.id: way.enabled for way in (await world.screen("who", "choose")).options}
        assert ways == {"app_code": False, "social_card": True, "travel_document": True, "bank_card": True}

    told_of(tmp_path, story)


def test_a_machine_without_these_devices_offers_only_the_card(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.code_scanner = world.devices.smart_card_reader = world.devices.document_scanner = None
        world.devices.card_reader.cards = [LIN]
        world.stage.wake()
        world.stage.start("sample")
        await world.screen("who", "choose")
        card = next(view.screen for view in world.views if view.screen and view.screen.place is Place.CARD_READER)
        assert card.alternatives == ()

    told_of(tmp_path, story)


def test_stepping_back_leads_to_the_card_again(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await begin(world, "social_card")
        world.back(await world.screen("who", "form"))
        assert (await world.screen("who", "instruct")).place is Place.CARD_READER

    told_of(tmp_path, story)
