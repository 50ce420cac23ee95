"""What befalls a reader of resident identity cards (device-classes C.1)."""

from __future__ import annotations

from functools import partial
from typing import Any

from drivers.messages import DeviceState, FaultAction
from tests.drivers.fault_cases.case import FaultCase

READ_SECONDS = 6.0
IN_VAIN_SECONDS = 1.5


async def _read(reader: Any) -> object:
    return await reader.read(timeout_seconds=READ_SECONDS)


async def _read_in_vain(reader: Any) -> object:
    return await reader.read(timeout_seconds=IN_VAIN_SECONDS)


async def _read_and_leave(reader: Any) -> object:
    await reader.read(timeout_seconds=READ_SECONDS)
    return await reader.wait_removal(timeout_seconds=IN_VAIN_SECONDS)


_case = partial(FaultCase, "id_card_reader/sdt", simulator_options={"card": "lin"}, orders=("remove", "place lin"))
_survived = partial(_case, deed=_read, completion="done", parts={"sam": "ok"})
_card = partial(_case, deed=_read, parts={"sam": "ok"})
_module = partial(
    _case, deed=_read_in_vain, device=DeviceState.HARDWARE_ERROR, action=FaultAction.MAINTENANCE,
)  # fmt: skip

_library = partial(
    FaultCase, "id_card_reader/sdk", deed=_read, simulator_options={"card": "lin"}, orders=("remove", "place lin"),
)  # fmt: skip

CASES: tuple[FaultCase, ...] = (
    _survived("noise"),
    _survived("split"),
    _survived("slow"),
    _survived("corrupt_once"),
    _survived("truncated_once"),
    _survived("refused_once"),
    _survived("moved"),
    _survived("no_sam", parts={}),
    _card("select_refused", completion="media_error/select_failed"),
    _survived("slow_read"),
    _card("two_cards", completion="media_error/select_failed"),
    _card("sam_auth_failed", completion="media_error/sam_auth_failed"),
    _card("wrong_card_type", completion="media_error/wrong_card_type"),
    _card("decode_failed", completion="media_error/decode_failed"),
    _card("moved_too_soon", completion="media_error/moved_too_soon"),
    _card("find_failed", completion="hardware_fault/unknown_error"),
    _card("card_left", deed=_read_and_leave, completion="timed_out/card_left"),
    _card("read_failed", completion="media_error/read_failed"),
    _module("self_test_failed", completion="hardware_fault/self_test_failed", code="self_test_failed"),
    _module("not_authorised", completion="hardware_fault/not_authorised", code="not_authorised"),
    _module(
        "silent", deed=_read, completion="device_offline/device_offline", device=DeviceState.OFFLINE,
        code="device_offline",
    ),
    _module(
        "endless", completion="hardware_fault/wrong_device", code="wrong_device", action=FaultAction.CONFIGURATION,
    ),
    _module(
        "wrong_device", completion="hardware_fault/wrong_device", code="wrong_device", action=FaultAction.CONFIGURATION,
    ),
    _library("slow", completion="done"),
    _library("read_failed", completion="media_error/read_failed"),
    _library("select_failed", completion="media_error/select_failed"),
    _library("short_length", completion="media_error/decode_failed"),
    _library("wrong_code", completion="hardware_fault/unknown_status"),
    _library("overrun", completion="hardware_fault/library_misbehaves"),
    _library("unplugged", completion="device_offline/unplugged"),
    _library("hang", deed=_read_in_vain, completion="timed_out/timed_out", mends=False),
    _library("crash", completion="device_offline/process_lost", mends=False),
)  # fmt: skip
