"""The fleet server's commands: run, init, account, seed, publish, matter, reconcile and more (`--help`)."""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import importlib
import importlib.util
import json
import secrets
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvicorn
from sqlmodel import Session

from fleet_server import console
from fleet_server.app import create_app, repository_of
from fleet_server.confirmations import service as confirmations
from fleet_server.confirmations.models import ClerkCreate
from fleet_server.database import Database
from fleet_server.gateway import checking
from fleet_server.gateway.connectors import operation_mistakes, read_connectors
from fleet_server.journal import search
from fleet_server.matters import service as matters
from fleet_server.matters.begin import begin_matter, preview_matter
from fleet_server.matters.folder import members_first
from fleet_server.matters.repository import MatterRepository
from fleet_server.matters.surroundings import check_matters
from fleet_server.migrations import upgrade
from fleet_server.payments import reconciliation
from fleet_server.problems import ProblemError
from fleet_server.security import FileDirector, Role
from fleet_server.settings import Settings
from fleet_server.staff import service as staff
from fleet_server.staff.models import AccountCreate
from fleet_server.terminals import service as terminals
from fleet_server.terminals.models import Scope, SiteCreate, TerminalCreate
from kiosk.contracts.errors import SettingsInvalid
from kiosk.contracts.value import CITY_TIME

ASSETS = Path(__file__).resolve().parents[1] / "assets" / "matters"
SEED_SITE = SiteCreate(id="siming-001", name="思明区示范便利店", address="厦门市思明区")
SEED_TERMINAL = "xm-siming-001-a"
SEED_CLERKS = {"1001": "店员甲", "1002": "店员乙"}
DISPLAY_NAMES = {
    Role.ADMINISTRATOR: "管理员", Role.AUTHOR: "事项编制员", Role.REVIEWER: "审核员", Role.MAINTAINER: "运维人员",
    Role.AUDITOR: "审计员", Role.OPERATOR: "核验员",
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options)
    except console.Expected as error:
        print(console.sentence_of(error), file=sys.stderr)
        return 1
    return code


def prepare(settings: Settings) -> None:
    """Keys and an empty repository, where they are missing. Nothing that exists is touched."""
    settings.data.mkdir(parents=True, exist_ok=True)
    if not (settings.keys / "director.key").exists():
        FileDirector.create(settings.keys / "director.key")
    repository_of(settings).initialise()


def seed(settings: Settings, directory: Path) -> dict[str, Any]:
    """Accounts, a site, a terminal with its code, and every matter, published by two people as always."""
    if not settings.is_development:
        raise SettingsInvalid("seed makes accounts with known passwords: it only works in development")
    prepare(settings)
    upgrade(settings.sqlalchemy_url)
    database, repository = Database(settings.sqlalchemy_url), repository_of(settings)
    passwords = {role: secrets.token_urlsafe(12) for role in Role}
    files = sorted(directory.glob("**/matter.yaml"))
    try:
        with database.writing() as session:
            for role, password in passwords.items():
                wanted = AccountCreate(name=role, display_name=DISPLAY_NAMES[role], roles=[role], password=password)
                staff.create_account(session, wanted, by="seed")
            terminals.create_site(session, SEED_SITE, by=Role.ADMINISTRATOR)
            session.flush()
            wanted_terminal = TerminalCreate(id=SEED_TERMINAL, site=SEED_SITE.id)
            terminals.create_terminal(session, wanted_terminal, by=Role.ADMINISTRATOR)
            session.flush()
            code = terminals.new_enrolment_code(session, SEED_TERMINAL, by=Role.ADMINISTRATOR)
            pins = {number: _seed_clerk(session, number) for number in SEED_CLERKS}
        published = None
        if files:
            people = (Role.AUTHOR, passwords[Role.AUTHOR]), (Role.REVIEWER, passwords[Role.REVIEWER])
            published = publish_files(database, repository, files, author=people[0], reviewer=people[1])
    finally:
        database.dispose()
    return {
        "accounts": {role: {"name": role, "password": password} for role, password in passwords.items()},
        "site": SEED_SITE.id,
        "terminal": SEED_TERMINAL,
        "enrolment_code": code.code,
        "clerks": [{"number": number, "pin": pin} for number, pin in pins.items()],
        "published": published,
    }


def _seed_clerk(session: Session, number: str) -> str:
    """A clerk of the seeded shop with a PIN drawn for it."""
    pin = f"{secrets.randbelow(9) + 1}0{secrets.randbelow(10_000):04d}"
    name = SEED_CLERKS[number]
    wanted = ClerkCreate(number=number, site=SEED_SITE.id, display_name=name, pin=pin)
    confirmations.create_clerk(session, wanted, by=Role.ADMINISTRATOR)
    return pin


