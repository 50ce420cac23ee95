"""What an identity-card reader must keep (device-classes C.1)."""

from __future__ import annotations

import asyncio
import datetime as dt

from drivers.bench.conformance import Bench, Broken, NotTried, check, ends_within
from drivers.errors import CommandTimedOut, MediaError
from drivers.messages import DeviceClass, IdCard

READER = DeviceClass.ID_CARD_READER
SHORT_SECONDS = 1.0
READ_SECONDS = 5.0
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@check("a card that lies there is read whole", READER)
async def reads(bench: Bench) -> str:
    card, failure, taken = await ends_within(bench.proxy.read(timeout_seconds=READ_SECONDS), READ_SECONDS)
    if isinstance(failure, CommandTimedOut):
        raise NotTried("lay a card on the reader")
    if failure is not None:
        raise failure
    _check_card(card)
    features = (await bench.device.capabilities()).features
    if "photo" in features and card.photo is None:
        raise Broken("it declares photo and gave none")
    if "sam_id" in features and not card.sam_id:
        raise Broken("it declares sam_id and gave none")
    return f"{card.card_type} in {taken:.2f} s"


def _check_card(card: IdCard) -> None:
    """Never says a value: the finding is shown to whoever stands there."""
    if not card.id_number and not card.permit_number:
        raise Broken("a card without a number is not a read card")
    if card.id_number and len(card.id_number) == 18:
        digits = card.id_number[:17]
        total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True) if digit.isdigit())
        if "10X98765432"[total % 11] != card.id_number[17]:
            raise Broken("the check character of the number does not hold (ISO 7064 MOD 11-2)")
    if card.birth_date is not None and card.birth_date > dt.datetime.now(dt.UTC).date():
        raise Broken("the date of birth is to come")
    padded = [name for name, value in card if isinstance(value, str) and value != value.strip()]
    if padded:
        raise Broken(f"padding was left on: {', '.join(padded)}")


@check("waiting for a card ends within its limit", READER)
async def limit(bench: Bench) -> str:
    card, failure, taken = await ends_within(bench.proxy.read(timeout_seconds=SHORT_SECONDS), SHORT_SECONDS)
    if card is not None:
        return f"a card lies there: read in {taken:.2f} s"
    if not isinstance(failure, CommandTimedOut | MediaError):
        raise Broken(f"no card is CommandTimedOut, a bad one MediaError; it raised {failure!r}")
    return f"{failure.kind}/{failure.reason} after {taken:.2f} s"


@check("a read that is taken back ends at once, and the reader serves on", READER)
async def cancel(bench: Bench) -> str:
    if "read" not in (await bench.device.capabilities()).cancellable:
        raise NotTried("the driver does not declare read as cancellable")
    pid = bench.device.pid
    reading = asyncio.ensure_future(bench.proxy.read(timeout_seconds=10))
    await asyncio.wait({reading}, timeout=0.4)
    reading.cancel()
    await asyncio.wait({reading})
    _, failure, taken = await ends_within(bench.proxy.read(timeout_seconds=SHORT_SECONDS), SHORT_SECONDS + 1)
    if bench.device.pid != pid:
        raise Broken("its process had to be killed to get the reader back")
    if failure is not None and not isinstance(failure, CommandTimedOut | MediaError):
        raise Broken(f"the next read failed: {failure.kind}/{failure.reason}")
    return f"the next read ended after {taken:.2f} s"


@check("waiting for removal ends within its limit", READER)
async def removal(bench: Bench) -> str:
    _, failure, taken = await ends_within(bench.proxy.wait_removal(timeout_seconds=SHORT_SECONDS), SHORT_SECONDS)
    if failure is not None and not isinstance(failure, CommandTimedOut):
        raise Broken(f"a card left behind is CommandTimedOut; it raised {failure.kind}/{failure.reason}")
    return f"{'the card lies there still' if failure else 'no card'}, after {taken:.2f} s"


@check("a photo it cannot decode is None, not an accident", READER)
async def garbage_photo(bench: Bench) -> str:
    pid = bench.device.pid
    for photo in (b"", b"WL" + bytes(1022), bytes(range(256)) * 4):
        decoded, failure, _ = await ends_within(bench.proxy.decode_photo(photo), 5.0)
        if decoded is not None and not decoded.startswith(b"\x89PNG"):
            raise Broken("a portrait is a PNG or None")
        if failure is not None and not isinstance(failure, MediaError):
            raise Broken(f"it raised {failure.kind}/{failure.reason}")
    if bench.device.pid != pid:
        raise Broken("its process died of a bad photo")
    return ""
