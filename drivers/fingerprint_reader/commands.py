"""What a module is told and what it confirms (R503 manual section 5; AS608 and ZFM manuals, list of codes).

The codes 04, 05, 17 and 29 stand in the manuals of the AS60x and newer modules; older ones never send them.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, Literal, NamedTuple

from drivers.errors import DeviceError, HardwareFault

Prompt = Literal[
    "PRESENT_FINGER", "LIFT_FINGER", "PRESS_HARDER", "PRESS_SOFTER", "MOVE_TO_CENTRE", "DRY_FINGER", "CLEAN_SENSOR"
]


class Instruction(IntEnum):
    GEN_IMG = 0x01  # take a picture into the image buffer
    IMG_2_TZ = 0x02  # features of the picture into a character buffer; parameter: its number
    MATCH = 0x03  # compare buffers 1 and 2; answer: score, 2 bytes
    REG_MODEL = 0x05  # combine the buffers into one template
    UP_CHAR = 0x08  # template of a buffer to the host, in data packets
    DOWN_CHAR = 0x09  # template of the host into a buffer, in data packets
    EMPTY = 0x0D  # delete the library in flash
    READ_SYS_PARA = 0x0F  # answer: 16 bytes
    VFY_PWD = 0x13  # parameter: password, 4 bytes
    TEMPLATE_NUM = 0x1D  # answer: templates in flash, 2 bytes
    AURA_LED = 0x35  # R503: parameters control, speed, colour, times


ANSWER_BYTES: Final = {Instruction.MATCH: 2, Instruction.READ_SYS_PARA: 16, Instruction.TEMPLATE_NUM: 2}
"""Of a good answer; nothing for all others. An answer carries no mark of its instruction: its size must fit."""

OK: Final = 0x00
PACKET_DAMAGED: Final = 0x01
NO_FINGER: Final = 0x02
CAPTURE_FAILED: Final = 0x03
NO_MATCH: Final = 0x08
COMBINE_FAILED: Final = 0x0A
WRONG_PASSWORD: Final = 0x13
RESIDUE: Final = 0x17
PASSWORD_FIRST: Final = 0x21
SENSOR_FAILED: Final = 0x29

ADVICE: Final[dict[int, Prompt]] = {
    CAPTURE_FAILED: "PRESS_HARDER",
    0x04: "DRY_FINGER",  # too dry, too faint
    0x05: "PRESS_SOFTER",  # too wet, blurred
    0x06: "MOVE_TO_CENTRE",  # disordered
    0x07: "PRESS_HARDER",  # too few features, or too small
    0x15: "MOVE_TO_CENTRE",  # no valid picture
    RESIDUE: "CLEAN_SENSOR",  # what is seen was there before
}
"""What a finger that gave no features should do."""


class SystemParameters(NamedTuple):
    """Of `READ_SYS_PARA`: what the driver needs of it."""

    library_size: int
    security_level: int
    packet_bytes: int


SYSTEM_PARAMETER_BYTES: Final = 16
_PACKET_BYTES: Final = (32, 64, 128, 256)


def parse_system_parameters(data: bytes) -> SystemParameters | None:
    """None when this cannot be a module's word: the packet size is one of four."""
    if len(data) != SYSTEM_PARAMETER_BYTES:
        return None
    library, security, size = (int.from_bytes(data[begin : begin + 2], "big") for begin in (4, 6, 12))
    return SystemParameters(library, security, _PACKET_BYTES[size]) if size < len(_PACKET_BYTES) else None


class Light(NamedTuple):
    """The ring of an R503. Control: 1 breathe, 2 flash, 3 on, 4 off; colour: 1 red, 2 blue, 3 purple."""

    control: int
    speed: int
    colour: int
    times: int


WAITING: Final = Light(1, 100, 2, 0)
REFUSED: Final = Light(2, 30, 1, 3)
DARK: Final = Light(4, 0, 2, 0)


def fits(instruction: Instruction, code: int, data: bytes) -> bool:
    """False for what can only be a late answer to an earlier instruction."""
    return code != OK or len(data) == ANSWER_BYTES.get(instruction, 0)


def refusal(instruction: Instruction, code: int) -> DeviceError:
    """What a code means that no finger causes. Unknown ones are failures, never successes."""
    name = instruction.name
    match code:
        case 0x29:
            return HardwareFault("the fingerprint sensor does not start: replace the reader", "sensor_failed")
        case 0x13 | 0x21:
            return HardwareFault("the fingerprint reader wants another password: correct it", "wrong_password")
        case 0x01:
            return HardwareFault(f"{name}: the reader receives damaged packets: check its cable", "line_fault")
        case 0x0D | 0x0E | 0x0F:
            return HardwareFault(f"{name}: the template was not handed over (code {code:02X})", "transfer_failed")
        case _:
            return HardwareFault(f"{name}: the reader confirms with {code:02X}, which is unexpected", "unknown_status")
