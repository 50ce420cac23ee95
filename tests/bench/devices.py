"""The device layer: what eight device processes weigh, what the process border costs a command, what a camera's preview
costs on its way to the screen, and how soon a card is noticed.

Memory is private memory (USS) of everything the house started, the face engine's process left out. A command's overhead
is the same command asked of the driver in this process. The preview is 1280 × 720 at 25 a second, taken from a network
camera, through the device's process and the border, to the picture the screen paints.
"""

from __future__ import annotations

import asyncio
import random
import resource
import time
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack, aclosing
from statistics import median
from typing import Any

import psutil

from drivers.bench.words import address_option
from drivers.host import DeviceConfig, SupervisedDevice
from drivers.id_card_reader.sdt import SdtReader
from drivers.id_card_reader.simulator import SdtSimulator
from drivers.registry import drivers, simulators
from kiosk.machine.devices import Devices
from kiosk.ui.drawing.pictures import Pictures
from tests.bench.measure import Measure, failed, measured, spread
from tests.bench.peers import Peer

MEMORY_GOAL_MB, OVERHEAD_GOAL_MS, PREVIEW_GOAL, NOTICED_GOAL_MS = 200.0, 1.0, 15.0, 350.0
DEVICES = 8
SETTLE_SECONDS = 6.0
COMMANDS, WARM = 2000, 200
PREVIEW_SECONDS, PREVIEW_SETTLE_SECONDS = 12.0, 3.0
CARDS, POLL_SECONDS = 24, 0.3
LEFT_OUT = frozenset({"face_matcher/dlib", "face_matcher/plugged", "face_camera/uvc"})
"""The face engines' processes, and the camera alone, which a terminal with a face check does not have."""


def run(tell: Callable[[str], None]) -> list[Measure]:
    measures: list[Measure] = []
    for name, take in (
        ("memory of eight devices", _memory), ("a command across the border", _overhead),
        ("camera preview", _preview), ("a card noticed", _noticed),
    ):  # fmt: skip
        tell(name)
        try:
            measures.append(asyncio.run(take()))
        except Exception as error:  # noqa: BLE001 - one that fails must not cost the others
            measures.append(failed(name, error))
    return measures


# --- memory ----------------------------------------------------------------------------------------------------------


async def _memory() -> Measure:
    async with AsyncExitStack() as stack:
        configs = await _eight(stack)
        before = {child.pid for child in psutil.Process().children(recursive=True)}
        devices = Devices(configs)
        stack.push_async_callback(devices.close)
        failures = await devices.open(timeout_seconds=30.0)
        await asyncio.sleep(SETTLE_SECONDS)  # what starting needed is given back
        own = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
        by_pid = {child.pid: child.memory_full_info().uss / 1024**2 for child in own}
        names = {pid: name for name, pid in devices.pids().items()}
    if len(names) < DEVICES:
        raise RuntimeError(f"only {len(names)} of {DEVICES} devices stand: {failures}")
    detail = {names.get(pid, f"without a device, {pid}"): round(size, 1) for pid, size in by_pid.items()}
    return measured(
        "device layer, eight devices, private memory", sum(by_pid.values()), "MB", at_most=MEMORY_GOAL_MB,
        detail={"by_process": detail, "drivers": [config.driver for config in configs]},
    )  # fmt: skip


async def _eight(stack: AsyncExitStack) -> list[DeviceConfig]:
    """One device of each class first, then second models; those whose peer stands on this machine."""
    configs: list[DeviceConfig] = []
    for driver in _by_class(name for name in drivers() if name in simulators() and name not in LEFT_OUT):
        if len(configs) == DEVICES:
            break
        option = address_option(driver)
        try:
            peer = await Peer.start(driver)
        except RuntimeError:  # a system package it needs is not there
            continue
        stack.push_async_callback(peer.stop)
        options = {option: peer.address} if option else {}
        configs.append(DeviceConfig(name=f"device{len(configs) + 1}", driver=driver, options=options))
    return configs


def _by_class(names: Iterable[str]) -> list[str]:
    seen: dict[str, int] = {}
    ranked = []
    for name in names:
        device_class = name.partition("/")[0]
        seen[device_class] = seen.get(device_class, 0) + 1
        ranked.append((seen[device_class], name))
    return [name for _, name in sorted(ranked)]


# --- a command -------------------------------------------------------------------------------------------------------


