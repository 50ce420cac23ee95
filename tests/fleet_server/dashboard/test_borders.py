"""Who may see what, forms from elsewhere, scripts in fields, headers: the borders of the pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlmodel import select

from fleet_server.assistance.models import HelpCall
from fleet_server.dashboard.answers import MACHINES
from fleet_server.security import Role
from fleet_server.staff.models import AuditEntry
from fleet_server.terminals import service as terminals
from fleet_server.terminals.models import SiteCreate, TerminalCreate
from tests.fleet_server.conftest import MATTER, PASSWORD, World
from tests.fleet_server.dashboard.conftest import Browser, send
from tests.fleet_server.peer import Journal

PUBLIC = {
    ("GET", "/sign-in"), ("POST", "/sign-in"), ("GET", "/language/{language}"), ("GET", "/phone"),
    ("GET", "/phone/{name}"),
}  # fmt: skip
EVIL = "<script>alert(1)</script>"
EVIL_SHORT = "<img src=x onerror=alert(1)>"
VALUES = {
    "terminal": "bench-1", "number": "n-1", "matter": "no_house_certificate", "draft": "1", "submission": "1",
    "name": "author", "quarantine": "1", "language": "en",
    "call": "0" * 32,
}  # fmt: skip
ASKED_WITH = {"/ratings/export": "?begin=2026-03-01&end=2026-03-31"}


def page_routes(world: World) -> list[APIRoute]:
    found = [
        route
        for included in world.app.routes
        for route in getattr(getattr(included, "original_router", None), "routes", [included])
        if isinstance(route, APIRoute) and not route.path.startswith(MACHINES)
    ]
    assert len(found) > 35, "saw too few pages: the check looks in the wrong place"
    return found


def calls(dependant: Dependant) -> Iterator[Any]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from calls(inner)


def roles_of(route: APIRoute) -> set[Role] | None:
    held = [set(call.roles) for call in calls(route.dependant) if hasattr(call, "roles")]
    return set.intersection(*held) if held else None


def test_every_page_needs_a_role(world: World) -> None:
    for route in page_routes(world):
        for method in route.methods:
            assert (roles_of(route) is None) == ((method, route.path) in PUBLIC), f"{method} {route.path}"


@pytest.mark.parametrize("role", list(Role))
def test_without_its_role_a_page_answers_403_and_with_it_not(world: World, browser: Browser, role: Role) -> None:
    peer = world.terminal()
    journal = Journal(peer)
    journal.transaction("n-1")
    with world.client() as machine:
        journal.upload(machine)
    world.publish(1)
    with world.database.writing() as session:
        seen = {"screen": 0, "stage": "home"}
        session.add(
            HelpCall(id=VALUES["call"], terminal=peer.terminal, mode="elder", language="zh-CN", description=seen)
        )
    refused = 0
    with browser(role) as client:
        for route in page_routes(world):
            needed = roles_of(route)
            if needed is None:
                continue
            path = route.path.replace(":path", "").format(**VALUES)
            if role in needed:
                if "GET" in route.methods:
                    assert client.get(path + ASKED_WITH.get(path, "")).status_code in (200, 303), path
                continue
            refused += 1
            answer = client.get(path) if "GET" in route.methods else send(client, path)
            assert answer.status_code == 403, f"{path} is open to {role}"
            assert answer.headers["content-type"].startswith("text/html")
            assert "您的角色不能使用此页" in answer.text
    with world.database.reading() as session:
        audited = session.exec(select(AuditEntry).where(AuditEntry.action == "refused")).all()
    assert len(audited) == refused
    assert refused >= 4


def test_nobody_signed_in_is_led_to_the_door_and_back(world: World) -> None:
    with world.client() as client:
        for route in page_routes(world):
            if roles_of(route) is None:
                continue
            path = route.path.replace(":path", "").format(**VALUES)
            for method in route.methods:
                answer = client.request(method, path)
                assert answer.status_code == 303, f"{method} {path}"
                assert answer.headers["location"].startswith("/sign-in?next=")
        answer = client.post("/sign-in", data={"name": "auditor", "password": PASSWORD, "next": "/audit"})
        assert answer.headers["location"] == "/audit"
        client.cookies.clear()
        for elsewhere in ("//evil.example", "https://evil.example", "/\\evil.example", "/ok\nX: y"):
            answer = client.post("/sign-in", data={"name": "auditor", "password": PASSWORD, "next": elsewhere})
            assert answer.headers["location"] == "/"
            assert client.get("/language/en", params={"back": elsewhere}).headers["location"] == "/"


def test_a_form_from_elsewhere_changes_nothing(world: World, browser: Browser) -> None:
    with browser("administrator") as client, browser("administrator") as other:
        changing = [route for route in page_routes(world) if "POST" in route.methods and roles_of(route)]
        assert len(changing) > 10
        own = send(client, "/terminals/sites", id="s1", name="n").request
        foreign_token = send(other, "/terminals/sites", id="s2", name="n").request.content
        for route in changing:
            if Role.ADMINISTRATOR not in (roles_of(route) or set()):
                continue
            path = route.path.format(**VALUES)
            assert client.post(path, data={"name": "x"}).status_code == 403, path
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            assert client.post(path, content=foreign_token, headers=form).status_code == 403, path
            for origin in ("https://evil.example", "null"):
                answer = client.post(path, content=own.content, headers=form | {"Origin": origin})
                assert answer.status_code == 403, path
                assert "已拒绝" in answer.text
        assert client.get("/account").status_code == 200, "still signed in"
        answer = client.post("/sign-in", data={"name": "author"}, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403


def test_a_script_in_any_field_is_shown_and_never_run(world: World, browser: Browser) -> None:
    with world.database.writing() as session:
        site = SiteCreate(id="evil", name=EVIL, address=EVIL_SHORT)
        terminals.create_site(session, site, by="administrator")
        session.flush()
        terminals.create_terminal(session, TerminalCreate(id="evil-1", site="evil"), by="administrator")
    peer = world.terminal()
    journal = Journal(peer)
    journal.write("transaction_begun", {"matter": EVIL_SHORT, "bundle": EVIL}, EVIL_SHORT)
    journal.write(EVIL, {EVIL: EVIL, "disposition": EVIL}, EVIL_SHORT)
    journal.write("transaction_ended", {"disposition": "<b>x</b>", "holder": EVIL, "fault": "<i>y</i>"}, EVIL_SHORT)
    fault = {"code": EVIL, "action": "clear", "since": "2026-01-01T00:00:00Z", "vendor_text": EVIL, "vendor_code": EVIL}
    device = {"device": "user_error", "faults": [fault], "parts": {EVIL: EVIL}, "simulated": True}
    beat = peer.heartbeat(
        version=EVIL, stage=EVIL, stage_reasons=[EVIL], devices={EVIL: device}, journal_sequence=4,
        reported={"generation": 1, "bundle": "b" * 64, "result": "refused", "reason": EVIL, "detail": EVIL,
                  "refused_bundle": EVIL},
    )  # fmt: skip
    with world.client() as machine:
        assert journal.upload(machine).status_code == 200
        assert peer.post(machine, "/terminal/v1/heartbeats", beat).status_code == 200
        forked = journal.forked(3)
        forked.write(EVIL, {}, EVIL)
        assert forked.upload(machine).status_code == 409
    world.app.state.heartbeats.flush()
    seen = []
    with browser("administrator") as client:
        made = send(client, "/accounts", name="evil", display_name=EVIL, role="auditor", password=PASSWORD)
        assert made.status_code == 303
        paths = (
            "/overview", "/overview/live", "/terminals", "/terminals/bench-1", "/terminals/evil-1", "/terminals/new",
            "/transactions", "/accounts", "/accounts/evil", "/audit", "/rollout", f"/transactions?number={EVIL}",
        )  # fmt: skip
        seen += [client.get(path) for path in paths]
        link = seen[6].text.partition('class="strong" id="n-')[2].partition('href="')[2].partition('"')[0]
        seen.append(client.get(link.replace("&amp;", "&")))
        assert "onerror" in seen[-1].text
        seen.append(send(client, "/terminals", id=EVIL, site=EVIL, ring=EVIL))
        seen.append(send(client, "/accounts", name=EVIL, display_name=EVIL, password=EVIL))
    with browser("author") as client:
        draft = MATTER.read_text(encoding="utf-8").replace("无房证明", EVIL)
        draft = draft.replace(f"short_title:\n  zh-CN: {EVIL}", "short_title:\n  zh-CN: <b>x</b>")
        seen.append(send(client, "/matters/drafts", text=f"{EVIL}: {EVIL}\n{EVIL}"))
        saved = send(client, "/matters/drafts", text=draft)
        assert saved.status_code == 303, saved.text
        seen.append(client.get(saved.headers["location"]))
        handed = send(client, "/matters/drafts/1/submit", password=PASSWORD)
        seen += [client.get("/matters"), client.get(handed.headers["location"])]
        seen.append(client.post("/sign-in", data={"name": EVIL, "password": EVIL, "next": f"/{EVIL}"}))
    escaped = 0
    for answer in seen:
        for raw in (EVIL, EVIL_SHORT, "<b>x</b>", "<i>y</i>"):
            assert raw not in answer.text, f"{answer.url} shows {raw} as markup"
        escaped += "&lt;script&gt;alert(1)" in answer.text
    assert escaped >= 14


def test_pages_keep_to_themselves(world: World, browser: Browser) -> None:
    with browser("maintainer") as client:
        answer = client.get("/overview")
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-frame-options"] == "DENY"
        for page in (answer.text, client.get("/terminals").text, client.get("/nothing").text):
            assert " style=" not in page
            assert "<style" not in page
            assert " onclick" not in page
            assert page.count("<script") == 1
        for name in ("dashboard.css", "dashboard.js", "icons.svg"):
            static = client.get(f"/static/{name}")
            assert static.status_code == 200
            assert "immutable" in static.headers["cache-control"]
        assert client.get("/static/../pages.py").status_code == 404


def test_programs_still_get_problems_and_people_get_pages(world: World) -> None:
    with world.client() as client:
        assert client.get("/nothing").headers["content-type"] == "application/problem+json"
        assert client.get("/staff/v1/accounts").headers["content-type"] == "application/problem+json"
        page = client.get("/nothing", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "没有这一页" in page.text
        assert client.get("/overview/live", headers={"X-Live": "1"}).status_code == 401


ADMINISTRATOR, AUTHOR, REVIEWER, MAINTAINER, AUDITOR, OPERATOR = Role
WATCHERS = frozenset({MAINTAINER, ADMINISTRATOR, AUDITOR})
READERS = frozenset({AUTHOR, REVIEWER, ADMINISTRATOR, AUDITOR})
WHO_MAY = {
    **dict.fromkeys(("GET /", "POST /sign-out", "GET /account", "POST /account/password", "GET /rollout",
                     "GET /rollout/live"), frozenset(Role)),
    **dict.fromkeys(("GET /overview", "GET /overview/live", "GET /terminals", "GET /terminals/live",
                     "GET /terminals/{terminal}", "GET /terminals/{terminal}/live", "GET /transactions",
                     "GET /transactions/{number:path}", "GET /money", "GET /ratings",
                     "GET /ratings/export"), WATCHERS),
    **dict.fromkeys(("GET /terminals/new", "POST /terminals", "POST /terminals/sites",
                     "POST /terminals/{terminal}/enrolment-code", "POST /money/refunds/write",
                     "POST /money/refunds/confirm", "POST /money/refunds/withdraw"),
                    frozenset({MAINTAINER, ADMINISTRATOR})),
    **dict.fromkeys(("POST /terminals/{terminal}/revoke", "POST /terminals/{terminal}/move", "GET /accounts",
                     "POST /accounts", "GET /accounts/{name}", "POST /accounts/{name}/roles",
                     "POST /accounts/{name}/password", "POST /accounts/{name}/disable"), frozenset({ADMINISTRATOR})),
    "POST /overview/take": {MAINTAINER},
    **dict.fromkeys(("GET /confirmations", "GET /confirmations/live"), frozenset({OPERATOR, AUDITOR, ADMINISTRATOR})),
    **dict.fromkeys(("GET /help", "GET /help/live"), frozenset({OPERATOR, AUDITOR, ADMINISTRATOR})),
    **dict.fromkeys(("GET /help/{call}", "GET /help/{call}/live", "POST /help/{call}/take", "POST /help/{call}/say",
                     "POST /help/{call}/end"), frozenset({OPERATOR})),
    **dict.fromkeys(("POST /confirmations/confirm", "POST /confirmations/refuse"), frozenset({OPERATOR})),
    **dict.fromkeys(("GET /clerks", "POST /clerks", "POST /clerks/{number}/pin", "POST /clerks/{number}/disable"),
                    frozenset({ADMINISTRATOR})),
    "POST /ratings/answer": {MAINTAINER},
    "POST /quarantine/{quarantine}/settle": {AUDITOR},
    "GET /audit": {AUDITOR, ADMINISTRATOR},
    **dict.fromkeys(("GET /matters", "GET /matters/versions/{matter}", "GET /matters/drafts/{draft}",
                     "GET /matters/submissions/{submission}"), READERS),
    **dict.fromkeys(("GET /matters/drafts/new", "POST /matters/drafts", "POST /matters/drafts/{draft}",
                     "POST /matters/drafts/{draft}/submit"), frozenset({AUTHOR})),
    **dict.fromkeys(("POST /matters/submissions/{submission}/publish",
                     "POST /matters/submissions/{submission}/return"), frozenset({REVIEWER})),
    "POST /rollout/back": {REVIEWER, ADMINISTRATOR},
}  # fmt: skip


def test_the_table_of_pages_and_roles_is_the_one_agreed(world: World) -> None:
    found = {f"{method} {route.path}": roles_of(route) for route in page_routes(world) for method in route.methods}
    assert {place: held for place, held in found.items() if held is not None} == WHO_MAY
