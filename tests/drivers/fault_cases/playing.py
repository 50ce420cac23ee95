"""Plays the cases: one simulator and one supervised device serve many, in the real device process."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drivers.bench.words import address_option
from drivers.errors import DeviceError
from drivers.host import DeviceConfig, SupervisedDevice
from drivers.messages import DeviceClass, DeviceStatus
from drivers.protocols import Simulator
from drivers.registry import find_simulator
from tests.bench.peers import Peer
from tests.drivers.fault_cases.case import FaultCase

FOLDER = Path(__file__).parent
STAGES, CAMERA_STAGES = 3, 1
"""At the same time. A camera's pictures need a processor of their own; the rest is mostly waiting."""
CASES_A_STAGE = 8
CAMERAS = frozenset(
    {"face_camera/uvc", "face_matcher/dlib", "face_matcher/plugged", "document_scanner/document_camera",
     "code_scanner/camera_qr"}
)  # fmt: skip
"""Their peers paint and compress: in a process of their own, so that nobody's clock stands still meanwhile."""
ALONE = frozenset({"code_scanner/hid"})
"""Their peer lives in the environment of this process: a second one would take its place."""
BESIDE = frozenset({"face_matcher/plugged"})
"""A camera whose engine computes little: it plays beside the others, most of its time is waiting."""
DEED_SECONDS = 60.0
STATUS_SECONDS = 12.0
MEND_SECONDS = 20.0
BEGUN_SECONDS = 0.4
LOOK_SECONDS = 0.05
DONE = frozenset({"printed", "written", "completed", "succeeded", "done", "accept", "match", "matched", "ok"})


def all_cases() -> tuple[FaultCase, ...]:
    """Of every class that has a file here, in the order of the classes."""
    classes = [item.value for item in DeviceClass if (FOLDER / f"{item.value}.py").is_file()]
    found: list[FaultCase] = []
    for name in classes:
        cases: tuple[FaultCase, ...] = importlib.import_module(f"tests.drivers.fault_cases.{name}").CASES
        found += sorted(cases, key=_scene)
    return tuple(found)


def _scene(case: FaultCase) -> str:
    return json.dumps([case.driver, dict(case.options), dict(case.simulator_options)], sort_keys=True, default=str)


Verdicts = dict[int, BaseException | None]
"""What came of each case, by its place in the sequence that was played."""


async def play_all(cases: Sequence[FaultCase]) -> Verdicts:
    """Some stages at a time: most of what a misfortune costs is waiting."""
    verdicts: Verdicts = {}
    usual, cameras = asyncio.Semaphore(STAGES), asyncio.Semaphore(CAMERA_STAGES)
    rooms = dict.fromkeys(CAMERAS, cameras) | {driver: asyncio.Semaphore(1) for driver in ALONE | BESIDE}

    async def play_on_one_stage(numbers: Sequence[int]) -> None:
        async with rooms.get(cases[numbers[0]].driver, usual):
            stage = Stage()
            try:
                for number in numbers:
                    verdicts[number] = await stage.verdict(cases[number])
            finally:
                await stage.clear_away()

    await asyncio.gather(*(play_on_one_stage(numbers) for numbers in _stages(cases)))
    for number in [number for number, wrong in sorted(verdicts.items()) if wrong is not None]:
        await play_on_one_stage([number])  # once more, alone: the others may have taken the processor from it
    return verdicts


def _stages(cases: Sequence[FaultCase]) -> list[list[int]]:
    scenes: dict[str, list[int]] = {}
    for number, case in enumerate(cases):
        scenes.setdefault(_scene(case), []).append(number)
    return [
        numbers[begin : begin + CASES_A_STAGE]
        for numbers in scenes.values()
        for begin in range(0, len(numbers), CASES_A_STAGE)
    ]


class _PeerProcess:
    """A simulator as `python -m drivers simulate` runs it."""

    def __init__(self, driver: str, options: Mapping[str, str]) -> None:
        self._driver = driver
        self._arguments = [word for key, value in options.items() for word in ("--option", f"{key}={value}")]
        self._peer: Peer | None = None

    async def start(self) -> str:
        self._peer = await Peer.start(self._driver, *self._arguments)
        return self._peer.address

    async def order(self, verb: str, argument: str = "") -> str:
        assert self._peer is not None
        await self._peer.order(f"{verb} {argument}".strip())
        return "ok"

    async def stop(self) -> None:
        if self._peer is not None:
            await self._peer.stop()