def publish_files(
    database: Database, repository: MatterRepository, files: Sequence[Path], *, author: tuple[str, str],
    reviewer: tuple[str, str], scope: Scope = Scope.ALL, scope_id: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Draft, hand in and publish matter files with two people's (name, password)."""
    with database.writing() as session:
        drafts = [
            matters.save_draft(session, file.read_text(encoding="utf-8"), file=str(file), by=author[0]).id
            for file in members_first(files)
        ]
        submission = matters.submit(
            session, repository, [draft for draft in drafts if draft is not None], by=author[0], password=author[1],
            scope=scope, scope_id=scope_id,
        ).id  # fmt: skip
    assert submission is not None
    with database.writing() as session:
        assignment = matters.publish(session, repository, submission, by=reviewer[0], password=reviewer[1])
        names = [f"{row['id']} {row['version']}" for row in matters.find_submission(session, submission).references]
        if assignment is None:
            raise ProblemError(409, "superseded", "something else was published meanwhile; try again")
        return {"generation": assignment.generation, "bundle": assignment.bundle, "matters": names}


class _AnnouncedServer(uvicorn.Server):
    async def startup(self, sockets: list[Any] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            print(f"fleet server ready on http://{host}:{port}", flush=True)


def _run(options: argparse.Namespace) -> int:
    settings = _settings(options)
    if settings.is_development:
        prepare(settings)
    if settings.is_development or options.migrate:
        upgrade(settings.sqlalchemy_url)
    config = uvicorn.Config(
        create_app(settings), host=options.host, port=options.port, loop="uvloop", http="httptools",
        ws="websockets-sansio", log_level="warning", access_log=False, server_header=False,
        timeout_graceful_shutdown=5, ws_ping_interval=20, ws_ping_timeout=20, ws_max_size=4096,
    )  # fmt: skip
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: None)  # uvicorn raises it again after an orderly end: that end is code 0
    _AnnouncedServer(config).run()
    return 0


def _init(options: argparse.Namespace) -> int:
    settings = _settings(options)
    prepare(settings)
    upgrade(settings.sqlalchemy_url)
    print(f"ready in {settings.data}; move {settings.offline_keys_directory} to a medium that is kept elsewhere")
    return 0


def _account(options: argparse.Namespace) -> int:
    """The first accounts of a new server; later ones are made in the dashboard."""
    wanted = AccountCreate(
        name=options.name, display_name=options.display_name or options.name,
        password=console.password(options.name, "YIZHAN_PASSWORD"), roles=[Role(role) for role in options.role],
    )  # fmt: skip
    database = Database(_settings(options).sqlalchemy_url)
    with database.writing() as session:
        staff.create_account(session, wanted, by="console")
    print(f"account {options.name} made")
    return 0


def _seed(options: argparse.Namespace) -> int:
    made = seed(_settings(options), options.matters)
    if options.json:
        print(json.dumps(made, ensure_ascii=False))
        return 0
    for account in made["accounts"].values():
        print(f"{account['name']:14} {account['password']}")
    for clerk in made["clerks"]:
        print(f"clerk {clerk['number']:8} {clerk['pin']}")
    print(f"terminal {made['terminal']}, enrolment code {made['enrolment_code']}")
    return 0


def _enrolment_code(options: argparse.Namespace) -> int:
    database = Database(_settings(options).sqlalchemy_url)
    with database.writing() as session:
        code = terminals.new_enrolment_code(session, options.terminal, by="console")
    print(code.model_dump_json() if options.json else code.code)
    return 0


def _publish(options: argparse.Namespace) -> int:
    settings = _settings(options)
    for file in options.files:
        file.open().close()
    author, reviewer = (
        (name, console.password(name, variable))
        for name, variable in (
            (options.author, "YIZHAN_AUTHOR_PASSWORD"),
            (options.reviewer, "YIZHAN_REVIEWER_PASSWORD"),
        )
    )
    published = publish_files(
        Database(settings.sqlalchemy_url), repository_of(settings), options.files, author=author, reviewer=reviewer,
        scope=Scope(options.scope), scope_id=options.scope_id,
    )  # fmt: skip
    print(json.dumps(published, ensure_ascii=False))
    return 0


def _check_matters(options: argparse.Namespace) -> int:
    """Every mistake with its line and cure; 1 when there is one."""
    offered = read_connectors()
    said, good = check_matters(options.paths, lambda matter: operation_mistakes(matter, offered))
    print("\n".join(said))
    return 0 if good else 1


def _begin_matter(options: argparse.Namespace) -> int:
    """A matter that passes the check, to be changed into the one that is wanted."""
    for file in begin_matter(options.path):
        print(f"written: {file}")
    print(f"next: python -m fleet_server matter check {options.path}")
    return 0


def _preview_matter(options: argparse.Namespace) -> int:
    return preview_matter(options.path, options.out)


def _check_connectors(options: argparse.Namespace) -> int:
    """Every mistake with its line and cure; 1 when there is one."""
    said, good = checking.check_connectors(options.paths)
    print("\n".join(said))
    return 0 if good else 1


def _summary(options: argparse.Namespace) -> int:
    """How much this server holds, in three numbers."""
    database = Database(_settings(options).sqlalchemy_url)
    with database.reading() as session:
        held = {
            "terminals": len(terminals.overview(session)),
            "transactions": search.transaction_count(session),
            "journal_entries": search.entry_count(session),
        }
    database.dispose()
    print(json.dumps(held) if options.json else ", ".join(f"{count} {name}" for name, count in held.items()))
    return 0


def _reconcile(options: argparse.Namespace) -> int:
    """Compare one day with the payment providers' files; 1 when they differ or a file is missing."""
    compared = reconciliation.reconcile_now(_settings(options), options.day)
    if options.json:
        print(json.dumps([dataclasses.asdict(each) for each in compared], default=str, ensure_ascii=False))
    for each in compared if not options.json else ():
        print(f"{each.day} {each.channel} {each.account}: {each.result}, {each.payments} paid, {each.refunds} refunds")
        for difference in each.differences:
            print(
                f"  {difference.kind} {difference.subject}: ours {difference.ours_fen}, theirs {difference.theirs_fen}"
            )
    return 1 if any(each.result != "agrees" for each in compared) else 0


def _sandbox(options: argparse.Namespace) -> int:
    settings = _settings(options)
    if not settings.is_development:
        raise SettingsInvalid("the sandbox city is never used in production")
    if importlib.util.find_spec("fleet_server.sandbox") is None:
        raise SettingsInvalid("this installation carries no sandbox city")
    importlib.import_module("fleet_server.sandbox").run(host=options.host, port=options.port, data=settings.data)
    return 0


def _settings(options: argparse.Namespace) -> Settings:
    return Settings.from_environment(**({"data": options.data} if options.data else {}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fleet_server")
    commands = parser.add_subparsers(required=True)

    def command(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.add_argument("--data", type=Path, help="data directory (YIZHAN_DATA)")
        made.set_defaults(command=run)
        return made

    run = command("run", _run, "serve terminals and staff")
    run.add_argument("--host", default="127.0.0.1")
    run.add_argument("--port", type=console.port, default=8700)
    run.add_argument("--migrate", action="store_true", help="bring the database up to date first")
    command("init", _init, "make keys, database and an empty repository")
    account = command("account", _account, "make an account")
    account.add_argument("name")
    account.add_argument("--display-name")
    account.add_argument("--role", action="append", choices=[role.value for role in Role], required=True)
    seeding = command("seed", _seed, "accounts, a terminal and all matters, for development")
    seeding.add_argument("--json", action="store_true")
    seeding.add_argument("--matters", type=Path, default=ASSETS)
    code = command("enrolment-code", _enrolment_code, "a one-time code for a terminal")
    code.add_argument("terminal")
    code.add_argument("--json", action="store_true")
    publish = command("publish", _publish, "publish matter files with two people's signatures")
    publish.add_argument("files", nargs="+", type=Path)
    publish.add_argument("--author", default="author")
    publish.add_argument("--reviewer", default="reviewer")
    publish.add_argument("--scope", default="all", choices=[scope.value for scope in Scope])
    publish.add_argument("--scope-id", default="")
    _add_matter_commands(commands.add_parser("matter", help="work with matter files"))
    wiring = commands.add_parser("connector", help="work with connector files").add_subparsers(required=True)
    wires = wiring.add_parser("check", help="every mistake with its line and cure")
    wires.add_argument("paths", nargs="+", type=Path)
    wires.set_defaults(command=_check_connectors)
    reconcile = command("reconcile", _reconcile, "compare one day's payments with the providers' files")
    yesterday = dt.datetime.now(CITY_TIME).date() - dt.timedelta(days=1)
    reconcile.add_argument("--day", type=dt.date.fromisoformat, default=yesterday, help="YYYY-MM-DD; yesterday")
    reconcile.add_argument("--json", action="store_true")
    summary = command("summary", _summary, "how many terminals, transactions and journal entries")
    summary.add_argument("--json", action="store_true")
    sandbox = command("sandbox", _sandbox, "the stand-in city, for development")
    sandbox.add_argument("--host", default="127.0.0.1")
    sandbox.add_argument("--port", type=console.port, default=8710)
    return parser


def _add_matter_commands(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True)
    check = commands.add_parser("check", help="every mistake with its line and cure")
    check.add_argument("paths", nargs="+", type=Path)
    check.set_defaults(command=_check_matters)
    begin = commands.add_parser("new", help="begin a matter that passes the check")
    begin.add_argument("path", type=Path, help="the folder …/DEPARTMENT/MATTER")
    begin.set_defaults(command=_begin_matter)
    preview = commands.add_parser("preview", help="the matter's screens as pictures, standard and elder")
    preview.add_argument("path", type=Path, help="the folder, or its matter.yaml")
    preview.add_argument("--out", type=Path, default=Path("build/preview"))
    preview.set_defaults(command=_preview_matter)


if __name__ == "__main__":
    sys.exit(main())
