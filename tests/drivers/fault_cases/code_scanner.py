"""What befalls code scanners: on a serial line, as keyboards, in camera pictures (device-classes C.7)."""

from __future__ import annotations

from functools import partial
from typing import Any

from drivers.host.lives import system
from drivers.messages import CodePurpose, DeviceState, FaultAction
from tests.drivers.fault_cases.case import FaultCase

READ_SECONDS = 6.0
IN_VAIN_SECONDS = 1.5
CODE = "6901234567892"

# The make-believe input device lives in two environment variables, which no terminal hands on to its drivers.
system.INHERITED |= system.TEST_BEDS


async def _read(scanner: Any) -> object:
    return await scanner.read(purpose=CodePurpose.DOCUMENT, pattern=r"\d{13}", timeout_seconds=READ_SECONDS)


async def _read_in_vain(scanner: Any) -> object:
    return await scanner.read(purpose=CodePurpose.DOCUMENT, pattern=r"\d{13}", timeout_seconds=IN_VAIN_SECONDS)


_case = partial(FaultCase, deed=_read, orders=(f"place {CODE}",))
_nobody = partial(_case, deed=_read_in_vain, completion="timed_out/timed_out")
_absent = partial(
    _case, fault="unplug", completion="device_offline/unplugged", device=DeviceState.NO_DEVICE, code="device_absent",
    action=FaultAction.CLEAR, parts={"scanner": "unknown"},
)  # fmt: skip
_endless = partial(
    _case, fault="endless", completion="hardware_fault/wrong_device", device=DeviceState.HARDWARE_ERROR,
    code="wrong_device", action=FaultAction.CONFIGURATION,
)  # fmt: skip

SERIAL = partial(_case, "code_scanner/serial_line")
HID = partial(_case, "code_scanner/hid")
CAMERA = partial(_case, "code_scanner/camera_qr")

CASES: tuple[FaultCase, ...] = (
    SERIAL("wrong_code", completion="media_error/pattern_mismatch"),
    SERIAL("burst", completion="done"),
    SERIAL("partial", completion="media_error/barcode_invalid"),
    SERIAL("garbled", completion="media_error/barcode_invalid"),
    _nobody("code_scanner/serial_line", "silent"),
    _endless("code_scanner/serial_line"),
    _absent("code_scanner/serial_line", completion="device_absent/device_absent"),
    _absent("code_scanner/serial_line", during=True, orders=("remove",)),
    HID("wrong_code", completion="media_error/pattern_mismatch"),
    HID("burst", completion="done"),
    HID("partial", completion="media_error/barcode_invalid"),
    HID("strange_keys", completion="media_error/barcode_invalid"),
    HID("lost_keys", completion="media_error/barcode_invalid"),
    _nobody("code_scanner/hid", "silent"),
    _endless("code_scanner/hid"),
    _absent("code_scanner/hid", completion="device_absent/device_absent"),
    _absent("code_scanner/hid", during=True, orders=("remove",)),
    CAMERA("wrong_code", completion="media_error/pattern_mismatch", parts={"window": "clear"}),
    _nobody("code_scanner/camera_qr", "partial", parts={"window": "clear"}),
    _nobody("code_scanner/camera_qr", "blur", parts={"window": "clear"}),
    CAMERA(
        "dark", deed=_read_in_vain, completion="needs_attention/window_obstructed", device=DeviceState.USER_ERROR,
        code="window_obstructed", action=FaultAction.CLEAR, parts={"window": "obstructed"},
    ),
    CAMERA(
        "frozen", completion="device_offline/camera_stalled", device=DeviceState.OFFLINE, code="camera_stalled",
        action=FaultAction.CLEAR, parts={"scanner": "inoperative"},
    ),
    CAMERA(
        "unplug", completion="device_absent/camera_absent", device=DeviceState.NO_DEVICE, code="camera_absent",
        action=FaultAction.CLEAR, parts={"scanner": "inoperative"},
    ),
    CAMERA(
        "unplug", during=True, orders=("remove",), completion="device_absent/camera_absent",
        device=DeviceState.NO_DEVICE, code="camera_absent", action=FaultAction.CLEAR, parts={"scanner": "inoperative"},
    ),
)  # fmt: skip
