"""A material from the citizen's phone, when it does not go smoothly: the citizen is told, and other ways stay open."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers.messages import DeviceClass
from kiosk.contracts.errors import Garbled, Unreachable
from kiosk.contracts.handover import FromPhone, Slip, SlipRequest, SlipStanding
from kiosk.flow.equipment import TimeOuts
from kiosk.flow.screens import StageKind
from kiosk.machine.fleet.client import FleetClient
from kiosk.machine.fleet.handover import HandOver
from kiosk.machine.fleet.identity import MachineKey
from tests.kiosk.flow.world import World, matter, text

JPEG = b"\xff\xd8\xff a photo"
AWAY = Unreachable("the centre is away", reason="not_reached")


class Centre:
    """Answers as told: `standings` one a question, the last for good; `content`: what was sent, or why not."""

    def __init__(self, *standings: Any, content: Any = None, seconds: int = 600) -> None:
        self.standings = list(standings) or [waiting()]
        self.content = content or FromPhone(photos=(JPEG,))
        self.seconds = seconds
        self.offered: list[SlipRequest] = []
        self.ended: list[str] = []

    def was_hinted(self) -> bool:
        return True

    async def offer(self, wanted: SlipRequest) -> Slip:
        self.offered.append(wanted)
        number = f"{len(self.offered):032x}"
        moment = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)
        return Slip(id=number, token="t", address=f"https://p/phone#{number}", expires_at=moment, seconds=self.seconds)

    async def standing(self, slip: Slip) -> SlipStanding | None:
        del slip
        said = self.standings.pop(0) if len(self.standings) > 1 else self.standings[0]
        if isinstance(said, Exception):
            raise said
        assert said is None or isinstance(said, SlipStanding)
        return said

    async def take(self, slip: Slip, wanted: SlipRequest) -> FromPhone:
        del slip, wanted
        said = self.content.pop(0) if isinstance(self.content, list) else self.content
        if isinstance(said, Exception):
            raise said
        assert isinstance(said, FromPhone)
        return said

    def end_soon(self, slip: Slip) -> None:
        self.ended.append(slip.id)


def waiting(state: str = "waiting", seen: int | None = None) -> SlipStanding:
    return SlipStanding.model_validate({"state": state, "seconds_left": 500, "phone_seen_seconds": seen})


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosk.flow.steps.asking.from_phone.TICK_SECONDS", 0.02)


@asynccontextmanager
async def visit(
    directory: Path, hand_over: Any, *, time_outs: TimeOuts | None = None, **step: Any
) -> AsyncIterator[World]:
    collect = {
        "id": "photo", "kind": "collect_material", "material": text("现场照片"), "purpose": text("办理"),
        "phone": {"photos": 3, "text": 50},
    } | step  # fmt: skip
    send = {name: f"material.photo.{name}" for name in ("origin", "page", "page_2", "text", "sha256")}
    report = {"id": "report", "kind": "call_service", "operation": "report.submit", "effect": "submit", "send": send}
    world = World(
        directory, matter(collect, report, {"id": "rate", "kind": "rate"}, assurance="none"), hand_over=hand_over,
        time_outs=time_outs,
    )  # fmt: skip
    world.stage.wake()
    world.stage.start("sample")
    try:
        yield world
    finally:
        await world.stage.close()
        await world.close()


def sent(world: World) -> dict[str, Any]:
    (_, _, payload) = world.services.calls[-1]
    return payload


async def ways(world: World, *, said: str = "") -> Any:
    return (
        await world.until(
            lambda view: view.screen is not None and view.screen.kind == "choose" and said in view.screen.say.zh_cn
        )
    ).screen


def run(story: Any) -> None:
    asyncio.run(story)


def test_a_centre_that_is_away_is_said_and_the_camera_serves(tmp_path: Path) -> None:
    async def story() -> None:
        client = FleetClient("http://127.0.0.1:9", MachineKey.open(tmp_path), "T-0001")
        async with visit(tmp_path, HandOver(client)) as world:
            world.choose(await ways(world), "phone")
            again = await ways(world, said="连不上中心")
            assert [way.id for way in again.options if way.enabled] == ["phone", "camera"]
            world.choose(again, "camera")
            world.choose(await world.screen("photo", "instruct"), "capture")
            world.choose(await world.screen("photo", "preview"), "use")
            await world.screen("rate")
            assert (sent(world)["origin"], sent(world).get("text")) == ("captured", None)
            assert not world.events("handover_offered")
        await client.close()

    run(story())


@pytest.mark.parametrize(
    ("centre", "said", "outcome"),
    [
        (Centre(waiting(), None), "已经过期", "expired"),
        (Centre(seconds=0), "已经过期", "expired"),
        (Centre(waiting("sent"), content=Garbled("no seal", reason="handover_seal")), "没有通过检查", "garbled"),
        (Centre(waiting("sent"), content=AWAY), "连不上中心", "unreachable"),
    ],
    ids=["ended at the centre", "ran out here", "does not open", "cannot be fetched"],
)
def test_what_does_not_come_is_said_and_chosen_anew(tmp_path: Path, centre: Centre, said: str, outcome: str) -> None:
    async def story() -> None:
        async with visit(tmp_path, centre, optional=True) as world:
            world.choose(await ways(world), "phone")
            world.choose(await ways(world, said=said), "without")
            await world.screen("rate")
            assert sent(world) == {}
            assert [data["outcome"] for _, data in world.events("handover_ended")] == [outcome]
            assert centre.ended == [f"{1:032x}"], "the centre was told to forget it"

    run(story())


def test_a_weak_link_is_said_and_what_was_sent_still_comes(tmp_path: Path) -> None:
    centre = Centre(waiting(), AWAY, AWAY, waiting("sent"), content=[AWAY, AWAY, FromPhone(text="井盖裂了")])

    async def story() -> None:
        async with visit(tmp_path, centre) as world:
            world.choose(await ways(world), "phone")
            world.choose(await world.screen("photo", "review"), "use")
            await world.screen("rate")
            hints = [getattr(view.screen, "hint", None) for view in world.views]
            assert any(hint is not None and "正在重新连接" in hint.zh_cn for hint in hints)
            assert sent(world) == {"origin": "phone", "text": "井盖裂了"}

    run(story())


def test_fewer_photos_the_second_time_leave_none_of_the_first_behind(tmp_path: Path) -> None:
    centre = Centre(
        waiting("sent"), content=[FromPhone(photos=(JPEG, JPEG + b"2"), text="一"), FromPhone(photos=(JPEG,))]
    )

    async def story() -> None:
        async with visit(tmp_path, centre) as world:
            world.choose(await ways(world), "phone")
            world.choose(await world.screen("photo", "preview"), "use")
            world.choose(await world.screen("photo", "preview"), "use")
            world.back(await world.screen("photo", "review"))
            world.choose(await ways(world), "phone")
            world.choose(await world.screen("photo", "preview"), "use")
            await world.screen("rate")
            page = base64.b64decode(sent(world)["page"])
            assert page == JPEG
            assert set(sent(world)) == {"origin", "page", "sha256"}

    run(story())


def test_who_leaves_takes_the_code_along(tmp_path: Path) -> None:
    centre = Centre()

    async def story() -> None:
        async with visit(tmp_path, centre) as world:
            world.choose(await ways(world), "phone")
            await world.screen("photo", "instruct")
            world.leave()
            await world.finished()
            assert centre.ended == [f"{1:032x}"]
            assert [data["outcome"] for _, data in world.events("handover_ended")] == ["left"]

    run(story())


def test_the_time_out_rests_only_while_a_phone_is_heard_of(tmp_path: Path) -> None:
    """A phone that opened the page and went away does not hold the machine for ten minutes."""
    quiet, near = Centre(waiting("opened", seen=45)), Centre(waiting("opened", seen=3))
    short = TimeOuts(idle_seconds=0.1, warn_seconds=0.2)

    async def story(centre: Centre) -> StageKind:
        async with visit(tmp_path / str(id(centre)), centre, time_outs=short) as world:
            world.choose(await ways(world), "phone")
            await world.screen("photo", "instruct")
            for _ in range(24):
                await asyncio.sleep(0.05)
                if world.views[-1].stage is not StageKind.SESSION:
                    break
            return world.views[-1].stage

    for centre, stage in ((quiet, StageKind.ATTRACT), (near, StageKind.SESSION)):
        (tmp_path / str(id(centre))).mkdir()
        assert asyncio.run(story(centre)) is stage


def test_what_cannot_serve_now_is_shown_and_greyed(tmp_path: Path) -> None:
    async def story() -> None:
        async with visit(tmp_path, None) as world:
            screen = await ways(world)
            assert [(way.id, way.enabled) for way in screen.options] == [("phone", False), ("camera", True)]
        (tmp_path / "b").mkdir()
        async with visit(tmp_path / "b", Centre()) as world:
            world.devices.unfit.add(DeviceClass.DOCUMENT_SCANNER)
            world.choose(await ways(world), "phone")
            world.choose(await world.screen("photo", "instruct"), "other")
            screen = await ways(world)
            assert [(way.id, way.enabled) for way in screen.options] == [("phone", True), ("camera", False)]

    run(story())
