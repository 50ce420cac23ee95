"""What document cameras and face checks must keep (device-classes C.3, C.6)."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from drivers.bench.conformance import Bench, Broken, check, ends_within
from drivers.errors import CommandTimedOut, ConsentRequired, DeviceError, MediaError
from drivers.messages import DeviceClass, FaceVerdict, Preview

SCANNER = DeviceClass.DOCUMENT_SCANNER
FACE = DeviceClass.FACE_MATCHER
FIRST_PICTURE_SECONDS = 10.0
CAPTURE_SECONDS = 8.0
VERIFY_SECONDS = 3.0


@check("pictures come, and leaving them frees the camera", SCANNER)
async def preview(bench: Bench) -> str:
    pid = bench.device.pid
    for _ in range(2):
        pictures = bench.proxy.preview()
        for _ in range(3):
            picture, failure, _ = await ends_within(anext(pictures), FIRST_PICTURE_SECONDS)
            if failure is not None:
                raise failure
            if len(picture.rgb) != picture.width * picture.height * 3:
                raise Broken(f"{len(picture.rgb)} bytes are not {picture.width} × {picture.height} RGB")
        await pictures.aclose()
    if bench.device.pid != pid:
        raise Broken("its process had to be killed to stop the pictures")
    return f"{picture.width} × {picture.height}"


@check("a capture ends within its limit, with a page or a reason", SCANNER)
async def capture(bench: Bench) -> str:
    page, failure, taken = await ends_within(bench.proxy.capture(timeout_seconds=CAPTURE_SECONDS), CAPTURE_SECONDS)
    if page is None:
        if not isinstance(failure, MediaError | CommandTimedOut):
            raise Broken(f"an unusable page is MediaError; it raised {failure!r}")
        return f"{failure.kind}/{failure.reason} after {taken:.1f} s"
    if not page.jpeg.startswith(b"\xff\xd8"):
        raise Broken("the page is not a JPEG")
    if hashlib.sha256(page.jpeg).hexdigest() != page.sha256:
        raise Broken("the SHA-256 is not that of the page")
    return f"{page.width_px} × {page.height_px} in {taken:.1f} s"


@check("no consent, no picture", FACE)
async def consent(bench: Bench) -> str:
    failure = await _outcome(
        bench.proxy.verify(reference_png=b"\x89PNG", consent_id="", timeout_seconds=VERIFY_SECONDS)
    )
    if not isinstance(failure, ConsentRequired):
        raise Broken(f"an empty consent must raise ConsentRequired; it gave {failure!r}")
    return ""


@check("a reference that is no picture ends plainly", FACE)
async def garbage_reference(bench: Bench) -> str:
    outcome = await _outcome(
        bench.proxy.verify(reference_png=b"not a picture", consent_id="check", timeout_seconds=VERIFY_SECONDS)
    )
    if isinstance(outcome, FaceVerdict):
        if outcome.decision == "accept":
            raise Broken("it accepted a person against nothing")
        return f"{outcome.decision}, {outcome.reason}"
    if outcome is None or outcome.reason == "driver_broken":
        raise Broken("it ended without verdict or typed error")
    return f"{outcome.kind}/{outcome.reason}"


async def _outcome(items: Any) -> FaceVerdict | DeviceError | None:
    last = None
    try:
        async with asyncio.timeout(VERIFY_SECONDS + 3):
            async for item in items:
                last = item
    except DeviceError as error:
        return error
    except TimeoutError as error:
        raise Broken(f"it did not end within {VERIFY_SECONDS:g} s") from error
    finally:
        await items.aclose()
    return None if isinstance(last, Preview) or not isinstance(last, FaceVerdict) else last
