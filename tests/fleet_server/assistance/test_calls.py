"""A remote helper at a real server, from the citizen's request to its end, and a terminal's real flow beside it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import select

from fleet_server.assistance import service
from fleet_server.assistance.models import HelpCall, HelpMessage
from fleet_server.database import now
from fleet_server.staff.models import AuditEntry
from kiosk.contracts.matter import Matter
from kiosk.flow.course.assistance import Assistance
from kiosk.flow.screens import View
from kiosk.machine.fleet.assistance import AssistanceLine
from kiosk.machine.fleet.client import FleetClient
from kiosk.machine.fleet.identity import MachineKey
from tests.fleet_server.conftest import PASSWORD, World
from tests.fleet_server.dashboard.conftest import token_in
from tests.fleet_server.peer import Peer
from tests.kiosk.flow.world import LIN, matter, text
from tests.kiosk.flow.world import World as Hall

WHO = {"id": "who", "kind": "identify"}
FORM = {"id": "form", "kind": "fill_form", "fields": [
    {"id": "place", "kind": "text", "label": text("地点")},
    {"id": "phone", "kind": "phone", "label": text("联系电话"), "required": False}]}  # fmt: skip
CHECK = {"id": "check", "kind": "review", "show": [
    {"label": text("姓名"), "value": "{card.name}"}, {"label": text("地点"), "value": "{answer.place}"}]}  # fmt: skip
SAMPLE = matter(WHO, FORM, CHECK, assurance="card")
SCREEN: dict[str, Any] = {"screen": 7, "stage": "session", "kind": "form", "fields": [{"name": "field:place"}]}
REQUEST = {"mode": "elder", "language": "zh-CN", "description": SCREEN}
PRIVATE = (LIN.name, LIN.id_number, LIN.address, "样例路12号", "林*试")


class Staff:
    """A member of staff with a browser, by the pages alone."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def page(self, path: str = "/help") -> str:
        answer = self.client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, path: str, **fields: str) -> httpx.Response:
        token = token_in(self.client.get("/", headers={"Accept": "text/html"}, follow_redirects=True).text)
        return self.client.post(path, data={"csrf_token": token} | fields, headers={"Accept": "text/html"})


@contextlib.contextmanager
def staff(world: World, name: str = "operator") -> Iterator[Staff]:
    with world.client() as client:
        assert client.post("/sign-in", data={"name": name, "password": PASSWORD}).status_code == 303
        yield Staff(client)


def ask(world: World, peer: Peer) -> str:
    with world.client() as client:
        answer = peer.post(client, "/terminal/v1/assistance", REQUEST)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def report(world: World, peer: Peer, call: str, **changed: Any) -> httpx.Response:
    path = f"/terminal/v1/assistance/{call}"
    body = json.dumps(REQUEST | {"heard": 0} | changed).encode()
    with world.client() as client:
        headers = peer.sign("PUT", world.url + path, body, headers={"Content-Type": "application/json"})
        return client.put(path, content=body, headers=headers)


