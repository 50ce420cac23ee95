"""What the demo starts: sandbox city, fleet server, simulators, terminal; and how it stops them again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

from kiosk.demo.others import others, section, writers
from kiosk.demo.processes import DemoFailed, Program, free_port, wait_for_port

SIMULATED: dict[str, str] = {
    "card_reader": "id_card_reader/sdt",
    "face_check": "face_matcher/dlib",
    "receipt_printer": "receipt_printer/escpos",
    "document_printer": "document_printer/ipp",
    "document_camera": "document_scanner/document_camera",
}
SAMPLES = Path(__file__).parents[2] / "assets" / "samples" / "cards.yaml"
PRINTERS = ("receipt_printer", "document_printer")


class City:
    """Everything outside the citizen. `start()` brings it up, `stop()` takes it down."""

    def __init__(self, out: Path, *, orientation: str = "portrait") -> None:
        self.out = out
        self._writers = writers()
        self.logs = out / "logs"
        self.server_data = out / "server"
        self.terminal_data = out / "terminal"
        self.orientation = orientation
        self.server_port = free_port()
        self.seed: dict[str, Any] = {}
        self.sandbox_address = ""
        self._authorities = ""
        self.simulators: dict[str, Program] = {}
        self.peers: dict[str, dict[str, Any]] = {}
        """What each simulator said of itself: `driver`, `address`, `faults`."""
        self.server: Program | None = None
        self.kiosk: Program | None = None
        self._running: list[Program] = []

    @property
    def hand(self) -> Path:
        return self.terminal_data / "hand.sock"

    @property
    def dashboard(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def start(self, tell: Callable[[str], None]) -> None:
        """Bring it up; what does not wait for another starts at the same time. Raises DemoFailed."""
        tell("Sandbox city, fleet server, " + ", ".join(SIMULATED))
        with ThreadPoolExecutor() as pool:
            simulators = pool.submit(self._start_simulators)
            sandbox, seeding = pool.submit(self._start_sandbox), pool.submit(self._seed)
            self.seed = seeding.result()
            sandbox.result()
            self.start_server()
            self._write_settings(simulators.result())
        tell("Terminal")
        self.start_kiosk()

    def start_server(self) -> None:
        """On the same port and data every time: also after it was killed."""
        self.server = self._start(
            "server",
            ["fleet_server", "run", "--host", "127.0.0.1", "--port", str(self.server_port)],
            self._server_environment(),
        )
        wait_for_port(self.server_port, self.server)

    def start_kiosk(self) -> None:
        self.kiosk = self._start(
            "kiosk",
            ["kiosk", "run", "--config", str(self.out / "machine.toml")],
            {"QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"), "QT_QUICK_BACKEND": "software"},
        )

    def stop(self) -> None:
        """The terminal first: it says goodbye to its devices and its server."""
        running, self._running = self._running, []
        if self.kiosk is not None:
            self.kiosk.stop()
        if running:
            with ThreadPoolExecutor(len(running)) as pool:
                list(pool.map(Program.stop, running))

    def order(self, device: str, line: str) -> None:
        """Change the world at one device; a city without that device goes on without it."""
        if device in self.simulators:
            self.simulators[device].order(line)

    def app_code(self, card: str) -> str:
        """The identity code the provincial app shows now on the phone of this sample card's holder."""
        samples = yaml.load(SAMPLES.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        asked = urlencode({"id_number": samples[card]["id_number"]})
        with urllib.request.urlopen(f"{self.sandbox_address}/app-code?{asked}", timeout=5) as answer:
            code: str = answer.read().decode()
        return code

    def new_day(self) -> None:
        """The departments' books are as they were at first: the next citizen may register the same firm."""
        with urllib.request.urlopen(f"{self.sandbox_address}/new-day", data=b"", timeout=10):
            pass

    def summary(self) -> dict[str, int]:
        """What the server holds: terminals, transactions, journal entries."""
        return self.fleet_command("summary", "--json")

    def fleet_command(self, *arguments: str, **environment: str) -> dict[str, Any]:
        """One of the fleet server's own commands, and the JSON it prints last."""
        done = subprocess.run(
            [sys.executable, "-m", "fleet_server", *arguments],
            env=os.environ | self._server_environment() | environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode != 0:
            raise DemoFailed(f"fleet_server {arguments[0]} failed:\n{done.stderr[-2000:]}")
        found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return found

    # --- parts ---------------------------------------------------------------------------------------------------

    def _start(self, name: str, arguments: list[str], environment: dict[str, str] | None = None) -> Program:
        program = Program(name, arguments, log=self.logs / f"{name}.log", environment=environment)
        self._running.append(program)
        return program

    def _server_environment(self) -> dict[str, str]:
        return {
            "YIZHAN_ENVIRONMENT": "development",
            "YIZHAN_DATA": str(self.server_data),
            "YIZHAN_SANDBOX_URL": self.sandbox_address,
            "YIZHAN_SEAL_AUTHORITY": self._authorities,
        }

    def _start_sandbox(self) -> None:
        arguments = ["fleet_server", "sandbox", "--port", "0", "--data", str(self.out / "sandbox")]
        found = self._start("sandbox", arguments).answer()
        self.sandbox_address, self._authorities = str(found["address"]), str(found["authorities"])

    def _seed(self) -> dict[str, Any]:
        return self.fleet_command("seed", "--data", str(self.server_data), "--json")

    def _start_simulators(self) -> dict[str, str]:
        wanted = SIMULATED | {name: driver for name, (driver, _) in self._writers.items()}
        for name, driver in wanted.items():
            self.simulators[name] = self._start_simulator(name, driver)
        self.peers = {name: program.answer() for name, program in self.simulators.items()}
        return {name: str(said["address"]) for name, said in self.peers.items()}

    def _start_simulator(self, name: str, driver: str) -> Program:
        arguments = ["drivers", "simulate", driver]
        if name in PRINTERS:
            arguments += ["--option", f"out={self.out / 'devices' / name}"]
        return self._start(f"simulator-{name}", arguments)

    def start_others(self) -> dict[str, str]:
        """Every simulator the demonstration itself does without, and the terminal anew with all devices.

        Returns those that cannot stand on this machine, with the reason.
        """
        known = self._known()
        standing_already = {driver for driver, _ in self._writers.values()}
        rest = others(driver for driver in known if driver not in standing_already)
        started = {name: self._start_simulator(name, driver) for name, driver in rest.items()}
        missing = {}
        for name, program in started.items():
            try:
                self.peers[name] = program.answer()
            except DemoFailed as error:
                missing[name] = str(error).strip().splitlines()[-1]
            else:
                self.simulators[name] = program
        standing = {name: said for name, said in self.peers.items() if name in started}
        sections = [
            section(name, said["driver"], known[said["driver"]], said["address"], str(self.terminal_data))
            for name, said in standing.items()
        ]
        with (self.out / "machine.toml").open("a", encoding="utf-8") as settings:
            settings.writelines(sections)
        if self.kiosk is not None:
            self.kiosk.stop()
            self._running.remove(self.kiosk)
        self.hand.unlink(missing_ok=True)
        self.start_kiosk()
        return missing

    def _known(self) -> dict[str, str | None]:
        """The drivers with a simulator, as the bench lists them, and the option each calls its address."""
        listing = [sys.executable, "-m", "drivers", "list", "--json", "--addresses"]
        done = subprocess.run(listing, capture_output=True, text=True, timeout=60, check=True)
        return {entry["driver"]: entry["address_option"] for entry in json.loads(done.stdout) if entry["simulated"]}

    def _write_settings(self, addresses: dict[str, str]) -> None:
        width, height = (1080, 1920) if self.orientation == "portrait" else (1920, 1080)
        millimetres = (268.0, 476.0) if self.orientation == "portrait" else (476.0, 268.0)
        text = SETTINGS.format(
            data=self.terminal_data,
            server=self.dashboard.rstrip("/"),
            code=self.seed["enrolment_code"],
            width=width,
            height=height,
            width_mm=millimetres[0],
            height_mm=millimetres[1],
            orientation=self.orientation,
            hand=self.hand,
            **addresses,
        )
        text += "".join(
            section(name, driver, option, addresses[name], str(self.terminal_data))
            for name, (driver, option) in self._writers.items()
        )
        self.terminal_data.mkdir(parents=True, exist_ok=True)
        (self.out / "machine.toml").write_text(text, encoding="utf-8")


SETTINGS = """\
# The demo's terminal: every device is a simulator on the other end of a wire.
[machine]
data = "{data}"
development = true

[screen]
width_px = {width}
height_px = {height}
width_mm = {width_mm}
height_mm = {height_mm}
orientation = "{orientation}"
fullscreen = false

[fleet]
server = "{server}"
enrolment_code = "{code}"
heartbeat_seconds = 2
poll_seconds = 5

[sign_in]
allow_clerk = true
# Invented faces are more alike than people: the demo's thresholds are its own.
accept_at = 0.40
retry_at = 0.45

[development]
dock = true
hand = "{hand}"

[devices.card_reader]
driver = "id_card_reader/sdt"
port = "{card_reader}"
photo_decoder = "sample"

[devices.face_check]
driver = "face_matcher/dlib"
camera = "{face_check}"

[devices.receipt_printer]
driver = "receipt_printer/escpos"
port = "{receipt_printer}"

[devices.document_printer]
driver = "document_printer/ipp"
address = "{document_printer}"

[devices.document_camera]
driver = "document_scanner/document_camera"
source = "{document_camera}"

[devices.signature_pad]
driver = "signature_pad/touchscreen"
"""
