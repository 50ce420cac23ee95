"""One kiosk window: view models, engine and the QML tree, fed by `show` and `show_picture`, answering a Hall."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QEvent, QObject, QThreadPool, QTimer, QUrl, Signal
from PySide6.QtQml import QQmlError
from PySide6.QtQuick import QQuickView

from kiosk.flow.screens import FormScreen, InstructScreen, PreviewScreen, StageKind, View
from kiosk.ui.drawing.ink import register_ink
from kiosk.ui.drawing.pictures import IconProvider, Picture, Pictures, read_icons, register_items
from kiosk.ui.engine import open_window, page_file
from kiosk.ui.settings import ScreenSettings
from kiosk.ui.view_models.calls import HallCalls
from kiosk.ui.view_models.form import FormViewModel
from kiosk.ui.view_models.home import HomeViewModel
from kiosk.ui.view_models.keyboard import KeyboardViewModel
from kiosk.ui.view_models.look import LookViewModel
from kiosk.ui.view_models.session import SessionViewModel
from kiosk.ui.view_models.stage import StageViewModel
from kiosk.ui.words import Words, read_words

if TYPE_CHECKING:
    from kiosk.ui.writing.handwriting import Handwriting
    from kiosk.ui.writing.pinyin import Pinyin

VIEW_MODELS = ("look", "words", "stage", "session", "form", "home", "keyboard", "pictures")
"""What the page is bound to; `Main.qml` asks for each by name."""
TOUCH_MS = 1000
PAGE_GOES_MS = 400

log = logging.getLogger(__name__)


class QmlBroken(Exception):
    """The QML tree could not be loaded; the message lists Qt's errors."""


