"""Facts of this machine's screen and cabinet that the look is computed from. Lengths are millimetres."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from kiosk.flow.screens import Place


@dataclass(frozen=True)
class Spot:
    """Where a device sits on the cabinet's front, as parts (0…1) of the drawn cabinet; x and y are its centre."""

    x: float
    y: float
    width: float
    height: float


DEFAULT_CABINET: dict[Place, Spot] = {
    Place.FACE_CAMERA: Spot(0.50, 0.052, 0.20, 0.036),
    Place.SCREEN: Spot(0.50, 0.275, 0.66, 0.36),
    Place.CARD_READER: Spot(0.31, 0.545, 0.27, 0.075),
    Place.DOCUMENT_CAMERA: Spot(0.70, 0.545, 0.30, 0.075),
    Place.CODE_SCANNER: Spot(0.50, 0.487, 0.12, 0.022),
    Place.PAYMENT_TERMINAL: Spot(0.70, 0.672, 0.20, 0.060),
    Place.CARD_SLOT: Spot(0.70, 0.675, 0.25, 0.034),
    Place.SIGNATURE_PAD: Spot(0.70, 0.672, 0.30, 0.056),
    Place.RECEIPT_SLOT: Spot(0.31, 0.675, 0.25, 0.034),
    Place.DOCUMENT_TRAY: Spot(0.50, 0.80, 0.60, 0.075),
}


@dataclass(frozen=True)
class ScreenSettings:
    """The whole screen, or the window in development. `bottom_mm` is the lower screen edge above the floor."""

    width_px: int = 1080
    height_px: int = 1920
    width_mm: float = 268.0
    height_mm: float = 476.0
    orientation: Literal["portrait", "landscape"] = "portrait"
    development: bool = False
    full_screen: bool = True
    bottom_mm: float = 700.0
    reach_mm: float = 1100.0
    cabinet: dict[Place, Spot] = field(default_factory=lambda: dict(DEFAULT_CABINET))

    @property
    def covers_screen(self) -> bool:
        return self.full_screen and not self.development

    @property
    def lowered_height_mm(self) -> float:
        """Height of the page once lowered, so that no control lies above `reach_mm`."""
        return min(self.height_mm, self.reach_mm - self.bottom_mm)
