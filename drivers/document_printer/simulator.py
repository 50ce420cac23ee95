"""A simulated A4 printer: the real `ippeveprinter` of CUPS on a loopback port, with its own system bus.

Keeps what it prints in `out` as `document.pdf` (the latest) and `document-NNNN.pdf`. Works as an ordinary user; its
processes end with it, also when it is killed. A shipped terminal contains none.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
import urllib.error
import urllib.request
from asyncio.subprocess import Process
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode

FAULTS = frozenset(
    {"media_empty", "media_empty_mid_job", "media_low", "jam", "cover_open", "toner_low", "toner_empty", "waste_full",
     "slow", "abort", "offline", "unplug_mid_job", "wrong_media"}
)  # fmt: skip
IDLE_FAULTS = {
    "media_empty": ("media", {"level1": "0"}),
    "media_low": ("media", {"level1": "5"}),
    "wrong_media": ("media", {"size1": "na_letter_8.5x11in"}),
    "toner_low": ("supplies", {"supply1": "4"}),
    "toner_empty": ("supplies", {"supply1": "0"}),
    "waste_full": ("supplies", {"supply0": "100"}),
}
FULL_TRAYS = {
    "size1": "iso_a4_210x297mm",
    "type1": "stationery",
    "level1": "250",
    "size2": "",
    "type2": "",
    "level2": "-2",
}
FULL_SUPPLIES = {"supply0": "10", "supply1": "90", "supply2": "90", "supply3": "90", "supply4": "90"}
START_SECONDS = 20.0
STOP_SECONDS = 3.0
ATTEMPTS = 3
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/><allow user="*"/></policy></busconfig>
"""
COMMAND = """#!/bin/sh
PYTHONPATH='{root}' exec '{python}' '{program}' '{control}' '{out}' "$1"
"""


