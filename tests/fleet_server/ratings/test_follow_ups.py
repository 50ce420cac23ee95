"""A bad rating opens a follow-up with a deadline; one person answers it, once, and nothing personal is written."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator

import httpx
import pytest
from sqlmodel import select

from fleet_server.problems import ProblemError
from fleet_server.ratings import service
from fleet_server.ratings.models import Answer, FollowUp, FollowUpOutcome
from fleet_server.staff.models import AuditEntry
from kiosk.contracts.value import CITY_TIME
from tests.fleet_server.conftest import PASSWORD, World
from tests.fleet_server.dashboard.conftest import TOKEN
from tests.fleet_server.peer import Journal

BAD, WORSE, GOOD = "260101-T1-AAAAAA", "260102-T1-BBBBBB", "260103-T1-CCCCCC"


@pytest.fixture
def rated(any_world: World) -> Journal:
    """Three citizens rated: dissatisfied with two reasons, very dissatisfied without one, very satisfied."""
    journal = Journal(any_world.terminal())
    for number, data, moment in (
        (BAD, {"grade": "2", "reasons": "slow,device"}, "2026-01-01T02:00:00Z"),
        (WORSE, {"grade": "1", "reasons": ""}, "2025-12-30T02:00:00Z"),
        (GOOD, {"grade": "5", "reasons": ""}, "2026-01-01T03:00:00Z"),
    ):
        journal.write("transaction_begun", {"matter": "no_house_certificate", "version": 1, "bundle": "b"}, number)
        journal.write("rating_given", data, number, occurred_at=moment)
        journal.write("rating_given", {"grade": "5", "reasons": ""}, number)
        journal.write("transaction_ended", {"disposition": "succeeded", "holder": "林**"}, number)
    with any_world.client() as client:
        assert journal.upload(client).status_code == 200
    return journal


def waiting(world: World) -> list[FollowUp]:
    with world.database.reading() as session:
        return service.open_follow_ups(session)


def answer(
    world: World, journal: Journal, number: str, note: str = "called the department", by: str = "maintainer"
) -> None:
    with world.database.writing() as session:
        given = Answer(outcome=FollowUpOutcome.CORRECTED, note=note)
        service.answer(session, journal.journal_id, number, given, by=by)


def test_bad_ratings_wait_by_deadline_and_a_second_word_changes_nothing(any_world: World, rated: Journal) -> None:
    first, second = waiting(any_world)
    assert (first.number, first.grade, first.reasons) == (WORSE, 1, ())
    assert (second.number, second.grade, second.reasons) == (BAD, 2, ("slow", "device"))
    with any_world.database.reading() as session:
        assert service.grades(session) == {5: 1, 4: 0, 3: 0, 2: 1, 1: 1}


@pytest.mark.parametrize(
    ("rated_at", "due"),
    [
        ("2026-01-01T10:00", "2026-01-23T00:00"),
        ("2026-01-02T23:59", "2026-01-24T00:00"),
        ("2026-01-03T12:00", "2026-01-24T00:00"),
    ],
)
def test_the_deadline_is_the_end_of_the_fifteenth_working_day_in_the_city(rated_at: str, due: str) -> None:
    moment = dt.datetime.fromisoformat(rated_at).replace(tzinfo=CITY_TIME)
    assert service.due_at(moment).astimezone(CITY_TIME) == dt.datetime.fromisoformat(due).replace(tzinfo=CITY_TIME)


def test_an_answer_closes_it_once_and_is_audited(any_world: World, rated: Journal) -> None:
    assert waiting(any_world)[0].is_late(dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
    answer(any_world, rated, WORSE)
    assert [found.number for found in waiting(any_world)] == [BAD]
    with pytest.raises(ProblemError) as refusal:
        answer(any_world, rated, WORSE, by="administrator")
    assert (refusal.value.status, refusal.value.code) == (409, "answered_already")
    with any_world.database.reading() as session:
        (closed,) = service.answered_follow_ups(session)
        audited = session.exec(select(AuditEntry).where(AuditEntry.action == "rating_answered")).all()
    assert closed.answer is not None
    assert (closed.answer.outcome, closed.answer.answered_by) == ("corrected", "maintainer")
    assert not closed.is_late(dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
    assert len(audited) == 1


@pytest.mark.parametrize(("number", "code"), [(GOOD, "no_follow_up"), ("260104-T1-DDDDDD", "no_follow_up")])
def test_only_bad_ratings_are_answered(any_world: World, rated: Journal, number: str, code: str) -> None:
    with pytest.raises(ProblemError) as refusal:
        answer(any_world, rated, number)
    assert refusal.value.code == code


@pytest.mark.parametrize("note", ["call 13000000001 back", "350203190102030017 was right", "call 138 0000 0001"])
def test_a_note_holds_no_number_of_a_person(any_world: World, rated: Journal, note: str) -> None:
    with pytest.raises(ProblemError) as refusal:
        answer(any_world, rated, BAD, note=note)
    assert (refusal.value.status, refusal.value.code) == (422, "personal_note")
    assert len(waiting(any_world)) == 2


@contextlib.contextmanager
def signed_in(world: World, name: str) -> Iterator[httpx.Client]:
    with world.client() as client:
        client.headers["Accept"] = "text/html"
        assert client.post("/sign-in", data={"name": name, "password": PASSWORD}).status_code == 303
        yield client


def test_the_page_shows_what_waits_and_takes_the_answer(any_world: World, rated: Journal) -> None:
    with signed_in(any_world, "maintainer") as client:
        page = client.get("/ratings").text
        assert page.index(WORSE) < page.index(BAD)
        assert "非常不满意" in page
        assert "设备不好用" in page
        assert GOOD not in page
        token = TOKEN.search(page)
        assert token is not None
        form = {
            "csrf_token": token.group(1), "journal": rated.journal_id, "number": BAD, "outcome": "explained",
            "note": "<script>alert(1)</script>",
        }  # fmt: skip
        assert client.post("/ratings/answer", data=form | {"note": "x"}).status_code == 422
        assert client.post("/ratings/answer", data=form | {"outcome": "forgotten"}).status_code == 422
        assert client.post("/ratings/answer", data=form | {"csrf_token": "0" * 64}).status_code == 403
        assert client.post("/ratings/answer", data=form).status_code == 303
        page = client.get("/ratings").text
    assert "<script>alert" not in page
    assert [found.number for found in waiting(any_world)] == [WORSE]


@pytest.mark.parametrize(("name", "reads"), [("auditor", 200), ("administrator", 200), ("author", 403)])
def test_who_may_read_and_who_may_answer(any_world: World, rated: Journal, name: str, reads: int) -> None:
    with signed_in(any_world, name) as client:
        answered = client.get("/ratings")
        assert answered.status_code == reads
        assert 'action="/ratings/answer"' not in answered.text
        token = TOKEN.search(client.get("/account").text)
        assert token is not None
        form = {"csrf_token": token.group(1), "journal": rated.journal_id, "number": BAD, "outcome": "explained"}
        assert client.post("/ratings/answer", data=form | {"note": "all is well"}).status_code == 403
    assert len(waiting(any_world)) == 2
