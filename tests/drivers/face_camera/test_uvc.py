"""The frame grabber: fresh frames only, clips paced and looped, loss and stall named."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers.errors import DeviceAbsent, DeviceOffline
from drivers.face_camera.uvc import CameraOptions, FrameGrabber, camera_status
from drivers.messages import DeviceState


@pytest.fixture
def pictures(tmp_path: Path) -> str:
    for index in range(6):
        cv2.imwrite(str(tmp_path / f"f_{index:03d}.png"), np.full((48, 64, 3), index * 30, np.uint8))
    return str(tmp_path / "f_%03d.png")


def test_a_sequence_is_paced_and_loops(pictures: str) -> None:
    grabber = FrameGrabber(CameraOptions(camera=pictures, fps=50))
    grabber.open()
    started, sequence, seen = time.monotonic(), 0, []
    while len(seen) < 14:
        frame = grabber.newest(sequence)
        assert time.monotonic() - frame.taken_at < 0.25
        sequence = frame.sequence
        seen.append(int(frame.image[0, 0, 0]))
    grabber.close()
    assert set(seen) == {0, 30, 60, 90, 120, 150}
    assert time.monotonic() - started > 13 / 50 * 0.8


def test_the_end_of_a_clip_that_does_not_loop_is_a_lost_camera(pictures: str) -> None:
    grabber = FrameGrabber(CameraOptions(camera=pictures, fps=100, loop=False))
    grabber.open()
    sequence = 0
    with pytest.raises(DeviceOffline) as lost:
        while True:
            sequence = grabber.newest(sequence).sequence
    assert lost.value.reason == "camera_lost"
    grabber.close()


def test_a_slow_camera_is_a_stalled_one(pictures: str) -> None:
    grabber = FrameGrabber(CameraOptions(camera=pictures, fps=0.2))
    grabber.open()
    sequence = 0
    with pytest.raises(DeviceOffline) as stalled:
        while True:
            sequence = grabber.newest(sequence, timeout_seconds=0.3).sequence
    assert stalled.value.reason == "camera_stalled"
    grabber.close()


@pytest.mark.parametrize("camera", ["/dev/video77", "77", "nowhere.mkv"])
def test_what_is_not_there_is_absent(camera: str) -> None:
    with pytest.raises(DeviceAbsent) as absent:
        FrameGrabber(CameraOptions(camera=camera)).open()
    assert absent.value.reason == "camera_absent"


def test_status_tells_a_missing_node_and_a_source_that_is_no_camera(pictures: str) -> None:
    assert camera_status(CameraOptions(camera="/dev/video77")).device is DeviceState.NO_DEVICE
    assert camera_status(CameraOptions(camera=pictures)).simulated


def test_closing_overwrites_the_last_frame(pictures: str) -> None:
    grabber = FrameGrabber(CameraOptions(camera=pictures, fps=50))
    grabber.open()
    frame = grabber.newest(3)
    grabber.close()
    assert not grabber._slot
    assert frame.image.any() or frame.sequence > 0
