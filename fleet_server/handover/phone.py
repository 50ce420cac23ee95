"""The page a citizen's own phone opens, and what it sends. Public: the token in `Authorization` is all it shows.

| request                          | body → answer                                                              |
|----------------------------------|----------------------------------------------------------------------------|
| GET  /phone                      | the page; the token stands behind its `#` and never comes here in an address |
| POST /phone/v1/slip              | – → OpenedSlip; opens it, or says again how it stands                      |
| PUT  /phone/v1/slip/photos/{n}   | the photo's bytes → 204                                                    |
| POST /phone/v1/slip/sent         | Sent → 204; the slip is used                                               |

`X-Phone` carries the key the first phone was given: a second phone is refused.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from fleet_server.bodies import StrictRoute
from fleet_server.database import Writing, database_of
from fleet_server.handover import slips
from fleet_server.handover.limits import Limit
from fleet_server.handover.pictures import PictureRefused, redrawn
from fleet_server.problems import ProblemError, problem_responses
from fleet_server.terminals.models import Site, Terminal
from kiosk.contracts.handover import MAXIMUM_PHOTOS, MAXIMUM_TEXT
from kiosk.contracts.value import LANGUAGES, Language, LocalizedText

PAGE = "/phone"
API = "/phone/v1"
FILES = Path(__file__).parent / "page"
LARGEST_UPLOAD_BYTES = 15 * 1024 * 1024
REQUESTS, WRONG_TOKENS = Limit(240, 60.0), Limit(20, 300.0)
MEDIA = {"phone.css": "text/css; charset=utf-8", "phone.js": "text/javascript; charset=utf-8"}
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "microphone=(), geolocation=(), payment=()",
    "cache-control": "no-store",
    "x-robots-tag": "noindex",
}

pages = APIRouter(include_in_schema=False)
router = APIRouter(prefix=f"{API}/slip", tags=["handover"], route_class=StrictRoute)


class OpenedSlip(BaseModel):
    """What is wanted of the phone. `phone` is its key from now on. Says nothing of the citizen."""

    phone: str
    material: LocalizedText
    site: str
    photos: int
    text: int
    seconds_left: int


class Sent(BaseModel):
    photos: int = Field(ge=0, le=MAXIMUM_PHOTOS)
    text: str = Field(default="", max_length=4 * MAXIMUM_TEXT)


def install(app: FastAPI) -> None:
    app.include_router(pages)
    app.include_router(router)
    app.state.body_limits = {**getattr(app.state, "body_limits", {}), f"{API}/slip/photos/": LARGEST_UPLOAD_BYTES}


# --- the page ------------------------------------------------------------------------------------------------------


@pages.get(PAGE)
def show_page(accept_language: Annotated[str, Header()] = "", lang: str = "") -> HTMLResponse:
    language = Language(lang) if lang in LANGUAGES else wanted_language(accept_language)
    return HTMLResponse(_page(language), headers=HEADERS | {"vary": "Accept-Language"})


@pages.get(f"{PAGE}/{{name}}")
def show_file(name: str) -> Response:
    if name not in MEDIA:
        raise ProblemError(404, "not_found", "there is no such file")
    return Response((FILES / name).read_bytes(), media_type=MEDIA[name], headers=HEADERS)


def wanted_language(accepted: str) -> Language:
    """The first of a browser's languages that we speak; simplified Chinese when it names none."""
    ranked: list[tuple[float, int, str]] = []
    for order, each in enumerate(accepted.split(",")[:20]):
        tag, _, more = each.strip().lower().partition(";")
        quality = more.strip().removeprefix("q=")
        ranked.append((-_number(quality), order, tag.strip()))
    for _, _, tag in sorted(each for each in ranked if each[0]):
        if tag.startswith(("zh-tw", "zh-hk", "zh-mo", "zh-hant")):
            return Language.ZH_TW
        if tag.startswith("zh"):
            return Language.ZH_CN
        if tag.startswith("en"):
            return Language.EN
    return Language.ZH_CN


