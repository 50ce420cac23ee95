"""What a receipt printer's owner says of it, and what that makes it able to do (device-classes C.4)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from drivers.messages import Capabilities, DeviceClass, Message
from drivers.receipt_printer.byte_builder import CUTS, PRESENT
from drivers.receipt_printer.conversation import BackChannel


class EscposOptions(Message):
    """Facts of this machine's receipt printer. 80 mm paper has 576 dots at 203 dpi, 58 mm paper 384."""

    port: str = Field(description="serial path or pty, USB node /dev/usb/lpN, tcp://host:port, socket://host:port")
    baud_rate: int = Field(default=115200, ge=1200, le=921600)
    profile: Literal["raster", "gb18030"] = "raster"
    width_dots: int = Field(default=576, ge=256, le=1024, multiple_of=8)
    dpi: int = Field(default=203, ge=150, le=400)
    font_path: str | None = Field(default=None, description="a Chinese font; default: Noto Sans CJK of the system")
    back_channel: BackChannel = Field(
        default="full",
        description="full: DLE EOT and GS r are answered; partial: DLE EOT only; none: nothing is. Only full can print "
        "with certainty: with the others every slip that was sent ends uncertain, not_confirmed",
    )
    cutter: Literal["full", "partial", "none"] = "full"
    presenter: Literal["none", "custom"] = Field(
        default="none",
        description="custom: GS e and DLE EOT 20 of the CUSTOM family; a slip left there is taken back in",
    )

    take_seconds: float = Field(
        default=20.0, gt=0, description="with a presenter: how long a slip may hang there before it is a fault"
    )

    @property
    def ending(self) -> bytes:
        """What follows the last line: a cut, a feed to the tear bar, or the presenter's own cut and hand-over."""
        return PRESENT if self.presenter == "custom" else CUTS[self.cutter]


def capabilities_of(options: EscposOptions) -> Capabilities:
    features = {
        f"profile_{options.profile}",
        f"width_dots_{options.width_dots}",
        f"cut_{options.cutter}",
        f"back_channel_{options.back_channel}",
        "qr",
        "chinese",
    }
    if options.back_channel != "none":
        features.add("near_end_sensor")
    if options.presenter != "none":
        features |= {"presenter", "taken_sensor", "retract"}
    return Capabilities(
        device_class=DeviceClass.RECEIPT_PRINTER,
        driver="receipt_printer/escpos",
        version="2",
        status_source="inferred" if options.back_channel == "none" else "polled",
        poll_safe_in_motion=True,
        cancellable=frozenset({"print_receipt"}),
        features=frozenset(features),
    )
