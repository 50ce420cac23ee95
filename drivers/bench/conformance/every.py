"""What every driver must keep, whatever its class (device-classes C.0)."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from urllib.parse import urlsplit

from drivers.bench.conformance import Bench, Broken, NotTried, check, ends_within, until
from drivers.host import SupervisedDevice
from drivers.host.device_process import CLOSE_SECONDS
from drivers.host.interface import methods_of
from drivers.messages import DeviceState, DeviceStatus
from drivers.registry import protocol_of

STATUS_SECONDS = 2.0
STARTING_SECONDS = 10.0
GONE_SECONDS = 2.0
"""For a program a driver had started to be killed with it, and collected by the system."""
BACK_SECONDS = 3.0
BUSY_MACHINE_TIMES = 4
"""A machine on which the first start took long gives a restart as many times longer."""
MOST_FEATURES = 100
NOT_THERE = (DeviceState.NO_DEVICE, DeviceState.OFFLINE, DeviceState.POWER_OFF)
WORD = re.compile(r"[a-z][a-z0-9_]*")


@check("capabilities are honest and stable")
async def capabilities(bench: Bench) -> str:
    said, failure, _ = await ends_within(bench.device.request("capabilities"), 5.0)
    if failure is not None:
        raise failure
    if said.device_class != bench.config.device_class:
        raise Broken(f"it says it is a {said.device_class}, not a {bench.config.device_class}")
    if said.driver != bench.config.driver or not said.version:
        raise Broken(
            f"it calls itself {said.driver!r} version {said.version!r}: say {bench.config.driver!r} and a version"
        )
    known = methods_of(protocol_of(bench.config.device_class))
    strange = [name for name in said.cancellable if name not in known]
    if strange:
        raise Broken(f"it can cancel {', '.join(strange)}, which its protocol does not have")
    words = [word for word in said.features if not WORD.fullmatch(word)]
    if words:
        raise Broken(f"features are lower-case words with underscores: {', '.join(words)}")
    if len(said.features) > MOST_FEATURES:
        raise Broken(f"it declares {len(said.features)} features: say what the citizen's side can use")
    again = await bench.device.request("capabilities")
    if again.model_copy(update={"serial": said.serial, "firmware": said.firmware}) != said:
        raise Broken("it declares something else when asked again")
    return f"version {said.version}; {', '.join(sorted(said.features)) or 'no features'}"


@check("status answers in time, with explicit unknowns")
async def status(bench: Bench) -> str:
    said, failure, taken = await ends_within(bench.device.request("status"), STATUS_SECONDS)
    if failure is not None:
        raise Broken(f"status must never raise: {failure}")
    said = await _no_longer_starting(bench.device)
    if said.device in NOT_THERE:
        why = ", ".join(fault.code for fault in said.faults) or "without a fault"
        raise Broken(f"the device is not there ({said.device}, {why}): a driver is certified against its device")
    empty = [name for name, value in said.parts.items() if not value]
    if empty:
        raise Broken(f"parts it cannot report are 'unknown', never empty: {', '.join(empty)}")
    if not said.is_fit and not said.faults and said.device is not DeviceState.UNKNOWN:
        raise Broken(f"{said.device} without a fault: nobody knows who must act")
    naive = [fault.code for fault in said.faults if fault.since.utcoffset() is None]
    if naive:
        raise Broken(f"moments carry their zone: {', '.join(naive)}")
    again = await bench.device.request("status")
    if set(again.parts) != set(said.parts):
        raise Broken("the set of parts changes from one answer to the next")
    parts = ", ".join(f"{name} {value}" for name, value in sorted(said.parts.items()))
    return f"{said.device} in {taken * 1000:.0f} ms; {parts or 'no parts'}"


@check("wipe can be asked twice")
async def wipe(bench: Bench) -> str:
    for _ in range(2):
        _, failure, _ = await ends_within(bench.device.request("wipe"), 3.0)
        if failure is not None:
            raise failure
    return ""


@check("a killed process comes back, and leaves nothing")
async def comes_back(bench: Bench) -> str:
    pid = bench.device.pid
    if pid is None:
        raise Broken("its process does not live")
    os.kill(pid, signal.SIGKILL)
    patience = max(BACK_SECONDS, BUSY_MACHINE_TIMES * bench.start_seconds)
    taken = await until(lambda: bench.device.is_ready and bench.device.pid != pid, patience)
    _, failure, answer = await ends_within(bench.device.request("status"), STATUS_SECONDS)
    if failure is not None:
        raise failure
    await until(lambda: not _group_lives(pid), patience)
    return f"answers after {taken + answer:.2f} s"


@check("close releases the device for the next one")
async def close(bench: Bench) -> str:
    pid = bench.device.pid
    before, _, _ = await ends_within(bench.device.request("status"), STATUS_SECONDS)
    begun = time.monotonic()
    await bench.device.close()
    taken = time.monotonic() - begun
    if taken >= CLOSE_SECONDS:
        raise Broken(f"its close did not end within {CLOSE_SECONDS:g} s: the process was killed")
    async with bench.another() as other:
        await other.open()
        after, failure, _ = await ends_within(other.request("status"), STATUS_SECONDS)
        if failure is not None:
            raise failure
        if before is not None and before.is_fit and not after.is_fit:
            raise Broken(f"it was {before.device} before it was closed and is {after.device} after")
    deadline = time.monotonic() + GONE_SECONDS
    while pid is not None and _group_lives(pid):
        if time.monotonic() > deadline:
            raise Broken("processes it had started outlived its close")
        await asyncio.sleep(0.01)
    return ""


@check("a wrong place is a typed error, not a bug")
async def absent(bench: Bench) -> str:
    if bench.address_option is None:
        raise NotTried("the driver has no place to set")
    given = str(bench.config.options.get(bench.address_option, ""))
    async with bench.another(**{bench.address_option: _nowhere(given)}) as other:
        _, failure, _ = await ends_within(other.open(), 15.0)
        if failure is not None:
            return f"{failure.kind}/{failure.reason} at once"
        said = await _no_longer_starting(other)
        if said.is_fit and (await other.capabilities()).status_source in ("inferred", "none"):
            raise NotTried("its status is inferred: only a command can tell that nothing is there")
        if said.is_fit or not said.faults:
            raise Broken(f"nothing is there, and its status is {said.device} with {len(said.faults)} faults")
        return f"{said.device}, {said.faults[0].code}, {said.faults[0].action}"


async def _no_longer_starting(device: SupervisedDevice) -> DeviceStatus:
    begun = time.monotonic()
    while True:
        said, failure, _ = await ends_within(device.request("status"), STATUS_SECONDS)
        if failure is not None:
            raise Broken(f"status must never raise: {failure}")
        status: DeviceStatus = said
        if status.device is not DeviceState.STARTING:
            return status
        if time.monotonic() - begun > STARTING_SECONDS:
            raise Broken(f"it is still starting after {STARTING_SECONDS:g} s: say unknown when it cannot tell")
        await asyncio.sleep(0.1)


def _nowhere(given: str) -> str:
    scheme = urlsplit(given).scheme if "://" in given else ""
    path = urlsplit(given).path if scheme else ""
    return f"{scheme}://127.0.0.1:1{path}" if scheme else "/dev/nonexistent"


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
