"""The dev dock: the terminal's screen and the simulators' levers as one page in a browser, on loopback."""

from __future__ import annotations

import json
import os
import signal
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from kiosk.demo.city import City
from kiosk.demo.dock.levers import NETWORK, panel
from kiosk.demo.dock.phone import BEHAVES, PAYS, PHONE, Phone
from kiosk.demo.hand import Hand

PAGE = Path(__file__).with_name("dock.html")
LONGEST_ORDER = 4096
FAULT = "fault "
APP_CODE = "app_code "


class Dock:
    """Serves the page until closed. One visitor at a time is what it is made for."""

    def __init__(self, city: City, hand: Hand) -> None:
        self._city, self._hand = city, hand
        self._active: dict[str, list[str]] = {}
        self._mutex = threading.Lock()
        self._picture = city.out / "dock.png"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def screen(self) -> bytes:
        """The terminal's screen now, as PNG."""
        with self._mutex:
            self._hand.shot(self._picture)
            return self._picture.read_bytes()

    def order(self, wish: dict[str, Any]) -> dict[str, Any]:
        """A touch on the screen, or a lever: `{"touch": [x, y]}` or `{"device": NAME, "order": LINE}`.

        The answer to a lever carries `active`: the faults that last at this device now.
        """
        with self._mutex:
            if "touch" in wish:
                across, down = wish["touch"]
                return {"ok": self._hand.touch(float(across), float(down))}
            device, line = str(wish["device"]), str(wish["order"])
            if line.startswith(APP_CODE):
                line = f"place {self._city.app_code(line.removeprefix(APP_CODE))}"
            if device == NETWORK:
                said = self._cut(line)
            elif device == PHONE:
                said = Phone(self._city.sandbox_address).order(line)
            else:
                said = self._city.simulators[device].order(line)
            if said.get("ok"):
                self._note(device, line)
            return said | {"active": self._active.get(device, [])}

    def _cut(self, line: str) -> dict[str, Any]:
        if self._city.server is None:
            return {"ok": False, "error": "there is no server"}
        os.kill(self._city.server.pid, signal.SIGSTOP if line.startswith(FAULT) else signal.SIGCONT)
        return {"ok": True, "answer": line}

    def _note(self, device: str, line: str) -> None:
        """Which faults last; what else was ordered changed none of them."""
        active = self._active.setdefault(device, [])
        if line == "clear":
            active.clear()
        elif line.startswith(FAULT) and line.removeprefix(FAULT) not in active:
            active.append(line.removeprefix(FAULT))

    def panels(self) -> list[dict[str, Any]]:
        """Every device with its levers: those of the demonstration first, the others, the phone, the network."""
        found = [
            panel(device, said["driver"], tuple(said["faults"]), self._active.get(device, []))
            for device, said in self._city.peers.items()
        ]
        found.append(panel(PHONE, PHONE, BEHAVES, self._active.get(PHONE, []), PAYS))
        found.append(panel(NETWORK, NETWORK, ("cut",), self._active.get(NETWORK, [])))
        return found

    def page(self) -> bytes:
        text = PAGE.read_text(encoding="utf-8")
        panels = json.dumps(self.panels(), ensure_ascii=False).replace("<", "\\u003c")
        return text.replace("@PANELS@", panels).replace("@DASHBOARD@", self._city.dashboard).encode()


def _handler(dock: Dock) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/":
                self._answer(HTTPStatus.OK, "text/html; charset=utf-8", dock.page())
            elif self.path.startswith("/screen.png"):
                self._answer(HTTPStatus.OK, "image/png", dock.screen())
            else:
                self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"")

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if self.headers.get("X-Dock") != "1" or length > LONGEST_ORDER:
                self._answer(HTTPStatus.FORBIDDEN, "text/plain", b"")
                return
            try:
                said = dock.order(json.loads(self.rfile.read(length)))
            except (KeyError, ValueError, TypeError, OSError) as error:
                said = {"ok": False, "error": str(error)}
            self._answer(HTTPStatus.OK, "application/json", json.dumps(said, ensure_ascii=False).encode())

        def _answer(self, status: HTTPStatus, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Nothing of what is done here is worth a line."""

    return Handler