async def _overhead() -> Measure:
    """`decode_photo` without a decoder: a kilobyte goes over, nothing is done with it, an answer comes back."""
    photo = random.Random(1).randbytes(1024)
    async with AsyncExitStack() as stack:
        reader = await Peer.start("id_card_reader/sdt")
        stack.push_async_callback(reader.stop)
        options = {"port": reader.address}
        device = SupervisedDevice(DeviceConfig(name="reader", driver="id_card_reader/sdt", options=options))
        stack.push_async_callback(device.close)
        await device.open()
        through = await _timed(lambda: device.proxy.decode_photo(photo))
        plain = SdtReader(SdtReader.Options(port=reader.address))
        stack.push_async_callback(plain.close)
        direct = await _timed(lambda: plain.decode_photo(photo))
    overhead = median(through) - median(direct)
    return measured(
        "a command's overhead through the process border", overhead, "ms", at_most=OVERHEAD_GOAL_MS,
        detail={"through": spread(through), "direct": spread(direct)},
    )  # fmt: skip


async def _timed(command: Callable[[], Any]) -> list[float]:
    taken = []
    for _ in range(COMMANDS + WARM):
        begun = time.perf_counter()
        await command()
        taken.append((time.perf_counter() - begun) * 1000)
    return taken[WARM:]


# --- a preview -------------------------------------------------------------------------------------------------------


async def _preview() -> Measure:
    async with AsyncExitStack() as stack:
        camera = await Peer.start("face_camera/uvc")
        stack.push_async_callback(camera.stop)
        driver = "document_scanner/document_camera"
        device = SupervisedDevice(DeviceConfig(name="camera", driver=driver, options={"source": camera.address}))
        stack.push_async_callback(device.close)
        await device.open(timeout_seconds=30.0)
        screen = Pictures()
        pictures, begun, spent = 0, 0.0, 0.0
        started = time.monotonic()
        async with aclosing(device.proxy.preview()) as stream:
            async for picture in stream:
                screen.show_camera(picture)
                now = time.monotonic()
                if not begun and now - started >= PREVIEW_SETTLE_SECONDS:
                    begun, spent, pictures = now, _processor_seconds(device.pid), 0
                pictures += 1
                if begun and now - begun >= PREVIEW_SECONDS:
                    break
            seconds = time.monotonic() - begun
            spent = _processor_seconds(device.pid) - spent
    return measured(
        "camera preview 720p at 25 fps, of one core", 100 * spent / seconds, "%", at_most=PREVIEW_GOAL,
        detail={"pictures_a_second": round(pictures / seconds, 1)},
    )  # fmt: skip


def _processor_seconds(pid: int | None) -> float:
    """Of the device's process, its children, and of this one, which stands for the terminal's."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    device = psutil.Process(pid)
    times = [process.cpu_times() for process in (device, *device.children(recursive=True))]
    return own.ru_utime + own.ru_stime + sum(each.user + each.system for each in times)


# --- a card ----------------------------------------------------------------------------------------------------------


class _WatchedSimulator(SdtSimulator):
    """Knows when a card that was laid down was first found."""

    def __init__(self) -> None:
        super().__init__()
        self.found_at: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        find = self._module._find

        def watched() -> bytes:
            answer = find()
            if self._card is not None and not self.found_at.done():
                self.found_at.set_result(time.monotonic())
            return answer

        self._module._known[b"\x20\x01"] = watched


async def _noticed() -> Measure:
    chance = random.Random(350)
    taken: list[float] = []
    async with AsyncExitStack() as stack:
        peer = _WatchedSimulator()
        address = await peer.start()
        stack.push_async_callback(peer.stop)
        device = SupervisedDevice(DeviceConfig(name="reader", driver="id_card_reader/sdt", options={"port": address}))
        stack.push_async_callback(device.close)
        await device.open()
        for _ in range(CARDS):
            peer.found_at = asyncio.get_running_loop().create_future()
            reading = asyncio.create_task(device.proxy.read(timeout_seconds=20.0))
            await asyncio.sleep(0.5 + chance.random() * POLL_SECONDS)
            laid = time.monotonic()
            await peer.order("place", "lin")
            async with asyncio.timeout(10):
                taken.append((await peer.found_at - laid) * 1000)
            await reading
            await peer.order("remove")
            await device.proxy.wait_removal(timeout_seconds=10.0)
    return measured(
        "a card laid on the reader is noticed", median(taken), "ms", at_most=NOTICED_GOAL_MS,
        detail={"spread": spread(taken)},
    )  # fmt: skip
