"""What face checks must keep (device-classes C.3)."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

from drivers.bench.conformance import Bench, Broken, check, ends_within
from drivers.errors import ConsentRequired, DeviceError, Unsupported
from drivers.messages import DeviceClass, FaceVerdict, Preview

FACE = DeviceClass.FACE_MATCHER
CAMERA = DeviceClass.FACE_CAMERA
FIRST_PICTURE_SECONDS = 8.0
VERIFY_SECONDS = 3.0


@check("each camera it declares shows a mirror, and is free when left", CAMERA)
async def mirror(bench: Bench) -> str:
    features = (await bench.device.capabilities()).features
    told = []
    for sensor, feature in (("rgb", "rgb"), ("ir", "infrared")):
        if feature not in features:
            failure = await _first_failure(bench.proxy.preview(sensor))
            if not isinstance(failure, Unsupported):
                raise Broken(f"{feature} is not declared and must raise Unsupported; it gave {failure!r}")
            continue
        for _ in range(2):
            async with aclosing(bench.proxy.preview(sensor)) as pictures:
                picture, failure, _ = await ends_within(anext(pictures), FIRST_PICTURE_SECONDS)
                if failure is not None:
                    raise failure
                if len(picture.rgb) != picture.width * picture.height * 3:
                    raise Broken(f"{len(picture.rgb)} bytes are not {picture.width} × {picture.height} RGB")
        told.append(f"{sensor} {picture.width} × {picture.height}")
    if not told:
        raise Broken("it declares no camera: rgb or infrared")
    return ", ".join(told)


async def _first_failure(items: Any) -> DeviceError | None:
    async with aclosing(items) as stream:
        _, failure, _ = await ends_within(anext(stream), FIRST_PICTURE_SECONDS)
    return failure


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
