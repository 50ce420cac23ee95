"""Every word staff read exists in three languages, and every place that needs one has one."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from fleet_server.dashboard import moments
from fleet_server.dashboard.catalogue import Words, catalogue
from fleet_server.database import now
from fleet_server.maintenance.models import AlertKind
from fleet_server.maintenance.worklist import PARTS, SPARES, Who
from fleet_server.matters.models import DraftState, SubmissionState
from fleet_server.security import Role
from fleet_server.terminals.models import Scope
from fleet_server.terminals.reading import Condition
from kiosk.contracts import errors, events
from kiosk.contracts.value import Language
from tests.fleet_server.conftest import World
from tests.fleet_server.dashboard.conftest import Browser

ROOT = Path(__file__).parents[3] / "fleet_server"
LITERAL = re.compile(r"""(?:word|words)\(\s*['"]([a-z_]+(?:\.[a-z_A-Z0-9]+)*)['"][,)]""")
GROUPS: dict[str, list[str]] = {
    "event": list(events.EVENTS), "disposition": [each.value for each in events.Disposition],
    "fault_code": [each.value for each in errors.FaultCode], "role": [each.value for each in Role],
    "role_does": [each.value for each in Role], "condition": [each.value for each in Condition],
    "who": [each.value for each in Who], "fault": [each.value for each in AlertKind if each != "device_fault"],
    "part": [*PARTS.values(), *(f"spare_{each}" for each in SPARES)], "scope": [each.value for each in Scope],
    "draft": [each.value for each in DraftState], "submission": [each.value for each in SubmissionState],
    "refusal": [each.reason for each in errors.BundleRejected.__subclasses__()],
    "act": ["wait", "clear", "configuration", "maintenance"],
}  # fmt: skip


def test_every_word_that_is_asked_for_exists() -> None:
    asked = set()
    for file in [*ROOT.glob("*/templates/*.html"), *ROOT.glob("*/*.py")]:
        asked |= set(LITERAL.findall(file.read_text(encoding="utf-8")))
    assert len(asked) > 150
    assert not asked - set(catalogue())


def test_closed_sets_have_a_word_each() -> None:
    wanted = {f"{group}.{value}" for group, values in GROUPS.items() for value in values}
    assert len(wanted) > 100
    assert not wanted - set(catalogue())


def test_what_a_form_can_be_refused_for_has_a_sentence() -> None:
    found = set()
    for room in ("staff", "terminals", "matters", "journal", "maintenance", "security", "confirmations"):
        for file in (ROOT / room).glob("*.py"):
            if file.name in ("service.py", "pages.py", "rollout_pages.py", "staff_identity.py", "desired.py"):
                found |= set(re.findall(r'ProblemError\(\s*4\d\d, "([a-z_]+)"', file.read_text(encoding="utf-8")))
    machine_only = {"gap", "chain_broken", "public_key", "enrolment_code", "no_alert", "sign_in", "clerk_refused",
                    "clerk_locked", "duplicate_confirmation"}  # fmt: skip
    assert len(found) > 25
    assert not {code for code in found - machine_only if f"problem.{code}" not in catalogue()}


def test_places_in_sentences_are_the_same_in_all_languages() -> None:
    for key, texts in catalogue().items():
        places = [set(re.findall(r"{(\w+)}", text)) for text in texts]
        assert places[0] == places[1] == places[2], key


def test_each_language_is_whole_and_kept(world: World, browser: Browser) -> None:
    headings = {"zh-CN": "现在要处理", "zh-TW": "現在要處理", "en": "To do now"}
    with browser("maintainer") as client:
        assert headings["zh-CN"] in client.get("/overview").text
        for language, heading in headings.items():
            client.get(f"/language/{language}?back=/overview")
            page = client.get("/overview").text
            assert heading in page
            assert f'<html lang="{language}">' in page
        for path in ("/overview", "/terminals", "/transactions", "/rollout", "/account"):
            page = re.sub(r"<nav class=\"languages\".*?</nav>", "", client.get(path).text, flags=re.DOTALL)
            page = page.replace("便利店", "")
            assert not re.search(r"[\u4e00-\u9fff]", page), f"{path} is not wholly in English"


def test_lengths_of_time() -> None:
    words = Words(Language.EN)
    moment = now()
    for seconds, said in ((5, "under a minute"), (125, "2 min"), (3 * 3600 + 61, "3 h 1 min"), (90_000, "1 d 1 h")):
        assert moments.lasting(words, moment - moments.dt.timedelta(seconds=seconds)) == said
    assert moments.shown(words, None) == "never"
    assert moments.read_moment("<script>") is None
    assert moments.midnight(moment) <= moment


@pytest.mark.parametrize(
    ("device", "fault", "language", "said"),
    [
        ("receipt_printer", "paper_out", Language.EN, "80 mm thermal roll"),
        ("receipt_printer_2", "paper_out", Language.ZH_CN, "热敏纸"),
        ("card_reader", "self_test_failed", Language.ZH_TW, "備用讀卡機"),
        ("receipt_printer", "process_lost", Language.EN, "starts again by itself"),
        ("receipt_printer", "never_heard_of", Language.EN, ""),
    ],
)
def test_staff_are_told_what_to_do_about_a_fault(device: str, fault: str, language: Language, said: str) -> None:
    told = Words(language).to_do(device, fault)
    assert said in told
    assert bool(told) == bool(said)


def test_a_ticket_and_the_terminal_s_page_say_what_to_do(world: World, browser: Browser) -> None:
    peer = world.terminal()
    fault = {"code": "cutter_jammed", "action": "clear", "since": "2026-01-01T00:00:00Z"}
    device = {"device": "hardware_error", "parts": {}, "faults": [fault]}
    with world.client() as machine:
        beat = peer.heartbeat(devices={"receipt_printer": device})
        assert peer.post(machine, "/terminal/v1/heartbeats", beat).status_code == 200
    to_do = Words(Language.ZH_CN).to_do("receipt_printer", "cutter_jammed")
    with browser("maintainer") as client:
        deadline = time.monotonic() + 20
        while to_do not in client.get("/overview").text:
            assert time.monotonic() < deadline, "the ticket does not say what to do"
            time.sleep(0.1)
        assert to_do in client.get(f"/terminals/{peer.terminal}").text


def test_a_fault_s_name_has_one_source() -> None:
    assert catalogue()["fault.paper_out"] == ("缺纸", "缺紙", "Paper out")
    own = (ROOT / "dashboard" / "words" / "fleet.yaml").read_text(encoding="utf-8")
    assert "fault.paper_out" not in own


def test_the_second_device_of_a_class_is_called_so() -> None:
    words = Words(Language.EN)
    assert words.named("device", "document_printer_2") == "A4 document printer 2"
    assert words.named("device", "of_nobody_2") == "of_nobody 2"
    assert words.named("device", "strange_one") == "strange_one"
