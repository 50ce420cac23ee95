"""A city for the eye: twelve terminals at nine shops, faults, a day of transactions. Everything in it is invented.

`python -m tests.fleet_server.dashboard.sample_data DIRECTORY` makes it and serves it; every account's password is
printed. `fill(app)` puts the same into a server that is ready and has the accounts `author` and `reviewer`.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from sqlmodel import Session

from fleet_server.__main__ import DISPLAY_NAMES, publish_files
from fleet_server.app import create_app
from fleet_server.confirmations import service as confirmations
from fleet_server.confirmations.models import ClerkCreate
from fleet_server.dashboard.moments import midnight
from fleet_server.database import now
from fleet_server.journal.service import take_in
from fleet_server.maintenance import service as maintenance
from fleet_server.matters import service as matters
from fleet_server.security import TerminalIdentity
from fleet_server.staff.models import Account
from fleet_server.terminals import service as terminals
from fleet_server.terminals.models import SiteCreate, TerminalCreate, TerminalStatus
from kiosk.contracts.confirmations import ClerkWord, ConfirmationRequest
from kiosk.contracts.events import GENESIS, JournalEntry
from kiosk.contracts.fleet import EnrolmentRequest
from kiosk.contracts.matter import CONTRACT_VERSION, STEP_KINDS
from kiosk.contracts.value import canonical_bytes, sha256_hex
from tests.fleet_server.conftest import ASSETS, PASSWORD, prepared
from tests.fleet_server.dashboard.sample_money import fill_money
from tests.fleet_server.peer import Peer

SITES = {
    "siming-lianban": ("海风便利 莲坂店", "思明区嘉禾路示范段 18 号"),
    "siming-zhongshan": ("海风便利 中山路店", "思明区中山路示范段 6 号"),
    "siming-ruanjian": ("海风便利 软件园店", "思明区软件园二期示范楼 1 层"),
    "huli-wuyuan": ("邻里小站 五缘湾店", "湖里区五缘湾示范道 25 号"),
    "huli-jichang": ("邻里小站 机场店", "湖里区机场候车厅 2 号口"),
    "jimei-xueyuan": ("海风便利 学苑店", "集美区学苑示范路 9 号"),
    "haicang-wanda": ("邻里小站 海沧店", "海沧区滨湖示范路 88 号"),
    "tongan-laojie": ("海风便利 同安老街店", "同安区老街 3 号"),
    "xiangan-zhan": ("邻里小站 翔安站店", "翔安区车站示范广场 B1"),
}
TERMINALS = {
    "xm-siming-001a": "siming-lianban", "xm-siming-001b": "siming-lianban", "xm-siming-002a": "siming-zhongshan",
    "xm-siming-003a": "siming-ruanjian", "xm-siming-003b": "siming-ruanjian", "xm-huli-001a": "huli-wuyuan",
    "xm-huli-002a": "huli-jichang", "xm-jimei-001a": "jimei-xueyuan", "xm-haicang-001a": "haicang-wanda",
    "xm-haicang-001b": "haicang-wanda", "xm-tongan-001a": "tongan-laojie", "xm-xiangan-001a": "xiangan-zhan",
}  # fmt: skip
FAULTS: dict[str, list[tuple[str, str, str, str, int]]] = {
    # terminal: (device, its state, fault, who must act, minutes ago)
    "xm-siming-002a": [("receipt_printer", "user_error", "paper_out", "clear", 42)],
    "xm-siming-003b": [("document_printer", "online", "toner_low", "maintenance", 1540)],
    "xm-huli-001a": [("document_printer", "user_error", "toner_out", "maintenance", 205)],
    "xm-huli-002a": [
        ("id_card_reader", "hardware_error", "sam_failed", "maintenance", 318),
        ("receipt_printer", "online", "paper_low", "clear", 66),
    ],
    "xm-haicang-001a": [("face_camera", "offline", "camera_stalled", "maintenance", 97)],
    "xm-haicang-001b": [("document_printer", "user_error", "media_jammed", "clear", 12)],
    "xm-tongan-001a": [("document_printer", "offline", "bad_address", "configuration", 880)],
    "xm-xiangan-001a": [("id_card_reader", "offline", "process_lost", "wait", 0)],
}
STAGES = {"xm-huli-002a": "out_of_service", "xm-siming-001a": "session", "xm-xiangan-001a": "session"}
SILENT = {"xm-jimei-001a": 47}
CLERKS = (
    ("1001", "siming-lianban", "店员甲", "402917"), ("1002", "siming-lianban", "店员乙", "630148"),
    ("2001", "huli-wuyuan", "店员丙", "871235"),
)  # fmt: skip
VOUCHED = (
    ("xm-huli-001a", "2001", "871235", "陈* 350***********0034"),
    ("xm-siming-001b", "1001", "402917", "叶** 350***********0026"),
    ("xm-siming-001a", "1001", "402917", "林** 350***********0017"),
    ("xm-huli-001a", "2001", "871235", "苏** 350***********0041"),
)
HOLDERS = ("林**", "陈*", "黄**", "王**", "郑*", "叶**", "苏**", "吴*")
ENDINGS = ("succeeded",) * 17 + ("cancelled", "failed", "uncertain")
PARTS = {
    "id_card_reader": {"sam": "ok"}, "face_camera": {"lens": "clear"}, "face_matcher": {"engine": "ok"},
    "receipt_printer": {"paper": "full", "cover": "closed", "cutter": "ok", "head": "ok"},
    "document_printer": {"paper": "full", "toner": "full", "cover": "closed", "output_bin": "ok"},
}  # fmt: skip
CHANGED_PART = {
    "paper_out": ("paper", "out"), "paper_low": ("paper", "low"), "toner_low": ("toner", "low"),
    "toner_out": ("toner", "out"), "media_jammed": ("paper", "jammed"), "sam_failed": ("sam", "inoperative"),
}  # fmt: skip


def fill(app: FastAPI, *, transactions: int = 90) -> dict[str, Peer]:
    """Sites, terminals, matters, journals, heartbeats; the peers by their terminals' names."""
    chance = random.Random(7)
    database, repository = app.state.database, app.state.repository
    files = sorted(ASSETS.glob("**/matter.yaml"))
    people = ("author", PASSWORD), ("reviewer", PASSWORD)
    published = publish_files(database, repository, files, author=people[0], reviewer=people[1])
    peers = {}
    with database.writing() as session:
        for site, (name, address) in SITES.items():
            terminals.create_site(session, SiteCreate(id=site, name=name, address=address), by="administrator")
        session.flush()
        for name, site in TERMINALS.items():
            peers[name] = _enrolled(session, name, site)
    _second_version(app)
    journals = {name: SampleJournal(peer) for name, peer in peers.items()}
    _day(chance, journals, transactions, published["bundle"])
    for journal in journals.values():
        journal.upload(app)
    wanted = _wanted(app)
    with database.writing() as session:
        for name in TERMINALS:
            minutes = SILENT.get(name, 0)
            heard = now() - dt.timedelta(minutes=minutes, seconds=chance.randint(1, 12))
            beat = heartbeat(name, journals[name], wanted, published["bundle"])
            session.merge(TerminalStatus(terminal=name, heard_at=heard, heartbeat=beat, reported_since=_ago(34)))
    with database.writing() as session:
        maintenance.take(session, "device_fault:xm-huli-001a:document_printer:toner_out", by="maintainer")
        _vouched(session)
    fill_money(app, list(TERMINALS))
    return peers