class IppeveSimulator:
    """Options, all strings: `out` (directory for documents), `two_sided` (`1` or empty), `format` (the only one it
    takes: `application/pdf` or `image/pwg-raster`)."""

    faults: frozenset[str] = FAULTS

    def __init__(self, out: str = "", two_sided: str = "1", format: str = "application/pdf") -> None:
        self._format = format
        self._keep = Path(out).resolve() if out else None
        self._two_sided = bool(two_sided)
        self._folder = Path()
        self._processes: list[Process] = []
        self._port = 0
        self._printer_pid = 0
        self._stopped_by_fault = False

    @property
    def out(self) -> Path:
        return self._keep or self._folder / "out"

    async def start(self) -> str:
        programs = {name: program(name) for name in ("ippeveprinter", "dbus-daemon", "setpriv")}
        self._folder = Path(tempfile.mkdtemp(prefix="yizhan-ippeve-"))
        for folder in (self.out, self._control, self._folder / "spool", self._folder / "keys"):
            folder.mkdir(parents=True, exist_ok=True)
        self._write_command()
        try:
            await self._start_bus(programs)
            await self._start_printer(programs)
            await self._refill()
        except BaseException:
            await self.stop()
            raise
        return f"ipp://localhost:{self._port}/ipp/print"

    async def order(self, verb: str, argument: str = "") -> str:
        match verb:
            case "fault" if argument in FAULTS:
                await self._break(argument)
            case "clear":
                await self._mend()
            case "refill":
                await self._mend()
            case _:
                raise ValueError(f"unknown order {verb} {argument}".strip())
        return "ok"

    async def stop(self) -> None:
        shutil.rmtree(self._control, ignore_errors=True)  # a running command sees this and ends
        for process in reversed(self._processes):
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGCONT)
                    os.killpg(process.pid, signal.SIGTERM)
                try:
                    await asyncio.wait_for(process.wait(), STOP_SECONDS)
                except TimeoutError:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                    await process.wait()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        self._processes.clear()
        if self._folder != Path():
            shutil.rmtree(self._folder, ignore_errors=True)

    # --- processes -------------------------------------------------------------------------------------------------

    @property
    def _control(self) -> Path:
        return self._folder / "control"

    def _write_command(self) -> None:
        script = Path(__file__).with_name("simulator_command.py").resolve()
        text = COMMAND.format(
            root=script.parents[2], python=sys.executable, program=script, control=self._control, out=self.out
        )
        command = self._folder / "command"
        command.write_text(text)
        command.chmod(0o755)

    async def _spawn(self, setpriv: str, *arguments: str, **environment: str) -> Process:
        process = await asyncio.create_subprocess_exec(
            setpriv, "--pdeathsig", "KILL", *arguments,
            env={"PATH": os.defpath, "HOME": str(self._folder), "TMPDIR": str(self._folder), **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        self._processes.append(process)
        return process

    async def _start_bus(self, programs: dict[str, str]) -> None:
        configuration = self._folder / "bus.conf"
        configuration.write_text(BUS.format(path=self._folder / "bus"))
        bus = await self._spawn(
            programs["setpriv"], programs["dbus-daemon"], f"--config-file={configuration}", "--nofork", "--nopidfile"
        )
        await until((self._folder / "bus").exists, bus)

    async def _start_printer(self, programs: dict[str, str]) -> None:
        for attempt in range(ATTEMPTS):
            try:
                await self._try_printer(programs)
            except RuntimeError:  # another program took the port in between
                if attempt + 1 == ATTEMPTS:
                    raise
            else:
                return

    async def _try_printer(self, programs: dict[str, str]) -> None:
        self._port = free_port()
        sides = ["-2"] if self._two_sided else []
        printer = await self._spawn(
            programs["setpriv"], programs["ippeveprinter"],
            "-p", str(self._port), "-n", "localhost", "-r", "off", "-K", str(self._folder / "keys"),
            "-d", str(self._folder / "spool"), "-f", self._format, "-s", "10,5", *sides,
            "-c", str(self._folder / "command"), "Yizhan A4",
            DBUS_SYSTEM_BUS_ADDRESS=f"unix:path={self._folder / 'bus'}",
        )  # fmt: skip
        await until(lambda: is_open(self._port), printer)
        self._printer_pid = printer.pid

    # --- faults ----------------------------------------------------------------------------------------------------

    async def _break(self, name: str) -> None:
        if name == "offline":
            self._stopped_by_fault = True
            os.killpg(self._printer_pid, signal.SIGSTOP)
            return
        (self._control / name).touch()
        if name in IDLE_FAULTS:
            page, change = IDLE_FAULTS[name]
            await self._set(page, (FULL_TRAYS if page == "media" else FULL_SUPPLIES) | change)

    async def _mend(self) -> None:
        if self._stopped_by_fault or (self._control / "unplug_mid_job").exists():
            self._stopped_by_fault = False
            os.killpg(self._printer_pid, signal.SIGCONT)
        for fault in self._control.iterdir():
            fault.unlink(missing_ok=True)
        await self._refill()

    async def _refill(self) -> None:
        await self._set("media", FULL_TRAYS)
        await self._set("supplies", FULL_SUPPLIES)

    async def _set(self, page: str, values: dict[str, str]) -> None:
        """The printer's own web form, as a person would fill it in; it wants every field."""
        address = f"http://localhost:{self._port}/{page}?{urlencode(values)}"
        await asyncio.to_thread(_get, address)


def _get(address: str) -> None:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=STOP_SECONDS) as answer:
        answer.read()


def program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if found is None:
        raise RuntimeError(f"{name} is not installed: the simulated printer needs cups-ipp-utils and dbus-daemon")
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def is_open(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


async def until(condition: Callable[[], bool], process: Process) -> None:
    """Poll until it holds. Raises `RuntimeError` when the process ends first, or at the limit."""
    with suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            while not condition():
                if process.returncode is not None:
                    raise RuntimeError("a process of the simulated printer ended at once")
                await asyncio.sleep(0.02)
            return
    raise RuntimeError("a process of the simulated printer does not come up")
