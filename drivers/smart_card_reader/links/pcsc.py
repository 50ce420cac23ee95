"""A reader behind the PC/SC service (PC/SC part 5; pcsclite's SCard functions through pyscard).

A link has a context of its own, as the service wants it for each thread.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any, Final, NoReturn

from smartcard import scard

from drivers.errors import DeviceAbsent, DeviceBusy, DeviceError, DeviceOffline, HardwareFault, MediaError
from drivers.smart_card_reader.links.link import Look, no_card, no_power, removed, unplugged

PROTOCOLS: Final = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
GONE: Final = scard.SCARD_STATE_UNKNOWN | scard.SCARD_STATE_UNAVAILABLE | scard.SCARD_STATE_IGNORE
NOT_ALLOWED: Final = 0x8010006A
"""SCARD_W_SECURITY_VIOLATION: the system's policy keeps this account from the service; or it has just died."""
SETTLE_SECONDS: Final = 0.6
SETTLE_STEP_SECONDS: Final = 0.05
"""So long may the service need to notice that a card was torn out in an answer."""

_NO_SERVICE: Final = frozenset({scard.SCARD_E_NO_SERVICE, scard.SCARD_E_SERVICE_STOPPED, NOT_ALLOWED})
_SERVICE_LOST: Final = frozenset({scard.SCARD_E_INVALID_HANDLE, scard.SCARD_F_COMM_ERROR, scard.SCARD_E_CANCELLED})
_NO_READER: Final = frozenset({scard.SCARD_E_NO_READERS_AVAILABLE, scard.SCARD_E_UNKNOWN_READER})
_REMOVED: Final = frozenset({scard.SCARD_W_REMOVED_CARD, scard.SCARD_E_NO_SMARTCARD, scard.SCARD_W_RESET_CARD})
_NO_POWER: Final = frozenset({scard.SCARD_W_UNRESPONSIVE_CARD, scard.SCARD_W_UNPOWERED_CARD})
_PROTOCOL: Final = frozenset(
    {scard.SCARD_E_PROTO_MISMATCH, scard.SCARD_E_NOT_TRANSACTED, scard.SCARD_E_COMM_DATA_LOST,
     scard.SCARD_E_INSUFFICIENT_BUFFER}
)  # fmt: skip


class PcscLink:
    """The service keeps its own limits: what a caller grants is for links that have none.

    `reader` is a whole name, or a part of one; empty takes the first reader."""

    def __init__(self, reader: str) -> None:
        self._wanted = reader
        self._state = scard.SCARD_STATE_UNAWARE
        self._reader = ""
        self._seen = Look("", present=False)
        code, self._context = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
        _check(code, reader)

    def look(self, seconds: float) -> Look:
        reader = self._reader = self._reader or self._find()
        code, states = scard.SCardGetStatusChange(self._context, int(seconds * 1000), [(reader, self._state)])
        if code == scard.SCARD_E_TIMEOUT:
            return self._seen
        _check(code, reader)
        _, state, atr = states[0]
        if state & GONE:
            raise unplugged(reader)
        self._state = state & ~scard.SCARD_STATE_CHANGED
        is_mute = bool(state & scard.SCARD_STATE_MUTE)
        self._seen = Look(reader, bool(state & scard.SCARD_STATE_PRESENT), not is_mute, bytes(atr))
        return self._seen

    def connect(self, seconds: float) -> PcscChip:
        return PcscChip(self._context, self._find())

    def interrupt(self) -> None:
        scard.SCardCancel(self._context)

    def close(self) -> None:
        scard.SCardReleaseContext(self._context)

    def _find(self) -> str:
        code, names = scard.SCardListReaders(self._context, [])
        _check(code, self._wanted)
        wanted = self._wanted.casefold()
        fitting = [str(name) for name in names if wanted in name.casefold()]
        if not fitting:
            _fail(scard.SCARD_E_UNKNOWN_READER, self._wanted)
        return next((name for name in fitting if name.casefold() == wanted), fitting[0])


class PcscChip:
    def __init__(self, context: Any, reader: str) -> None:
        self._reader = reader
        code, self._card, protocol = scard.SCardConnect(context, reader, scard.SCARD_SHARE_EXCLUSIVE, PROTOCOLS)
        if code == scard.SCARD_E_NO_SMARTCARD:
            raise no_card()
        _check(code, reader)
        self._header = scard.SCARD_PCI_T1 if protocol == scard.SCARD_PROTOCOL_T1 else scard.SCARD_PCI_T0
        code, _, _, _, atr = scard.SCardStatus(self._card)
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(self.release)
            _check(code, reader)
            on_failure.pop_all()
        self.atr = bytes(atr)

    def transmit(self, apdu: bytes, seconds: float) -> bytes:
        code, answer = scard.SCardTransmit(self._card, self._header, list(apdu))
        if code in (scard.SCARD_F_COMM_ERROR, scard.SCARD_E_NOT_TRANSACTED, scard.SCARD_E_COMM_DATA_LOST):
            raise self._after_a_failure()
        _check(code, self._reader)
        if len(answer) < 2:
            raise self._after_a_failure()
        return bytes(byte & 0xFF for byte in answer)

    def is_held(self) -> bool:
        return bool(scard.SCardStatus(self._card)[0] == scard.SCARD_S_SUCCESS)

    def release(self) -> None:
        scard.SCardDisconnect(self._card, scard.SCARD_UNPOWER_CARD)

    def _after_a_failure(self) -> DeviceError:
        """A card torn out and a card that stammers fail alike; whether it is still there tells them apart."""
        for _ in range(int(SETTLE_SECONDS / SETTLE_STEP_SECONDS)):
            if not self.is_held():
                return removed()
            time.sleep(SETTLE_STEP_SECONDS)
        return MediaError("the chip's answer was damaged: place the card again", "protocol_error")


def _check(code: int, reader: str) -> None:
    if code != scard.SCARD_S_SUCCESS:
        _fail(code, reader)


def _fail(code: int, reader: str) -> NoReturn:
    name = reader or "that is connected"
    if code in _NO_SERVICE:
        raise DeviceAbsent(
            "the smart-card service does not run, or not for this account: install pcscd and start it "
            "(systemctl enable --now pcscd.socket), or allow it in its policy",
            "no_service",
        )
    if code in _NO_READER:
        raise DeviceAbsent(f"there is no card reader {name}: plug it in, or correct its name")
    if code == scard.SCARD_E_READER_UNAVAILABLE:
        raise unplugged(reader)
    if code in _REMOVED:
        raise removed()
    if code in _NO_POWER:
        raise no_power()
    if code in _PROTOCOL:
        raise MediaError("the chip speaks no protocol the reader understands: place the card again", "protocol_error")
    if code == scard.SCARD_E_SHARING_VIOLATION:
        raise DeviceBusy("another program uses the card: end it", "reader_busy")
    if code in _SERVICE_LOST:
        raise DeviceOffline("the smart-card service was restarted", "service_lost")
    raise HardwareFault(f"the smart-card service failed with {code & 0xFFFFFFFF:#010x}", "pcsc_error")