def test_one_helper_speaks_and_points_and_nothing_of_it_stays(any_world: World) -> None:
    world, peer = any_world, any_world.terminal()
    call = ask(world, peer)
    assert report(world, peer, call).json() == {"state": "waiting", "messages": []}
    with staff(world) as helper, staff(world, "maintainer") as stranger:
        assert peer.terminal in helper.page()
        assert stranger.send(f"/help/{call}/take").status_code == 403
        assert helper.send(f"/help/{call}/say", ready="greet").status_code == 403, "not before the call is taken"
        assert helper.send(f"/help/{call}/take").status_code == 303
        assert helper.send(f"/help/{call}/take").status_code == 409
        for wrong, status in (({}, 422), ({"ready": "insult"}, 422), ({"words": "打 13900000001"}, 422),
                              ({"words": "长" * 121}, 422), ({"point": "option:gone"}, 422)):  # fmt: skip
            assert helper.send(f"/help/{call}/say", **wrong).status_code == status
        assert helper.send(f"/help/{call}/say", ready="this", point="field:place").status_code == 303
        assert helper.send(f"/help/{call}/say", words="  门牌 也要写  ").status_code == 303
        one, two = report(world, peer, call).json()["messages"]
        assert (one["text"]["en"], one["point"], one["screen"]) == (
            "Please touch the part that is marked.", "field:place", 7,
        )  # fmt: skip
        assert (two["text"]["zh-CN"], two["is_ready"]) == ("门牌 也要写", False)
        assert report(world, peer, call, heard=2).json()["messages"] == []
        assert "已显示" in helper.page(f"/help/{call}")
        assert helper.send(f"/help/{call}/end").status_code == 303
        assert report(world, peer, call).json()["code"] == "no_call"
        assert helper.send(f"/help/{call}/say", ready="this").status_code == 410
    with world.database.reading() as session:
        (row,) = session.exec(select(HelpCall)).all()
        assert (row.ending, row.description, row.taken_by) == ("helper", {}, "operator")
        assert not session.exec(select(HelpMessage)).all()
        audit = [(entry.account, entry.action, str(entry.detail)) for entry in session.exec(select(AuditEntry))]
    deeds = [action for _, action, _ in audit if action.startswith("help_")]
    assert deeds == ["help_asked", "help_taken", "help_said", "help_said", "help_ended"]
    assert "门牌" not in str(audit)


def test_who_is_silent_or_waits_in_vain_is_ended(world: World) -> None:
    silent, patient = world.terminal("bench-1"), world.terminal("bench-2")
    lost, waiting = ask(world, silent), ask(world, patient)
    with world.database.writing() as session:
        long_ago = now() - dt.timedelta(minutes=10)
        session.execute(update(HelpCall).where(HelpCall.id == lost).values(heard_at=long_ago))
        session.execute(update(HelpCall).where(HelpCall.id == waiting).values(asked_at=long_ago))
    with staff(world) as helper:
        assert helper.send(f"/help/{lost}/take").status_code == 410
        assert silent.terminal not in helper.page()
    with world.database.writing() as session:
        service.end_silent(session)
    with world.database.reading() as session:
        assert {row.id: row.ending for row in session.exec(select(HelpCall))} == {lost: "lost", waiting: "nobody"}
    again = ask(world, silent)
    ask(world, silent)
    assert report(world, silent, again).status_code == 404, "a terminal has one call"
    assert report(world, patient, again).status_code == 404, "and only its own"


# --- a real terminal's flow ------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def visit(world: World, directory: Path, peer: Peer) -> AsyncIterator[tuple[Hall, Assistance]]:
    client = FleetClient(world.url, MachineKey(peer.key), peer.terminal)
    line = AssistanceLine(client)
    hall = Hall(directory, SAMPLE)

    def under_way(view: View) -> Matter | None:
        return SAMPLE if view.matter else None

    assistance = Assistance(line, hall.journal, tell=hall.stage.helper_changed, matter_of=under_way)
    hall.stage.on_help = assistance.wanted
    hall.stage.subscribe(assistance.hear, lambda _picture: None)
    hall.stage.wake()
    hall.stage.start("sample")
    try:
        yield hall, assistance
    finally:
        await hall.stage.close()
        await hall.close()
        await line.close()
        await client.close()


async def helped(hall: Hall, state: str, *, says: str = "", point: str | None = None) -> Any:
    def fits(view: View) -> bool:
        helper = view.helper
        if helper is None or helper.state != state:
            return False
        said = (helper.message or helper.note).zh_cn
        return says in said and (point is None or helper.point == point)

    return await hall.until(fits)


async def the_call(world: World, *, other_than: str = "") -> HelpCall:
    async with asyncio.timeout(10):
        while True:
            with world.database.reading() as session:
                found = session.exec(select(HelpCall).where(HelpCall.ended_at == None)).all()  # noqa: E711
            if found and found[0].id != other_than:
                return found[0]
            await asyncio.sleep(0.02)


