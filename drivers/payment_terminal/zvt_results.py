"""What a ZVT result code means for an order (chapter "Error-Messages" of the protocol, revision 13)."""

from __future__ import annotations

from typing import Final

from drivers.errors import DeviceBusy, DeviceError, DeviceOffline, HardwareFault, Unsupported

CANCELLED: Final = 0x6C
NOT_POSSIBLE: Final = 0x83
REPEAT_STATUS: Final = 0x9C
"""From the register: say it again. From the terminal: please wait."""

_REASONS: Final = {
    0x64: "card_unreadable", 0x65: "card_unreadable", 0x66: "terminal_broken", 0x67: "card_refused",
    0x68: "card_refused", 0x6A: "end_of_day_needed", 0x6B: "not_registered", CANCELLED: "cancelled_at_terminal",
    0x6E: "card_refused", 0x6F: "currency_refused", 0x71: "declined", 0x72: "card_unreadable",
    0x73: "card_unreadable", 0x76: "card_refused", 0x77: "end_of_day_needed", 0x78: "card_refused",
    0x79: "card_refused", 0x7A: "card_refused", 0x7D: "bank_unreachable", 0x83: "not_possible", 0x85: "terminal_broken",
    0x89: "pinpad_defective", 0x9A: "terminal_broken", 0x9B: "bank_unreachable", 0x9C: "terminal_busy",
    0xA0: "terminal_busy", 0xF0: "end_of_day_needed", 0xFB: "terminal_broken", 0xFC: "terminal_broken",
    0xFF: "terminal_broken",
}  # fmt: skip


def reason_of(code: int) -> str:
    """01 to 63 (hexadecimal) come from the card's bank: declined."""
    return _REASONS.get(code, "declined" if 0 < code < 0x64 else "not_possible")


def error_of(code: int, deed: str) -> DeviceError:
    """The error of a command that is no payment."""
    reason, message = reason_of(code), f"the card terminal refuses {deed} ({code:02x})"
    match reason:
        case "terminal_busy":
            return DeviceBusy(f"{message}: it is still at work, wait", reason)
        case "bank_unreachable":
            return DeviceOffline(f"{message}: it does not reach its bank, look at its network", reason)
        case "currency_refused":
            return Unsupported(f"{message}: it is not set up for this currency", reason)
        case _:
            return HardwareFault(f"{message}: call its maintenance", reason)
