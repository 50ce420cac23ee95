"""Pictures of every page: python -m kiosk.ui.gallery OUT [--only NAME…] [--mode …] [--language …] [--shape …]."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from PySide6.QtTest import QTest

from kiosk.contracts.text import Language
from kiosk.flow.screens import Mode, View
from kiosk.ui.app import prepare_application, refuse_without_font
from kiosk.ui.gallery.hall import GalleryHall
from kiosk.ui.gallery.views import NAMES, views
from kiosk.ui.remote_hand import Finger
from kiosk.ui.settings import ScreenSettings
from kiosk.ui.window import KioskWindow

SHAPES = {
    "portrait": ScreenSettings(development=True),
    "landscape": ScreenSettings(1920, 1080, 476.0, 268.0, "landscape", development=True),
}

VISITS: dict[str, tuple[str, tuple[str, ...]]] = {
    "door": ("home", ("door:life_housing",)),
    "departments": ("home", ("doors:departments",)),
    "search": ("home", ("search",)),
    "search_results": ("home", ("search", "key:s", "key:b")),
    "search_nothing": ("home", ("search", "key:v", "key:v")),
    "search_many": ("home_long", ("search", "key:s", "key:b")),
    "lowered_long": ("long_failure", ("lower",)),
    "lowered_home": ("home", ("lower",)),
    "lowered_form": ("form", ("lower",)),
    "lowered_card": ("card", ("lower",)),
    "help": ("review", ("help",)),
    "remote_helper": ("review", ("help", "remote_helper")),
    "leaving": ("review", ("leave",)),
    "languages": ("home", ("language",)),
    "text_keyboard": ("form", ("field:employer", *(f"key:{letter}" for letter in "xiamen"))),
    "handwriting": ("form", ("field:employer", "key:page:handwriting")),
    "symbols": ("form", ("field:employer", "key:page:symbols")),
    "phone_pad": ("form", ("field:phone",)),
    "plate_letters": ("plate", ("key:闽",)),
    "money_pad": ("plate", ("field:price",)),
    "missing": ("form", ("primary",)),
    "picked": ("several", ("option:child",)),
    "revealed": ("review", ("reveal:1",)),
    "zoomed": ("preview", ("zoom",)),
}
"""Name → the View it starts from and what is touched; touches that are not there (elder pages) are passed over."""


class Gallery:
    """One window that walks through the sample Views."""

    def __init__(self, settings: ScreenSettings, *, animated: bool = False) -> None:
        self.hall = GalleryHall(next(iter(views().values())))
        self.kiosk = KioskWindow(self.hall, settings, animated=animated)
        self.hall.subscribe(self.kiosk.show, self.kiosk.show_picture)
        self.kiosk.learn_now()
        self.kiosk.window.show()
        QTest.qWaitForWindowExposed(self.kiosk.window)
        self.finger = Finger(self.kiosk)

    def stand(self, name: str, mode: Mode, language: Language) -> None:
        """Show the View or the visit of that name, from a clean page."""
        samples = views()
        start, touches = VISITS.get(name, (name, ()))
        self.hall.publish(replace(samples["attract"], mode=mode, language=language))
        view: View = replace(samples[start], mode=mode, language=language)
        self.hall.publish(view)
        QTest.qWait(1)
        for touch in touches:
            if any(each["name"] == touch for each in self.finger.state()["touchables"]):
                self.finger.tap(touch)
                QTest.qWait(1)
        QTest.qWait(20)


def main() -> int:
    names = [*NAMES, *VISITS]
    parser = argparse.ArgumentParser(prog="python -m kiosk.ui.gallery", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", nargs="*", choices=names, default=names, metavar="NAME")
    parser.add_argument("--mode", nargs="*", choices=list(Mode), default=list(Mode))
    parser.add_argument("--language", nargs="*", choices=list(Language), default=list(Language))
    parser.add_argument("--shape", nargs="*", choices=list(SHAPES), default=list(SHAPES))
    wanted = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = prepare_application()
    refuse_without_font()
    warned = False
    for shape in wanted.shape:
        gallery = Gallery(SHAPES[shape])
        for mode in wanted.mode:
            for language in wanted.language:
                for name in wanted.only:
                    gallery.stand(name, Mode(mode), Language(language))
                    gallery.finger.shoot(wanted.out / f"{shape}-{mode}-{language}" / f"{name}.png")
        for warning in gallery.kiosk.warnings:
            sys.stderr.write(f"{warning}\n")
        warned = warned or bool(gallery.kiosk.warnings)
        gallery.kiosk.close()
    application.processEvents()
    return 1 if warned else 0


if __name__ == "__main__":
    raise SystemExit(main())