def _vouched(session: Session) -> None:
    """Three clerks, a request that waits for the operator, one that was refused and one that two clerks confirmed."""
    for number, site, name, pin in CLERKS:
        wanted = ClerkCreate(number=number, site=site, display_name=name, pin=pin)
        confirmations.create_clerk(session, wanted, by="administrator")
    session.flush()
    for place, (terminal, clerk, pin, holder) in enumerate(VOUCHED):
        asked = ConfirmationRequest(
            clerk=clerk, pin=pin, transaction_number=f"261122-{terminal[3:]}-{place}", matter="no_house_certificate",
            holder=holder,
        )  # fmt: skip
        confirmations.ask(session, terminal, f"{place:032x}", asked)
    session.flush()
    confirmations.decide(session, f"{0:032x}", account="operator", refusal="document_doubtful")
    confirmations.second_clerk(session, VOUCHED[1][0], f"{1:032x}", ClerkWord(clerk="1002", pin=CLERKS[1][3]))


def heartbeat(name: str, journal: SampleJournal, wanted: tuple[int, str], before: str) -> dict[str, Any]:
    generation, bundle = wanted
    reported: dict[str, Any] = {
        "generation": generation,
        "bundle": bundle,
        "result": "installed",
        "reason": "",
        "detail": "",
    }
    if name == "xm-siming-003a":
        reported |= {
            "generation": generation - 1, "bundle": before, "result": "refused", "reason": "expired",
            "detail": "the timestamp of the repository ended 3 h ago by this machine's clock", "refused_bundle": bundle,
        }  # fmt: skip
    if name in ("xm-tongan-001a", *SILENT):
        reported |= {"generation": generation - 1, "bundle": before}
    return {
        "terminal": name, "boot_id": "b" * 8, "sent_at": now().isoformat(), "version": "0.1.0",
        "contract_version": CONTRACT_VERSION, "step_kinds": list(STEP_KINDS), "stage": STAGES.get(name, "attract"),
        "stage_reasons": ["G73"] if STAGES.get(name) == "out_of_service" else [], "devices": dict(_devices(name)),
        "reported": reported, "journal_id": journal.journal_id,
        "journal_sequence": len(journal.entries) + (14 if name in SILENT else 0),
        "acknowledged_sequence": len(journal.entries), "clock_offset_ms": 41_000 if name == "xm-siming-003a" else 120,
    }  # fmt: skip


