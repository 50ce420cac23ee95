"""A hand for a simulated citizen and for tests, over a Unix socket. Development only; `run_ui` refuses it otherwise.

One JSON object a line, one line back, `{"ok": true, …}` or `{"ok": false, "error": …}`:

  {"do": "state"}                              stage, mode, language, screen {kind, id, step, title}, touchables
  {"do": "tap", "name": NAME}                  a real press and release at the middle of the item
  {"do": "touch", "x": SHARE, "y": SHARE}      the same at a place, in shares of the window
  {"do": "type", "name": FIELD, "text": TEXT}  keys of the on-screen keyboard; what it has no key for is set as a value
  {"do": "sign", "name": "ink"}                an invented name, written into the field
  {"do": "shot", "path": PATH}                 the window as PNG
  {"do": "wait", "stage"|"kind"|"step"|"name": …, "seconds": S}   until the screen is so, at most S seconds (10);
                                               "after": ID waits for a later screen
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PySide6.QtCore import QElapsedTimer, QObject, QPointF, Qt, QTimer
from PySide6.QtNetwork import QLocalServer, QLocalSocket
from PySide6.QtQuick import QQuickItem
from PySide6.QtTest import QTest

from kiosk.ui.view_models.snapshot import WORD_JOINER
from kiosk.ui.window import KioskWindow

LONGEST_LINE = 64 * 1024
POLL_MS = 15
FRAME_MS = 20
MOST_LOOKS = 50
PATIENCE_SECONDS = 10.0
PEN_MS = 12
INVENTED_NAME: tuple[tuple[tuple[float, float], ...], ...] = (
    ((0.16, 0.30), (0.22, 0.30), (0.30, 0.29), (0.38, 0.28)),
    ((0.27, 0.16), (0.27, 0.34), (0.26, 0.55), (0.27, 0.78)),
    ((0.26, 0.32), (0.22, 0.45), (0.16, 0.60)),
    ((0.28, 0.36), (0.32, 0.48), (0.38, 0.62)),
    ((0.48, 0.26), (0.54, 0.25), (0.62, 0.24)),
    ((0.55, 0.14), (0.55, 0.40), (0.52, 0.62), (0.47, 0.78)),
    ((0.56, 0.40), (0.62, 0.55), (0.70, 0.72), (0.78, 0.76)),
)
"""Strokes of a name nobody has, in shares of the field."""


class NotThere(Exception):
    """No such thing can be touched now."""


def touchables(window: Any, name: str = "") -> list[dict[str, Any]]:
    """What a finger can reach now, or what of it is called so: [{name, text, x, y, width, height}] in window pixels,
    top page first."""
    found: list[dict[str, Any]] = []
    _collect(window.contentItem(), window, name, found)
    return found


def _collect(item: QQuickItem, window: Any, name: str, found: list[dict[str, Any]]) -> None:
    if not item.isVisible() or item.width() < 0 or item.opacity() == 0:
        return
    own = item.objectName()
    if own and name in ("", own) and item.property("isTouchable") is True and item.isEnabled():
        middle = item.mapToScene(QPointF(item.width() / 2, item.height() / 2))
        inside = 0 <= middle.x() < window.width() and 0 <= middle.y() < window.height()
        if inside and item.width() > 0 and _is_on_top(item, window.contentItem(), middle):
            found.append({
                "name": own, "text": item.property("name"), "x": round(middle.x()),
                "y": round(middle.y()), "width": round(item.width()), "height": round(item.height()),
            })  # fmt: skip
    for child in item.childItems():
        _collect(child, window, name, found)


def _is_on_top(item: QQuickItem, root: QQuickItem, at: QPointF) -> bool:
    """No veil and no clip lies between the finger and the item."""
    top = _topmost(root, at)
    while top is not None:
        if top is item:
            return True
        top = top.parentItem()
    return False


def _topmost(item: QQuickItem, at: QPointF) -> QQuickItem | None:
    """The highest item at `at` that takes mouse buttons."""
    if not item.isVisible() or (item.clip() and not item.contains(item.mapFromScene(at))):
        return None
    for child in sorted(item.childItems(), key=lambda each: each.z())[::-1]:
        if (found := _topmost(child, at)) is not None:
            return found
    takes = item.acceptedMouseButtons() != Qt.MouseButton.NoButton and item.isEnabled()
    return item if takes and item.contains(item.mapFromScene(at)) else None


class Finger:
    """Touches one window as a citizen would."""

    def __init__(self, kiosk: KioskWindow) -> None:
        self._kiosk = kiosk

    def state(self) -> dict[str, Any]:
        kiosk = self._kiosk
        return {
            "stage": kiosk.stage.stage,
            "mode": "elder" if kiosk.look.elder else "standard",
            "language": kiosk.look.language,
            "page": kiosk.home.page,
            "sheet": "time_out" if kiosk.stage.seconds_left >= 0 else kiosk.stage.sheet,
            "screen": {
                "kind": kiosk.session.kind,
                "id": kiosk.session.screen_id,
                "step": kiosk.session.step_id,
                "title": kiosk.session.title,
                "say": kiosk.session.say,
                "place": kiosk.session.place,
                **{key: kiosk.session.content[key] for key in ("direction", "tone", "code", "qr", "writes_here")},
            },
            "can_leave": kiosk.session.can_leave,
            "fields": kiosk.form.rows,
            "transaction_number": kiosk.session.transaction_number,
            "matters": kiosk.home.offered(),
            "reasons": kiosk.stage.reasons,
            "touchables": touchables(kiosk.window),
        }

    def tap(self, name: str) -> None:
        """Raises `NotThere` when nothing of that name can be touched now.

        Touched once it stands still from one frame to the next: a page that has just come is laid out first.
        """
        before = None
        for _ in range(MOST_LOOKS):
            QTest.qWait(FRAME_MS)
            there = next(iter(touchables(self._kiosk.window, name)), None)
            if there is not None and there == before:
                at = QPointF(there["x"], there["y"]).toPoint()
                QTest.mouseClick(self._kiosk.window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
                return
            before = there
            if there is None:
                break
        raise NotThere(f"nothing to touch is called {name!r}")

    def sign(self, name: str) -> None:
        """Write into a field, stroke by stroke. Raises `NotThere`."""
        window = self._kiosk.window
        for each in touchables(window, name):
            left, top = each["x"] - each["width"] / 2, each["y"] - each["height"] / 2
            for stroke in INVENTED_NAME:
                at = [
                    QPointF(left + across * each["width"], top + down * each["height"]).toPoint()
                    for across, down in stroke
                ]
                QTest.mousePress(window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at[0])
                for point in at[1:]:
                    QTest.qWait(PEN_MS)
                    QTest.mouseMove(window, point)
                QTest.mouseRelease(window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at[-1])
            return
        raise NotThere(f"nothing to write in is called {name!r}")

    def touch(self, across: float, down: float) -> None:
        """Touch a place, in shares (0…1) of the window."""
        window = self._kiosk.window
        at = QPointF(across * window.width(), down * window.height()).toPoint()
        QTest.mouseClick(window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)

    def type(self, name: str, text: str) -> None:
        """Touch the field, then the keys; pinyin is not needed: characters without a key are set as a value."""
        if self._sees(f"field:{name}"):
            self.tap(f"field:{name}")
        self._kiosk.form.set_value(name, "")
        if not text.isascii():
            self._kiosk.form.set_value(name, text)
            return
        for letter in text:
            page = "letters" if letter.isascii() and letter.islower() else "symbols"
            if self._kiosk.form.pad == "text" and self._kiosk.keyboard.page != page:
                self.tap(f"key:page:{page}")
            if not self._sees(f"key:{letter}"):
                self._kiosk.form.set_value(name, text)
                return
            self.tap(f"key:{letter}")

    def shoot(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not self._kiosk.window.grabWindow().save(str(path), "PNG"):  # type: ignore[call-overload]
            raise OSError(f"cannot write {path}")

    def _sees(self, name: str) -> bool:
        return bool(touchables(self._kiosk.window, name))


class RemoteHand(QObject):
    """Serves the finger at `path`; only this user may connect."""

    def __init__(self, kiosk: KioskWindow, path: Path) -> None:
        super().__init__(kiosk)
        self._finger = Finger(kiosk)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        QLocalServer.removeServer(str(path))
        if not self._server.listen(str(path)):
            raise OSError(f"cannot listen at {path}: {self._server.errorString()}")
        self._server.newConnection.connect(self._greet)

    def close(self) -> None:
        self._server.close()

    def _greet(self) -> None:
        socket = self._server.nextPendingConnection()
        socket.readyRead.connect(lambda: self._read(socket))
        socket.disconnected.connect(socket.deleteLater)

    def _read(self, socket: QLocalSocket) -> None:
        while socket.canReadLine():
            line = bytes(socket.readLine().data())
            if len(line) > LONGEST_LINE:
                socket.abort()
                return
            self._obey(socket, line)

    def _obey(self, socket: QLocalSocket, line: bytes) -> None:
        try:
            wish = json.loads(line)
            answer = self._do(socket, wish)
        except (ValueError, KeyError, TypeError, OSError, NotThere) as error:
            answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
        if answer is not None:
            _send(socket, answer)

    def _do(self, socket: QLocalSocket, wish: dict[str, Any]) -> dict[str, Any] | None:
        match wish["do"]:
            case "state":
                return {"ok": True, **self._finger.state()}
            case "tap":
                self._finger.tap(wish["name"])
            case "touch":
                self._finger.touch(float(wish["x"]), float(wish["y"]))
            case "sign":
                self._finger.sign(wish["name"])
            case "type":
                self._finger.type(wish["name"], wish["text"])
            case "shot":
                self._finger.shoot(Path(wish["path"]))
            case "wait":
                self._wait(socket, wish)
                return None
            case other:
                raise ValueError(f"no such wish: {other!r}")
        return {"ok": True}

    def _wait(self, socket: QLocalSocket, wish: dict[str, Any]) -> None:
        timer, clock = QTimer(socket), QElapsedTimer()
        clock.start()

        def look() -> None:
            state = self._finger.state()
            late = clock.elapsed() > float(wish.get("seconds", PATIENCE_SECONDS)) * 1000
            if late or self._is_so(state, wish):
                timer.stop()
                _send(socket, {"ok": not late, **({"error": "waited in vain"} if late else {}), **state})

        timer.timeout.connect(look)
        timer.start(POLL_MS)

    @staticmethod
    def _is_so(state: dict[str, Any], wish: dict[str, Any]) -> bool:
        screen = state["screen"]
        facts = {"stage": state["stage"], "kind": screen["kind"], "step": screen["step"]}
        if any(wish[key] != facts[key] for key in facts if key in wish):
            return False
        if "after" in wish and screen["id"] <= wish["after"]:
            return False
        return "name" not in wish or any(each["name"] == wish["name"] for each in state["touchables"])


def _send(socket: QLocalSocket, answer: dict[str, Any]) -> None:
    """Words as they are read: without what only keeps their lines together."""
    if socket.isValid():
        said = json.dumps(answer, ensure_ascii=False).replace(WORD_JOINER, "")
        socket.write(said.encode() + b"\n")
        socket.flush()
