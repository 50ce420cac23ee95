"""Flatbed and feeder: SANE's own test device for every status, a network scanner on the wire for every misfortune."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from drivers.document_scanner.sane import SaneScanner
from drivers.document_scanner.simulator import EsclSimulator
from drivers.errors import (
    CommandCancelled,
    CommandTimedOut,
    DeviceAbsent,
    DeviceBusy,
    DeviceError,
    DeviceOffline,
    HardwareFault,
    MediaError,
    NeedsAttention,
    Unsupported,
)
from drivers.messages import (
    Corner,
    Corners,
    DeviceState,
    FaultAction,
    ScannedPage,
    ScanOrder,
    ScanProgress,
    ScanSource,
)

needs_sane = pytest.mark.skipif(
    shutil.which("scanimage") is None or not list(Path("/usr/lib").glob("*/sane/libsane-airscan.so.1")),
    reason="sane-utils and sane-airscan are not installed",
)
pytestmark = needs_sane
FEEDER = ScanOrder(source=ScanSource.FEEDER, dpi=100)
GLASS = ScanOrder(source=ScanSource.FLATBED, dpi=100)
TEST_CONF = Path("/etc/sane.d/test.conf")


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(story())


@pytest.fixture
def sane_folder(tmp_path: Path) -> str:
    (tmp_path / "dll.conf").write_text("test\n")
    shutil.copy(TEST_CONF, tmp_path / "test.conf")
    return str(tmp_path)


def device(folder: str, settings: str = "", **options: Any) -> SaneScanner:
    given = {"device": "test:0", "config_dir": folder, "settings": settings, "dpi": 100, **options}
    return SaneScanner(SaneScanner.Options(**given))


@contextlib.asynccontextmanager
async def scene(**options: Any) -> AsyncIterator[tuple[SaneScanner, EsclSimulator]]:
    peer = EsclSimulator()
    driver = SaneScanner(SaneScanner.Options(device=await peer.start(), dpi=100, **options))
    try:
        yield driver, peer
    finally:
        await driver.close()
        await peer.stop()


async def pages(driver: SaneScanner, order: ScanOrder, seconds: float = 20.0) -> list[ScannedPage]:
    came: list[ScannedPage] = []
    async with aclosing(driver.scan(order, timeout_seconds=seconds)) as items:
        async for item in items:
            if isinstance(item, ScanProgress):
                assert item.page == len(came) + 1
            else:
                came.append(item)
    return came


async def until(condition: Callable[[], Any], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def looked(driver: SaneScanner) -> None:
    async with asyncio.timeout(15):
        while driver._owes_a_look:
            await driver.status()
            await asyncio.sleep(0.05)


def image_of(page: ScannedPage) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(page.jpeg, np.uint8), cv2.IMREAD_COLOR)


def leftovers() -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob(f"yizhan-sane-{os.getpid()}-*"))


# --- SANE's own test device ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "reason", "fault"),
    [
        ("UNSUPPORTED", Unsupported, "setting_refused", ""),
        ("CANCELLED", CommandCancelled, "cancelled", ""),
        ("DEVICE_BUSY", DeviceBusy, "scanner_busy", "scanner_busy"),
        ("INVAL", Unsupported, "setting_refused", ""),
        ("EOF", HardwareFault, "page_incomplete", ""),
        ("JAMMED", NeedsAttention, "media_jammed", "media_jammed"),
        ("NO_DOCS", MediaError, "no_media", ""),
        ("COVER_OPEN", NeedsAttention, "cover_open", "cover_open"),
        ("IO_ERROR", DeviceOffline, "scanner_lost", "scanner_lost"),
        ("NO_MEM", HardwareFault, "no_memory", "no_memory"),
        ("ACCESS_DENIED", DeviceAbsent, "access_denied", "access_denied"),
    ],
)
def test_every_status_of_sane_has_its_error_and_its_fault(
    sane_folder: str, status: str, kind: type[DeviceError], reason: str, fault: str
) -> None:
    async def story() -> None:
        driver = device(sane_folder, f"read-return-value=SANE_STATUS_{status}")
        driver._looked_at = float("inf")  # nobody else opens it meanwhile
        with pytest.raises(kind) as error:
            await pages(driver, FEEDER)
        assert error.value.reason == reason
        assert [each.code for each in (await driver.status()).faults] == ([fault] if fault else [])
        await driver.close()

    run(story)


def test_a_feeder_gives_each_page_once_announced_and_ends_when_it_is_empty(sane_folder: str) -> None:
    async def story() -> None:
        driver = device(sane_folder, "test-picture=Color pattern")
        came = await pages(driver, FEEDER)
        assert len(came) == 10, "the test device's feeder holds ten"
        for page in came:
            assert page.sha256 == hashlib.sha256(page.jpeg).hexdigest()
            assert abs(page.width_px - 787) <= 2, "200 mm at 100 dpi"
        assert len(await pages(driver, FEEDER.model_copy(update={"most_pages": 3}))) == 3
        assert not leftovers()
        await driver.close()

    run(story)


def test_colours_are_not_exchanged(sane_folder: str) -> None:
    async def story() -> None:
        driver = device(sane_folder, "test-picture=Color pattern")
        colour = image_of(await driver.capture())
        strong = colour.reshape(-1, 3)[np.ptp(colour.reshape(-1, 3).astype(int), axis=1) > 200]
        assert (strong[:, 2] > strong[:, 0]).any()
        grey = image_of((await pages(driver, GLASS.model_copy(update={"colour": False})))[0])
        assert float(np.abs(colour[..., 0].astype(int) - colour[..., 2]).mean()) > 5
        assert float(np.abs(grey[..., 0].astype(int) - grey[..., 2]).max()) == 0
        driver._own = ["--test-picture=Grid"]
        grid = image_of(await driver.capture())
        raw = await asyncio.create_subprocess_exec(
            "scanimage", "-d", "test:0", "--mode=Color", "--resolution=100", "-x", "200", "-y", "200",
            "--test-picture=Grid", "--format=png", stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, env={**os.environ, "SANE_CONFIG_DIR": sane_folder},
        )  # fmt: skip
        png, _ = await raw.communicate()
        expected = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
        assert expected.shape == grid.shape
        assert float(np.abs(expected.astype(int) - grid).mean()) < 6
        await driver.close()

    run(story)


def test_what_it_cannot_do_is_refused_before_anything_moves(sane_folder: str) -> None:
    async def story() -> None:
        driver = device(sane_folder)
        assert (await driver.capabilities()).features == {"flatbed", "feeder", "colour", "crop", "reads_zone"}
        for order, reason in (
            (ScanOrder(source=ScanSource.CAMERA), "source_not_fitted"),
            (FEEDER.model_copy(update={"two_sided": True}), "two_sided_not_fitted"),
        ):
            with pytest.raises(Unsupported) as error:
                await pages(driver, order)
            assert error.value.reason == reason
        with pytest.raises(Unsupported):
            await anext(driver.preview())
        await driver.close()

    run(story)


def test_a_setting_the_device_does_not_know_is_a_mistake_of_the_configuration(sane_folder: str) -> None:
    async def story() -> None:
        driver = device(sane_folder, "no-such-thing=5")
        with pytest.raises(Unsupported) as error:
            await driver.capture()
        assert error.value.reason == "setting_refused"
        await driver.close()

    run(story)


@pytest.mark.parametrize("options", [{"device": "--help"}, {"device": 'a" = b'}, {"device": "a\nb"}, {"settings": "x"}])
def test_names_and_settings_cannot_smuggle_anything_in(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        SaneScanner.Options(**{"device": "test:0", **options})


def test_a_name_nobody_has_is_absent_and_says_who_must_act(sane_folder: str) -> None:
    async def story() -> None:
        driver = device(sane_folder, device="nobody:0")
        with pytest.raises(DeviceAbsent) as error:
            await driver.capture()
        assert error.value.reason == "scanner_absent"
        status = await driver.status()
        assert status.device is DeviceState.NO_DEVICE
        assert status.parts["feeder"] == "unknown"
        assert status.faults[0].action is FaultAction.MAINTENANCE
        await driver.close()

    run(story)


def test_a_jam_nobody_can_see_is_tried_again_after_a_while(sane_folder: str) -> None:
    async def story() -> None:
        driver = device(sane_folder, "read-return-value=SANE_STATUS_JAMMED", forget_seconds=0.01)
        with pytest.raises(NeedsAttention):
            await pages(driver, FEEDER)
        async with asyncio.timeout(10):
            while not (await driver.status()).is_fit:
                driver._looked_at = float("-inf")
                await asyncio.sleep(0.02)
        await driver.close()

    run(story)


def test_a_slow_device_is_stopped_at_the_limit_and_works_again(sane_folder: str) -> None:
    async def story() -> None:
        slow = "read-delay=yes; read-delay-duration=200000; read-limit=yes; read-limit-size=100"
        driver = device(sane_folder, slow)
        with pytest.raises(CommandTimedOut):
            await pages(driver, GLASS, 1.0)
        assert not leftovers()
        await driver.close()
        again = device(sane_folder, "test-picture=Grid")
        assert (await again.capture()).width_px > 700
        await again.close()

    run(story)


# --- a network scanner -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "kind", "reason", "state", "code"),
    [
        ("feeder_empty", MediaError, "no_media", DeviceState.ONLINE, ""),
        ("jam", NeedsAttention, "media_jammed", DeviceState.USER_ERROR, "media_jammed"),
        ("cover_open", NeedsAttention, "cover_open", DeviceState.USER_ERROR, "cover_open"),
        ("multiple_feed", MediaError, "multiple_feed", DeviceState.USER_ERROR, "multiple_feed"),
        ("busy", DeviceBusy, "scanner_busy", DeviceState.BUSY, "scanner_busy"),
        ("broken", HardwareFault, "scanner_stopped", DeviceState.HARDWARE_ERROR, "scanner_stopped"),
        ("dead", DeviceAbsent, "scanner_absent", DeviceState.NO_DEVICE, "scanner_absent"),
        ("silent", DeviceOffline, "scanner_stalled", DeviceState.HARDWARE_ERROR, "scanner_stalled"),
        ("cut", DeviceOffline, "scanner_lost", DeviceState.ONLINE, ""),
        ("slow", CommandTimedOut, "timed_out", DeviceState.ONLINE, ""),
    ],
)
def test_each_misfortune_has_its_name_and_goes_away_with_its_cause(
    fault: str, kind: type[DeviceError], reason: str, state: DeviceState, code: str
) -> None:
    async def story() -> None:
        async with scene() as (driver, peer):
            await driver.capabilities()
            await peer.order("fault", fault)
            with pytest.raises(kind) as error:
                await pages(driver, FEEDER, 2.5)
            assert error.value.reason == reason
            status = await driver.status()
            assert (status.device, [each.code for each in status.faults]) == (state, [code] if code else [])
            await peer.order("clear")
            assert (await driver.status()).is_fit
            assert len(await pages(driver, FEEDER)) == 3
            assert not leftovers()

    run(story)


def test_a_jam_in_the_middle_leaves_the_pages_before_it_whole() -> None:
    async def story() -> None:
        async with scene() as (driver, peer):
            await peer.order("load", "9")
            await peer.order("fault", "jam_later")
            whole: list[ScannedPage] = []
            with pytest.raises(NeedsAttention) as error:
                async with aclosing(driver.scan(FEEDER)) as items:
                    async for item in items:
                        whole += [item] if isinstance(item, ScannedPage) else []
            assert error.value.reason == "media_jammed"
            assert [page.height_px for page in whole] == [1169, 1169]
            assert (await driver.status()).parts["feeder"] == "jammed"

    run(story)


def test_both_sides_where_the_feeder_has_them() -> None:
    async def story() -> None:
        async with scene() as (driver, _):
            assert "two_sided" in (await driver.capabilities()).features
            assert len(await pages(driver, FEEDER.model_copy(update={"two_sided": True}))) == 3

    run(story)


def test_a_scan_that_is_taken_back_ends_at_the_scanner_too() -> None:
    async def story() -> None:
        async with scene() as (driver, peer):
            await driver.capabilities()
            await peer.order("fault", "slow")
            scanning = asyncio.create_task(pages(driver, GLASS))
            await until(lambda: peer._served)
            with pytest.raises(DeviceBusy):
                await driver.capture()
            assert (await driver.status()).device is DeviceState.BUSY
            scanning.cancel()
            with pytest.raises(asyncio.CancelledError):
                await scanning
            assert not leftovers()
            await peer.order("clear")
            peer._job = None
            assert len(await pages(driver, FEEDER)) == 3

    run(story)


def test_leaving_after_the_first_page_frees_the_feeder() -> None:
    async def story() -> None:
        async with scene() as (driver, peer):
            items = driver.scan(FEEDER)
            await anext(items)
            await items.aclose()
            await until(lambda: peer._job is None)
            assert peer.jobs_ended, "the job was deleted, not abandoned"
            await peer.order("clear")
            assert len(await pages(driver, FEEDER)) == 3

    run(story)


def test_an_empty_glass_is_said_and_a_paper_on_it_is_taken() -> None:
    async def story() -> None:
        async with scene() as (driver, peer):
            await peer.order("remove")
            with pytest.raises(MediaError) as error:
                await driver.capture()
            assert error.value.reason == "no_media"
            await peer.order("place", "tenancy")
            page = await driver.capture()
            assert page.sharpness > 1.6
            assert (page.width_px, page.height_px) == (827, 1169)

    run(story)


def test_an_original_left_on_the_glass_is_seen_after_the_session_and_gone_when_taken() -> None:
    async def story() -> None:
        async with scene() as (driver, peer):
            await driver.capture()
            await driver.wipe()
            await looked(driver)
            assert (await driver.status()).faults == ()
            assert (await driver.status()).parts["media"] == "not_present"
            await peer.order("fault", "original_left")
            await driver.capture()
            await driver.wipe()
            await looked(driver)
            status = await driver.status()
            assert [each.code for each in status.faults] == ["media_left_behind"]
            assert not status.is_fit, "the next citizen must not find it"
            await peer.order("clear")
            driver._looked_at = float("-inf")
            async with asyncio.timeout(15):
                while not (await driver.status()).is_fit:
                    await asyncio.sleep(0.05)

    run(story)


def test_corners_by_hand_cut_the_last_page_and_a_wipe_forgets_it() -> None:
    upper_half = Corners(
        upper_left=Corner(x=0, y=0), upper_right=Corner(x=1, y=0), lower_right=Corner(x=1, y=0.5),
        lower_left=Corner(x=0, y=0.5),
    )  # fmt: skip

    async def story() -> None:
        async with scene() as (driver, _):
            with pytest.raises(MediaError) as error:
                await driver.crop(upper_half)
            assert error.value.reason == "no_picture"
            whole = await driver.capture()
            half = await driver.crop(upper_half)
            assert half.height_px == pytest.approx(whole.height_px / 2, abs=2)
            expected = image_of(whole)[: half.height_px, : half.width_px]
            assert float(np.abs(expected.astype(int) - image_of(half)).mean()) < 4
            kept = driver._last
            assert kept is not None
            await driver.wipe()
            assert not kept.any(), "overwritten, not only forgotten"
            with pytest.raises(MediaError):
                await driver.crop(upper_half)

    run(story)


def test_a_wipe_ends_a_scan_that_runs() -> None:
    async def story() -> None:
        async with scene() as (driver, peer):
            await peer.order("fault", "slow")
            scanning = asyncio.create_task(pages(driver, GLASS))
            await until(lambda: peer._served)
            await driver.wipe()
            assert driver._command is None
            with pytest.raises(asyncio.CancelledError):
                await scanning

    run(story)


def test_no_picture_ever_is_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """While pages come, the folder holds pipes and two settings, nothing else."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: set[str] = set()

    async def story() -> None:
        async with scene() as (driver, _), aclosing(driver.scan(FEEDER)) as items:
            async for _item in items:
                seen.update(files())

    def files() -> list[str]:
        return [path.name for path in tmp_path.rglob("*") if not path.is_dir() and not path.is_fifo()]

    run(story)
    assert seen == {"dll.conf", "airscan.conf"}
    assert not list(tmp_path.iterdir())


def test_orders_that_are_not_known_are_refused() -> None:
    async def story() -> None:
        peer = EsclSimulator()
        for verb, argument in (("place", "passport"), ("fault", "fire"), ("load", "many"), ("dance", "")):
            with pytest.raises(ValueError, match=r"known|choose|holds"):
                await peer.order(verb, argument)

    run(story)