def _number(quality: str) -> float:
    try:
        return min(1.0, max(0.0, float(quality or 1)))
    except ValueError:
        return 0.0


@cache
def _page(language: Language) -> str:
    environment = Environment(
        loader=FileSystemLoader(FILES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    words = _words(language)
    said = json.dumps(words, ensure_ascii=False).replace("<", "\\u003c")
    return environment.get_template("phone.html").render(word=words, language=language, said=said, api=f"{API}/slip")


@cache
def _words(language: Language) -> dict[str, str]:
    text = (FILES / "words.yaml").read_text(encoding="utf-8")
    column = LANGUAGES.index(language)
    return {key: texts[column] for key, texts in yaml.load(text, Loader=yaml.CSafeLoader).items()}


# --- what the phone sends ------------------------------------------------------------------------------------------


def bearer(request: Request, authorization: Annotated[str, Header()] = "") -> str:
    """The token of the slip. 429 for an address that asks too often, or that guesses."""
    address = request.client.host if request.client else ""
    REQUESTS.add(address)
    if REQUESTS.is_reached(address) or WRONG_TOKENS.is_reached(address):
        raise ProblemError(429, "too_often", "too many requests; wait a minute", headers={"Retry-After": "60"})
    kind, _, token = authorization.partition(" ")
    if kind.lower() != "bearer" or not 16 <= len(token) <= 64 or not token.isascii():
        WRONG_TOKENS.add(address)
        raise ProblemError(401, "no_token", "scan the code on the terminal's screen")
    return token


Token = Annotated[str, Depends(bearer)]
Phone = Annotated[str, Header(alias="x-phone", max_length=64)]
_FAILURES = problem_responses(401, 409, 410, 413, 422, 429, 503)


@router.post("", responses=_FAILURES)
def open_slip(request: Request, session: Writing, token: Token, x_phone: Phone = "") -> OpenedSlip:
    """Open the slip, or hear how it stands: 410 `slip_gone`, `slip_used`; 409 `other_phone`."""
    try:
        row, phone = slips.open_by(session, token, x_phone)
    except ProblemError as problem:
        if problem.code == "slip_gone" and request.client:
            WRONG_TOKENS.add(request.client.host)
        raise
    terminal = session.get(Terminal, row.terminal)
    site = session.get(Site, terminal.site) if terminal is not None else None
    return OpenedSlip(
        phone=phone, material=LocalizedText.of(row.material), site=site.name if site is not None else "",
        photos=row.photos, text=row.text, seconds_left=slips.seconds_left(row),
    )  # fmt: skip


@router.put("/photos/{place}", status_code=204, responses=_FAILURES)
async def put_photo(place: int, request: Request, token: Token, x_phone: Phone = "") -> Response:
    """One photo: JPEG, PNG or WebP of at most 15 MB. It is drawn anew here; nothing but its picture is kept."""
    content = await request.body()
    await run_in_threadpool(_take_photo, request, token, x_phone, place, content)
    return Response(status_code=204)


def _take_photo(request: Request, token: str, phone: str, place: int, content: bytes) -> None:
    """Two short transactions: no one waits for the write lock while a picture is decoded."""
    database = database_of(request)
    with database.writing() as session:
        slips.count_upload(session, token, phone, place)
    try:
        jpeg = redrawn(content)
    except PictureRefused as refused:
        status = 503 if refused.reason == "busy" else 422
        raise ProblemError(status, refused.reason, "this photo cannot be taken") from refused
    with database.writing() as session:
        slips.put_photo(session, token, phone, place, jpeg)


@router.post("/sent", status_code=204, responses=_FAILURES)
def finish(body: Sent, session: Writing, token: Token, x_phone: Phone = "") -> Response:
    """Everything was sent: the slip is used, and the terminal is told to look."""
    slips.send(session, token, x_phone, body.photos, body.text)
    return Response(status_code=204)
