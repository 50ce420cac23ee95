"""Two reviewers decide on two submissions in the same moment: one is published, the other is handed in again."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fleet_server.matters import service as matters
from fleet_server.security import Role
from fleet_server.staff import service as staff
from fleet_server.staff.models import AccountCreate
from tests.fleet_server.conftest import PASSWORD, World


def test_two_approvals_at_once_publish_one(any_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with any_world.database.writing() as session:
        wanted = AccountCreate(name="reviewer2", display_name="R", roles=[Role.REVIEWER], password=PASSWORD)
        staff.create_account(session, wanted, by="test")
    submissions = any_world.submission(1), any_world.submission(2)
    repository, both_looked = any_world.app.state.repository, threading.Barrier(2)
    look = repository.still_follows

    def looked(proposal: object) -> bool:
        follows: bool = look(proposal)
        with contextlib.suppress(threading.BrokenBarrierError):
            both_looked.wait(0.6)
        return follows

    monkeypatch.setattr(repository, "still_follows", looked)

    def approve(submission: int, reviewer: str) -> bool:
        with any_world.database.writing() as session:
            return matters.publish(session, repository, submission, by=reviewer, password=PASSWORD) is not None

    with ThreadPoolExecutor(2) as people:
        answers = list(people.map(approve, submissions, ("reviewer", "reviewer2")))
    assert sorted(answers) == [False, True]
