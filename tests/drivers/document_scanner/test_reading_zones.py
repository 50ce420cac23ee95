"""`read_zone` of both drivers against their peers on the wire: what is read, what is refused, what stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drivers.document_scanner.document_camera import DocumentCamera
from drivers.document_scanner.sane import SaneScanner
from drivers.document_scanner.simulator import DocumentCameraSimulator, EsclSimulator
from drivers.document_scanner.simulator.travel_documents import zone_of
from drivers.errors import MediaError
from drivers.host import DeviceConfig, SupervisedDevice
from drivers.messages import Corner, Corners

WHOLE = Corners(
    upper_left=Corner(x=0, y=0), upper_right=Corner(x=1, y=0), lower_right=Corner(x=1, y=1), lower_left=Corner(x=0, y=1)
)


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(story())


@contextlib.asynccontextmanager
async def camera(page: str) -> AsyncIterator[tuple[DocumentCamera, DocumentCameraSimulator]]:
    peer = DocumentCameraSimulator(page=page)
    driver = DocumentCamera(DocumentCamera.Options(source=await peer.start(), patience_seconds=2.5))
    try:
        yield driver, peer
    finally:
        await driver.close()
        await peer.stop()


async def refusal(scanner: Any) -> str:
    with pytest.raises(MediaError) as told:
        await scanner.read_zone()
    return told.value.reason


def test_the_camera_reads_a_permit_and_keeps_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    decode = cv2.imdecode

    def watched(data: Any, flags: int) -> Any:
        seen.append(decode(data, flags))
        return seen[-1]

    monkeypatch.setattr("drivers.document_scanner.zone.reader.cv2.imdecode", watched)

    async def story() -> None:
        async with camera("travel_leung") as (driver, peer):
            assert await driver.read_zone() == zone_of("travel_leung")
            with pytest.raises(MediaError) as told:
                await driver.crop(WHOLE)
            assert told.value.reason == "no_picture"
            await peer.order("remove")
            assert await refusal(driver) == "no_media"

    run(story)
    pictures = [picture for picture in seen if picture.ndim == 2]
    assert len(pictures) == 1
    assert not np.any(pictures[0]), "the picture that was read is overwritten"


def test_another_paper_has_no_zone() -> None:
    async def story() -> None:
        async with camera("permit") as (driver, _):
            assert await refusal(driver) == "zone_not_found"

    run(story)


def test_a_booklet_whose_edges_are_not_believed_is_searched_in_the_whole_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("drivers.document_scanner.document_camera.find_page", lambda _: None)

    async def story() -> None:
        async with camera("travel_stranger") as (driver, _):
            assert await driver.read_zone() == zone_of("travel_stranger")

    run(story)


def test_what_was_read_comes_out_of_the_devices_process_whole() -> None:
    async def story() -> None:
        peer = DocumentCameraSimulator(page="travel_chen")
        config = DeviceConfig(
            name="camera", driver="document_scanner/document_camera", options={"source": await peer.start()}
        )
        device = SupervisedDevice(config)
        try:
            await device.open(timeout_seconds=30)
            assert await device.proxy.read_zone(timeout_seconds=20) == zone_of("travel_chen")
        finally:
            await device.close()
            await peer.stop()

    run(story)


@pytest.mark.skipif(
    shutil.which("scanimage") is None or not list(Path("/usr/lib").glob("*/sane/libsane-airscan.so.1")),
    reason="sane-utils and sane-airscan are not installed",
)
def test_a_network_scanner_reads_what_lies_on_its_glass() -> None:
    async def story() -> None:
        peer = EsclSimulator()
        driver = SaneScanner(SaneScanner.Options(device=await peer.start(), dpi=100, looks_for_originals=False))
        try:
            await peer.order("place", "travel_lau")
            assert await driver.read_zone() == zone_of("travel_lau")
            await peer.order("remove")
            assert await refusal(driver) == "no_media"
        finally:
            await driver.close()
            await peer.stop()

    run(story)
