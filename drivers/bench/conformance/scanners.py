"""What document scanners must keep: cameras, glasses and feeders (device-classes C.6)."""

from __future__ import annotations

import hashlib
import time
from contextlib import aclosing
from typing import Any

from drivers.bench.conformance import Bench, Broken, NotTried, check, ends_within
from drivers.errors import (
    CommandTimedOut,
    DeviceError,
    MediaError,
    NeedsAttention,
    Unsupported,
)
from drivers.messages import Corner, Corners, DeviceClass, ScannedPage, ScanOrder, ScanProgress, ScanSource

SCANNER = DeviceClass.DOCUMENT_SCANNER
FIRST_PICTURE_SECONDS = 10.0
CAPTURE_SECONDS = 8.0
SCAN_SECONDS = 30.0
CANCEL_SECONDS = 1.5
WHOLE = Corners(
    upper_left=Corner(x=0, y=0), upper_right=Corner(x=1, y=0), lower_right=Corner(x=1, y=1), lower_left=Corner(x=0, y=1)
)


@check("pictures come, and leaving them frees the camera", SCANNER)
async def preview(bench: Bench) -> str:
    if "preview" not in (await bench.device.capabilities()).features:
        _must_be_unsupported(await _failure(bench.proxy.preview(), FIRST_PICTURE_SECONDS), "a preview")
        return "none, as declared"
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
        if not isinstance(failure, MediaError | CommandTimedOut | NeedsAttention):
            raise Broken(f"an unusable page is MediaError; it raised {failure!r}")
        return f"{failure.kind}/{failure.reason} after {taken:.1f} s"
    _must_be_whole(page)
    return f"{page.width_px} × {page.height_px} in {taken:.1f} s"


@check("corners set by hand cut the last picture, and nothing after a wipe", SCANNER)
async def crop(bench: Bench) -> str:
    await bench.proxy.wipe()
    cut, failure, _ = await ends_within(bench.proxy.crop(WHOLE), CAPTURE_SECONDS)
    if "crop" not in (await bench.device.capabilities()).features:
        _must_be_unsupported(failure, "a crop")
        return "none, as declared"
    if not isinstance(failure, MediaError):
        raise Broken(f"with no picture a crop is MediaError; it gave {failure or cut!r}")
    page, failure, _ = await ends_within(bench.proxy.capture(timeout_seconds=CAPTURE_SECONDS), CAPTURE_SECONDS)
    if page is None:
        return f"not cut: {failure.reason if failure else 'no page'}"
    whole, failure, _ = await ends_within(bench.proxy.crop(WHOLE), CAPTURE_SECONDS)
    if whole is None and not isinstance(failure, MediaError):
        raise Broken(f"a crop ends with a page or MediaError; it raised {failure!r}")
    if whole is not None:
        _must_be_whole(whole)
    dot = Corner(x=0.5, y=0.5)
    nothing = Corners(upper_left=dot, upper_right=dot, lower_right=dot, lower_left=dot)
    _, failure, _ = await ends_within(bench.proxy.crop(nothing), CAPTURE_SECONDS)
    if not isinstance(failure, MediaError):
        raise Broken(f"corners that enclose nothing are MediaError; it gave {failure!r}")
    await bench.proxy.wipe()
    _, failure, _ = await ends_within(bench.proxy.crop(WHOLE), CAPTURE_SECONDS)
    if not isinstance(failure, MediaError):
        raise Broken("after a wipe it still holds the last picture")
    return ""


@check("the zone of a travel document is read, or there is a reason; no picture is left", SCANNER)
async def zone(bench: Bench) -> str:
    if "reads_zone" not in (await bench.device.capabilities()).features:
        raise NotTried("it declares no reading of zones")
    limit = FIRST_PICTURE_SECONDS + CAPTURE_SECONDS
    said, failure, taken = await ends_within(bench.proxy.read_zone(timeout_seconds=limit), limit)
    if said is None and not isinstance(failure, MediaError | CommandTimedOut | NeedsAttention):
        raise Broken(f"a zone that is not read is MediaError; it raised {failure!r}")
    reason = failure.reason if failure is not None else ""
    _, failure_of_cut, _ = await ends_within(bench.proxy.crop(WHOLE), CAPTURE_SECONDS)
    if not isinstance(failure_of_cut, MediaError | Unsupported):
        raise Broken("after the zone was read it still holds the picture")
    return f"{said.format} in {taken:.1f} s" if said is not None else f"{reason} after {taken:.1f} s"


