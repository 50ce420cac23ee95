"""What the theme is computed from: the glass and the cabinet around it, the mode and the language."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from kiosk.contracts.text import Language
from kiosk.flow.screens import Mode, View
from kiosk.ui.settings import ScreenSettings
from kiosk.ui.view_models.calls import HallCalls
from kiosk.ui.words import readable


class LookViewModel(QObject):
    """Lengths are millimetres on the glass. It changes before any other view model, so that no page is laid out twice.

    `bare`: no frame around the window. `cabinet`: place → {x, y, width, height} as parts of the cabinet's front.
    """

    elder_changed = Signal()
    language_changed = Signal()
    rested = Signal()
    """The first picture was painted; what comes later may be read."""

    def __init__(
        self, hall: HallCalls, settings: ScreenSettings, parent: QObject | None = None, *, animated: bool
    ) -> None:
        super().__init__(parent)
        self._hall = hall
        self._settings = settings
        self._animated = animated
        self.frame_stands = False
        self._elder = False
        self._language = Language.ZH_CN
        self._cabinet = {
            place.value: {"x": spot.x, "y": spot.y, "width": spot.width, "height": spot.height}
            for place, spot in settings.cabinet.items()
        }

    def show(self, view: View) -> None:
        elder = view.mode is Mode.ELDER
        if elder != self._elder:
            self._elder = elder
            self.elder_changed.emit()
        if view.language is not self._language:
            self._language = view.language
            self.language_changed.emit()

    @Slot()
    def switch_mode(self) -> None:
        self._hall.set_mode(Mode.STANDARD if self._elder else Mode.ELDER)

    @Slot()
    def stand(self) -> None:
        """The frame of every page was made."""
        self.frame_stands = True

    elder = readable(bool, lambda self: self._elder, notify=elder_changed)
    language = readable(str, lambda self: self._language.value, notify=language_changed)
    animated = readable(bool, lambda self: self._animated)
    bare = readable(bool, lambda self: self._settings.covers_screen)
    width_mm = readable(float, lambda self: self._settings.width_mm)
    height_mm = readable(float, lambda self: self._settings.height_mm)
    lowered_height_mm = readable(float, lambda self: self._settings.lowered_height_mm)
    cabinet = readable("QVariantMap", lambda self: self._cabinet)
