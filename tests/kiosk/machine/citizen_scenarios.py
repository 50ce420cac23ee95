"""Run as a program by test_memory: takes a secret in disguise, works with it in one way, forgets it, says `ready`."""

from __future__ import annotations

import asyncio
import base64
import ctypes
import gc
import json
import logging
import random
import re
import sqlite3
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from drivers.messages import CardType, IdCard
from kiosk.contracts.fleet import ServiceAnswer, ServiceRequest
from kiosk.contracts.value import canonical_bytes, masked_name, masked_number
from kiosk.machine.fleet.client import FleetClient
from kiosk.machine.fleet.identity import Identity
from kiosk.machine.journal import Journal, NotRecordable
from kiosk.machine.memory import CleaningExecutor, sweep
from kiosk.machine.services import Services

kept: list[str] = []
owners: list[Any] = []


def secret() -> tuple[str, str]:
    """Name and identity number, sent in disguise so that the reading itself leaves nothing."""
    disguised = bytes.fromhex(sys.stdin.readline().strip())
    name, number = bytes(byte ^ 0x55 for byte in disguised).decode().split("|")
    return name, number


def strings() -> None:
    name, number = secret()
    many = [f"{name}{index}{number}" for index in range(300)]
    text = "，".join(many)
    for encoding in ("utf-8", "gb18030", "utf-16-le", "utf-32-le"):
        assert text.encode(encoding).decode(encoding) == text
    re.sub(r"\d{6}", lambda found: found.group()[::-1], text).split("，")
    text.upper(), text.replace(name, number), bytearray(text.encode()), masked_name(name), masked_number(number)


def tails() -> None:
    """Short texts freed one after another between others that stay: their characters are the last word of a block."""
    _, number = secret()
    codes = []
    for index in range(3000):
        codes += [str(int(f"1{number[-6:]}"))[1:] for _ in range(3)]
        kept.append(f"{index:0>20}")
    random.Random(7).shuffle(codes)
    while codes:
        codes.pop()


def json_texts() -> None:
    name, number = secret()
    for ascii_only in (True, False):
        text = json.dumps({"name": name, number: [number] * 50}, ensure_ascii=ascii_only)
        canonical_bytes(json.loads(json.dumps(json.loads(text.encode()))))


def models() -> None:
    name, number = secret()
    for _ in range(50):
        card = IdCard(card_type=CardType.RESIDENT, name=name, id_number=number, photo=number.encode() * 50)
        IdCard.model_validate_json(card.model_dump_json()).model_dump()
        asked = ServiceRequest(request_id="r", payload={"name": name, number: {"id": number}})
        answer = {"request_id": "r", "outcome": "done", "data": asked.payload, "message": {"en": name}}
        ServiceAnswer.model_validate_json(json.dumps(answer)).model_dump_json()


def database() -> None:
    name, number = secret()
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder, "x.sqlite"))
        connection.execute("CREATE TABLE t (a, b)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(name, number)] * 200)
        assert connection.execute("SELECT a FROM t WHERE b = ?", (number,)).fetchall()
        connection.close()


def journal_refusal() -> None:
    name, number = secret()
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.open(Path(folder, "journal.sqlite"), terminal="k1")
        for data in ({"name": name}, {"id_number": number}, {"card_type": number}):
            try:
                journal.append("card_read", **data)
            except NotRecordable as refusal:
                traceback.format_exception(refusal)
        journal.append("card_read", name=masked_name(name), id_number=masked_number(number))
        kept.append(journal.journal_id)


def failure() -> None:
    name, number = secret()
    try:
        {}[name + number]
    except KeyError as error:
        logging.getLogger("nobody").debug("%s", error, exc_info=True)
        sys.last_exc = error  # type: ignore[attr-defined]
    loop: list[Any] = [name, number]
    loop.append(loop)


def stack() -> None:
    """The C library keeps a path in a buffer on the stack."""
    name, number = secret()
    libc = ctypes.CDLL(None)
    libc.realpath(f"/{name}/{number}".encode(), None)


def worker() -> None:
    name, number = secret()

    def work() -> int:
        libc = ctypes.CDLL(None)
        return len(f"{libc.realpath(f'/{name}/{number}'.encode(), None)}")

    async def within() -> None:
        asyncio.get_running_loop().set_default_executor(pool)
        await asyncio.gather(*(asyncio.to_thread(work) for _ in range(8)))

    pool = CleaningExecutor(4)
    kept.append(pool)  # type: ignore[arg-type]
    asyncio.run(_keeping(within))


async def _keeping(story: Any) -> None:
    await story()
    asyncio.get_running_loop()._default_executor = None  # type: ignore[attr-defined]


def ended_thread() -> None:
    name, number = secret()
    with CleaningExecutor(1) as pool:
        pool.submit(ctypes.CDLL(None).realpath, f"/{name}/{number}".encode(), None).result()


def services(url: str) -> None:
    """The connection to the centre stays open afterwards."""
    name, number = secret()

    async def within() -> None:
        with tempfile.TemporaryDirectory() as folder:
            client = FleetClient(url, Identity.open(Path(folder)).key, "k1")
            asking = Services(client)
            for index in range(5):
                payload = {"name": name, "id_number": number}
                answer = await asking.call("population.find", payload, request_id=f"request-{index}")
                assert answer.data["id_number"] == number
            kept.append(client)  # type: ignore[arg-type]

    loop = asyncio.new_event_loop()
    loop.run_until_complete(within())
    kept.append(loop)  # type: ignore[arg-type]


def held() -> None:
    """The control: what is not forgotten must be found."""
    from PySide6.QtCore import QObject

    name, number = secret()
    kept.extend((name, number, f"{name}𠮷"))
    kept.append(base64.b64encode(b"\xff\xd8\xff" + f"{name}|{number}".encode()).decode())
    for text in (number, kept[-1]):
        owner = QObject()
        owner.setObjectName(text)
        owners.append(owner)


if __name__ == "__main__":
    for scenario in sys.argv[1].split("+"):
        globals()[scenario](*sys.argv[3:])
    if sys.argv[2] == "sweep":
        sweep()
    else:
        gc.collect()
    print("ready", flush=True)
    sys.stdin.readline()
