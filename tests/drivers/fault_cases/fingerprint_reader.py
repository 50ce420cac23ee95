"""What befalls a fingerprint reader (device-classes C.9)."""

from __future__ import annotations

from functools import partial
from typing import Any

from drivers.messages import DeviceState, FaultAction, FingerTemplate
from tests.drivers.fault_cases.case import FaultCase

CONSENT = "consent-1"
SECONDS = 12.0
IN_VAIN_SECONDS = 2.0


async def _read(reader: Any, seconds: float = SECONDS) -> object:
    last = None
    async for item in reader.read(consent_id=CONSENT, timeout_seconds=seconds):
        last = item
    assert isinstance(last, FingerTemplate)
    return last


async def _read_in_vain(reader: Any) -> object:
    return await _read(reader, IN_VAIN_SECONDS)


async def _verify(reader: Any) -> object:
    template = FingerTemplate(format="r503", template=bytes(range(256)), quality=50)
    last = None
    async for item in reader.verify(reference=template, consent_id=CONSENT, timeout_seconds=SECONDS):
        last = item
    return last


_case = partial(
    FaultCase, "fingerprint_reader/r503", deed=_read, simulator_options={"card": "thumb"},
    options={"fake_code": 0x3A}, orders=("remove", "place thumb"),
)  # fmt: skip
_survived = partial(_case, completion="done", parts={"sensor": "ok", "holds_data": "no"})
_poor = partial(_case, completion="media_error/low_quality", parts={"sensor": "ok", "holds_data": "no"})
_line = partial(_case, device=DeviceState.HARDWARE_ERROR, action=FaultAction.CONFIGURATION)

CASES: tuple[FaultCase, ...] = (
    _survived("noise"),
    _survived("slow"),
    _survived("corrupt_once"),
    _survived("truncated_once"),
    _survived("poor_once"),
    _survived("no_light"),
    _survived("stored"),
    _survived("restarted"),
    _poor("dry"),
    _poor("wet"),
    _poor("poor"),
    _poor("small"),
    _poor("capture_failed"),
    _poor("other_finger"),
    _case("fake", completion="media_error/fake_suspected"),
    _case(
        "dirty", completion="needs_attention/dirty", code="dirty", action=FaultAction.CLEAR, parts={"sensor": "dirty"},
    ),
    _case("no_finger", deed=_read_in_vain, completion="timed_out/no_finger"),
    _case("finger_left", deed=_read_in_vain, completion="timed_out/finger_left"),
    _case("download_lost", deed=_verify, completion="hardware_fault/transfer_failed"),
    _case(
        "sensor_failed", completion="hardware_fault/sensor_failed", device=DeviceState.HARDWARE_ERROR,
        code="sensor_failed", action=FaultAction.MAINTENANCE, parts={"sensor": "inoperative"},
    ),
    _line("wrong_password", completion="hardware_fault/wrong_password", code="wrong_password"),
    _line("endless", completion="hardware_fault/wrong_device", code="wrong_device"),
    _line("wrong_device", completion="hardware_fault/wrong_device", code="wrong_device"),
    _case(
        "silent", completion="device_offline/device_offline", device=DeviceState.OFFLINE, code="device_offline",
        action=FaultAction.MAINTENANCE,
    ),
)  # fmt: skip
