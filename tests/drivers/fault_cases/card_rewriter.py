"""What befalls a unit that writes permits and prints them anew (device-classes C.2; domain.md 3.4)."""

from __future__ import annotations

import datetime as dt
import uuid
from functools import partial
from typing import Any

from drivers.messages import DeviceState, Endorsement, FaultAction, RewriteJob
from tests.drivers.fault_cases.case import FaultCase

REWRITE_SECONDS = 30.0


def _job() -> RewriteJob:
    return RewriteJob(
        job_id=uuid.uuid4().hex,
        card_number="C00000001",
        endorsement=Endorsement(kind="T", valid_from=dt.date(1931, 1, 1), valid_until=dt.date(1931, 6, 30)),
        print_lines=("往来台湾签注", "1931-01-01 至 1931-06-30"),
        token=b"sample token",
    )


async def _rewrite(unit: Any) -> object:
    return await unit.rewrite(_job(), timeout_seconds=REWRITE_SECONDS)


async def _rewrite_until_it_is_known_to_be_gone(unit: Any) -> object:
    """The line breaks first, then nothing is found where it was."""
    while (result := await unit.rewrite(_job(), timeout_seconds=REWRITE_SECONDS)).reason == "unplugged":
        pass
    return result


async def _retain(unit: Any) -> object:
    await unit.read_card(timeout_seconds=REWRITE_SECONDS)
    return await unit.retain()


_case = partial(
    FaultCase, "card_rewriter/serial_rewriter", deed=_rewrite, simulator_options={"card": "lin"},
    orders=("renew", "remove", "place lin"),
)  # fmt: skip
_survived = partial(_case, completion="done", parts={"media": "present", "head": "ok"})
_refused = partial(_case, parts={"media": "present", "chip_power": "online"})
_obstacle = partial(_case, device=DeviceState.USER_ERROR, action=FaultAction.CLEAR)
_broken = partial(_case, device=DeviceState.HARDWARE_ERROR, action=FaultAction.MAINTENANCE)
_power = partial(
    _case, device=DeviceState.NO_DEVICE, code="device_absent", action=FaultAction.CONFIGURATION,
    parts={"media": "unknown", "head": "unknown"},
)  # fmt: skip

CASES: tuple[FaultCase, ...] = (
    _survived("noise"),
    _survived("slow"),
    _survived("lost_ack"),
    _survived("lost_answer"),
    _survived("damaged_answer"),
    _refused("chip_mute", completion="failed/power_failed", parts={"chip_power": "hardware_error"}),
    _refused("token_refused", completion="failed/not_authorised"),
    _refused("write_failed", completion="failed/write_failed"),
    _refused("torn_write", completion="failed/verify_failed"),
    _refused("erase_failed", completion="print_pending/eraser_broken"),
    _refused("print_failed", completion="print_pending/head_broken"),
    _obstacle("jam", completion="failed/card_jammed", code="card_jammed", parts={"media": "jammed"}),
    _obstacle("cover_open", completion="failed/cover_open", code="cover_open", parts={"cover": "open"}),
    _obstacle(
        "head_hot", completion="failed/head_hot", code="head_hot", action=FaultAction.WAIT, parts={"head": "hot"},
    ),
    _broken("head_broken", completion="failed/head_broken", code="head_broken", parts={"head": "inoperative"}),
    _broken("eraser_broken", completion="failed/eraser_broken", code="eraser_broken", parts={"eraser": "inoperative"}),
    _case(
        "bin_full", deed=_retain, completion="needs_attention/retain_bin_full", code="retain_bin_full",
        action=FaultAction.CLEAR, parts={"retain_bin": "full"},
    ),
    _power("power_cut_before_write", completion="uncertain/unplugged"),
    _power("power_cut_in_write", completion="uncertain/unplugged"),
    _power("power_cut_after_write", completion="uncertain/unplugged"),
    _power("power_cut_in_print", completion="print_pending/unplugged"),
    _power("unplugged", deed=_rewrite_until_it_is_known_to_be_gone, completion="failed/device_absent"),
    _case(
        "silent", completion="failed/device_offline", device=DeviceState.OFFLINE, code="device_offline",
        action=FaultAction.MAINTENANCE, parts={"media": "unknown"},
    ),
    _case(
        "wrong_device", completion="failed/wrong_device", device=DeviceState.HARDWARE_ERROR, code="wrong_device",
        action=FaultAction.CONFIGURATION, parts={"media": "unknown"},
    ),
)  # fmt: skip
