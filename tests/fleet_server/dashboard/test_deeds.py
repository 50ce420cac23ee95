"""What staff do on the pages: sign in, enrol, revoke, draft, publish, roll back, accounts. Each deed is audited."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlmodel import select

from fleet_server.journal import search
from fleet_server.security import Role
from fleet_server.staff.models import Account, AuditEntry
from fleet_server.terminals.reading import Condition, views
from tests.fleet_server.conftest import MATTER, PASSWORD, World
from tests.fleet_server.dashboard.conftest import Browser, send
from tests.fleet_server.peer import Journal, Peer

NEW_PASSWORD = "a quite different sentence"


def audited(world: World, action: str) -> list[AuditEntry]:
    with world.database.reading() as session:
        return list(session.exec(select(AuditEntry).where(AuditEntry.action == action)).all())


def matter_text(version: int) -> str:
    return MATTER.read_text(encoding="utf-8").replace("\nversion: 1\n", f"\nversion: {version}\n")


def test_wrong_passwords_wait_and_say_so(world: World) -> None:
    with world.client() as client:
        for _ in range(5):
            answer = client.post("/sign-in", data={"name": "author", "password": "wrong"})
            assert (answer.status_code, "不正确" in answer.text) == (401, True)
            assert 'value="author"' in answer.text
            assert "wrong" not in answer.text
        answer = client.post("/sign-in", data={"name": "author", "password": PASSWORD})
        assert (answer.status_code, "1 分钟后再试" in answer.text) == (429, True)
        assert client.post("/sign-in", data={"name": "x" * 500, "password": "y" * 5000}).status_code == 401
        assert client.post("/sign-in", data={}).status_code == 401


def test_signing_out_ends_the_session(world: World, browser: Browser) -> None:
    with browser("author") as client:
        cookies = dict(client.cookies)
        assert send(client, "/sign-out").headers["location"].startswith("/sign-in")
        client.cookies.update(cookies)
        assert client.get("/matters").status_code == 303
    assert len(audited(world, "signed_out")) == 1


def test_each_person_begins_where_their_work_is(browser: Browser) -> None:
    for name, path in (("maintainer", "/overview"), ("author", "/matters"), ("auditor", "/overview")):
        with browser(name) as client:
            assert client.get("/").headers["location"] == path


def test_changing_ones_password(world: World, browser: Browser) -> None:
    with browser("author") as client:
        for fields, said in (
            ({"old": PASSWORD, "new": NEW_PASSWORD, "again": "other"}, "两次输入"),
            ({"old": PASSWORD, "new": "short", "again": "short"}, "10 至 200"),
            ({"old": "wrong", "new": NEW_PASSWORD, "again": NEW_PASSWORD}, "口令不正确"),
        ):
            answer = send(client, "/account/password", **fields)
            assert said in answer.text
            assert answer.status_code in (403, 422)
        done = send(client, "/account/password", old=PASSWORD, new=NEW_PASSWORD, again=NEW_PASSWORD)
        assert done.headers["location"] == "/sign-in?done=password_changed"
        assert client.get("/matters").status_code == 303, "the old session has ended"
        assert client.post("/sign-in", data={"name": "author", "password": NEW_PASSWORD}).status_code == 303
    assert len(audited(world, "password_changed")) == 1


def test_a_terminal_is_made_enrolled_and_revoked(world: World, browser: Browser) -> None:
    with browser("maintainer") as client:
        assert send(client, "/terminals/sites", id="s-1", name="新店", address="某路 1 号").status_code == 303
        assert "已有同编号站点" in send(client, "/terminals/sites", id="s-1", name="新店").text
        again = send(client, "/terminals", id="Not OK", site="s-1", ring="r1")
        assert again.status_code == 422
        assert 'value="Not OK"' in again.text
        made = send(client, "/terminals", id="t-1", site="s-1")
        assert made.headers["location"] == "/terminals/t-1?done=terminal_created"
        shown = send(client, "/terminals/t-1/enrolment-code")
        assert "<svg" in shown.text
        assert shown.headers["cache-control"] == "no-store"
        code = re.search(r'class="code-text"><code>([A-Z2-7]{26})<', shown.text)
        assert code is not None
        assert Peer("t-1").enrol(client, code.group(1)).status_code == 200
        assert "吊销此终端" not in client.get("/terminals/t-1").text
        assert send(client, "/terminals/t-1/revoke").status_code == 403
        assert send(client, "/terminals/none/enrolment-code").status_code == 404
    with browser("administrator") as client:
        assert send(client, "/terminals/t-1/move", ring="first", group="").status_code == 303
        assert send(client, "/terminals/t-1/move", ring="NOT OK").status_code == 422
        assert "吊销此终端" in client.get("/terminals/t-1").text
        assert send(client, "/terminals/t-1/revoke").status_code == 303
    with world.database.reading() as session:
        (view,) = views(session, 60, only="t-1")
    assert view.condition is Condition.REVOKED
    for action in ("site_created", "terminal_created", "enrolment_code_made", "terminal_moved", "terminal_revoked"):
        assert [entry for entry in audited(world, action) if entry.account in ("maintainer", "administrator")]


def test_a_draft_with_mistakes_shows_each_with_line_and_cure_and_keeps_the_text(browser: Browser) -> None:
    wrong = matter_text(1).replace("assurance:", "assurence:").replace("  en: Issued on", "  eng: Issued on")
    with browser("author") as client:
        answer = send(client, "/matters/drafts", text=wrong)
        assert answer.status_code == 422
        line = wrong.split("\n").index("assurence: card_person") + 1
        assert f'data-line="{line}"' in answer.text
        assert "did you mean &#39;assurance&#39;?" in answer.text
        assert "assurence: card_person" in answer.text
        for odd in ("", "]", "a: [", "\0", "x" * 600_000):
            assert send(client, "/matters/drafts", text=odd).status_code == 422
        assert "草稿" in client.get("/matters").text


def test_two_people_publish_with_their_passwords(world: World, browser: Browser) -> None:
    with browser("author") as author, browser("reviewer") as reviewer:
        draft = send(author, "/matters/drafts", text=matter_text(1)).headers["location"].partition("?")[0]
        wrong = send(author, f"{draft}/submit", password="not my password")
        assert (wrong.status_code, "口令不正确" in wrong.text) == (403, True)
        nobody = send(author, f"{draft}/submit", password=PASSWORD, scope="ring", scope_id="nowhere")
        assert (nobody.status_code, "没有终端属于" in nobody.text) == (422, True)
        submission = send(author, f"{draft}/submit", password=PASSWORD).headers["location"].partition("?")[0]
        assert send(author, f"{submission}/publish", password=PASSWORD).status_code == 403
        assert "没有以前的版本" in reviewer.get(submission).text
        assert send(reviewer, f"{submission}/publish", password="wrong").status_code == 403
        assert "请写明退回意见" in send(reviewer, f"{submission}/return", comment=" ").text
        done = send(reviewer, f"{submission}/publish", password=PASSWORD)
        assert done.headers["location"].endswith("done=published")
        again = send(reviewer, f"{submission}/publish", password=PASSWORD)
        assert (again.status_code, "已有结论" in again.text) == (409, True)
        text = author.get("/matters/drafts/new?matter=no_house_certificate").text
        assert "\nversion: 2\n" in text
        changed = matter_text(2).replace("当场出证，约两分钟。", "当场出证，约一分钟。")
        draft = send(author, "/matters/drafts", text=changed).headers["location"].partition("?")[0]
        submission = send(author, f"{draft}/submit", password=PASSWORD).headers["location"].partition("?")[0]
        page = reviewer.get(submission).text
        assert re.search(r'class="minus".*?约两分钟', page, re.DOTALL)
        assert re.search(r'class="plus".*?约一分钟', page, re.DOTALL)
        assert send(reviewer, f"{submission}/return", comment="写清楚时限").status_code == 303
        assert "写清楚时限" in author.get(submission).text
        assert "签名并提交" in author.get(draft).text, "a draft again"
    with browser("both") as client:
        draft = send(client, "/matters/drafts", text=matter_text(3)).headers["location"].partition("?")[0]
        submission = send(client, f"{draft}/submit", password=PASSWORD).headers["location"].partition("?")[0]
        refused = send(client, f"{submission}/publish", password=PASSWORD)
        assert (refused.status_code, "谁都不能发布自己编写" in refused.text) == (403, True)
    codes = [entry.detail["code"] for entry in audited(world, "refused")]
    assert sorted(set(codes)) == ["password_wrong", "same_person", "wrong_role"]
    assert len(audited(world, "published")) == 1
    assert len(audited(world, "submission_returned")) == 1


def test_a_draft_of_another_is_read_not_changed(world: World, browser: Browser) -> None:
    draft = world.draft(1)
    with browser("author2") as client:
        page = client.get(f"/matters/drafts/{draft}").text
        assert "readonly" in page
        assert "签名并提交" not in page
        assert send(client, f"/matters/drafts/{draft}", text=matter_text(1)).status_code == 403
        assert client.get("/matters/drafts/77").status_code == 404


def test_roll_out_says_who_follows_and_who_refuses_and_goes_back(world: World, browser: Browser) -> None:
    first, peers = world.publish(1), {name: world.terminal(name) for name in ("ok-1", "no-1", "old-1")}
    second = world.publish(2)

    def report(name: str, bundle: str, result: str, reason: str = "") -> None:
        reported: dict[str, Any] = {"generation": 1, "bundle": bundle, "result": result, "reason": reason}
        beat = peers[name].heartbeat(reported=reported)
        with world.client() as machine:
            assert peers[name].post(machine, "/terminal/v1/heartbeats", beat).status_code == 200

    report("ok-1", second, "installed")
    report("no-1", first, "refused", "bad_signature")
    report("old-1", first, "installed")
    world.app.state.heartbeats.flush()
    with browser("reviewer") as client:
        page = client.get("/rollout").text
        rows = dict(re.findall(r"<code>(\w+-1)</code></td>\s*<td[^>]*>.*?</svg>\s*([^<]+)</span>", page, re.DOTALL))
        assert {name: word.strip() for name, word in rows.items()} == {
            "ok-1": "已一致", "no-1": "终端拒绝", "old-1": "等待更新",
        }  # fmt: skip
        assert "签名不符，可能被篡改" in page
        assert send(client, "/rollout/back", bundle=first, reason="x").status_code == 422
        assert send(client, "/rollout/back", bundle="0" * 64, reason="证明模板有误").status_code == 404
        assert send(client, "/rollout/back", bundle=first, reason="证明模板有误").status_code == 303
        page = client.get("/rollout").text
        assert "证明模板有误" in page
        assert "第 3 代" in page
    assert audited(world, "rolled_back")[0].subject == first


def test_a_transaction_is_found_and_proved(world: World, browser: Browser) -> None:
    journal = Journal(world.terminal())
    journal.transaction("260101-BNCH-AAAAAA")
    journal.transaction("260101-BNCH-AABBBB")
    with world.client() as machine:
        receipt = journal.upload(machine).json()
    with browser("auditor") as client:
        listed = client.get("/transactions?number=260101-bnch-aa").text
        assert "AAAAAA" in listed
        assert "AABBBB" in listed
        one = client.get("/transactions?number=260101-BNCH-AAAAAA")
        assert one.status_code == 303
        page = client.get(one.headers["location"]).text
        assert "已核验：完整，未被改动" in page
        assert receipt["signature"] in page.replace("&#43;", "+")
        assert journal.entries[1]["hash"] in page
        for sentence in ("开始办理事项。", "打印机报告了页面结果。", "事项办理结束。"):
            assert sentence in page
        assert "没有符合的办件" in client.get("/transactions?number=zzz").text
        assert client.get("/transactions/zzz").status_code == 404
    with world.database.reading() as session:
        row = search.find_transaction(session, "260101-BNCH-AAAAAA")
        assert search.receipt(session, world.app.state.director, row).model_dump(mode="json") == receipt


def test_a_fork_is_shown_and_settled_by_the_auditor(world: World, browser: Browser) -> None:
    journal = Journal(world.terminal())
    journal.transaction("n-1")
    with world.client() as machine:
        journal.upload(machine)
        forked = journal.forked(3)
        forked.write("print_begun", {"job_id": "9"}, "n-1")
        forked.upload(machine)
    with browser("maintainer") as client:
        assert "同一序号内容不同" in client.get("/transactions").text
        assert "日志出现矛盾" in client.get("/overview").text
        assert send(client, "/quarantine/1/settle").status_code == 403
    with browser("auditor") as client:
        assert send(client, "/quarantine/1/settle").status_code == 303
        assert "同一序号内容不同" not in client.get("/transactions").text
    assert audited(world, "quarantine_settled")[0].account == "auditor"


@pytest.mark.parametrize("name", ["author", "administrator"])
def test_accounts_are_made_changed_and_closed(world: World, browser: Browser, name: str) -> None:
    with browser("administrator") as client:
        new = {"name": "new.person", "display_name": "新人", "role": ["auditor", "author"], "password": NEW_PASSWORD}
        assert "10 至 200" in send(client, "/accounts/author/password", new="x").text
        assert send(client, "/accounts", **(new | {"password": "short"})).status_code == 422
        assert send(client, "/accounts", **(new | {"role": "emperor"})).status_code == 422
        assert send(client, "/accounts", **(new | {"role": []})).status_code == 422
        assert send(client, "/accounts", **new).status_code == 303
        assert send(client, "/accounts", **new).status_code == 409
        assert send(client, "/accounts/new.person/roles", role="reviewer").status_code == 303
        assert send(client, "/accounts/new.person/roles").status_code == 422
        assert send(client, "/accounts/maintainer/roles", role="author").status_code == 403
        closed = send(client, f"/accounts/{name}/disable")
        assert closed.status_code == (409 if name == "administrator" else 303)
        assert client.get("/accounts/nobody").status_code == 404
    with world.database.reading() as session:
        assert session.get_one(Account, "new.person").role_set == {Role.REVIEWER}
        assert (session.get_one(Account, name).disabled_at is None) == (name == "administrator")
    for action in ("account_created", "roles_set"):
        assert any(entry.subject == "new.person" for entry in audited(world, action))
