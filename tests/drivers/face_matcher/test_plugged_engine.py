"""An engine of an installed package runs through the same course; a missing or broken one is a fault that says so."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from drivers.errors import DeviceAbsent, DeviceError
from drivers.face_camera.invented import portrait_png
from drivers.face_camera.simulator import CameraSimulator
from drivers.face_matcher.plugged import PluggedMatcher
from drivers.messages import DeviceState, FaceDecision, FaceVerdict, FaultAction
from tests.drivers.face_matcher.engine_package import install


@pytest.fixture
def engine_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(install(tmp_path))
    yield
    sys.modules.pop("installed_face_engine", None)


async def checked(reference: str, **options: Any) -> FaceVerdict:
    simulator = CameraSimulator(person="chen")
    matcher = PluggedMatcher(PluggedMatcher.Options(camera=await simulator.start(), engine="patch", **options))
    try:
        checks = matcher.verify(
            reference_png=portrait_png(reference), consent_id="c-1", head_turn=False, timeout_seconds=30
        )
        async with aclosing(checks):
            async for item in checks:
                if isinstance(item, FaceVerdict):
                    return item
    finally:
        await matcher.close()
        await simulator.stop()
    raise AssertionError("no verdict")


@pytest.mark.usefixtures("engine_package")
def test_an_installed_engine_decides_with_its_own_thresholds() -> None:
    own = asyncio.run(checked("chen"))
    assert (own.engine, own.accept_at, own.retry_at) == ("patch", 0.30, 0.40)
    assert own.decision is FaceDecision.ACCEPT
    strict = asyncio.run(checked("chen", accept_at=0.0001, retry_at=0.0002))
    assert strict.accept_at == 0.0001
    assert (strict.decision, strict.reason) == (FaceDecision.REJECT, "NO_MATCH")


@pytest.mark.usefixtures("engine_package")
@pytest.mark.parametrize(
    ("engine", "reason"),
    [("incomplete", "engine_broken"), ("without_library", "engine_unavailable"), ("nobody", "engine_unavailable")],
)
def test_an_engine_that_does_not_stand_is_a_fault_for_who_configures(engine: str, reason: str) -> None:
    async def story() -> DeviceError:
        matcher = PluggedMatcher(PluggedMatcher.Options(camera="0", engine=engine))
        matcher._engine_ready.wait(20)
        status = await matcher.status()
        assert status.device is DeviceState.HARDWARE_ERROR
        assert [(each.code, each.action) for each in status.faults] == [(reason, FaultAction.CONFIGURATION)]
        with pytest.raises(DeviceAbsent) as error:
            async for _ in matcher.verify(reference_png=b"", consent_id="c"):
                pass
        await matcher.close()
        return error.value

    assert asyncio.run(story()).reason == reason
