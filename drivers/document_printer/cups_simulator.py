"""A print queue for tests and the demo: a private CUPS server on a loopback port, before the simulated IPP printer.

CUPS itself insists on being started as root. Nothing of the system's own queues is read or changed.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from drivers.document_printer.ipp_client import IppClient
from drivers.document_printer.ipp_codec import words_of
from drivers.document_printer.simulator import IppeveSimulator, free_port, is_open, program, until

QUEUE = "a4"
READY = "IPP Everywhere"
QUEUE_FAULTS = {"queue_paused": ("cupsdisable", "cupsenable"), "queue_rejects": ("cupsreject", "cupsaccept")}
COMMAND_SECONDS = 20.0
CONFIGURATION = """Listen 127.0.0.1:{port}
Browsing Off
WebInterface No
DefaultAuthType None
LogLevel error
<Location />
  Order allow,deny
  Allow localhost
</Location>
<Policy default>
  JobPrivateAccess all
  JobPrivateValues none
  <Limit All>
    Order allow,deny
    Allow localhost
  </Limit>
</Policy>
"""
FILES = """ServerRoot {folder}/root
CacheDir {folder}/cache
StateDir {folder}/state
RequestRoot {folder}/spool
TempDir {folder}/tmp
ErrorLog {folder}/error
AccessLog {folder}/access
PageLog {folder}/page
User lp
Group lp
SystemGroup root
FileDevice Yes
"""


class CupsSimulator(IppeveSimulator):
    """Options as of the IPP printer behind the queue, and `follows` (empty: a queue that only sends bytes)."""

    faults: frozenset[str] = frozenset({"jam", "media_empty_mid_job", "offline", "slow", *QUEUE_FAULTS})

    def __init__(
        self, out: str = "", two_sided: str = "1", format: str = "application/pdf", follows: str = "1"
    ) -> None:
        super().__init__(out, two_sided, format)
        self._follows = bool(follows)
        self._server = ""
        self.device_address = ""

    @property
    def spool(self) -> Path:
        """Where the queue keeps documents."""
        return self._cups / "spool"

    @property
    def _cups(self) -> Path:
        return self._folder / "cups"

    async def start(self) -> str:
        if os.geteuid() != 0:
            raise RuntimeError("the simulated print queue needs root: CUPS starts its filters as another user")
        for name in ("cupsd", "lpadmin", *(word for pair in QUEUE_FAULTS.values() for word in pair)):
            program(name)
        self.device_address = await super().start()
        try:
            await self._start_server()
            await self._add_queue()
        except BaseException:
            await self.stop()
            raise
        return f"ipp://{self._server}/printers/{QUEUE}"

    async def order(self, verb: str, argument: str = "") -> str:
        if verb == "fault" and argument in QUEUE_FAULTS:
            await self._run(QUEUE_FAULTS[argument][0], QUEUE)
            return "ok"
        if verb == "clear":
            for _, mend in QUEUE_FAULTS.values():
                await self._run(mend, QUEUE)
        return await super().order(verb, argument)

    async def _start_server(self) -> None:
        port = free_port()
        for name in ("root/ppd", "root/ssl", "cache", "state", "spool", "tmp"):
            (self._cups / name).mkdir(parents=True)
        self._folder.chmod(0o711)  # filters run as lp
        (self._cups / "cupsd.conf").write_text(CONFIGURATION.format(port=port))
        (self._cups / "cups-files.conf").write_text(FILES.format(folder=self._cups))
        self._server = f"127.0.0.1:{port}"
        server = await self._spawn(
            program("setpriv"), program("cupsd"),
            "-f", "-c", str(self._cups / "cupsd.conf"), "-s", str(self._cups / "cups-files.conf"),
        )  # fmt: skip
        await until(lambda: is_open(port), server)

    async def _add_queue(self) -> None:
        await self._run(
            "lpadmin", "-p", QUEUE, "-E", "-v", self.device_address, "-m", "everywhere",
            "-o", "printer-error-policy=abort-job",
        )  # fmt: skip
        await self._until_ready()
        if not self._follows:
            await self._run("lpadmin", "-p", QUEUE, "-v", "file:///dev/null")

    async def _until_ready(self) -> None:
        """The server goes on making the queue after it said that it had: nothing ordered before that lasts."""
        client = IppClient(f"ipp://{self._server}/printers/{QUEUE}", "simulator")
        async with asyncio.timeout(COMMAND_SECONDS):
            while not await asyncio.to_thread(_is_made, client):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def _run(self, name: str, *arguments: str) -> None:
        """A command of CUPS against our own server. Raises `RuntimeError` with what it said."""
        process = await asyncio.create_subprocess_exec(
            program(name), "-h", self._server, *arguments,
            env={"PATH": os.defpath, "HOME": str(self._folder), "TMPDIR": str(self._folder)},
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, said = await asyncio.wait_for(process.communicate(), COMMAND_SECONDS)
        if process.returncode:
            raise RuntimeError(f"{name} failed: {said.decode(errors='replace').strip()}")


def _is_made(client: IppClient) -> bool:
    return any(READY in model for model in words_of(client.printer(), "printer-make-and-model"))


def is_installed() -> bool:
    return os.geteuid() == 0 and shutil.which("cupsd", path=f"{os.defpath}:/usr/sbin:/sbin") is not None