class KioskWindow(QObject):
    """`warnings` collects everything Qt has to say about the QML; a healthy window has none."""

    learned = Signal(object, object)

    def __init__(
        self, hall: HallCalls, settings: ScreenSettings, *, animated: bool = True, window: QQuickView | None = None
    ) -> None:
        """`window` is an empty one of `open_window`'s, opened earlier; without it one is opened now."""
        super().__init__()
        self.window = window if window is not None else open_window()
        self.engine = self.window.engine()
        self.settings = settings
        self.warnings: list[str] = []
        self._hall = hall
        self._stage_kind: StageKind | None = None
        self._shows_camera = False
        self.look = LookViewModel(hall, settings, self, animated=animated)
        self.words = Words(read_words(), self)
        self.session = SessionViewModel(hall, self)
        self.form = FormViewModel(hall, self.session, self)
        self.stage = StageViewModel(hall, self, way_to=self.form.way_to)
        self.form.position_changed.connect(self.stage.pointed_changed)
        self.home = HomeViewModel(hall, self)
        self.keyboard = KeyboardViewModel(self)
        self.pictures = Pictures(self)
        self._since_touch = QElapsedTimer()
        self._clearing = QTimer(self)
        self._clearing.setSingleShot(True)
        self._clearing.setInterval(PAGE_GOES_MS)
        self._clearing.timeout.connect(self._clear)
        self.learned.connect(self._learn)
        register_items()
        register_ink()
        self.engine.warnings.connect(self._on_warnings)
        self.engine.addImageProvider("icon", IconProvider(read_icons()))
        self._place()
        self.window.setInitialProperties({name: getattr(self, name) for name in VIEW_MODELS})
        self.window.setSource(page_file("Main"))
        if not self.look.frame_stands:
            raise QmlBroken("\n".join([*(error.toString() for error in self.window.errors()), *self.warnings]))
        self.window.installEventFilter(self)

    def _place(self) -> None:
        """Before anything is laid out. Without a window manager showFullScreen does nothing: the geometry itself covers
        the screen."""
        if self.settings.covers_screen:
            self.window.setGeometry(self.window.screen().geometry())
        else:
            self.window.resize(self.settings.width_px, self.settings.height_px)

    def show(self, view: View) -> None:
        """Draw this View. What the View no longer holds is forgotten."""
        self.words.speak(view.language)
        self.look.show(view)
        page = view.screen.page_png if isinstance(view.screen, PreviewScreen) else b""
        self.pictures.show_page(page)
        self._shows_camera = isinstance(view.screen, InstructScreen) and view.screen.shows_camera
        if not self._shows_camera:
            self.pictures.show_camera(None)
        self.form.show(view)
        self.session.show(view)
        self.home.show(view)
        self._choose_writer(view)
        self.stage.show(view)
        if view.stage is not self._stage_kind:
            was, self._stage_kind = self._stage_kind, view.stage
            if was is StageKind.SESSION:
                self.forget()

    def show_picture(self, picture: Picture) -> None:
        """A camera picture; dropped when the screen that stands shows none."""
        if self._shows_camera:
            self.pictures.show_camera(picture)

    def forget(self) -> None:
        """After a visit nothing of the citizen stays in text caches, in objects not yet collected, on the stack.

        A moment later: the page that was shown goes only after the View that replaced it was painted.
        """
        self.keyboard.forget()
        self._clearing.start()

    def _clear(self) -> None:
        self.engine.collectGarbage()
        self.engine.trimComponentCache()
        self.window.releaseResources()
        from kiosk.machine.memory import sweep  # noqa: PLC0415 (nothing to sweep before the first picture)

        sweep()

    def learn_in_background(self) -> None:
        """Read the other pages and the dictionaries without holding up the first picture."""
        self.look.rested.emit()
        QThreadPool.globalInstance().start(self._read_dictionaries)

    def learn_now(self) -> None:
        self._read_dictionaries()

    def close(self) -> None:
        QThreadPool.globalInstance().waitForDone()
        self._clearing.stop()
        self.window.removeEventFilter(self)
        self.window.close()
        self.window.setSource(QUrl())  # the tree goes before the view models it is bound to
        self.window.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        presses = (QEvent.Type.MouseButtonPress, QEvent.Type.TouchBegin)
        if event.type() in presses and self._stage_kind in (StageKind.HOME, StageKind.SESSION):
            self._tell_presence()
        return False

    def _tell_presence(self) -> None:
        """Someone is there: at the press, so that it never comes after what the touch itself asks for.

        Not under a time-out warning: there only the two buttons count.
        """
        fresh = self._since_touch.isValid() and self._since_touch.elapsed() < TOUCH_MS
        if not fresh and self.stage.seconds_left < 0:
            self._since_touch.restart()
            self._hall.wake()

    def _choose_writer(self, view: View) -> None:
        if view.stage is StageKind.HOME:
            self.keyboard.write_to(self.home, "pinyin")
        elif isinstance(view.screen, FormScreen):
            self.keyboard.write_to(self.form, "pinyin")
        else:
            self.keyboard.write_to(None, "pinyin")

    def _read_dictionaries(self) -> None:
        from kiosk.ui.writing.handwriting import Handwriting, HandwritingUnavailable  # noqa: PLC0415 (as below)
        from kiosk.ui.writing.pinyin import Pinyin  # noqa: PLC0415 (after the first picture)

        try:
            pinyin: Pinyin | None = Pinyin()
        except OSError as error:
            log.error("no pinyin dictionary: %s", error)  # noqa: TRY400 - the reason is the file's name
            pinyin = None
        try:
            handwriting: Handwriting | None = Handwriting()
        except HandwritingUnavailable as error:
            log.error("no handwriting: %s", error)  # noqa: TRY400
            handwriting = None
        self.learned.emit(pinyin, handwriting)

    def _learn(self, pinyin: Pinyin | None, handwriting: Handwriting | None) -> None:
        self.keyboard.learn(pinyin, handwriting)
        if pinyin is not None:
            self.home.learn(pinyin.reading)

    def _on_warnings(self, errors: list[QQmlError]) -> None:
        for error in errors:
            self.warnings.append(error.toString())
            log.warning("%s", error.toString())
