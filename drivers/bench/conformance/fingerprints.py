"""What a fingerprint reader must keep (device-classes C.9)."""

from __future__ import annotations

import time
from typing import Any

from drivers.bench.conformance import Bench, Broken, NotTried, check
from drivers.errors import CommandTimedOut, ConsentRequired, DeviceError, MediaError, NeedsAttention, Unsupported
from drivers.messages import DeviceClass, FaceDecision, FingerGuidance, FingerTemplate, FingerVerdict

READER = DeviceClass.FINGERPRINT_READER
SHORT_SECONDS = 1.0
READ_SECONDS = 20.0
CONSENT = "check"
INVENTED = b"\1invented, of no finger"


@check("no consent, no finger", READER)
async def consent(bench: Bench) -> str:
    template = FingerTemplate(format=await _format(bench), template=INVENTED, quality=50)
    for stream in (
        bench.proxy.read(consent_id="", timeout_seconds=SHORT_SECONDS),
        bench.proxy.verify(reference=template, consent_id="", timeout_seconds=SHORT_SECONDS),
    ):
        items, failure, _ = await _played(stream, SHORT_SECONDS)
        if not isinstance(failure, ConsentRequired) or items:
            raise Broken(f"an empty consent must raise ConsentRequired; it gave {len(items)} items and {failure!r}")
    return ""


@check("a template of another format is refused, not compared", READER)
async def foreign_template(bench: Bench) -> str:
    template = FingerTemplate(format="of_another_maker", template=INVENTED, quality=50)
    stream = bench.proxy.verify(reference=template, consent_id=CONSENT, timeout_seconds=SHORT_SECONDS)
    _, failure, _ = await _played(stream, SHORT_SECONDS)
    if not isinstance(failure, Unsupported) or failure.reason != "format_unsupported":
        raise Broken(f"it must raise Unsupported (format_unsupported); it gave {failure!r}")
    return ""


@check("waiting for a finger ends within its limit", READER)
async def limit(bench: Bench) -> str:
    stream = bench.proxy.read(consent_id=CONSENT, timeout_seconds=SHORT_SECONDS)
    items, failure, taken = await _played(stream, SHORT_SECONDS)
    if failure is None and items and isinstance(items[-1], FingerTemplate):
        return f"a finger lies there: seen in {taken:.2f} s"
    if not isinstance(failure, CommandTimedOut | MediaError | NeedsAttention):
        raise Broken(f"no finger is CommandTimedOut, a bad one MediaError; it gave {failure!r}")
    if not any(isinstance(item, FingerGuidance) and item.prompt == "PRESENT_FINGER" for item in items):
        raise Broken("it never asked for the finger")
    return f"{failure.kind}/{failure.reason} after {taken:.2f} s"


@check("a reading that is left ends at once, and the reader serves on", READER)
async def left(bench: Bench) -> str:
    if "read" not in (await bench.device.capabilities()).cancellable:
        raise NotTried("the driver does not declare read as cancellable")
    pid = bench.device.pid
    stream = bench.proxy.read(consent_id=CONSENT, timeout_seconds=READ_SECONDS)
    async for item in stream:
        if isinstance(item, FingerGuidance):
            break
    await stream.aclose()
    again = bench.proxy.read(consent_id=CONSENT, timeout_seconds=SHORT_SECONDS)
    _, failure, taken = await _played(again, SHORT_SECONDS + 1)
    if bench.device.pid != pid:
        raise Broken("its process had to be killed to get the reader back")
    if failure is not None and not isinstance(failure, CommandTimedOut | MediaError | NeedsAttention):
        raise Broken(f"the next reading failed: {failure.kind}/{failure.reason}")
    return f"the next reading ended after {taken:.2f} s"


@check("a finger is known again, an invented template is not, and nothing is kept", READER)
async def known_again(bench: Bench) -> str:
    stream = bench.proxy.read(consent_id=CONSENT, timeout_seconds=READ_SECONDS)
    items, failure, _ = await _played(stream, READ_SECONDS)
    if isinstance(failure, CommandTimedOut | MediaError):
        raise NotTried("lay a finger on the reader, and lift it when the guidance says so")
    if failure is not None:
        raise failure
    template = items[-1]
    _check_template(template, await _format(bench))
    accepted = await _verdict(bench, template)
    if accepted.decision is not FaceDecision.ACCEPT:
        raise Broken(f"the same finger was not known again: {accepted.decision}, {accepted.reason}")
    blank = template.model_copy(update={"template": bytes(len(template.template))})
    if (await _verdict(bench, blank)).decision is FaceDecision.ACCEPT:
        raise Broken("it accepted a finger against an empty template")
    await bench.device.request("wipe")
    holds = (await bench.device.request("status")).parts.get("holds_data")
    if holds != "no":
        raise Broken(f"after a wipe holds_data is {holds}")
    return f"quality {template.quality}, score {accepted.score} of {accepted.accept_at}"


def _check_template(template: Any, declared: str) -> None:
    if not isinstance(template, FingerTemplate):
        raise Broken("a reading ends with its template")
    if template.format != declared:
        raise Broken(f"it declares format {declared} and gave {template.format}")
    if not any(template.template):
        raise Broken("the template is empty")


async def _verdict(bench: Bench, template: FingerTemplate) -> FingerVerdict:
    stream = bench.proxy.verify(reference=template, consent_id=CONSENT, timeout_seconds=READ_SECONDS)
    items, failure, _ = await _played(stream, READ_SECONDS)
    if isinstance(failure, CommandTimedOut):
        raise NotTried("lay the same finger down again when the guidance says so")
    if failure is not None:
        raise failure
    if not items or not isinstance(items[-1], FingerVerdict):
        raise Broken("a comparison ends with its verdict")
    return items[-1]


async def _format(bench: Bench) -> str:
    features = (await bench.device.capabilities()).features
    formats = sorted(word.removeprefix("format_") for word in features if word.startswith("format_"))
    if not formats:
        raise Broken("it declares no template format: say format_NAME among the features")
    return formats[0]


async def _played(stream: Any, limit_seconds: float) -> tuple[list[Any], DeviceError | None, float]:
    """(items, device error, seconds). Raises `Broken` when the stream outlives its limit."""
    begun = time.monotonic()
    items: list[Any] = []
    failure = None
    try:
        async for item in stream:
            items.append(item)  # noqa: PERF401 - what came before an error counts too
    except DeviceError as error:
        failure = error
    finally:
        await stream.aclose()
    taken = time.monotonic() - begun
    if taken > limit_seconds + 1.5:
        raise Broken(f"it took {taken:.1f} s with a limit of {limit_seconds:g} s")
    if failure is not None and failure.reason == "driver_broken":
        raise Broken(str(failure))
    return items, failure, taken
