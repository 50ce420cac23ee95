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
from kiosk.demo.hand import Hand

PAGE = Path(__file__).with_name("dock.html")
LONGEST_ORDER = 4096

CARDS = ("lin", "ouyang", "chen", "huang", "aydin", "guo")
MEND = ("clear", "恢复 mend")
LEVERS: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    ("card_reader", "身份证 ID card", (
        *((f"place {card}", card) for card in CARDS),
        ("remove", "拿走 take away"), ("fault read_failed", "读不出 unreadable"), MEND,
    )),
    ("face_check", "摄像头 camera", (
        *((f"person {card}", card) for card in CARDS),
        ("turn left", "← 转头 turn"), ("turn right", "转头 turn →"), ("turn straight", "看正 straight"),
        ("fault nobody", "无人 nobody"), ("fault dark", "太暗 dark"), ("fault freeze", "卡住 freeze"), MEND,
    )),
    ("receipt_printer", "凭条打印机 receipt printer", (
        ("fault paper_out", "缺纸 no paper"), ("fault cover_open", "开盖 cover open"), MEND,
    )),
    ("document_printer", "文件打印机 document printer", (
        ("fault media_empty", "缺纸 no paper"), ("fault jam", "卡纸 jam"), ("fault slow", "慢 slow"),
        ("fault offline", "断线 offline"), MEND,
    )),
    ("document_camera", "高拍仪 document camera", (
        ("fault blur", "模糊 blurred"), ("fault dark", "太暗 dark"), ("fault nothing", "无纸 nothing"), MEND,
    )),
    ("network", "网络 network", (("cut", "断网 cut"), ("back", "恢复 mend"))),
)  # fmt: skip


class Dock:
    """Serves the page until closed. One visitor at a time is what it is made for."""

    def __init__(self, city: City, hand: Hand) -> None:
        self._city, self._hand = city, hand
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
        """A touch on the screen, or a lever: `{"touch": [x, y]}` or `{"device": NAME, "order": LINE}`."""
        with self._mutex:
            if "touch" in wish:
                across, down = wish["touch"]
                return {"ok": self._hand.touch(float(across), float(down))}
            device, line = str(wish["device"]), str(wish["order"])
            if device == "network" and self._city.server is not None:
                os.kill(self._city.server.pid, signal.SIGSTOP if line == "cut" else signal.SIGCONT)
                return {"ok": True}
            return self._city.simulators[device].order(line)

    def page(self) -> bytes:
        levers = [
            {"device": device, "title": title, "orders": orders}
            for device, title, orders in LEVERS
            if device == "network" or device in self._city.simulators
        ]
        text = PAGE.read_text(encoding="utf-8")
        return text.replace("@LEVERS@", json.dumps(levers, ensure_ascii=False)).replace(
            "@DASHBOARD@", self._city.dashboard
        ).encode()  # fmt: skip


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
