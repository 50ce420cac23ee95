"""What every page stands in: templates of all rooms, navigation by role, language, and what rooms offer one another.

Rooms below never import rooms above. What a page shows of another room (a terminal's latest transactions) is offered
by that room when the server is put together, and asked for by name.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import BaseLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup
from sqlmodel import Session

from fleet_server.dashboard import moments
from fleet_server.dashboard.catalogue import Words, catalogue
from fleet_server.problems import ProblemError
from fleet_server.security import Role, StaffIdentity
from kiosk.contracts.value import LANGUAGES, Language

HERE = Path(__file__).parent
STATIC = HERE / "static"
LANGUAGE_COOKIE = "yizhan_language"

Panel = Callable[[Request, Session, StaffIdentity, str], str]
"""(request, session, who looks, whose page) → a part of that page."""


@dataclass(frozen=True)
class Entry:
    """One line of the navigation: its word is `nav.NAME`."""

    name: str
    path: str
    icon: str
    roles: frozenset[Role]
    order: int


class Shell:
    def __init__(self) -> None:
        self._rooms: dict[str, BaseLoader] = {}
        self._entries: list[Entry] = []
        self._offers: dict[str, Callable[..., Any]] = {}
        self._panels: dict[str, list[tuple[int, Panel]]] = {}
        self._environment = Environment(
            loader=PrefixLoader(self._rooms), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True, auto_reload=False,
        )  # fmt: skip
        self._environment.globals |= {"static": static_address, "Role": Role, "exactly": moments.exactly}
        catalogue()

    def open_room(self, name: str, templates: Path, *entries: Entry) -> None:
        """Templates under `NAME/…`, and the room's lines of the navigation."""
        self._rooms[name] = FileSystemLoader(templates)
        self._entries = sorted([*self._entries, *entries], key=lambda entry: entry.order)

    def offer(self, name: str, answer: Callable[..., Any]) -> None:
        self._offers[name] = answer

    def ask(self, name: str, *arguments: Any, default: Any) -> Any:
        """What another room offers under this name; `default` in a server without that room."""
        return self._offers[name](*arguments) if name in self._offers else default

    def add_panel(self, page: str, panel: Panel, *, order: int) -> None:
        self._panels[page] = sorted([*self._panels.get(page, []), (order, panel)], key=lambda placed: placed[0])

    def panels(self, page: str, request: Request, session: Session, staff: StaffIdentity, subject: str) -> list[Markup]:
        return [Markup(panel(request, session, staff, subject)) for _, panel in self._panels.get(page, [])]

    def navigation(self, staff: StaffIdentity | None) -> list[Entry]:
        return [] if staff is None else [entry for entry in self._entries if staff.may(*entry.roles)]

    def text(self, request: Request, staff: StaffIdentity | None, template: str, **context: Any) -> str:
        """Render a page or a part of one. Everything a template is given is escaped where it is shown."""
        words = Words(language_of(request))
        done = f"done.{request.query_params.get('done', '')}"
        return self._environment.get_template(template).render(
            word=words, named=words.named, language=words.language, languages=LANGUAGES, staff=staff,
            csrf_token=staff.csrf_token if staff else "", navigation=self.navigation(staff), path=request.url.path,
            done=words(done) if words.knows(done) else "", shown=functools.partial(moments.shown, words),
            lasting=functools.partial(moments.lasting, words), ago=functools.partial(moments.ago, words),
            said=functools.partial(said, words), **({"problem": None} | context),
        )  # fmt: skip


def shell_of(request: Request | FastAPI) -> Shell:
    """The shell of this server; the first room that asks makes it."""
    app: FastAPI = request if isinstance(request, FastAPI) else request.app
    if not hasattr(app.state, "dashboard"):
        app.state.dashboard = Shell()
    shell: Shell = app.state.dashboard
    return shell


def page(
    request: Request, staff: StaffIdentity | None, template: str, *, status: int = 200, **context: Any
) -> HTMLResponse:
    """A whole page. With `problem=ProblemError` it carries that problem's status and says it on top."""
    problem = context.get("problem")
    if isinstance(problem, ProblemError):
        status = problem.status
    return HTMLResponse(shell_of(request).text(request, staff, template, **context), status)


def live_part(request: Request, staff: StaffIdentity, template: str, **context: Any) -> HTMLResponse:
    """A part that a page asks for again and again: 304 while nothing changed."""
    text = shell_of(request).text(request, staff, template, **context)
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == tag:
        return HTMLResponse("", 304, headers={"ETag": tag})
    return HTMLResponse(text, headers={"ETag": tag})


def back_to(path: str, done: str = "") -> RedirectResponse:
    """After a form was taken: to a page that can be reloaded, which says what was done."""
    mark = ("&" if "?" in path else "?") + f"done={quote(done)}" if done else ""
    return RedirectResponse(path + mark, 303)


def said(words: Words, problem: ProblemError) -> str:
    """A problem in the reader's language; one without words of its own keeps its detail."""
    return words.named("problem", problem.code) if words.knows(f"problem.{problem.code}") else problem.detail


def language_of(request: Request) -> Language:
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    return Language(chosen) if chosen in LANGUAGES else Language.ZH_CN


def local_path(path: str) -> str:
    """The path if it stays on this server, else the first page."""
    stays = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if stays else "/"


@functools.cache
def static_address(name: str) -> str:
    """With its content's mark, so that a browser keeps it until it changes."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def roles(*held: Role) -> frozenset[Role]:
    return frozenset(held)


def everybody() -> Iterable[Role]:
    return tuple(Role)
