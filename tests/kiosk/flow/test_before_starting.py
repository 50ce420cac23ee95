"""Said before anything is entered: closed at this hour, an authority that does not answer, a device that fails."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from flow_world import World, matter, text

from drivers.messages import DeviceClass
from kiosk.contracts.errors import AuthorityDown
from kiosk.contracts.hours import opens_again_at
from kiosk.contracts.value import CITY_TIME
from kiosk.flow.screens import ReviewScreen
from tests.kiosk.flow.test_journey import RATE, run
from tests.kiosk.flow.test_questions import ASK, CALL

WHO = {"id": "who", "kind": "identify"}
BOOK = {"id": "book", "kind": "collect_material", "certificate": "household_register", "material": text("户口簿"),
        "purpose": text("办理")}  # fmt: skip


@pytest.mark.parametrize(
    ("hours", "at", "opens"),
    [
        ("22:00-06:00", "21:59", None), ("22:00-06:00", "22:00", "06:00"), ("22:00-06:00", "00:30", "06:00"),
        ("22:00-06:00", "06:00", None), ("12:00-13:30", "12:45", "13:30"), ("12:00-13:30", "13:30", None),
        (None, "12:00", None), ("25:00-26:00", "12:00", None),
    ],
)  # fmt: skip
def test_a_matter_says_when_it_opens_again(hours: str | None, at: str, opens: str | None) -> None:
    assert opens_again_at(hours, dt.time.fromisoformat(at)) == opens


def closing(first: str, last: str) -> Any:
    return matter(WHO, RATE).model_copy(update={"closed_hours": f"{first}-{last}"})


def test_a_closed_matter_is_greyed_and_cannot_be_started(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        tile, other = world.views[-1].tiles
        assert other.enabled
        assert not tile.enabled
        assert tile.reason is not None
        assert tile.reason.zh_cn == "现在不办，06:30 开始办理"
        world.stage.start("sample")
        assert world.views[-1].screen is None

    run(tmp_path, story, closing("05:00", "06:30"), matter(WHO, RATE, id="other"))


def test_it_opens_when_the_hour_has_come(tmp_path: Path) -> None:
    """The world's clock stands at 05:30 of the city's day."""

    async def story(world: World) -> None:
        assert all(tile.enabled for tile in world.views[-1].tiles)

    run(tmp_path, story, closing("22:00", "05:30"))
    assert dt.datetime(2026, 3, 5, 21, 30, tzinfo=dt.UTC).astimezone(CITY_TIME).time() == dt.time(5, 30)


async def needed(world: World) -> list[str]:
    world.stage.start("sample")
    world.choose(await world.screen("variant", "choose"), "self")
    screen = await world.screen("variant", "review")
    assert isinstance(screen, ReviewScreen)
    return [item.value.zh_cn for item in screen.items]


def test_an_authority_that_was_quiet_is_named_to_the_next_citizen(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        assert not any("没有回应" in said for said in await needed(world))
        world.services.answers["real_estate.query"] = AuthorityDown("down", reason="authority_down")
        world.choose(world.views[-1].screen, "begin")
        await world.sign_in_by_face()
        world.choose(await world.screen("house", "notice"), "home")
        await world.until(lambda view: view.screen is None)
        assert "样例局的系统最近没有回应，现在可能办不成，可以晚些再来" in await needed(world)

    run(tmp_path, story, matter(ASK, WHO, CALL, RATE))


def test_a_device_a_later_step_needs_is_named(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.unfit.add(DeviceClass.DOCUMENT_SCANNER)
        assert (await needed(world))[0] == "高拍仪暂时不能用"

    run(tmp_path, story, matter(ASK, WHO, BOOK, CALL, RATE))
