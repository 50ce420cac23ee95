"""Interpreters nobody here wrote read our slips: emupos draws the paper and answers as a printer, npos takes the text.

Both are fetched into `build/` when they can be: emupos needs a Python of 3.13 or later, npos needs node with npm.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image, ImageChops, ImageOps

from drivers.messages import DeviceState, PrintOutcome
from drivers.receipt_printer.escpos import EscposPrinter
from drivers.receipt_printer.simulator.paper import interpret
from tests.drivers.receipt_printer.conftest import QR_CONTENT, run, slip, until
from tests.drivers.receipt_printer.test_composition import TYPESETTER, compose

BUILD = Path(__file__).parents[3] / "build" / "interpreters"
EMUPOS = "emupos==0.4.0"
NPOS = ("npos@0.1.19", "iconv-lite@0.6.3")
FETCH_SECONDS = 100
READ_TEXT = """
const npos = require('npos'), rules = require('npos/lib/parser/rules');
const iconv = require('iconv-lite'), fs = require('fs');
rules[0x1d]['(k'] = [0, 'd16'];
npos.parser(rules).parse(fs.readFileSync(process.argv[1])).then(tree => {
  const texts = tree.entries.filter(entry => entry.type === 'text').map(entry => iconv.decode(entry.data, 'gb18030'));
  process.stdout.write(JSON.stringify(texts.join('').split('\\n')));
});
"""


@contextmanager
def fetched_once(name: str) -> Iterator[Path]:
    """A folder that one test process fills; the others wait for it."""
    folder = BUILD / name
    folder.mkdir(parents=True, exist_ok=True)
    with (BUILD / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def fetch(*command: str, cwd: Path) -> None:
    """Skips the test when the network or the registry is not there."""
    environment = os.environ | {"npm_config_update_notifier": "false"}
    try:
        subprocess.run(
            command, cwd=cwd, check=True, capture_output=True, timeout=FETCH_SECONDS, env=environment,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"{Path(command[0]).name} could not fetch it: {type(error).__name__}")


def new_python() -> str | None:
    names = [shutil.which(f"python3.{minor}") for minor in (13, 14, 15)]
    others = sorted(Path.home().glob(".pyenv/versions/3.1[3-9]*/bin/python"))
    for candidate in [*names, *map(str, others)]:
        if candidate is None:
            continue
        asked = subprocess.run(
            [candidate, "-c", "import sys; sys.exit(sys.version_info < (3, 13))"], capture_output=True, timeout=30,
            check=False,
        )  # fmt: skip
        if asked.returncode == 0:
            return candidate
    return None


@pytest.fixture(scope="module")
def emupos_program() -> Path:
    python = new_python()
    if python is None:
        pytest.skip("emupos needs Python 3.13 or later, and there is none")
    with fetched_once("emupos") as folder:
        program = folder / "bin" / "emupos"
        if not program.exists():
            fetch(python, "-m", "venv", str(folder), cwd=folder)
            fetch(str(folder / "bin" / "python"), "-m", "pip", "install", "-q", EMUPOS, cwd=folder)
    return program


@pytest.fixture(scope="module")
def npos_folder() -> Path:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("npos needs node and npm, and they are not here")
    with fetched_once("npos") as folder:
        if not (folder / "node_modules" / "npos").exists():
            fetch(npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", ".", *NPOS, cwd=folder)
    return folder


@dataclass
class Emupos:
    address: str
    api: str
    folder: Path

    def kept(self, suffix: str) -> list[Path]:
        return sorted(self.folder.glob(f"receipts/*{suffix}"))

    async def fault(self, method: str, name: str) -> None:
        """`PUT` to set it, `DELETE` to clear it, at its control interface."""
        await asyncio.to_thread(self._order, method, f"{self.api}/api/v1/devices/paper/faults/{name}")

    @staticmethod
    def _order(method: str, address: str) -> None:
        request = urllib.request.Request(address, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            assert answer.status == 204


def free_ports(count: int) -> list[int]:
    with_ports = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(taken.getsockname()[1]) for taken in with_ports]
    for taken in with_ports:
        taken.close()
    return ports


@asynccontextmanager
async def emupos(program: Path, folder: Path) -> AsyncIterator[Emupos]:
    """The third-party printer on a loopback port."""
    port, api = free_ports(2)
    configuration = f"""schema: 1
api: {{host: 127.0.0.1, port: {api}}}
devices:
  - id: paper
    type: printer
    profile: xprinter-xp80t
    receipts_dir: {folder}/receipts
    connections:
      - tcp: {{port: {port}}}
