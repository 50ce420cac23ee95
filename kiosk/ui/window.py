"""One kiosk window: view models, engine and the QML tree, fed by `show` and `show_picture`, answering a Hall."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QElapsedTimer, QEvent, QMetaObject, QObject, QThreadPool, QTimer, QUrl, Signal
from PySide6.QtQml import QQmlApplicationEngine, QQmlError
from PySide6.QtQuick import QQuickWindow

from kiosk.contracts.text import Language
from kiosk.flow.screens import FormScreen, InstructScreen, PreviewScreen, StageKind, View
from kiosk.ui.drawing import IconProvider, Picture, Pictures, read_icons, register_items
from kiosk.ui.ink import register_ink
from kiosk.ui.settings import ScreenSettings
from kiosk.ui.view_models.calls import HallCalls
from kiosk.ui.view_models.form import FormViewModel
from kiosk.ui.view_models.home import HomeViewModel
from kiosk.ui.view_models.keyboard import KeyboardViewModel
from kiosk.ui.view_models.session import SessionViewModel
from kiosk.ui.view_models.stage import StageViewModel
from kiosk.ui.words import Words, read_words

if TYPE_CHECKING:
    from kiosk.ui.writing.handwriting import Handwriting
    from kiosk.ui.writing.pinyin import Pinyin

QML = Path(__file__).parent / "qml"
TOUCH_MS = 1000
PAGE_GOES_MS = 400

log = logging.getLogger(__name__)


class QmlBroken(Exception):
    """The QML tree could not be loaded; the message lists Qt's errors."""


class KioskWindow(QObject):
    """`warnings` collects everything Qt has to say about the QML; a healthy window has none."""

    learned = Signal(object, object)

    def __init__(self, hall: HallCalls, settings: ScreenSettings, *, animated: bool = True) -> None:
        super().__init__()
        self.settings = settings
        self.warnings: list[str] = []
        self._hall = hall
        self._stage_kind: StageKind | None = None
        self._shows_camera = False
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
        self.engine = QQmlApplicationEngine()
        self.engine.setOutputWarningsToStandardError(False)
        self.engine.warnings.connect(self._on_warnings)
        self.engine.addImportPath(str(QML))
        self.engine.addImageProvider("icon", IconProvider(read_icons()))
        self._fill_singletons(animated)
        self.engine.load(QUrl.fromLocalFile(str(QML / "Kiosk" / "Main.qml")))
        if not self.engine.rootObjects():
            raise QmlBroken("\n".join(self.warnings) or "Main.qml did not load")
        window = self.engine.rootObjects()[0]
        assert isinstance(window, QQuickWindow)
        self.window = window
        window.installEventFilter(self)

    def show(self, view: View) -> None:
        """Draw this View. What the View no longer holds is forgotten."""
        self.words.speak(view.language)
        self._theme.setProperty("elder", view.mode == "elder")
        self._theme.setProperty("language", view.language.value)
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
        QMetaObject.invokeMethod(self.window, "prepare")
        QThreadPool.globalInstance().start(self._read_dictionaries)

    def learn_now(self) -> None:
        self._read_dictionaries()

    def close(self) -> None:
        QThreadPool.globalInstance().waitForDone()
        self._clearing.stop()
        self.window.removeEventFilter(self)
        self.window.close()
        # The tree goes before the view models it is bound to.
        self.window.deleteLater()
        self.engine.deleteLater()

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

    def _fill_singletons(self, animated: bool) -> None:
        self._ui = self._singleton("Kiosk.Theme", "Ui")
        for name in ("words", "stage", "session", "form", "home", "keyboard", "pictures"):
            self._ui.setProperty(name, getattr(self, name))
        self._theme = self._singleton("Kiosk.Theme", "Theme")
        settings = self.settings
        self._theme.setProperty("widthMm", settings.width_mm)
        self._theme.setProperty("heightMm", settings.height_mm)
        self._theme.setProperty("loweredHeightMm", settings.lowered_height_mm)
        self._theme.setProperty("animated", animated)
        self._theme.setProperty("language", Language.ZH_CN.value)
        self._theme.setProperty(
            "cabinet",
            {
                place.value: {"x": spot.x, "y": spot.y, "width": spot.width, "height": spot.height}
                for place, spot in settings.cabinet.items()
            },
        )

    def _singleton(self, module: str, name: str) -> QObject:
        found: Any = self.engine.singletonInstance(module, name)
        if not isinstance(found, QObject):
            raise QmlBroken("\n".join(self.warnings) or f"{module}.{name} did not load")
        return found

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
