"""The machine against the fleet server and the city themselves, as processes of their own."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kiosk.contracts.errors import ServiceFailed
from kiosk.machine.fleet.client import FleetClient
from kiosk.machine.fleet.enrolment import enrol
from kiosk.machine.fleet.identity import Identity
from kiosk.machine.fleet_link import FleetLink, Situation
from kiosk.machine.journal import Journal
from kiosk.machine.library import Library
from kiosk.machine.seals import verify_seal
from kiosk.machine.services import Services

TEXT = Path("assets/matters/natural_resources/no_house_certificate/matter.yaml").read_text(encoding="utf-8")
PEOPLE = yaml.load(Path("assets/samples/citizens.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)[
    "citizens"
]


@contextlib.contextmanager
def process(*arguments: str, environment: dict[str, str]) -> Iterator[str]:
    """A program of ours that prints one line when it is ready."""
    command = [sys.executable, "-m", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}) as child:
        assert child.stdout is not None
        try:
            yield child.stdout.readline()
        finally:
            child.terminate()
            child.wait(15)


class Fleet:
    def __init__(self, data: Path, environment: dict[str, str], made: dict[str, Any]) -> None:
        self.data = data
        self.environment = environment
        self.made = made
        self.url = ""

    def command(self, *arguments: str, **environment: str) -> str:
        command = [sys.executable, "-m", "fleet_server", *arguments, "--data", str(self.data)]
        given = {**os.environ, **self.environment, **environment}
        return subprocess.run(command, env=given, check=True, capture_output=True, text=True, timeout=110).stdout


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    data = tmp_path_factory.mktemp("fleet")
    city = data / "city"
    with process("fleet_server", "sandbox", "--port", "0", "--data", str(city), environment={}) as ready:
        said = json.loads(ready)
        environment = {
            "YIZHAN_ENVIRONMENT": "development", "YIZHAN_SANDBOX_URL": said["address"],
            "YIZHAN_SEAL_AUTHORITY": said["authorities"], "DATABASE_URL": "",
        }  # fmt: skip
        made = Fleet(data / "server", environment, {})
        made.made = json.loads(made.command("seed", "--json"))
        arguments = ("fleet_server", "run", "--port", "0", "--data", str(made.data))
        with process(*arguments, environment=environment) as line:
            made.url = line.split()[-1]
            yield made


async def until(condition: Callable[[], Any], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


@pytest.mark.timeout(300)
def test_from_enrolment_to_a_sealed_certificate_and_a_new_version(fleet: Fleet, tmp_path: Path) -> None:
    asyncio.run(story(fleet, tmp_path))


async def story(fleet: Fleet, tmp_path: Path) -> None:
    identity = Identity.open(tmp_path)
    enrolment = await enrol(identity, server=fleet.url, code=fleet.made["enrolment_code"])
    journal = Journal.open(tmp_path / "journal.sqlite", terminal=identity.terminal)
    client = FleetClient(fleet.url, identity.key, identity.terminal)
    library = Library.open(tmp_path / "library", enrolment=enrolment, journal=journal, now=client.clock.now)
    link = FleetLink(
        client, identity, library, journal, heartbeat_seconds=1, poll_seconds=3600, version="1.0",
        situation=lambda: Situation("home"), on_bundle_ready=library.activate,
    )  # fmt: skip
    task = asyncio.create_task(link.run())
    try:
        await until(lambda: link.online and len(library.matters()) == len(fleet.made["published"]["matters"]))
        assert library.bundle_hash == fleet.made["published"]["bundle"]
        await certificate(client, enrolment.seal_authority)
        await new_version(fleet, library, tmp_path)
        for number in range(700):
            journal.append("step_ended", step="s", kind="rate", milliseconds=number)
        await until(lambda: link.entries_waiting == 0)
        assert journal.acknowledged() == (journal.head().sequence, journal.head().hash)
        assert link.journal_alarm == ""
        held = json.loads(await asyncio.to_thread(fleet.command, "summary", "--json"))
        assert held["journal_entries"] >= 700
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.close()
        journal.close()


async def new_version(fleet: Fleet, library: Library, folder: Path) -> None:
    """Published by two people in another process; here by the hint, for the poll is an hour away."""
    before = library.matter("no_house_certificate")
    assert before is not None
    was, becomes = (f"version: {version}\n" for version in (before.version, before.version + 1))
    newer = folder / "matter.yaml"
    await asyncio.to_thread(newer.write_text, TEXT.replace(was, becomes, 1), "utf-8")
    passwords = {
        f"YIZHAN_{role.upper()}_PASSWORD": fleet.made["accounts"][role]["password"] for role in ("author", "reviewer")
    }
    published = json.loads(await asyncio.to_thread(fleet.command, "publish", str(newer), **passwords))
    await until(lambda: library.generation == published["generation"], 5.0)
    after = library.matter("no_house_certificate")
    assert after is not None
    assert after.version == before.version + 1
    assert library.bundle_hash == published["bundle"]


async def certificate(client: FleetClient, authorities: str) -> None:
    services = Services(client)
    payload = {"id_number": "350203190001010014", "name": "nobody"}
    with pytest.raises(ServiceFailed):
        await services.call("real_estate.no_such_thing", payload, request_id="request-0001")
    payload = citizen("lin") | {"purpose": "school", "addressee": "厦门市样例小学"}
    answer = await services.call(
        "real_estate.no_house_certificate", payload, request_id="request-0002", transaction_number="T1",
        matter="no_house_certificate",
    )  # fmt: skip
    again = await services.call("real_estate.no_house_certificate", payload, request_id="request-0002")
    assert again.data["document_id"] == answer.data["document_id"]
    pdf = await services.document(answer.data["document_id"])
    report = await asyncio.to_thread(verify_seal, pdf, authorities, dt.datetime.now(dt.UTC))
    assert report.signer


def citizen(name: str) -> dict[str, str]:
    person = next(person for person in PEOPLE if person["id"] == name)
    return {"id_number": str(person["id_number"]), "name": person["name"]}
