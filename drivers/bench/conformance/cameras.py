"""What face checks must keep (device-classes C.3)."""

from __future__ import annotations

import asyncio
from typing import Any

from drivers.bench.conformance import Bench, Broken, check
from drivers.errors import ConsentRequired, DeviceError
from drivers.messages import DeviceClass, FaceVerdict, Preview

FACE = DeviceClass.FACE_MATCHER
VERIFY_SECONDS = 3.0


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
