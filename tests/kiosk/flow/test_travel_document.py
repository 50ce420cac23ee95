"""Without the identity card: a travel permit or passport by its machine-readable zone, and then a code or the face."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from flow_world import World, matter

from drivers.errors import CommandTimedOut, DeviceAbsent, DeviceError, MediaError
from drivers.messages import Capabilities, DeviceClass, MachineReadableZone, ZoneFormat
from kiosk.contracts.errors import Refused
from kiosk.flow.screens import Place, StageKind
from kiosk.flow.words import word

LEUNG = MachineReadableZone(
    format=ZoneFormat.TD1, document_code="CR", issuer="CHN", number="H12345678", nationality="CHN", birth="070707",
    sex="M", expiry="320706", surname="LEUNG", given_names="YEUNG PAN",
)  # fmt: skip
SAMPLE = LEUNG.model_copy(
    update={"format": ZoneFormat.TD3, "document_code": "P", "issuer": "FRA", "number": "01IO20814", "birth": "0708<<"}
)
NAMED = {
    "name": "梁樣辦", "id_number": "810000190707070039", "address": "福建省厦门市思明区样例新村2号", "sex": "1",
    "birth_date": "1907-07-07", "portrait": base64.b64encode(b"PNG on record").decode(),
}  # fmt: skip
SECRETS = ("梁樣辦", "810000190707070039", "H12345678", "01IO20814", "LEUNG", "070707")
REVIEW = {
    "id": "look", "kind": "review",
    "show": [{"label": {"zh-CN": "号", "zh-TW": "號", "en": "No."}, "value": "{card.id_number}", "masked": True}],
}  # fmt: skip


class Scanner:
    """Documents laid down one after another; an error stands for one that was not read."""

    def __init__(self) -> None:
        self.zones: list[MachineReadableZone | DeviceError] = [LEUNG]
        self.features = frozenset({"camera", "reads_zone"})

    async def capabilities(self) -> Capabilities:
        return Capabilities(
            device_class=DeviceClass.DOCUMENT_SCANNER, driver="document_scanner/scripted", version="1",
            status_source="polled", poll_safe_in_motion=True, features=self.features,
        )  # fmt: skip

    async def read_zone(self, *, timeout_seconds: float = 20.0) -> MachineReadableZone:
        del timeout_seconds
        zone = self.zones.pop(0)
        if isinstance(zone, DeviceError):
            raise zone
        return zone


def told_of(tmp_path: Path, story: Callable[[World], Awaitable[None]], assurance: str = "card_person") -> None:
    async def tell() -> None:
        world = World(tmp_path, matter({"id": "who", "kind": "identify"}, REVIEW, assurance=assurance))
        world.devices.card_reader.cards = []
        world.devices.document_scanner = Scanner()
        world.services.answers["identity.travel_document"] = NAMED
        world.services.answers["sms.send_code"] = {"masked_phone": "130****0011", "challenge_id": "c"}
        try:
            await story(world)
        finally:
            held = "".join(str(entry.data) for entry in world.journal.entries(limit=1000))
            await world.close()
        assert not [secret for secret in SECRETS if secret in held]

    asyncio.run(tell())


async def begin(world: World, *, consents: bool = True) -> None:
    world.stage.wake()
    world.stage.start("sample")
    world.choose(await world.screen("who", "instruct"), "without_card")
    world.choose(await world.screen("who", "choose"), "travel_document")
    world.choose(await world.screen("who", "review"), "agree" if consents else "decline")


async def lay(world: World) -> Any:
    """Lay the document down and say so; the screen that asked for it."""
    view = await world.until(lambda view: bool(view.screen and view.screen.place is Place.DOCUMENT_CAMERA))
    world.choose(view.screen, "read")
    await world.until(lambda later: later.screen is not view.screen)
    return view.screen


def journalled(world: World, event: str) -> list[dict[str, Any]]:
    return [entry.data for entry in world.journal.entries(limit=1000) if entry.event == event]


def test_the_zone_names_nobody_alone_and_a_code_confirms(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await begin(world)
        await lay(world)
        ways = await world.screen("who", "choose")
        assert ways.say.zh_cn.startswith("证件")
        assert journalled(world, "signed_in") == []
        world.choose(ways, "code")
        world.fill(await world.screen("who", "form"), code="123456")
        await world.screen("look", "review")
        assert journalled(world, "signed_in") == [{"way": "code", "assurance": "card_person"}]
        asked = {name: data for name, _, data in world.services.calls}
        assert asked["identity.travel_document"] == {
            "document_code": "CR", "issuer": "CHN", "number": "H12345678", "birth": "070707", "expiry": "320706",
        }  # fmt: skip
        assert asked["sms.send_code"] == {"id_number": "810000190707070039"}
        assert [each["decision"] for each in journalled(world, "travel_document_checked")] == ["accepted"]

    told_of(tmp_path, story)


def test_the_face_is_compared_with_the_picture_on_record(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        seen: list[bytes] = []
        verify = world.devices.face_check.verify

        def watched(*, reference_png: bytes, **more: Any) -> Any:
            seen.append(reference_png)
            return verify(reference_png=reference_png, **more)

        world.devices.face_check.verify = watched
        await begin(world)
        await lay(world)
        await world.sign_in_by_face()
        await world.screen("look", "review")
        assert seen == [b"PNG on record"]
        assert journalled(world, "signed_in") == [{"way": "face", "assurance": "card_person"}]

    told_of(tmp_path, story)


def test_a_printed_zone_is_no_card_even_where_a_card_would_do(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await begin(world)
        await lay(world)
        assert {way.id for way in (await world.screen("who", "choose")).options} >= {"face", "code"}

    told_of(tmp_path, story, assurance="card")


def test_without_a_picture_on_record_only_the_code_confirms(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.services.answers["identity.travel_document"] = NAMED | {"portrait": "no base64!"}
        await begin(world)
        await lay(world)
        ways = {way.id: way.enabled for way in (await world.screen("who", "choose")).options}
        assert (ways["face"], ways["code"]) == (False, True)

    told_of(tmp_path, story)


def test_what_is_not_read_or_not_on_record_is_asked_for_again_with_the_reason(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.document_scanner.zones = [
            MediaError("x", "zone_not_found"), MediaError("x", "zone_unreadable"), MediaError("x", "too_blurred"),
            CommandTimedOut("x"), LEUNG, LEUNG,
        ]  # fmt: skip
        world.services.answers["identity.travel_document"] = [Refused("x", reason="document_unknown"), NAMED]
        await begin(world)
        hints = [(await lay(world)).hint.zh_cn for _ in range(6)]
        assert "<<<" in hints[1]
        assert "反光" in hints[2]
        assert "不清楚" in hints[3]
        assert len(set(hints[:4])) == 4
        await world.screen("who", "choose")
        assert [each["decision"] for each in journalled(world, "travel_document_checked")] == ["refused", "accepted"]

    told_of(tmp_path, story)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"expiry": "260304"}, "A13"), ({"expiry": "990101"}, "A13"), ({"expiry": "310230"}, "A13"),
        ({"issuer": "UTO"}, "A14"), ({"document_code": "CS"}, "A14"), ({"document_code": "P"}, "A14"),
    ],
)  # fmt: skip
def test_an_expired_document_and_one_of_another_kind_is_refused_before_anybody_is_asked(
    tmp_path: Path, changed: dict[str, str], fault: str
) -> None:
    async def story(world: World) -> None:
        world.devices.document_scanner.zones = [LEUNG.model_copy(update=changed)]
        await begin(world)
        await lay(world)
        told = await world.screen("who", "notice")
        assert told.fault == fault
        assert world.services.calls == []

    told_of(tmp_path, story)


def test_the_last_day_of_validity_counts(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.document_scanner.zones = [LEUNG.model_copy(update={"expiry": "260306"})]
        await begin(world)
        await lay(world)
        await world.screen("who", "choose")

    told_of(tmp_path, story)


@pytest.mark.parametrize("reason", ["document_lost", "document_expired"])
def test_a_document_reported_lost_signs_nobody_in(tmp_path: Path, reason: str) -> None:
    async def story(world: World) -> None:
        world.services.answers["identity.travel_document"] = Refused("x", reason=reason)
        await begin(world)
        await lay(world)
        assert (await world.screen("who", "notice")).fault == "A14"

    told_of(tmp_path, story)


@pytest.mark.parametrize(
    "said", [{}, {"name": "梁樣辦"}, NAMED | {"birth_date": "1907-07-08"}, NAMED | {"birth_date": "soon"}]
)
def test_a_platform_that_names_nobody_or_somebody_else_signs_nobody_in(tmp_path: Path, said: dict[str, str]) -> None:
    async def story(world: World) -> None:
        world.services.answers["identity.travel_document"] = said
        await begin(world)
        await lay(world)
        assert (await world.screen("who", "notice")).fault == "C34"
        assert journalled(world, "travel_document_checked") == []

    told_of(tmp_path, story)


def test_a_passport_may_not_know_the_day_of_birth(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.document_scanner.zones = [SAMPLE]
        world.services.answers["identity.travel_document"] = NAMED | {"birth_date": "1907-08-01"}
        await begin(world)
        await lay(world)
        await world.screen("who", "choose")
        assert journalled(world, "travel_document_checked")[0]["card_type"] == "passport"

    told_of(tmp_path, story)


def test_declined_consent_reads_nothing_and_leads_to_the_other_ways(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await begin(world, consents=False)
        assert (await world.screen("who", "instruct")).place is Place.CARD_READER
        assert world.devices.document_scanner.zones == [LEUNG]
        assert [each["subject"] for each in journalled(world, "consent_declined")] == ["travel_document"]

    told_of(tmp_path, story)


def test_a_scanner_that_reads_no_zone_is_known_before_the_way_is_chosen(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.document_scanner.features = frozenset({"camera"})
        world.devices.code_scanner = Scanner()
        world.stage.wake()
        world.stage.start("sample")
        world.choose(await world.screen("who", "instruct"), "without_card")
        ways = {way.id: way for way in (await world.screen("who", "choose")).options}
        assert not ways["travel_document"].enabled
        assert ways["travel_document"].detail == word("way_scanner_reads_no_zone")
        assert ways["app_code"].enabled

    told_of(tmp_path, story)


def test_a_scanner_that_is_gone_is_told_and_one_that_is_down_is_greyed(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.document_scanner.zones = [DeviceAbsent("unplugged", "camera_absent")]
        await begin(world)
        await lay(world)
        assert (await world.screen("who", "notice")).fault == "D46"
        world.leave()
        await world.until(lambda view: view.stage is StageKind.ATTRACT)
        world.devices.unfit = {DeviceClass.DOCUMENT_SCANNER}
        world.devices.code_scanner = Scanner()
        world.stage.wake()
        world.stage.start("sample")
        world.choose(await world.screen("who", "instruct"), "without_card")
        ways = {way.id: way.enabled for way in (await world.screen("who", "choose")).options}
        assert ways["travel_document"] is False

    told_of(tmp_path, story)
