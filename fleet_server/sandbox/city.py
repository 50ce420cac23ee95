"""The city's memory: its people, its inbox, its open cases and sent codes."""

from __future__ import annotations

import datetime as dt
import itertools
import secrets
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fleet_server.sandbox.citizens import Citizen, read_citizens
from fleet_server.sandbox.documents import DocumentOffice
from fleet_server.sandbox.keys import SealAuthority
from fleet_server.sandbox.orders import Orders

INBOX_MESSAGES = 200
CODE_SECONDS = 300
CODE_TRIES = 5
CHALLENGES = 500
CASES = 5000

Clock = Callable[[], dt.datetime]


@dataclass
class Challenge:
    """A one-time code on its way: good for CODE_SECONDS and CODE_TRIES."""

    code: str
    expires_at: dt.datetime
    tries_left: int = CODE_TRIES


@dataclass(frozen=True)
class TextMessage:
    phone: str
    text: str
    sent_at: dt.datetime


@dataclass(frozen=True)
class Case:
    """What somebody handed in at a counter. `promised_on` is a day of the city's calendar."""

    number: str
    department: str
    operation: str
    title: str
    holder: str
    handed_in_at: dt.datetime
    promised_on: dt.date
    state: str


@dataclass
class City:
    """Everything behind the departments' counters. Handlers run in threads: changes are made under `lock`."""

    clock: Clock
    authority: SealAuthority
    documents: DocumentOffice
    people: dict[str, Citizen]
    orders: Orders = field(default_factory=Orders)
    inbox: deque[TextMessage] = field(default_factory=lambda: deque(maxlen=INBOX_MESSAGES))
    challenges: dict[str, Challenge] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    app_codes: dict[str, Any] = field(default_factory=dict)
    """Codes the provincial app shows now, by text."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    _shelves: dict[str, dict[str, Any]] = field(default_factory=dict)
    _cases: Any = field(default_factory=lambda: itertools.count(1))

    def person(self, id_number: Any, name: Any) -> Citizen | None:
        """The citizen with this number, if the name fits too."""
        found = self.people.get(str(id_number))
        return found if found is not None and found.name == name else None

    def next_case(self, prefix: str) -> str:
        with self.lock:
            return f"{prefix}{self.clock():%Y%m%d}{next(self._cases):05d}"

    def shelf(self, platform: str) -> dict[str, Any]:
        """What a platform keeps while this city lives: paid bills, locked cards. Change it under `lock`."""
        return self._shelves.setdefault(platform, {})

    def forget(self) -> None:
        """A new day: nothing was ordered, sent, handed in or paid. Papers already issued stay valid."""
        self.orders.clear()
        with self.lock:
            self.inbox.clear()
            self.challenges.clear()
            self.cases.clear()
            self._shelves.clear()

    def keep_case(self, case: Case) -> None:
        with self.lock:
            while len(self.cases) >= CASES:
                self.cases.pop(next(iter(self.cases)))
            self.cases[case.number] = case

    def send_code(self, phone: str) -> str:
        """Text a six-digit code to the phone; returns the challenge's id."""
        code = f"{secrets.randbelow(1_000_000):06d}"
        challenge_id = uuid.uuid4().hex
        now = self.clock()
        with self.lock:
            while len(self.challenges) >= CHALLENGES:
                self.challenges.pop(next(iter(self.challenges)))
            self.challenges[challenge_id] = Challenge(code, now + dt.timedelta(seconds=CODE_SECONDS))
            text = f"【e政务】验证码{code}，{CODE_SECONDS // 60}分钟内有效，请勿告诉他人。"
            self.inbox.append(TextMessage(phone, text, now))
        return challenge_id

    def check_code(self, challenge_id: str, code: str) -> str:
        """`ok`, `wrong`, `expired` or `too_many`. A code is good once."""
        with self.lock:
            challenge = self.challenges.get(challenge_id)
            if challenge is None or self.clock() > challenge.expires_at:
                return "expired"
            if challenge.tries_left <= 0:
                return "too_many"
            challenge.tries_left -= 1
            if not secrets.compare_digest(challenge.code.encode(), code.encode()):
                return "wrong" if challenge.tries_left else "too_many"
            del self.challenges[challenge_id]
            return "ok"


def found_city(data: Path, clock: Clock, people: Iterable[Citizen] | None = None) -> City:
    """A city whose keys and documents live in `data`."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority = SealAuthority(data, clock())
    citizens = read_citizens() if people is None else people
    return City(
        clock=clock,
        authority=authority,
        documents=DocumentOffice(data, authority),
        people={citizen.id_number: citizen for citizen in citizens},
    )