async def described(world: World, step: str) -> str:
    """The helper's side of the record, once the screen of this kind was described."""
    async with asyncio.timeout(10):
        while True:
            row = await the_call(world)
            if row.description.get("kind") == step:
                return json.dumps(row.description, ensure_ascii=False)
            await asyncio.sleep(0.02)


def test_a_citizen_is_led_through_and_no_value_leaves_the_machine(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.flow.course.assistance.TALKING_SECONDS", 0.1)
    monkeypatch.setattr("kiosk.flow.course.assistance.WAITING_SECONDS", 0.1)
    peer = world.terminal()

    async def story(helper: Staff) -> None:
        async with visit(world, tmp_path, peer) as (hall, _):
            form: Any = await hall.screen("form", "form")
            hall.stage.help(True)
            await helped(hall, "calling")
            call = (await the_call(world)).id
            assert await asyncio.to_thread(helper.send, f"/help/{call}/take")
            await helped(hall, "talking")
            seen = await described(world, "form")
            assert '"zh-CN": "地点"' in seen
            page = await asyncio.to_thread(helper.page, f"/help/{call}")
            assert "联系电话" in page
            await asyncio.to_thread(helper.send, f"/help/{call}/say", ready="fill", point="field:place")
            await helped(hall, "talking", says="请填完这一项", point="field:place")
            await asyncio.to_thread(helper.send, f"/help/{call}/say", ready="this")
            await helped(hall, "talking", says="请点亮起来的这个", point="field:place")
            hall.fill(form, place="样例路12号", phone="")
            await hall.screen("check", "review")
            await helped(hall, "talking", says="远程协助员来了", point="")
            seen = await described(world, "review")
            page = await asyncio.to_thread(helper.page, f"/help/{call}")
            assert '"zh-CN": "姓名"' in seen
            for value in PRIVATE:
                assert str(value) not in seen
                assert str(value) not in page
            hall.stage.help(False)
            await hall.until(lambda view: view.helper is None)
            journal = [(name, data) for name, data in hall.events() if name.startswith("assistance_")]
            consents = [(data["subject"], data["text_version"]) for _, data in hall.events("consent_given")]
        assert [name for name, _ in journal] == [
            "assistance_asked", "assistance_taken", "assistance_heard", "assistance_heard",
            "assistance_ended",
        ]  # fmt: skip
        assert journal[-1][1]["reason"] == "citizen"
        assert ("remote_help", "2026-1") in consents

    with staff(world) as helper:
        asyncio.run(story(helper))
    with world.database.reading() as session:
        assert session.exec(select(HelpCall)).one().ending == "citizen"


def test_how_it_ends_without_the_citizen(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("TALKING_SECONDS", 0.05), ("WAITING_SECONDS", 0.05), ("SILENT_SECONDS", 0.2)):
        monkeypatch.setattr(f"kiosk.flow.course.assistance.{name}", seconds)
    peer = world.terminal()

    async def story() -> None:
        async with visit(world, tmp_path, peer) as (hall, assistance):
            await hall.screen("form", "form")
            monkeypatch.setattr("kiosk.flow.course.assistance.NOBODY_SECONDS", 0.1)
            hall.stage.help(True)
            first = (await the_call(world)).id
            await helped(hall, "ended", says="12345")
            hall.stage.help(False)
            await hall.until(lambda view: view.helper is None)
            monkeypatch.setattr("kiosk.flow.course.assistance.NOBODY_SECONDS", 60)
            hall.stage.help(True)
            await the_call(world, other_than=first)
            away = assistance._line._client  # type: ignore[attr-defined]
            away.server, there = "http://127.0.0.1:9", away.server
            await helped(hall, "ended", says="连接断了")
            hall.stage.help(True)
            await helped(hall, "ended", says="连不上中心")
            away.server = there
            hall.stage.help(True)
            await the_call(world)
            hall.leave()
            await hall.finished()
            assert hall.views[-1].helper is None
            ends = [data["reason"] for _, data in hall.events("assistance_ended")]
        assert ends == ["nobody", "lost", "unreachable", "session"]

    asyncio.run(story())
