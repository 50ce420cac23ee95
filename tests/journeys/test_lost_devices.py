"""A device process that dies or stops in mid-transaction: the screen goes on, the device is back, the citizen too."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.journeys.house import House, Life, until
from tests.journeys.measure import BACK_SECONDS, Watch

pytestmark = pytest.mark.timeout(90)

KILLED, STOPPED = signal.SIGKILL, signal.SIGSTOP
RESTARTING = "设备正在恢复，几秒就好，您填的内容都在"
each_way = pytest.mark.parametrize("blow", [KILLED, STOPPED], ids=["killed", "stopped"])


@dataclass(frozen=True)
class Blow:
    """A device process that was hit, and when (wall clock)."""

    device: str
    life: Life
    at: float


def strike(house: House, device: str, blow: signal.Signals) -> Blow:
    life = house.lives()[device]
    os.kill(life.pid, blow)
    return Blow(device, life, time.time())


def is_back(house: House, blow: Blow) -> float:
    """Seconds until another process stood, fit for use."""

    def stands() -> Life | None:
        now = house.lives()[blow.device]
        return now if now.pid != blow.life.pid else None

    now = until(stands, 15, f"{blow.device} is back")
    assert now.state in ("online", "busy")
    with pytest.raises(ProcessLookupError):
        os.kill(blow.life.pid, 0)
    return now.since - blow.at


def check(house: House, watch: Watch, blow: Blow) -> None:
    back = is_back(house, blow)
    print(f"{blow.device}: back after {back:.2f} s; {watch}")
    assert back <= BACK_SECONDS / watch.share
    watch.assert_never_frozen()


def ended(house: House, number: str) -> str:
    return str(house.one(number, "transaction_ended").data["disposition"])


@each_way
def test_card_reader_lost_while_it_waits_for_a_card(house: House, blow: signal.Signals) -> None:
    visitor = house.visitor()
    visitor.walk(lambda state: state["screen"]["place"] == "card_reader")
    with house.watched() as watch:
        hit = strike(house, "card_reader", blow)
        until(lambda: house.hand.state()["screen"]["say"] == RESTARTING, 3, "the citizen is told")
        until(lambda: house.hand.state()["screen"]["place"] == "card_reader", 5, "the citizen is asked for the card")
        visitor.home()
    check(house, watch, hit)
    assert ended(house, visitor.number) == "succeeded"


@each_way
def test_face_process_lost_during_the_check(house: House, blow: signal.Signals) -> None:
    visitor = house.visitor(way_in="face")
    visitor.walk(lambda state: state["screen"]["place"] == "face_camera")
    with house.watched() as watch:
        hit = strike(house, "face_check", blow)
        visitor.home()
    check(house, watch, hit)
    assert RESTARTING in watch.sentences
    assert house.one(visitor.number, "signed_in").data["way"] == "face"
    assert len(house.entries(visitor.number, event="consent_given")) == 2  # one for the matter, one for the face
    assert ended(house, visitor.number) == "succeeded"


@each_way
def test_receipt_printer_lost_before_its_slip(house: House, blow: signal.Signals) -> None:
    visitor = house.visitor()
    visitor.to_step("paper", "preview")
    with house.watched() as watch:
        hit = strike(house, "receipt_printer", blow)
        visitor.home()
    check(house, watch, hit)
    assert house.one(visitor.number, "print_ended", device="receipt_printer").data["disposition"] == "succeeded"
    assert ended(house, visitor.number) == "succeeded"


@each_way
def test_document_printer_lost_before_the_page(house: House, blow: signal.Signals) -> None:
    visitor = house.visitor()
    visitor.to_step("paper", "preview")
    pages = house.pages()
    with house.watched() as watch:
        hit = strike(house, "document_printer", blow)
        visitor.home()
    check(house, watch, hit)
    assert house.one(visitor.number, "print_ended", device="document_printer").data["disposition"] == "succeeded"
    assert house.pages() == pages + 1
    assert ended(house, visitor.number) == "succeeded"


@each_way
def test_document_printer_lost_during_the_page(house: House, blow: signal.Signals) -> None:
    """The page lies in the printer and is held there: what became of it is asked, and it is never sent again."""
    visitor = house.visitor()
    house.city.order("document_printer", "fault slow")
    visitor.to_step("paper", "preview")
    pages = house.pages()
    with house.watched() as watch:
        house.hand.tap("primary")
        until(lambda: is_printing(house), 5, "the printer works on the page")
        hit = strike(house, "document_printer", blow)
        until(uncertain(house, visitor.number), 5, "the journal says uncertain")
        is_back(house, hit)
        house.city.order("document_printer", "clear")
        visitor.home()
    check(house, watch, hit)
    assert house.one(visitor.number, "print_reconciled").data["disposition"] == "succeeded"
    assert len(house.entries(visitor.number, event="print_begun")) == 2  # the page and the slip
    assert house.pages() == pages + 1
    assert ended(house, visitor.number) == "succeeded"


def uncertain(house: House, number: str) -> Callable[[], bool]:
    return lambda: any(entry.data["disposition"] == "uncertain" for entry in house.entries(number, event="print_ended"))


def is_printing(house: House) -> bool:
    """The printer's own word: a job of ours is in process."""
    return house.printer_jobs("not-completed") > 0
