"""What befalls a reader of social-security cards (device-classes C.2; domain.md section 3)."""

from __future__ import annotations

import asyncio
import uuid
from functools import partial
from typing import Any

from drivers.errors import DeviceError
from drivers.messages import DeviceState, FaultAction, RecordWrite
from tests.drivers.fault_cases.case import FaultCase

SECONDS = 15.0
SILENCE_SECONDS = 1.0
PIN = "190102"


async def _read(reader: Any) -> object:
    await reader.wait_card(timeout_seconds=SECONDS)
    return await reader.read_profile(timeout_seconds=SECONDS)


async def _read_bank_card(reader: Any) -> object:
    await reader.wait_card(timeout_seconds=SECONDS)
    return await reader.read_bank_card(timeout_seconds=SECONDS)


async def _read_impatiently(reader: Any) -> object:
    await reader.wait_card(timeout_seconds=SECONDS)
    return await reader.read_profile(timeout_seconds=SILENCE_SECONDS)


async def _read_until_it_is_known_to_be_gone(reader: Any) -> object:
    """The line breaks first, then nobody is found at its end."""
    while True:
        try:
            await reader.read_profile(timeout_seconds=SECONDS)
        except DeviceError as error:
            if error.reason == "device_absent":
                raise
        await asyncio.sleep(0.05)


async def _write(reader: Any) -> object:
    await reader.wait_card(timeout_seconds=SECONDS)
    write = RecordWrite(write_id=uuid.uuid4().hex, file="EF06", record=6, value=b"\x36\x03\x04")
    return await reader.write_record(write, timeout_seconds=SECONDS)


async def _give_pin(reader: Any) -> object:
    await reader.wait_card(timeout_seconds=SECONDS)
    result = await reader.verify_pin(PIN, timeout_seconds=SECONDS)
    return "refused/pin_blocked" if result.blocked else result


_case = partial(
    FaultCase, "smart_card_reader/pcsc", simulator_options={"card": "lin"}, orders=("remove", "place lin"), deed=_read
)
_survived = partial(_case, completion="done", parts={"media": "present", "chip_power": "online"})
_refused = partial(_case, parts={"media": "present", "write_pending": "no"})
_bank = partial(_case, orders=("remove", "place bank_lin"), deed=_read_bank_card, parts={"media": "present"})
_written = partial(_case, deed=_write, parts={"write_pending": "no"})
_torn_out = partial(
    _case, deed=_write, completion="uncertain/removed", parts={"media": "not_present", "write_pending": "yes"}
)

CASES: tuple[FaultCase, ...] = (
    _survived("wrong_length", orders=("remove", "place ouyang")),
    _survived("strict_select"),
    _survived("old_select"),
    _survived("no_file_select"),
    _survived("slow"),
    _survived("flicker"),
    _refused("wrong_card", completion="media_error/wrong_card_type"),
    _refused("wrong_issuer", completion="media_error/wrong_issuer"),
    _refused("damaged_name", completion="media_error/read_failed"),
    _refused("garbage", completion="media_error/protocol_error"),
    _refused("mute", completion="media_error/power_failed", parts={"chip_power": "hardware_error"}),
    _refused("silent", deed=_read_impatiently, completion="media_error/chip_silent"),
    _refused("pin_needed", completion="media_error/pin_needed"),
    _refused("blocked_pin", deed=_give_pin, completion="refused/pin_blocked"),
    _refused("last_try", deed=_give_pin, completion="consent_required/pin_last_try"),
    _bank("no_directory", completion="done"),
    _bank("application_blocked", completion="media_error/bank_application_blocked"),
    _case("pull_in_read", completion="media_error/removed", parts={"media": "not_present"}),
    _written("psam_missing", completion="failed/auth_needed", parts={"psam": "missing"}),
    _written("memory_failure", completion="failed/verify_failed"),
    _written("torn_write", completion="uncertain/verify_failed", parts={"write_pending": "yes"}),
    _torn_out("pull_before_write"),
    _torn_out("pull_after_write"),
    _case(
        "unplugged", deed=_read_until_it_is_known_to_be_gone, completion="device_absent/device_absent",
        device=DeviceState.NO_DEVICE, code="device_absent", action=FaultAction.CONFIGURATION,
        parts={"media": "unknown", "chip_power": "unknown"},
    ),
)  # fmt: skip
