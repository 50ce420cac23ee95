"""The driver against a camera on the wire: every fault, cancelled commands, and what stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drivers.document_scanner.document_camera import DocumentCamera
from drivers.document_scanner.page_finder import CARD_RATIO
from drivers.document_scanner.simulator import HEIGHT, WIDTH, DocumentCameraSimulator, on_mat
from drivers.errors import DeviceAbsent, DeviceBusy, DeviceOffline, MediaError, Unsupported
from drivers.face_camera.uvc import is_simulated, why_absent
from drivers.host import DeviceConfig, SupervisedDevice
from drivers.messages import Corner, Corners, DeviceState, ScannedPage, ScanOrder, ScanProgress, ScanSource

ROOT = Path(__file__).resolve().parents[3]


@contextlib.asynccontextmanager
async def scene(page: str = "permit", **options: Any) -> AsyncIterator[tuple[DocumentCamera, DocumentCameraSimulator]]:
    peer = DocumentCameraSimulator(page=page)
    driver = DocumentCamera(DocumentCamera.Options(source=await peer.start(), **{"patience_seconds": 2.5, **options}))
    try:
        yield driver, peer
    finally:
        await driver.close()
        await peer.stop()


def run(story: Callable[[], Any]) -> None:
    asyncio.run(story())


async def until(condition: Callable[[], Any], seconds: float = 8.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)


def watchers(peer: DocumentCameraSimulator) -> int:
    return len(peer._server._watchers)


@pytest.mark.parametrize(("page", "ratio"), [("permit", CARD_RATIO), ("tenancy", 2**0.5)])
def test_a_page_is_cut_out_straight_and_named_by_its_hash(page: str, ratio: float) -> None:
    async def story() -> None:
        async with scene(page) as (driver, peer):
            scanned = await driver.capture()
            assert scanned.sha256 == hashlib.sha256(scanned.jpeg).hexdigest()
            assert len(scanned.jpeg) < 900_000
            image = cv2.imdecode(np.frombuffer(scanned.jpeg, np.uint8), cv2.IMREAD_COLOR)
            assert image.shape[:2] == (scanned.height_px, scanned.width_px)
            assert scanned.width_px / scanned.height_px == pytest.approx(ratio, rel=0.01)
            border = np.concatenate(
                [image[:4].ravel(), image[-4:].ravel(), image[:, :4].ravel(), image[:, -4:].ravel()]
            )
            assert np.percentile(border, 2) > 100, "no mat is left around the page"
            assert scanned.sharpness > 1.6
            await until(lambda: asyncio.sleep(0, watchers(peer) == 0))
            assert (await driver.status()).parts["media"] == "present"

    run(story)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("blur", "too_blurred"), ("dark", "too_dark"), ("glare", "glare"), ("nothing", "no_media")],
)
def test_an_unusable_page_ends_with_its_reason_and_the_next_one_is_taken(fault: str, reason: str) -> None:
    async def story() -> None:
        async with scene(patience_seconds=2.0) as (driver, peer):
            await peer.order("fault", fault)
            with pytest.raises(MediaError) as error:
                await driver.capture()
            assert error.value.reason == reason
            assert (await driver.status()).is_fit
            await peer.order("clear")
            assert (await driver.capture()).width_px > 400

    run(story)


def test_a_page_laid_down_meanwhile_is_taken() -> None:
    async def story() -> None:
        async with scene("nothing", patience_seconds=6) as (driver, peer):
            capturing = asyncio.create_task(driver.capture())
            await until(lambda: asyncio.sleep(0, watchers(peer) == 1))
            await peer.order("page", "permit")
            assert (await capturing).sha256

    run(story)


@pytest.mark.parametrize(
    ("fault", "reasons"), [("gone", {"camera_lost"}), ("freeze", {"camera_lost", "camera_stalled"})]
)
def test_a_camera_that_goes_or_freezes_is_a_fault_until_it_shows_a_picture_again(fault: str, reasons: set[str]) -> None:
    async def story() -> None:
        async with scene("nothing", patience_seconds=10) as (driver, peer):
            capturing = asyncio.create_task(driver.capture())
            await until(lambda: asyncio.sleep(0, watchers(peer) == 1))
            await until(lambda: asyncio.sleep(0, len(driver._camera._slot)))  # type: ignore[attr-defined]
            await peer.order("fault", fault)
            with pytest.raises(DeviceOffline) as error:
                await capturing
            assert error.value.reason in reasons
            status = await driver.status()
            assert status.device is DeviceState.HARDWARE_ERROR
            assert [each.code for each in status.faults] == [error.value.reason]
            assert status.parts["camera"] == "inoperative"
            await peer.order("clear")
            await peer.order("page", "permit")
            await until(lambda: _is_fit(driver), 12)
            assert (await driver.capture()).sha256

    run(story)


async def _is_fit(driver: DocumentCamera) -> bool:
    return (await driver.status()).is_fit


def test_a_preview_shows_the_whole_mat_upright_and_leaves_the_camera_free() -> None:
    async def story() -> None:
        async with scene(rotate_degrees=90) as (driver, peer):
            pictures = driver.preview()
            picture = await anext(pictures)
            assert (picture.width, picture.height) == (360, 480)
            assert len(picture.rgb) == picture.width * picture.height * 3
            with pytest.raises(DeviceBusy):
                await driver.capture()
            await pictures.aclose()  # type: ignore[attr-defined]
            await until(lambda: asyncio.sleep(0, watchers(peer) == 0))
            scanned = await driver.capture()
            assert scanned.height_px > scanned.width_px

    run(story)


WHOLE = Corners(
    upper_left=Corner(x=0, y=0), upper_right=Corner(x=1, y=0), lower_right=Corner(x=1, y=1), lower_left=Corner(x=0, y=1)
)  # fmt: skip


def corners_in_picture(rotate: int = 0) -> Corners:
    """Where the permit lies, in shares of the picture as the preview shows it."""
    _, quad = on_mat("permit")
    points = [(float(x) / WIDTH, float(y) / HEIGHT) for x, y in quad]
    if rotate == 90:
        points = [(1 - y, x) for x, y in (points[3], *points[:3])]
    names = ("upper_left", "upper_right", "lower_right", "lower_left")
    return Corners(**{name: Corner(x=x, y=y) for name, (x, y) in zip(names, points, strict=True)})


@pytest.mark.parametrize("rotate", [0, 90])
def test_corners_by_hand_cut_the_page_as_the_finder_does(rotate: int) -> None:
    async def story() -> None:
        async with scene(rotate_degrees=rotate) as (driver, _):
            with pytest.raises(MediaError) as error:
                await driver.crop(WHOLE)
            assert error.value.reason == "no_picture"
            found = await driver.capture()
            cut = await driver.crop(corners_in_picture(rotate))
            assert (cut.width_px, cut.height_px) == pytest.approx((found.width_px, found.height_px), abs=8)
            small = [
                cv2.resize(cv2.imdecode(np.frombuffer(page.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE), (128, 128))
                for page in (found, cut)
            ]
            assert float(np.abs(small[0].astype(int) - small[1]).mean()) < 12
            kept = driver._last
            assert kept is not None
            await driver.wipe()
            assert not kept.any()
            with pytest.raises(MediaError):
                await driver.crop(WHOLE)

    run(story)


def test_a_page_the_finder_does_not_believe_can_be_cut_by_hand_but_not_past_its_defects() -> None:
    async def story() -> None:
        async with scene("nothing") as (driver, peer):
            with pytest.raises(MediaError):
                await driver.capture()
            dot = Corner(x=0.5, y=0.5)
            for corners in (
                Corners(upper_left=dot, upper_right=dot, lower_right=dot, lower_left=dot),
                WHOLE.model_copy(update={"upper_left": WHOLE.upper_right, "upper_right": WHOLE.upper_left}),
            ):
                with pytest.raises(MediaError) as error:
                    await driver.crop(corners)
                assert error.value.reason == "corners_wrong"
            await peer.order("page", "permit")
            await peer.order("fault", "blur")
            with pytest.raises(MediaError):
                await driver.capture()
            with pytest.raises(MediaError) as error:
                await driver.crop(corners_in_picture())
            assert error.value.reason == "too_blurred"

    run(story)


def test_an_order_for_the_camera_gives_one_page_and_any_other_is_refused() -> None:
    async def story() -> None:
        async with scene() as (driver, _):
            items = [item async for item in driver.scan(ScanOrder(source=ScanSource.CAMERA))]
            assert [type(item) for item in items] == [ScanProgress, ScannedPage]
            for order in (ScanOrder(source=ScanSource.FEEDER), ScanOrder(source=ScanSource.CAMERA, two_sided=True)):
                with pytest.raises(Unsupported):
                    await anext(driver.scan(order))

    run(story)


def test_a_cancelled_capture_closes_the_camera() -> None:
    async def story() -> None:
        async with scene("nothing", patience_seconds=10) as (driver, peer):
            capturing = asyncio.create_task(driver.capture())
            await until(lambda: asyncio.sleep(0, watchers(peer) == 1))
            capturing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await capturing
            await until(lambda: asyncio.sleep(0, watchers(peer) == 0))
            assert (await driver.status()).faults == ()

    run(story)


def test_where_nothing_is_the_status_says_so_and_a_capture_is_refused() -> None:
    async def story() -> None:
        driver = DocumentCamera(DocumentCamera.Options(source="http://127.0.0.1:1/camera.mjpg"))
        status = await driver.status()
        assert status.device is DeviceState.NO_DEVICE
        assert [fault.code for fault in status.faults] == ["camera_absent"]
        assert (await driver.status()).faults == status.faults, "the same fault keeps its moment"
        with pytest.raises(DeviceAbsent):
            await driver.capture()
        await driver.close()

    run(story)


def test_addresses() -> None:
    assert why_absent("/dev/video97") == "camera_absent"
    assert why_absent("97") == "camera_absent"
    assert not is_simulated("0")
    assert not is_simulated("http://camera.example/v.mjpg")
    assert is_simulated("pages_%03d.png")


def test_pictures_of_a_sequence_serve_too(tmp_path: Path) -> None:
    async def story() -> None:
        peer = DocumentCameraSimulator(page="permit")
        for number in range(3):
            (tmp_path / f"p_{number:03d}.jpg").write_bytes(peer._picture() or b"")
        driver = DocumentCamera(DocumentCamera.Options(source=str(tmp_path / "p_%03d.jpg")))
        assert (await driver.status()).simulated
        assert (await driver.capture()).width_px > 400
        await driver.close()

    run(story)


def test_an_order_that_is_not_known_is_refused_with_those_that_are() -> None:
    async def story() -> None:
        peer = DocumentCameraSimulator()
        for verb, argument in (("page", "passport"), ("fault", "fire"), ("dance", "")):
            with pytest.raises(ValueError, match=r"known|choose"):
                await peer.order(verb, argument)

    run(story)


def test_after_a_wipe_its_process_holds_nothing_of_the_page() -> None:
    async def story() -> None:
        peer = DocumentCameraSimulator(page="permit")
        address = await peer.start()
        device = SupervisedDevice(
            DeviceConfig(name="camera", driver="document_scanner/document_camera", options={"source": address})
        )
        try:
            await device.open()
            scanned = await device.proxy.capture(timeout_seconds=10)
            wire = peer._picture()
            assert wire is not None
            pixels = await asyncio.to_thread(_pixels, address)
            await device.wipe()
            assert device.pid is not None
            assert _count(device.pid, [address.encode()]) > 0, "the scan sees what the driver does keep"
            half, middle = len(wire) // 2, len(scanned.jpeg) // 2
            patterns = [wire[half : half + 64], scanned.jpeg[middle : middle + 64], *pixels]
            assert _count(device.pid, patterns) == 0
        finally:
            await device.close()
            await peer.stop()

    run(story)


def _pixels(address: str) -> list[bytes]:
    """Rows of the permit as OpenCV decodes them from this stream."""
    capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG)
    good, image = capture.read()
    capture.release()
    assert good
    return [image[y, 1200:1232].tobytes() for y in (900, 960, 1020)]


def _count(pid: int, patterns: list[bytes]) -> int:
    found = 0
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
            span, permissions, *_ = line.split()
            if permissions.startswith("rw"):
                begin, end = (int(edge, 16) for edge in span.split("-"))
                with contextlib.suppress(OSError):
                    memory.seek(begin)
                    content = memory.read(end - begin)
                    found += sum(content.count(pattern) for pattern in patterns)
    return found


def test_the_bench_certifies_it() -> None:
    async def story() -> None:
        peer = DocumentCameraSimulator()
        address = await peer.start()
        command = ["-m", "drivers", "check", "document_scanner/document_camera", "--port", address]
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, *command],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        await peer.stop()
        assert done.returncode == 0, done.stdout + done.stderr

    run(story)
