"""The door of the dashboard: the first page of each person, the language, static files."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles

from fleet_server.dashboard import answers
from fleet_server.dashboard.forms import Anybody
from fleet_server.dashboard.shell import HERE, LANGUAGE_COOKIE, STATIC, local_path, shell_of
from kiosk.contracts.value import LANGUAGES

YEAR_SECONDS = 365 * 86400

router = APIRouter(include_in_schema=False)


def install(app: FastAPI) -> None:
    shell_of(app).open_room("dashboard", HERE / "templates")
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    answers.install(app)


@router.get("/")
def first_page(request: Request, staff: Anybody) -> RedirectResponse:
    """Each person begins where their work is."""
    navigation = shell_of(request).navigation(staff)
    return RedirectResponse(navigation[0].path if navigation else "/account", 303)


@router.get("/language/{language}")
def choose_language(request: Request, language: str, back: str = "/") -> RedirectResponse:
    """Changes nothing but the reader's own cookie."""
    answer = RedirectResponse(local_path(back), 303)
    if language in LANGUAGES:
        secure = not request.app.state.settings.is_development
        answer.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR_SECONDS, httponly=True, secure=secure, samesite="lax")
    return answer