"""
    (folder / "emupos.yaml").write_text(configuration)
    process = await asyncio.create_subprocess_exec(
        str(program), "run", "--config", str(folder / "emupos.yaml"),
        cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        await until(lambda: listens(port), 40.0)
        await asyncio.to_thread(first_answer, port)
        yield Emupos(f"socket://127.0.0.1:{port}", f"http://127.0.0.1:{api}", folder)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def first_answer(port: int) -> None:
    """It is slow to wake; a driver that found it silent would try to clear it."""
    with socket.create_connection(("127.0.0.1", port), 30) as line:
        line.sendall(b"\x10\x04\x01")
        assert line.recv(1)


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


async def connected(where: Emupos, profile: str = "raster") -> EscposPrinter:
    printer = EscposPrinter(EscposPrinter.Options.model_validate({"port": where.address, "profile": profile}))

    async def fit() -> bool:
        return (await printer.status()).device is DeviceState.ONLINE

    await until(fit, 20.0)
    return printer


def ink(picture: Image.Image) -> Image.Image:
    """Only what is black, without the margins."""
    black = picture.convert("L").point(lambda value: 255 if value < 128 else 0)
    return black.crop(black.getbbox())


def test_a_strange_printer_draws_our_slip_dot_for_dot_and_its_code_reads_back(
    emupos_program: Path, tmp_path: Path
) -> None:
    async def work() -> None:
        async with emupos(emupos_program, tmp_path) as where:
            printer = await connected(where)
            assert (await printer.print_receipt(slip())).outcome is PrintOutcome.PRINTED
            await until(lambda: bool(where.kept(".png")), 10.0)
            await printer.close()

    run(work())
    (drawn,) = sorted(tmp_path.glob("receipts/*.png"))
    with Image.open(drawn) as opened:
        theirs = opened.convert("L")
    assert [code.text for code in zxingcpp.read_barcodes(ImageOps.expand(theirs, 40, 255))] == [QR_CONTENT]
    ours = interpret(bytes(compose(slip(), TYPESETTER, "raster"))).slips[0]
    assert ImageChops.difference(ink(theirs), ink(ours)).getbbox() is None


def test_a_strange_printers_troubles_are_told_and_refuse_the_slip(emupos_program: Path, tmp_path: Path) -> None:
    async def work() -> None:
        async with emupos(emupos_program, tmp_path) as where:
            printer = await connected(where)
            for fault, code in (("paper-out", "paper_out"), ("cover-open", "cover_open"), ("offline", "offline")):
                await where.fault("PUT", fault)
                result = await printer.print_receipt(slip(fault))
                assert (result.outcome, result.reason) == (PrintOutcome.FAILED, code)
                await where.fault("DELETE", fault)
            await where.fault("PUT", "paper-near-end")
            assert [fault.code for fault in (await printer.status()).faults] == ["paper_low"]
            assert (await printer.print_receipt(slip("last"))).outcome is PrintOutcome.PRINTED
            await until(lambda: len(where.kept(".png")) == 1, 10.0)
            await printer.close()

    run(work())


def test_a_strange_printer_reads_the_same_words_from_our_native_text(emupos_program: Path, tmp_path: Path) -> None:
    async def work() -> None:
        async with emupos(emupos_program, tmp_path) as where:
            printer = await connected(where, "gb18030")
            assert (await printer.print_receipt(slip())).outcome is PrintOutcome.PRINTED
            await until(lambda: bool(where.kept(".txt")), 10.0)
            await printer.close()

    run(work())
    (dump,) = sorted(tmp_path.glob("receipts/*.txt"))
    lines = [line for line in dump.read_text(encoding="utf-8").splitlines() if not line.startswith("[")]
    read = [line.encode("cp437").decode("gb18030") for line in lines]  # it draws each byte in its own code page
    assert [" ".join(line.split()) for line in read] == [" ".join(line.split()) for line in native_text()]
    assert f"[qr {QR_CONTENT}]" in dump.read_text(encoding="utf-8")


def test_a_strange_parser_reads_the_same_words_from_our_native_text(npos_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "slip.bin").write_bytes(bytes(compose(slip(), TYPESETTER, "gb18030")))
    node = shutil.which("node") or "node"
    said = subprocess.run(
        [node, "-e", READ_TEXT, str(tmp_path / "slip.bin")],
        cwd=npos_folder, check=True, capture_output=True, timeout=60,
    ).stdout  # fmt: skip
    read = [line for line in json.loads(said) if line.strip()]
    assert read == native_text()


def native_text() -> list[str]:
    """The rows that our own interpreter reads, each proved by its words to be of this slip."""
    rows = interpret(bytes(compose(slip(), TYPESETTER, "gb18030"))).text
    assert "办事回执" in rows
    assert any(re.fullmatch(r"费用 +￥0\.00", row) for row in rows)
    return rows
