"""The one door between the Qt thread and the asyncio thread.

Down: a call on the Hall is handed to the loop. Up: a new View or picture arrives as a signal, queued because another
thread sends it; of several that wait only the newest is shown.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from kiosk.contracts.text import Language
from kiosk.flow.screens import Answer, Hall, Mode, View

if TYPE_CHECKING:
    from kiosk.ui.drawing.pictures import Picture

BuildHall = Callable[[], Coroutine[Any, Any, Hall]]
STOP_SECONDS = 10.0

log = logging.getLogger(__name__)


class Bridge(QObject):
    """Runs the flow's loop in its own thread and takes the calls to its Hall (`HallCalls`) on the Qt side.

    `viewed` and `pictured` come on the Qt thread; `failed` with the reason when the hall could not be built or the
    loop ended on its own.
    """

    viewed = Signal(object)
    pictured = Signal(object)
    failed = Signal(str)
    _view_waits = Signal()
    _picture_waits = Signal()
    _ended_early = Signal(str)

    def __init__(self, build_hall: BuildHall, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._build_hall = build_hall
        self._lock = threading.Lock()
        self._newest_view: View | None = None
        self._newest_picture: Picture | None = None
        self._hall: Hall | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="flow", daemon=True)
        self._view_waits.connect(self._tell_view)
        self._picture_waits.connect(self._tell_picture)
        self._ended_early.connect(self._tell_failure)

    def open(self) -> None:
        self._thread.start()

    def shut(self) -> None:
        """Close the hall, end the loop; both have `STOP_SECONDS`. Called on the Qt thread."""
        if self._loop and self._ended and self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # it has just ended by itself
                self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            log.error("the flow's thread did not end within %s s", STOP_SECONDS)

    # --- down ---------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        self._call(lambda hall: hall.wake())

    def start(self, matter: str) -> None:
        self._call(lambda hall: hall.start(matter))

    def answer(self, answer: Answer) -> None:
        self._call(lambda hall: hall.answer(answer))

    def extend(self) -> None:
        self._call(lambda hall: hall.extend())

    def set_mode(self, mode: Mode) -> None:
        self._call(lambda hall: hall.set_mode(mode))

    def set_language(self, language: Language) -> None:
        self._call(lambda hall: hall.set_language(language))

    def help(self, wanted: bool) -> None:
        self._call(lambda hall: hall.help(wanted))

    def _call(self, act: Callable[[Hall], None]) -> None:
        if self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(self._act, act)
        except RuntimeError:
            log.warning("a touch came after the flow had ended")

    def _act(self, act: Callable[[Hall], None]) -> None:
        if self._hall is not None:
            act(self._hall)

    # --- up -----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except Exception as error:
            log.exception("the flow ended")
            self._ended_early.emit(f"{type(error).__name__}: {error}")

    async def _live(self) -> None:
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_log_failure)
        building = asyncio.ensure_future(self._build_hall())
        ending = asyncio.ensure_future(self._ended.wait())
        await asyncio.wait((building, ending), return_when=asyncio.FIRST_COMPLETED)
        if not building.done():
            building.cancel()
            return
        self._hall = building.result()
        self._hall.subscribe(self._on_view, self._on_picture)
        try:
            await ending
        finally:
            await self._hall.close()

    def _on_view(self, view: View) -> None:
        with self._lock:
            waits, self._newest_view = self._newest_view is not None, view
        if not waits:
            self._view_waits.emit()

    def _on_picture(self, picture: Picture) -> None:
        with self._lock:
            waits, self._newest_picture = self._newest_picture is not None, picture
        if not waits:
            self._picture_waits.emit()

    @Slot()
    def _tell_view(self) -> None:
        with self._lock:
            view, self._newest_view = self._newest_view, None
        if view is not None:
            self.viewed.emit(view)

    @Slot(str)
    def _tell_failure(self, reason: str) -> None:
        self.failed.emit(reason)

    @Slot()
    def _tell_picture(self) -> None:
        with self._lock:
            picture, self._newest_picture = self._newest_picture, None
        if picture is not None:
            self.pictured.emit(picture)


def _log_failure(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    log.error("%s", context["message"], exc_info=context.get("exception"))