@check("what it declares it scans, each page announced; the rest is refused", SCANNER)
async def scan(bench: Bench) -> str:
    features = (await bench.device.capabilities()).features
    told = []
    for source in ScanSource:
        order = ScanOrder(source=source, dpi=100, colour="colour" in features or source is ScanSource.CAMERA)
        if source not in features:
            _must_be_unsupported(await _failure(bench.proxy.scan(order), SCAN_SECONDS), source)
            continue
        told.append(f"{source}: {await _pages(bench, order)}")
        if "two_sided" not in features:
            both = order.model_copy(update={"two_sided": True})
            _must_be_unsupported(await _failure(bench.proxy.scan(both), SCAN_SECONDS), "two sides")
    if not told:
        raise Broken("it declares no source: camera, flatbed or feeder")
    return ", ".join(told)


async def _pages(bench: Bench, order: ScanOrder) -> str:
    announced = pages = 0
    begun = time.monotonic()
    try:
        async with aclosing(bench.proxy.scan(order, timeout_seconds=SCAN_SECONDS)) as items:
            async for item in items:
                if isinstance(item, ScanProgress):
                    announced += 1
                    if item.page != announced or announced != pages + 1:
                        raise Broken(f"page {item.page} is announced after {pages} pages")
                elif isinstance(item, ScannedPage):
                    pages += 1
                    _must_be_whole(item)
    except (MediaError, NeedsAttention, CommandTimedOut) as error:
        return f"{error.kind}/{error.reason}"
    if time.monotonic() - begun > SCAN_SECONDS + 1:
        raise Broken(f"it took longer than its limit of {SCAN_SECONDS:g} s")
    if announced != pages or not pages:
        raise Broken(f"{announced} pages were announced and {pages} came: an empty source is MediaError")
    return f"{pages} pages"


@check("a scan that is left ends at once, and the next one runs", SCANNER)
async def leaves(bench: Bench) -> str:
    features = (await bench.device.capabilities()).features
    source = next((each for each in (ScanSource.FEEDER, ScanSource.FLATBED) if each in features), None)
    if source is None:
        raise NotTried("only a camera: see the preview")
    pid = bench.device.pid
    items = bench.proxy.scan(ScanOrder(source=source, dpi=100, colour="colour" in features))
    _, failure, _ = await ends_within(anext(items), SCAN_SECONDS)
    begun = time.monotonic()
    await items.aclose()
    taken = time.monotonic() - begun
    if taken > CANCEL_SECONDS:
        raise Broken(f"it took {taken:.1f} s to leave")
    again = await _pages(bench, ScanOrder(source=source, dpi=100, colour="colour" in features))
    if bench.device.pid != pid:
        raise Broken("its process had to be killed")
    return f"left after {taken:.2f} s, then {again}" + (f" (first: {failure.reason})" if failure else "")


def _must_be_whole(page: ScannedPage) -> None:
    if not page.jpeg.startswith(b"\xff\xd8"):
        raise Broken("the page is not a JPEG")
    if hashlib.sha256(page.jpeg).hexdigest() != page.sha256:
        raise Broken("the SHA-256 is not that of the page")


def _must_be_unsupported(failure: DeviceError | None, what: str) -> None:
    if not isinstance(failure, Unsupported):
        raise Broken(f"{what} is not declared and must raise Unsupported; it gave {failure!r}")


async def _failure(items: Any, limit_seconds: float) -> DeviceError | None:
    async with aclosing(items) as stream:
        _, failure, _ = await ends_within(anext(stream), limit_seconds)
    return failure
