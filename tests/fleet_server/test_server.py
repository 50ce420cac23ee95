"""Settings, migrations, the description of the interface, the commands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from alembic import command
from fastapi.routing import APIRoute
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from fleet_server.__main__ import main
from fleet_server.app import ROOMS, create_app
from fleet_server.migrations import configuration, upgrade
from fleet_server.security import FileDirector, Role
from fleet_server.settings import Settings
from kiosk.contracts.errors import SettingsInvalid
from tests.fleet_server.conftest import MATTER, World

GOOD_SECRET = "0f8a61c2d94b47e3a5b6c7d8e9f0a1b2c3d4e5f6"


# --- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "secret",
    ["", "short", "changeme" * 8, "please-change-this-to-something-random-1", "a" * 64, "secret-" + GOOD_SECRET],
)
def test_production_refuses_a_placeholder_secret(secret: str) -> None:
    with pytest.raises(SettingsInvalid, match="YIZHAN_SECRET"):
        Settings.from_environment({"YIZHAN_ENVIRONMENT": "production", "YIZHAN_SECRET": secret})


def test_production_refuses_the_sandbox() -> None:
    variables = {
        "YIZHAN_ENVIRONMENT": "production",
        "YIZHAN_SECRET": GOOD_SECRET,
        "YIZHAN_SANDBOX_URL": "http://127.0.0.1:1",
    }
    with pytest.raises(SettingsInvalid, match="YIZHAN_SANDBOX_URL"):
        Settings.from_environment(variables)
    del variables["YIZHAN_SANDBOX_URL"]
    assert not Settings.from_environment(variables).is_development


def test_an_unknown_environment_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match="environment"):
        Settings.from_environment({"YIZHAN_ENVIRONMENT": "staging"})


def test_production_never_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIZHAN_ENVIRONMENT", "production")
    monkeypatch.setenv("YIZHAN_SECRET", GOOD_SECRET)
    assert main(["seed", "--data", str(tmp_path / "data")]) == 1
    assert not (tmp_path / "data").exists()


def test_a_director_key_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "director.key"
    FileDirector.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(SettingsInvalid, match="chmod 600"):
        FileDirector(path)
    with pytest.raises(FileExistsError):
        FileDirector.create(path)


# --- migrations ------------------------------------------------------------------------------------------------------


def test_models_and_migrations_agree(any_settings: Settings) -> None:
    command.check(configuration(any_settings.sqlalchemy_url))


def test_migrations_can_be_run_again_and_undone(sqlite_settings: Settings) -> None:
    upgrade(sqlite_settings.sqlalchemy_url)
    command.downgrade(configuration(sqlite_settings.sqlalchemy_url), "base")
    upgrade(sqlite_settings.sqlalchemy_url)
    command.check(configuration(sqlite_settings.sqlalchemy_url))


# --- the description -------------------------------------------------------------------------------------------------


@pytest.fixture
def description(sqlite_settings: Settings) -> Any:
    app = create_app(sqlite_settings)
    return app.openapi()


def test_every_operation_is_named_and_says_its_problems(description: Any) -> None:
    names = []
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            names.append(operation["operationId"])
            problems = {code: answer for code, answer in operation["responses"].items() if code[0] in "45"}
            assert problems, f"{method} {path} says none of its problems"
            for code, answer in problems.items():
                assert list(answer["content"]) == ["application/problem+json"], f"{method} {path} {code}"
    assert len(names) == len(set(names)) > 20


def test_every_reference_of_the_description_leads_somewhere(description: Any) -> None:
    text = json.dumps(description)
    known = set(description["components"]["schemas"])
    named = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert named <= known
    assert {"JournalBatch", "JournalReceipt", "Heartbeat", "SignedDesiredState", "EnrolmentAnswer", "Problem"} <= known


def test_the_description_is_true_of_every_route(description: Any) -> None:
    for room in ROOMS:
        for route in room.routes:
            if isinstance(route, APIRoute):
                path = route.path.replace("{path:path}", "{path}")
                assert {method.lower() for method in route.methods} <= set(description["paths"][path])


# --- answers of the server itself ------------------------------------------------------------------------------------


def test_an_unknown_address_and_a_wrong_method_are_problems(world: World) -> None:
    with world.client() as client:
        for answer, status in ((client.get("/nowhere/at/all"), 404), (client.put("/terminal/v1/enrolments"), 405)):
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/problem+json"


def test_a_mistake_of_the_server_tells_nothing_of_itself(world: World) -> None:
    world.app.state.settings = None
    with world.client() as client:
        answer = client.get("/terminal/v1/repository/metadata/timestamp.json")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "NoneType" not in answer.text


# --- commands --------------------------------------------------------------------------------------------------------


def test_matter_check_names_file_line_and_cure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["matter", "check", str(MATTER)]) == 0
    bad = tmp_path / "matter.yaml"
    bad.write_text(MATTER.read_text(encoding="utf-8").replace("\nsteps:", "\nbogus: 1\nsteps:"), encoding="utf-8")
    assert main(["matter", "check", str(tmp_path)]) == 1
    told = capsys.readouterr().out
    line = bad.read_text(encoding="utf-8").splitlines().index("bogus: 1") + 1
    assert f"{bad}:{line}:" in told
    assert main(["matter", "check", str(tmp_path / "nothing")]) == 1


def test_matter_check_knows_the_icons_and_the_doors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "matter.yaml"
    text = MATTER.read_text(encoding="utf-8")
    icon, door = (line for line in text.splitlines() if line.startswith(("icon:", "life_event:")))
    bad.write_text(text.replace(icon, "icon: documnt").replace(door, "life_event: 房子"), encoding="utf-8")
    assert main(["matter", "check", str(bad)]) == 1
    bad.write_text(text.replace(icon, "icon: documnt").replace(door, "life_event: hous"), encoding="utf-8")
    assert main(["matter", "check", str(bad)]) == 1
    told = capsys.readouterr().out
    assert "life_event: does not have the right form: write 2 to 48 small letters" in told
    assert "icon: no icon is called 'documnt': did you mean 'document'?" in told
    assert "life_event: no door is called 'hous'" in told


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("DATABASE_URL=mysql://x/y summary", "DATABASE_URL: write it as postgresql://"),
        ("DATABASE_URL=postgresql://x@127.0.0.1:1/y summary", "the database cannot be used"),
        ("summary --data {tmp}/nothing", "begin with init"),
        ("init --data {tmp}/file/data", "{tmp}/file/data: Not a directory"),
        ("publish {tmp}/no.yaml", "{tmp}/no.yaml: No such file"),
        ("account anna --role author", "set YIZHAN_PASSWORD"),
        ("YIZHAN_PASSWORD=Example-1900-Word account a+b --role author", "name: String should match"),
    ],
)
def test_what_a_command_stands_on_is_wrong_and_it_says_so_in_a_sentence(
    line: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("getpass.getpass", nobody_types)
    monkeypatch.delenv("YIZHAN_PASSWORD", raising=False)
    arguments = line.replace("{tmp}", str(tmp_path)).split()
    if "=" in arguments[0]:
        monkeypatch.setenv(*arguments.pop(0).split("=", 1))
    assert main(arguments) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert words.replace("{tmp}", str(tmp_path)) in told.err
    assert told.err.count("\n") == 1
    assert "1900" not in told.err


def nobody_types(_prompt: str) -> str:
    raise EOFError


def test_a_port_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["run", "--port", "99999"])
    assert "0 to 65535" in capsys.readouterr().err


def test_the_directory_of_the_gateways_keys_is_heard() -> None:
    assert Settings.from_environment({"YIZHAN_GATEWAY_KEYS": "/keys"}).gateway_keys == Path("/keys")


def test_seed_run_and_publish_as_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the demonstration does: seed, serve, publish a second version from another process."""
    for name in [name for name in os.environ if name.startswith("YIZHAN") or name == "DATABASE_URL"]:
        monkeypatch.delenv(name)
    data = str(tmp_path / "data")
    assert main(["seed", "--json", "--data", data]) == 0
    seeded = json.loads(capsys.readouterr().out)
    assert seeded["published"]["generation"] == 1
    assert set(seeded["accounts"]) == {*Role}
    server = subprocess.Popen(
        [sys.executable, "-m", "fleet_server", "run", "--port", "0", "--data", data], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    try:
        ready = server.stdout.readline()
        assert ready.startswith("fleet server ready on http://127.0.0.1:")
        version2 = tmp_path / "matter.yaml"
        version2.write_text(MATTER.read_text(encoding="utf-8").replace("\nversion: 1\n", "\nversion: 2\n"))
        for role in ("author", "reviewer"):
            monkeypatch.setenv(f"YIZHAN_{role.upper()}_PASSWORD", seeded["accounts"][role]["password"])
        assert main(["publish", str(version2), "--data", data]) == 0
        assert json.loads(capsys.readouterr().out)["generation"] == 2
        with httpx.Client(base_url=ready.split()[-1]) as client:
            assert client.post("/staff/v1/session", json=seeded["accounts"]["auditor"]).status_code == 200
            (row,) = client.get("/staff/v1/terminals").json()
        assert (row["id"], row["desired_generation"]) == (seeded["terminal"], 2)
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0
        server.stdout.close()


def test_nobody_else_on_the_machine_reads_the_databases(world: World) -> None:
    """PIN hashes of six digits, the audit, sealed keys: SQLite's files and their WAL are the owner's alone."""
    files = list(world.settings.data.glob("*.sqlite*"))
    assert len(files) >= 2
    assert all(file.stat().st_mode & 0o077 == 0 for file in files), files


def test_a_failing_statement_tells_the_log_no_value(any_world: World, caplog: pytest.LogCaptureFixture) -> None:
    with any_world.staff_client("auditor") as browser:
        browser.get("/staff/v1/audit", params={"before": 10**19})
        browser.get("/transactions", params={"number": "林测试\0"})
    assert "林测试" not in caplog.text
    with pytest.raises(DBAPIError) as failed, any_world.database.writing() as session:
        session.execute(text("SELECT :name FROM no_such_table"), {"name": "林测试"})
    assert "林测试" not in str(failed.value)
