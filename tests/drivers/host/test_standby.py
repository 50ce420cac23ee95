"""A driver that loads long has another one standing behind it, which takes over; others have none."""

from __future__ import annotations

import asyncio
import os
import signal

import psutil
import pytest

from drivers.host import DeviceConfig, SupervisedDevice
from drivers.host.lives import standby
from tests.drivers.host.stage import until

pytestmark = pytest.mark.usefixtures("driver_package")


def test_a_driver_that_loads_long_is_back_at_once_from_its_standby(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standby, "PREPARE_SECONDS", 0.01)

    async def story() -> None:
        device = SupervisedDevice(DeviceConfig(name="it", driver="id_card_reader/slow_to_load"), poll_seconds=0.05)
        await device.open()
        seen = []
        try:
            await until(lambda: device.is_fit)
            for _ in range(2):
                await until(lambda: device._standby.is_ready)
                waiting, serving = device._standby.pid, device.pid
                assert waiting
                assert serving
                os.kill(serving, signal.SIGKILL)
                await until(lambda: device.is_ready and device.pid == waiting)  # noqa: B023
                await until(lambda: device.is_fit)
                assert (await device.proxy.read()).name == "驿测试"
                seen += [waiting, serving]
                device._failures = 0.0
            await until(lambda: device._standby.is_ready)
            assert device._standby.pid
            os.kill(device._standby.pid, signal.SIGKILL)
            await until(lambda: device._standby.pid is None)
            assert device.is_fit
        finally:
            seen += [pid for pid in (device.pid, device._standby.pid) if pid]
            await device.close()
        assert not [pid for pid in seen if psutil.pid_exists(pid)]

    asyncio.run(asyncio.wait_for(story(), 40))


def test_drivers_that_do_not_ask_for_it_have_no_standby(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standby, "PREPARE_SECONDS", 0.0)

    async def story() -> None:
        device = SupervisedDevice(DeviceConfig(name="it", driver="id_card_reader/misbehaving"))
        await device.open()
        await until(lambda: device.is_fit)
        await asyncio.sleep(0.05)
        assert device._standby.pid is None
        await device.close()

    asyncio.run(asyncio.wait_for(story(), 40))
