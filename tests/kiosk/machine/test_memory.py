from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kiosk.machine.memory import hardened_environment
from tests.memory_scan import Hit, scan, scan_files

NAME, NUMBER = "林测试甲乙丙", "350203190001012317"  # invented
CODE = NUMBER[-6:]
PROGRAM = "tests.kiosk.machine.citizen_scenarios"


def hits_after(scenario: str, *arguments: str, hardened: bool = True, sweep: bool = True) -> list[Hit]:
    environment = {**os.environ, **(hardened_environment() if hardened else {})}
    command = [sys.executable, "-m", PROGRAM, scenario, "sweep" if sweep else "collect", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        disguised = bytes(byte ^ 0x55 for byte in f"{NAME}|{NUMBER}".encode()).hex()
        child.stdin.write((disguised.encode() + b"\n") * (scenario.count("+") + 1))
        child.stdin.flush()
        assert child.stdout.readline() == b"ready\n"
        hits = scan(child.pid, [NAME, NUMBER, CODE])
        child.stdin.close()
    return hits


@pytest.mark.parametrize(
    "scenario", ["strings+json_texts+models", "tails", "database+journal_refusal+failure", "stack+worker+ended_thread"]
)
def test_nothing_stays_after_a_sweep(scenario: str) -> None:
    assert hits_after(scenario) == []


@pytest.fixture
def authority() -> Iterator[str]:
    class Echo(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            answer = {
                "request_id": asked["request_id"],
                "outcome": "done",
                "data": {**asked["payload"], "all": [asked["payload"]] * 40},
            }
            content = json.dumps(answer, ensure_ascii=False).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_nothing_stays_of_answers_while_the_connection_lives(authority: str) -> None:
    assert hits_after("services", authority) == []


def test_the_scanner_finds_what_is_held() -> None:
    hits = hits_after("held")
    assert {hit.needle for hit in hits} == {0, 1}
    numbers = {hit.encoding for hit in hits if hit.needle == 1}
    assert numbers >= {"utf-8", "utf-16-le", "base64", "base64 in utf-16-le"}, "plain, as a text of Qt, in a picture"
    assert {hit.encoding for hit in hits if hit.needle == 0} >= {"utf-16-le", "utf-32-le", "base64"}


@pytest.mark.parametrize("before", range(4))
def test_base64_is_found_wherever_it_begins(before: int, tmp_path: Path) -> None:
    text = base64.b64encode(b"x" * before + NUMBER.encode() + b"behind").decode()
    (tmp_path / "request.json").write_text(json.dumps({"page": text}))
    [hit] = scan_files(tmp_path, [NAME, NUMBER])
    assert (hit.needle, hit.encoding) == (1, "base64")


def test_an_address_gives_a_name_away(tmp_path: Path) -> None:
    (tmp_path / "access.log").write_text(f"GET /people?name={urllib.parse.quote(NAME)} HTTP/1.1")
    [hit] = scan_files(tmp_path, [NAME, NUMBER])
    assert (hit.needle, hit.encoding) == (0, "address")


def test_without_hardening_values_do_stay() -> None:
    assert hits_after("strings", hardened=False), "the cure is needed: this is what it cures"


def test_without_a_sweep_the_tails_of_freed_blocks_stay() -> None:
    assert hits_after("tails", sweep=False), "the cure is needed: this is what it cures"


def test_without_a_sweep_the_stack_remembers() -> None:
    assert hits_after("stack", sweep=False), "the cure is needed: this is what it cures"


def test_the_scanner_reads_files(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "spool.bin").write_bytes(b"\x1b@" + NAME.encode("gb18030"))
    (tmp_path / "clean").write_text("nothing")
    [hit] = scan_files(tmp_path, [NAME, NUMBER])
    assert (hit.needle, hit.encoding) == (0, "gb18030")
    with pytest.raises(ValueError, match="short"):
        scan_files(tmp_path, ["林"])


REEXEC = """
import sys
from kiosk.machine.memory import forbid_core_dumps, is_hardened, reexec_hardened
reexec_hardened()
assert is_hardened()
forbid_core_dumps()
print(sys.argv[1:], flush=True)
"""


def test_a_program_starts_itself_anew_with_its_arguments(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(REEXEC)
    plain = {name: value for name, value in os.environ.items() if name not in hardened_environment()}
    command = [sys.executable, str(program), "--one", "二"]
    ended = subprocess.run(
        command, env={**plain, "PYTHONPATH": str(Path.cwd())}, capture_output=True, check=True, text=True, timeout=30
    )
    assert ended.stdout == "['--one', '二']\n"


SETTLED = """
import gc, time, weakref
import kiosk.terminal
from kiosk.machine.memory import settle, sweep

class Knot:
    def __init__(self):
        self.self = self

settle()
knot = weakref.ref(Knot())
begun = time.thread_time()
sweep()
print(gc.get_freeze_count(), len(gc.get_objects()), knot() is None, time.thread_time() - begun)
"""


def test_a_sweep_looks_only_through_what_came_after_the_start() -> None:
    done = subprocess.run([sys.executable, "-c", SETTLED], capture_output=True, text=True, timeout=60, check=True)
    frozen, left, is_collected, seconds = done.stdout.split()
    assert int(frozen) > 50_000
    assert int(left) < 1_000
    assert is_collected == "True"
    assert float(seconds) < 0.03
