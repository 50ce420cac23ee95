"""What a module is asked, what it may answer, and what each refusal means (domain.md 1.3, 1.4, 1.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from drivers.errors import DeviceError, HardwareFault, MediaError
from drivers.id_card_reader.sdt.frames import Frame, encode_request

DONE: Final = 0x90
CARD_FOUND: Final = 0x9F
NO_CONTENT: Final = 0x91
REQUEST_CHECKSUM_WRONG: Final = 0x10
REQUEST_LENGTH_WRONG: Final = 0x11
COMMAND_WRONG: Final = 0x21
READ_FAILED: Final = 0x41
SELF_TEST_FAILED: Final = 0x60
NOT_AUTHORISED: Final = 0x66
NO_CARD: Final = 0x80
SELECT_FAILED: Final = 0x81

IIN_BYTES: Final = 4
SAM_ID_BYTES: Final = 16
ADDRESS_BYTES: Final = 70
PORTION_LENGTH_BYTES: Final = 2


@dataclass(frozen=True)
class Command:
    """One request and its limit in seconds. `fits` tells a good answer from a late one to an earlier command."""

    name: str
    code: int
    parameter: int
    limit_seconds: float
    good: frozenset[int]
    fits: Callable[[Frame], bool]
    never: frozenset[int] = frozenset()
    """Refusals that only a command to a card gets: here they answer an earlier one, late."""

    @property
    def request(self) -> bytes:
        return encode_request(self.code, self.parameter)

    def is_answered_by(self, frame: Frame) -> bool:
        """Refusals carry no mark of the command they answer; good answers are known by status and size."""
        if frame.status in self.good:
            return self.fits(frame)
        return frame.status not in (DONE, CARD_FOUND) and frame.status not in self.never


def _is_sized(*sizes: int) -> Callable[[Frame], bool]:
    return lambda frame: len(frame.data) in sizes


_OF_A_CARD: Final = frozenset({NO_CARD, SELECT_FAILED, READ_FAILED, NO_CONTENT})

SAM_STATUS: Final = Command("SAM status", 0x11, 0xFF, 0.5, frozenset({DONE}), lambda _frame: True, _OF_A_CARD)
SAM_ID: Final = Command("SAM id", 0x12, 0xFF, 0.5, frozenset({DONE}), _is_sized(SAM_ID_BYTES), _OF_A_CARD)
FIND: Final = Command(
    # Some software takes 90 for a found card too (domain.md 1.11); with four bytes it answers no other command.
    "find card", 0x20, 0x01, 0.5, frozenset({CARD_FOUND, DONE}),
    lambda frame: frame.status == CARD_FOUND or len(frame.data) == IIN_BYTES,
)  # fmt: skip
SELECT: Final = Command("select card", 0x20, 0x02, 0.5, frozenset({DONE}), lambda frame: len(frame.data) < SAM_ID_BYTES)
READ: Final = Command(
    "read card", 0x30, 0x01, 3.0, frozenset({DONE}), lambda frame: len(frame.data) > 2 * ADDRESS_BYTES
)
NEW_ADDRESS: Final = Command(
    # 70 bytes; without the padding it is still longer than any other answer a late one could be.
    "read new address", 0x30, 0x03, 1.5, frozenset({DONE}),
    lambda frame: not frame.data or (SAM_ID_BYTES < len(frame.data) <= ADDRESS_BYTES and len(frame.data) % 2 == 0),
)  # fmt: skip


@dataclass(frozen=True)
class Refusal:
    """What a status other than good means: the error it becomes, and how often it is met before it is raised."""

    error: type[DeviceError]
    reason: str
    sentence: str
    tries: int = 3

    def as_error(self, command: str, status: int) -> DeviceError:
        return self.error(f"{command}: {self.sentence} (status {status:02X})", self.reason)


REFUSALS: Final = {
    REQUEST_CHECKSUM_WRONG: Refusal(HardwareFault, "line_fault", "the reader received a damaged request", 2),
    REQUEST_LENGTH_WRONG: Refusal(HardwareFault, "line_fault", "the reader received a request of a wrong length", 2),
    COMMAND_WRONG: Refusal(HardwareFault, "command_refused", "the reader does not know this command", 2),
    0x23: Refusal(HardwareFault, "not_allowed", "the reader is not allowed to do this", 2),
    0x24: Refusal(HardwareFault, "unknown_error", "the reader reports an unknown error", 2),
    0x31: Refusal(MediaError, "sam_auth_failed", "the card rejected the reader: lift it and place it again"),
    0x32: Refusal(MediaError, "sam_auth_failed", "the card cannot be verified"),
    0x33: Refusal(MediaError, "sam_auth_failed", "the card's information failed its check: do not accept it"),
    0x3F: Refusal(MediaError, "read_failed", "the card's information has a wrong length"),
    0x40: Refusal(MediaError, "wrong_card_type", "this is not an identity card"),
    READ_FAILED: Refusal(MediaError, "read_failed", "the card could not be read: lift it and place it again"),
    0x47: Refusal(MediaError, "read_failed", "the random number failed: lift the card and place it again"),
    SELF_TEST_FAILED: Refusal(HardwareFault, "self_test_failed", "the module's self test failed: replace it", 1),
    NOT_AUTHORISED: Refusal(HardwareFault, "not_authorised", "the module is not authorised: replace it", 1),
    NO_CARD: Refusal(MediaError, "moved_too_soon", "the card was taken away too soon"),
    SELECT_FAILED: Refusal(MediaError, "select_failed", "the card could not be selected: lift it and place it again"),
    NO_CONTENT: Refusal(MediaError, "read_failed", "the card holds no such item"),
}
UNKNOWN_REFUSAL: Final = Refusal(HardwareFault, "unknown_status", "the reader answered a status nobody knows")
INOPERABLE: Final = frozenset({SELF_TEST_FAILED, NOT_AUTHORISED})


def refusal_of(status: int) -> Refusal:
    """Unknown statuses are failures, never successes."""
    return REFUSALS.get(status, UNKNOWN_REFUSAL)


def split_card(data: bytes) -> tuple[bytes, bytes]:
    """Text and photo of a card, by the lengths stated in the answer. Fingerprints nobody asked for are passed over.

    Raises `MediaError` (`decode_failed`) when the lengths contradict the answer's size.
    """
    for portions in (2, 3):
        head = portions * PORTION_LENGTH_BYTES
        stated = [int.from_bytes(data[at : at + PORTION_LENGTH_BYTES], "big") for at in range(0, head, 2)]
        if len(data) == head + sum(stated):
            text_end = head + stated[0]
            return data[head:text_end], data[text_end : text_end + stated[1]]
    raise MediaError("the card was read but its stated lengths contradict its size", "decode_failed")


def format_sam_id(data: bytes) -> str:
    """`aa.bb-yyyymmdd-dddddddddd-eeeeeeeeee` from the 16 bytes of a SAM id (domain.md 1.5)."""
    region, kind = (int.from_bytes(data[begin : begin + 2], "little") for begin in (0, 2))
    made, serial, extra = (int.from_bytes(data[begin : begin + 4], "little") for begin in (4, 8, 12))
    return f"{region:02}.{kind:02}-{made}-{serial:010}-{extra:010}"


def parse_sam_id(text: str) -> bytes:
    """The 16 bytes of a printed SAM id. Raises `ValueError`."""
    version, made, serial, extra = text.split("-")
    region, kind = version.split(".")
    shorts = b"".join(int(part).to_bytes(2, "little") for part in (region, kind))
    return shorts + b"".join(int(part).to_bytes(4, "little") for part in (made, serial, extra))