class SampleJournal:
    """A chained, signed journal as a terminal writes it."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.journal_id = sha256_hex(peer.terminal.encode())[:32]
        self.entries: list[dict[str, Any]] = []
        self.write("journal_opened", midnight() - dt.timedelta(days=1), terminal=peer.terminal, reason="enrolled")

    def write(self, event: str, at: dt.datetime, number: str | None = None, **data: Any) -> None:
        entry = JournalEntry(
            journal_id=self.journal_id, sequence=len(self.entries) + 1, occurred_at=at, monotonic_ms=1, event=event,
            transaction_number=number, data=data, previous_hash=self.entries[-1]["hash"] if self.entries else GENESIS,
        )  # fmt: skip
        self.entries.append(entry.sealed().model_dump(mode="json"))

    def transaction(
        self, at: dt.datetime, number: str, matter: str, *, bundle: str, holder: str, ending: str | None
    ) -> None:
        clock = _clock(at)
        self.write("transaction_begun", next(clock), number, matter=matter, version=1, bundle=bundle)
        self.write("consent_given", next(clock), number, subject="face", text_version="1", consent_id="c-1")
        self.write("card_read", next(clock), number, card_type="resident", name=holder, id_number="350*************17")
        self.write("face_checked", next(clock), number, decision="accept", distance="0.31", attempts=1)
        self.write("signed_in", next(clock), number, way="card_face", assurance="card_person")
        if ending is None:
            return
        if ending == "cancelled":
            self.write("transaction_ended", next(clock), number, disposition=ending, holder=holder)
            return
        case, request = f"QLBZ{number[-6:]}", f"r-{number[-6:]}"
        self.write("service_begun", next(clock), number, step="query", operation=f"{matter}.issue", request_id=request)
        done = "failed" if ending == "failed" else "succeeded"
        self.write(
            "service_ended", next(clock), number, step="query", operation=f"{matter}.issue", request_id=request,
            disposition=done, reason="authority_down" if ending == "failed" else "", case_number=case,
        )  # fmt: skip
        if ending == "failed":
            self.write("citizen_told", next(clock), number, fault="C32", step="query")
            self.write("transaction_ended", next(clock), number, disposition=ending, fault="C32", holder=holder)
            return
        self.write("seal_checked", next(clock), number, document="certificate", disposition="succeeded")
        self.write("print_begun", next(clock), number, step="paper", device="document_printer", job_id="41")
        self.write("print_ended", next(clock), number, step="paper", device="document_printer", job_id="41",
                   disposition=ending, pages=1)  # fmt: skip
        self.write("rating_given", next(clock), number, grade=5)
        fault = {"fault": "D44"} if ending == "uncertain" else {}
        self.write(
            "transaction_ended", next(clock), number, disposition=ending, holder=holder, case_number=case, **fault
        )

    def upload(self, app: FastAPI) -> None:
        for start in range(0, len(self.entries), 400):
            entries = self.entries[start : start + 400]
            checkpoint = {
                "journal_id": self.journal_id, "sequence": entries[-1]["sequence"], "hash": entries[-1]["hash"],
            }  # fmt: skip
            signature = base64.b64encode(self.peer.key.sign(canonical_bytes(checkpoint))).decode()
            batch = {
                "journal_id": self.journal_id, "first_sequence": entries[0]["sequence"], "entries": entries,
                "checkpoint": checkpoint | {"signature": signature},
            }  # fmt: skip
            identity = TerminalIdentity(self.peer.terminal, self.peer.key.public_key().public_bytes_raw(), {})
            content = json.dumps(batch).encode()
            take_in(
                app.state.database, app.state.director, identity, journal_id=self.journal_id, content=content,
                encoding="",
            )  # fmt: skip


def _clock(at: dt.datetime) -> Iterator[dt.datetime]:
    while True:
        yield at
        at += dt.timedelta(seconds=7, milliseconds=430)


def _day(chance: random.Random, journals: dict[str, SampleJournal], count: int, bundle: str) -> None:
    matters_known = [file.parent.name for file in sorted(ASSETS.glob("**/matter.yaml"))]
    begin, end = midnight(), now() - dt.timedelta(minutes=2)
    moments = sorted(begin + (end - begin) * chance.random() for _ in range(count))
    open_ones = [name for name, stage in STAGES.items() if stage == "session"]
    for index, at in enumerate(moments):
        name = chance.choice([each for each in TERMINALS if each not in SILENT])
        _one(
            chance,
            journals[name],
            at,
            chance.choice(matters_known),
            bundle=bundle,
            ending=ENDINGS[index % len(ENDINGS)],
        )
    for name in open_ones:
        _one(
            chance,
            journals[name],
            now() - dt.timedelta(seconds=40),
            chance.choice(matters_known),
            bundle=bundle,
            ending=None,
        )


def _one(
    chance: random.Random, journal: SampleJournal, at: dt.datetime, matter: str, *, bundle: str, ending: str | None
) -> None:
    tail = "".join(chance.choice("23456789ACDEFHJKLMNPQRTUVWXY") for _ in range(6))
    number = f"{at.astimezone(midnight().tzinfo):%y%m%d}-{journal.peer.terminal[-4:].upper()}-{tail}"
    journal.transaction(at, number, matter, bundle=bundle, holder=chance.choice(HOLDERS), ending=ending)


def _enrolled(session: Any, name: str, site: str) -> Peer:
    ring = "first" if name.endswith("b") else None
    terminals.create_terminal(
        session, TerminalCreate(id=name, site=site, ring=ring, group=site.split("-", maxsplit=1)[0]), by="administrator"
    )
    session.flush()
    code = terminals.new_enrolment_code(session, name, by="maintainer").code
    session.flush()
    peer = Peer(name)
    terminals.enrol(session, EnrolmentRequest(code=code, public_key=peer.public_key, machine=f"kiosk-{name[3:]}"))
    return peer


def _second_version(app: FastAPI) -> None:
    """One matter goes on: version 2 is published, version 3 waits for its second signature."""
    file = ASSETS / "natural_resources" / "no_house_certificate" / "matter.yaml"
    text = file.read_text(encoding="utf-8")
    for version in (2, 3):
        changed = text.replace("\nversion: 1\n", f"\nversion: {version}\n")
        changed = changed.replace(
            "当场出证，约两分钟。", "当场出证，约两分钟。" if version == 2 else "当场出证，约一分钟。"
        )
        changed = changed.replace("只需身份证，不用带其他材料。", "只需本人身份证，不用带其他材料。")
        with app.state.database.writing() as session:
            draft = matters.save_draft(session, changed, file="matter.yaml", by="author").id
            assert draft is not None
            repository = app.state.repository
            submission = matters.submit(session, repository, [draft], by="author", password=PASSWORD).id
            assert submission is not None
        if version == 2:
            with app.state.database.writing() as session:
                matters.publish(session, repository, submission, by="reviewer", password=PASSWORD)
    other = (ASSETS / "public_security" / "residence_permit_endorsement" / "matter.yaml").read_text(encoding="utf-8")
    with app.state.database.writing() as session:
        matters.save_draft(session, other.replace("\nversion: 1\n", "\nversion: 2\n"), file="matter.yaml", by="author")


def _wanted(app: FastAPI) -> tuple[int, str]:
    with app.state.database.reading() as session:
        public = terminals.one(session, next(iter(TERMINALS)))
    assert public.desired_generation is not None
    assert public.desired_bundle is not None
    return public.desired_generation, public.desired_bundle


def _devices(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    broken = FAULTS.get(name, [])
    for device, parts in PARTS.items():
        state, faults, parts_now = "online", [], dict(parts)
        for faulty, its_state, code, action, minutes in broken:
            if faulty == device:
                state = its_state
                faults.append({"code": code, "action": action, "since": _ago(minutes).isoformat()})
                if code in CHANGED_PART:
                    part, how = CHANGED_PART[code]
                    parts_now[part] = how
        yield device, {"device": state, "faults": faults, "parts": parts_now, "simulated": False}


def _ago(minutes: int) -> dt.datetime:
    return now() - dt.timedelta(minutes=minutes)


def _names(app: FastAPI) -> None:
    with app.state.database.writing() as session:
        for role, name in DISPLAY_NAMES.items():
            session.get_one(Account, str(role)).display_name = name


def main(directory: str, port: int = 8700) -> None:
    settings = prepared(Path(directory)).model_copy(update={"silence_seconds": 1800})
    app = create_app(settings)
    _names(app)
    fill(app)
    print(
        f"http://127.0.0.1:{port}  administrator, author, reviewer, maintainer, auditor, operator: {PASSWORD}",
        flush=True,
    )
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1], *(int(each) for each in sys.argv[2:3]))