class Stage:
    """A simulator and its device, kept from one case to the next of the same scene."""

    def __init__(self) -> None:
        self._scene = ""
        self._simulator: Simulator | _PeerProcess | None = None
        self._device: SupervisedDevice | None = None

    async def verdict(self, case: FaultCase) -> BaseException | None:
        try:
            await self.play(case)
        except Exception as error:  # noqa: BLE001 - it is raised where the case is judged
            return error
        return None

    async def play(self, case: FaultCase) -> None:
        """Raises `AssertionError` with what is not as the case says."""
        scene = _scene(case)
        if scene != self._scene:
            await self.clear_away()
            await self._set(case)
            self._scene = scene
        try:
            await self._play(case)
        except BaseException:
            await self.clear_away()  # whatever follows begins anew
            raise
        if not case.mends:
            await self.clear_away()

    async def clear_away(self) -> None:
        device, self._device = self._device, None
        simulator, self._simulator = self._simulator, None
        self._scene = ""
        if device is not None:
            await device.close()
        if simulator is not None:
            await simulator.stop()

    async def _set(self, case: FaultCase) -> None:
        simulator: Simulator | _PeerProcess
        if case.driver in CAMERAS:
            simulator = _PeerProcess(case.driver, case.simulator_options)
        else:
            simulator = find_simulator(case.driver).load()(**case.simulator_options)
        self._simulator = simulator
        address = await simulator.start()
        options = {
            key: value.replace("{address}", address) if isinstance(value, str) else value
            for key, value in case.options.items()
        }
        place = address_option(case.driver)
        if place is not None:
            options.setdefault(place, address)
        self._device = SupervisedDevice(DeviceConfig(name="it", driver=case.driver, options=options))
        await self._device.open(timeout_seconds=30.0)
        await self._until_fit(case, "before the fault")

    async def _play(self, case: FaultCase) -> None:
        assert self._simulator is not None
        assert self._device is not None
        for line in case.orders:
            await self._order(line)
        if case.during:
            deed = asyncio.create_task(self._ended(case))
            await self._begun(deed)
            await self._order(f"fault {case.fault}")
            completion = await deed
        else:
            await self._order(f"fault {case.fault}")
            completion = await self._ended(case)
        assert completion == case.completion, f"{case.driver} {case.fault} ended as {completion}"
        await self._until_told(case)
        if case.mends:
            await self._mend(case)

    async def _order(self, line: str) -> None:
        assert self._simulator is not None
        verb, _, argument = line.partition(" ")
        await self._simulator.order(verb, argument)

    async def _begun(self, deed: asyncio.Task[str]) -> None:
        """The command is in the device, or was over before anybody could interfere."""
        assert self._device is not None
        while not self._device._queue.locked() and not deed.done():
            await asyncio.sleep(0.005)
        await asyncio.wait({deed}, timeout=BEGUN_SECONDS)

    async def _ended(self, case: FaultCase) -> str:
        assert self._device is not None
        try:
            async with asyncio.timeout(DEED_SECONDS):
                result = await case.deed(self._device.proxy)
        except DeviceError as error:
            return f"{error.kind}/{error.reason}"
        return completion_of(result)

    async def _until_told(self, case: FaultCase) -> None:
        """The status comes round to what the case says, within a few polls."""
        assert self._device is not None
        wrong = ["never asked"]
        deadline = asyncio.get_running_loop().time() + STATUS_SECONDS
        while wrong:
            status = await self._device.status()
            wrong = differences(case, status)
            if wrong and asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"{case.driver} {case.fault}: {'; '.join(wrong)}")
            if wrong:
                await asyncio.sleep(LOOK_SECONDS)

    async def _mend(self, case: FaultCase) -> None:
        """A device that comes back is used again without a restart."""
        assert self._device is not None
        before = self._device.restarts
        await self._order("clear")
        await self._device.wipe()
        await self._until_fit(case, "after the fault was cleared")
        assert self._device.restarts == before, (
            f"{case.driver} {case.fault}: its process had to be restarted to mend it"
        )

    async def _until_fit(self, case: FaultCase, when: str) -> None:
        assert self._device is not None
        deadline = asyncio.get_running_loop().time() + MEND_SECONDS
        while True:
            status = await self._device.status()
            if status.is_fit and case.code not in {fault.code for fault in status.faults}:
                return
            codes = ", ".join(fault.code for fault in status.faults)
            assert asyncio.get_running_loop().time() < deadline, (
                f"{case.driver} {case.fault}: {when} it stays {status.device} ({codes})"
            )
            await asyncio.sleep(LOOK_SECONDS)


def completion_of(result: object) -> str:
    """How a command says it ended: of a result with an outcome, a state or a decision, that and its reason."""
    if isinstance(result, str) and "/" in result:
        return result
    said: Any = next(
        (getattr(result, name) for name in ("outcome", "state", "decision") if hasattr(result, name)), None
    )
    reason = str(getattr(result, "reason", "") or "")
    if said is None or (not reason and str(said) in DONE):
        return "done"
    return f"{said}/{reason}"


def differences(case: FaultCase, status: DeviceStatus) -> list[str]:
    """What of the status is not as the case says, in words."""
    wrong = []
    if status.device is not case.device:
        wrong.append(f"the device is {status.device}, not {case.device}")
    codes = {fault.code: fault for fault in status.faults}
    if case.code and case.code not in codes:
        wrong.append(f"{case.code} is not among the faults ({', '.join(codes) or 'none'})")
    if not case.code and codes:
        wrong.append(f"there are faults: {', '.join(codes)}")
    if case.code in codes and case.action is not None and codes[case.code].action is not case.action:
        wrong.append(f"{case.code} asks for {codes[case.code].action}, not {case.action}")
    wrong += [
        f"part {part} is {status.parts.get(part, 'missing')}, not {state}"
        for part, state in case.parts.items()
        if status.parts.get(part) != state
    ]
    return wrong
