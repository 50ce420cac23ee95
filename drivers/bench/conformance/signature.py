"""What a signature pad must keep (device-classes C.8)."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import AsyncGenerator

from drivers.bench.conformance import Bench, Broken, NotTried, check, ends_within
from drivers.errors import CommandTimedOut, DeviceError, MediaError, Unsupported
from drivers.messages import DeviceClass, Ink, PenPoint, Signature, SignatureBox, Stroke

PAD = DeviceClass.SIGNATURE_PAD
SHORT_SECONDS = 1.0
SIGN_SECONDS = 8.0
STILL_SECONDS = 1.5
SHOWN = hashlib.sha256(b"what is shown").hexdigest()
ANOTHER = hashlib.sha256(b"something else").hexdigest()
BOX = SignatureBox(width_mm=60, height_mm=30)


@check("a signature is bound to what was shown", PAD)
async def binds(bench: Bench) -> str:
    signature, failure, taken = await ends_within(_sign(bench, BOX), SIGN_SECONDS)
    if isinstance(failure, CommandTimedOut) or (isinstance(failure, MediaError) and failure.reason == "empty"):
        raise NotTried("sign on the pad")
    if failure is not None:
        raise failure
    if not isinstance(signature, Signature):
        raise Broken("it ended without a signature")
    if signature.document_sha256 != SHOWN or signature.box != BOX:
        raise Broken("it is a signature of another document or box")
    if signature.points != sum(len(stroke.points) for stroke in signature.strokes) or not signature.points:
        raise Broken("its number of points is not that of its strokes")
    if not signature.image_png.startswith(b"\x89PNG"):
        raise Broken("its picture is no PNG")
    if len(signature.sha256) != 64:
        raise Broken("its hash is no SHA-256")
    return f"{signature.points} points in {taken:.2f} s"


@check("no signature comes without a confirmation", PAD)
async def limit(bench: Bench) -> str:
    _, failure, taken = await ends_within(_wait(_capture(bench, SHORT_SECONDS)), SHORT_SECONDS + 1.0)
    if not isinstance(failure, CommandTimedOut):
        raise Broken(f"nobody confirming is CommandTimedOut; it ended with {failure!r}")
    return f"after {taken:.2f} s"


@check("another document than the one shown is refused", PAD)
async def changed(bench: Bench) -> str:
    inks = _capture(bench, SIGN_SECONDS)
    try:
        await anext(inks)
        _, failure, _ = await ends_within(bench.proxy.confirm_ink(ANOTHER), SHORT_SECONDS)
        _, ending, _ = await ends_within(_wait(inks), SHORT_SECONDS)
    finally:
        await inks.aclose()
    for error in (failure, ending):
        if not isinstance(error, MediaError) or error.reason != "document_changed":
            raise Broken(f"say MediaError/document_changed; it said {error!r}")
    return ""


@check("a hash that is none is refused", PAD)
async def no_hash(bench: Bench) -> str:
    inks = bench.proxy.capture(document_sha256="none", box=BOX, timeout_seconds=SHORT_SECONDS)
    _, failure, _ = await ends_within(_wait(inks), SHORT_SECONDS)
    if not isinstance(failure, DeviceError) or isinstance(failure, CommandTimedOut):
        raise Broken(f"a signature of nothing is refused at once; it ended with {failure!r}")
    return f"{failure.kind}/{failure.reason}"


@check("strokes are handed in only where the pad has no surface of its own", PAD)
async def feeding(bench: Bench) -> str:
    features = (await bench.device.capabilities()).features
    _, failure, _ = await ends_within(bench.proxy.feed_ink(_invented(0)), SHORT_SECONDS)
    word = "feed_ink" if "feed_ink" in features else "no feed_ink"
    if ("feed_ink" in features) == isinstance(failure, Unsupported):
        raise Broken(f"it declares {word}, and ended with {failure!r}")
    return word


@check("a capture that is taken back ends at once, and the pad serves on", PAD)
async def cancel(bench: Bench) -> str:
    if "capture" not in (await bench.device.capabilities()).cancellable:
        raise NotTried("the driver does not declare capture as cancellable")
    pid = bench.device.pid
    waiting = asyncio.ensure_future(_wait(_capture(bench, 30.0)))
    await asyncio.wait({waiting}, timeout=0.6)
    waiting.cancel()
    await asyncio.wait({waiting})
    _, failure, taken = await ends_within(_wait(_capture(bench, SHORT_SECONDS)), SHORT_SECONDS + 1.5)
    if bench.device.pid != pid:
        raise Broken("its process had to be killed to get the pad back")
    if not isinstance(failure, CommandTimedOut):
        raise Broken(f"the next capture ended with {failure!r}")
    return f"the next capture ended after {taken:.2f} s"


async def _sign(bench: Bench, box: SignatureBox) -> Signature | None:
    """Writes where strokes are handed in; else confirms what a hand writes, once it has been still."""
    feeds = "feed_ink" in (await bench.device.capabilities()).features
    inks = bench.proxy.capture(document_sha256=SHOWN, box=box, timeout_seconds=SIGN_SECONDS)
    confirming: asyncio.Task[None] | None = None
    try:
        async for ink in inks:
            if isinstance(ink, Signature):
                return ink
            if feeds and not ink.strokes:
                for number in range(3):
                    await bench.proxy.feed_ink(_invented(number))
            if confirming is not None:
                confirming.cancel()
            confirming = asyncio.create_task(_confirm(bench, 0.1 if feeds else STILL_SECONDS))
    finally:
        if confirming is not None:
            confirming.cancel()
    return None


async def _confirm(bench: Bench, pause_seconds: float) -> None:
    await asyncio.sleep(pause_seconds)
    await bench.proxy.confirm_ink(SHOWN)


def _capture(bench: Bench, seconds: float) -> AsyncGenerator[Ink | Signature, None]:
    inks: AsyncGenerator[Ink | Signature, None] = bench.proxy.capture(
        document_sha256=SHOWN, box=BOX, timeout_seconds=seconds
    )
    return inks


async def _wait(inks: AsyncGenerator[Ink | Signature, None]) -> None:
    async for ink in inks:
        if isinstance(ink, Signature):
            raise Broken("a signature that nobody confirmed")


def _invented(number: int) -> Stroke:
    return Stroke(
        points=tuple(
            PenPoint(
                x_mm=10 + at, y_mm=8 + 6 * number + 2 * math.sin(at), pressure=0.5, milliseconds=400 * number + 10 * at
            )
            for at in range(30)
        )
    )
