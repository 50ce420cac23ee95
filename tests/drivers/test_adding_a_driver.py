"""The page "Adding a driver", followed to the letter as a newcomer would: each listing, each command, in order."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from drivers.host import DeviceConfig

PAGE = Path(__file__).parents[2] / "drivers" / "ADDING.md"
ROOT = PAGE.parents[1]
BLOCK = re.compile(r"^```(\w+)[ ]?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND_SECONDS = 120
ANY = "…"


@dataclass(frozen=True)
class Block:
    kind: str
    title: str
    text: str


class Newcomer:
    """A person with an empty folder and the page."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = ""
        self._running: list[subprocess.Popen[str]] = []
        path = [str(folder), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._environment = os.environ | {"PYTHONPATH": os.pathsep.join(path), "COLUMNS": "150", "NO_COLOR": "1"}

    def follow(self, block: Block) -> None:
        name, _, change = block.title.partition(" ")
        match block.kind:
            case "console":
                self._type(block.text)
            case "python" | "toml" if change == "replace":
                self._replace(name, block.text)
            case "python" | "toml":
                self._write(name, block.text)
                if name == "pyproject.toml":
                    self._install(block.text)
            case _:
                raise AssertionError(f"nobody knows how to follow a block of {block.kind}")

    def leave(self) -> None:
        for process in self._running:
            process.terminate()
            process.wait(20)
            for stream in (process.stdin, process.stdout):
                assert stream is not None
                stream.close()

    def _write(self, name: str, text: str) -> None:
        file = self._folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def _replace(self, name: str, text: str) -> None:
        """The new lines take the place of the stretch that begins and ends as they do."""
        file = self._folder / name
        before = file.read_text(encoding="utf-8")
        begins, ends = _stretch(before.splitlines(), text.splitlines(), f"{name}: {text[:60]!r}")
        lines = before.splitlines()
        lines[begins:ends] = text.splitlines()
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _install(self, text: str) -> None:
        """What `pip install -e .` leaves behind, without asking anybody's registry."""
        project = tomllib.loads(text)["project"]
        information = self._folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        information.mkdir()
        summary = f"Name: {project['name']}\nVersion: {project['version']}\nSummary: {project['description']}\n"
        (information / "METADATA").write_text("Metadata-Version: 2.1\n" + summary)
        groups = [
            f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in entries.items())
            for group, entries in project["entry-points"].items()
        ]
        (information / "entry_points.txt").write_text("\n".join(groups))

    def _type(self, text: str) -> None:
        commands = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
        assert commands, "a console block without a command"
        for command in commands:
            line, _, shown = command.partition("\n")
            said = self._start(line) if line.endswith(" &") else self._run(line)
            assert matches(said, shown), f"$ {line}\nshows\n{shown}\nbut said\n{said}"

    def _run(self, line: str) -> str:
        done = subprocess.run(
            self._words(line), cwd=self._folder, env=self._environment, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=COMMAND_SECONDS, check=False,
        )  # fmt: skip
        is_meant_to_fail = '"passed": false' in done.stdout
        assert (done.returncode != 0) == is_meant_to_fail, f"$ {line} ended with {done.returncode}\n{done.stdout}"
        return done.stdout

    def _start(self, line: str) -> str:
        process = subprocess.Popen(
            self._words(line.removesuffix(" &")), cwd=self._folder, env=self._environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._running.append(process)
        assert process.stdout is not None
        first = process.stdout.readline()
        self._port = json.loads(first)["address"]
        return first

    def _words(self, line: str) -> list[str]:
        words = line.replace("$PORT", self._port).split()
        assert words[0] == "python"
        options = ["-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", "."] if words[2] == "pytest" else []
        return [sys.executable, *words[1:], *options]


def _stretch(lines: list[str], new: list[str], where: str) -> tuple[int, int]:
    """Where the lines that a replacement begins and ends with stand: from the first line both have to the last."""
    if new[0].lstrip().startswith(("async def ", "def ")):
        begins = lines.index(new[0])
        ends = begins + 1
        while ends < len(lines) and (not lines[ends].strip() or lines[ends].startswith((" " * 5, "    )"))):
            ends += 1
        while not lines[ends - 1].strip():
            ends -= 1
        return begins, ends
    shared = [
        number for number, line in enumerate(lines) if line.strip() and _kin(line) in {_kin(each) for each in new}
    ]
    assert shared, f"{where}: nothing of it stands there"
    return shared[0], shared[-1] + 1


def _kin(line: str) -> str:
    """A line by what it assigns or imports."""
    return re.split(r"[=]| import ", line, maxsplit=1)[0].strip()


def matches(said: str, shown: str) -> bool:
    """Whether what was shown stands in what was said; … is anything, also nothing, also several lines."""
    pattern = ".*".join(re.escape(part) for part in shown.strip().split(ANY))
    return re.search(pattern, said, re.DOTALL) is not None


def blocks() -> list[Block]:
    return [Block(*found) for found in BLOCK.findall(PAGE.read_text(encoding="utf-8"))]


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    person = Newcomer(tmp_path)
    yield person
    person.leave()


@pytest.mark.timeout(600)
def test_the_page_leads_a_newcomer_to_a_certified_driver(newcomer: Newcomer, tmp_path: Path) -> None:
    page = blocks()
    assert [block.kind for block in page].count("console") >= 5
    begun = time.monotonic()
    for number, block in enumerate(page, 1):
        try:
            newcomer.follow(block)
        except AssertionError as error:
            raise AssertionError(f"listing {number} of {len(page)} ({block.title or block.kind}): {error}") from error
    assert time.monotonic() - begun < 500
    sections = tomllib.loads((tmp_path / "machine.toml").read_text())["devices"]
    for name, options in sections.items():
        assert DeviceConfig(name=name, driver=options.pop("driver"), options=options).device_class == "code_scanner"


def test_the_check_of_the_page_sees_a_difference() -> None:
    assert matches("a\nb 12 ms\nc", "b … ms")
    assert not matches("a\nb 12 ms\nc", "b … s\nd")
    assert not matches("kept", "broken")
