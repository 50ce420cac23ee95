"""The report of ratings has every field of domain.md 6.1, one line for each rated transaction, and nobody's data."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

from sqlmodel import select

from fleet_server.__main__ import publish_files
from fleet_server.matters.folder import load_file
from fleet_server.ratings import export
from fleet_server.staff.models import AuditEntry
from tests.fleet_server.conftest import ASSETS, PASSWORD, World
from tests.fleet_server.peer import Journal
from tests.fleet_server.ratings.test_follow_ups import signed_in

MATTER = ASSETS / "natural_resources" / "no_house_certificate" / "matter.yaml"
ONE, TWO, NONE, OTHER_DAY = "260101-T1-AAAAAA", "260102-T1-BBBBBB", "260103-T1-CCCCCC", "260104-T1-DDDDDD"


def reported_of(world: World) -> list[export.Reported]:
    with world.database.reading() as session:
        return export.reported(session, dt.date(2026, 1, 1), dt.date(2026, 1, 2))


def rated(world: World, case_number: str = "350200-2026-0001") -> Journal:
    journal = Journal(world.terminal())
    for number, grade, moment in (
        (ONE, "2", "2026-01-01T02:00:00Z"), (TWO, "5", "2026-01-01T16:30:00Z"), (NONE, "", "2026-01-01T03:00:00Z"),
        (OTHER_DAY, "5", "2026-01-02T16:00:00Z"),
    ):  # fmt: skip
        journal.write("transaction_begun", {"matter": "no_house_certificate", "version": 1, "bundle": "b"}, number)
        card = {"card_type": "resident" if number == ONE else "passport", "name": "c" * 64, "id_number": "d" * 64}
        journal.write("card_read", card, number)
        given = {"step": "search", "operation": "o", "request_id": f"r-{number}", "disposition": "succeeded"}
        for at, case in (("2026-01-01T01:58:00Z", case_number), ("2026-01-01T01:59:00Z", "")):
            journal.write("service_ended", given | {"reason": "", "case_number": case}, number, occurred_at=at)
        if grade:
            rating: dict[str, Any] = {"grade": grade, "reasons": "slow,device" if grade == "2" else ""}
            journal.write("rating_given", rating, number, occurred_at=moment)
        else:
            journal.write("rating_skipped", {}, number, occurred_at=moment)
    with world.client() as client:
        assert journal.upload(client).status_code == 200
    return journal


def test_each_rated_transaction_is_reported_once_with_every_field(any_world: World) -> None:
    rated(any_world)
    matter = load_file(MATTER)
    people = ("author", PASSWORD), ("reviewer", PASSWORD)
    publish_files(any_world.database, any_world.app.state.repository, [MATTER], author=people[0], reviewer=people[1])
    first, second = reported_of(any_world)
    said = export.as_json([first])[0]
    assert set(said) == {
        "办件编号", "实施编码", "事项名称", "申请人证件类型", "申请人证件号码", "申请人姓名", "联系电话", "受理时间",
        "承诺办结时限", "法定办结时限", "整体评价", "评价星级", "评价时间", "评价渠道", "评价站点", "评价原因",
        "文字评价", "终端办件号",
    }  # fmt: skip
    assert (said["办件编号"], said["实施编码"]) == ("350200-2026-0001", matter.code)
    assert (said["事项名称"], said["承诺办结时限"]) == (matter.title.zh_cn, matter.guide.time_limit.zh_cn)
    assert (said["申请人证件类型"], said["受理时间"]) == ("居民身份证", "2026-01-01 09:58:00")
    assert (said["整体评价"], said["评价星级"], said["评价时间"]) == ("不满意", 2, "2026-01-01 10:00:00")
    assert (said["评价渠道"], said["评价原因"]) == ("自助终端", "太慢；设备不好用")
    assert "（" in said["评价站点"]
    assert {said[name] for name in ("申请人证件号码", "申请人姓名", "联系电话")} == {""}, "the centre has nobody's data"
    assert (second.document_kind, second.grade, second.rated_at) == ("护照", "非常满意", "2026-01-02 00:30:00")


def test_a_matter_never_published_here_is_reported_by_its_id(any_world: World) -> None:
    rated(any_world)
    first = reported_of(any_world)[0]
    assert (first.matter_name, first.implementation_code) == ("no_house_certificate", "")


def test_the_report_is_taken_by_staff_and_audited(any_world: World) -> None:
    rated(any_world, case_number="=1+2")
    asked = {"begin": "2026-01-01", "end": "2026-01-02"}
    with signed_in(any_world, "auditor") as client:
        assert 'action="/ratings/export"' in client.get("/ratings").text
        answer = client.get("/ratings/export", params=asked)
        assert answer.headers["content-disposition"] == 'attachment; filename="ratings-2026-01-01-2026-01-02.csv"'
        heading, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
        assert (heading[0], len(rows)) == ("办件编号", 2)
        assert rows[0][0] == "'=1+2", "no value of others is a formula in a spreadsheet"
        assert len(client.get("/ratings/export", params=asked | {"form": "json"}).json()) == 2
        for wrong in ({"begin": "2026-01-03"}, {"end": "2026-12-31"}, {"begin": "soon"}, {"form": "xml"}):
            assert client.get("/ratings/export", params=asked | wrong).status_code == 422
    with signed_in(any_world, "author") as client:
        assert client.get("/ratings/export", params=asked).status_code == 403
    with any_world.database.reading() as session:
        kept = session.exec(select(AuditEntry).where(AuditEntry.action == "ratings_exported")).all()
    assert [entry.account for entry in kept] == ["auditor", "auditor"]
