"""`python -m kiosk run`: the screen stands first, and the machine comes up behind it."""

from __future__ import annotations

import logging
from pathlib import Path

from kiosk.contracts.errors import KioskError
from kiosk.flow.screens import Hall
from kiosk.machine.memory import forbid_core_dumps, reexec_hardened
from kiosk.machine.settings import MachineSettings
from kiosk.ui.app import run_ui
from kiosk.ui.settings import ScreenSettings


def run_terminal(config: Path) -> int:
    """`python -m kiosk run`: serve until told to end. 2 when the settings are wrong."""
    reexec_hardened()
    forbid_core_dumps()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        settings = MachineSettings.load(config)
    except KioskError as error:
        print(error)
        return 2
    screen = settings.screen
    hand = Path(settings.development.hand) if settings.development.hand else None

    async def build_hall() -> Hall:
        from kiosk.terminal import Terminal  # noqa: PLC0415 (on the flow's thread, while the screen is being drawn)

        return await Terminal(settings).start()

    return run_ui(
        build_hall,
        ScreenSettings(
            width_px=screen.width_px, height_px=screen.height_px, width_mm=screen.width_mm,
            height_mm=screen.height_mm, orientation=screen.orientation, full_screen=screen.fullscreen,
            development=settings.machine.development,
        ),
        remote_hand=hand,
    )  # fmt: skip
