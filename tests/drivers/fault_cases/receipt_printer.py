"""What befalls a receipt printer (device-classes C.4)."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from drivers.messages import DeviceState, FaultAction, PrintJob, RuleLine, TextLine
from tests.drivers.fault_cases.case import FaultCase

PRINT_SECONDS = 4.0
LINES = tuple(TextLine(text=f"驿站样例凭条 {number}") for number in range(12))


async def _print(printer: Any) -> object:
    job = PrintJob(job_id=uuid.uuid4().hex, lines=(*LINES, RuleLine()))
    return await printer.print_receipt(job, timeout_seconds=PRINT_SECONDS)


_case = partial(FaultCase, "receipt_printer/escpos", deed=_print)
_presenter = partial(
    _case, simulator_options={"presenter": "1"}, options={"presenter": "custom", "take_seconds": 0.5},
    device=DeviceState.USER_ERROR, action=FaultAction.CLEAR,
)  # fmt: skip
_nonsense = partial(
    _case, completion="failed/wrong_device", device=DeviceState.HARDWARE_ERROR, code="wrong_device",
    action=FaultAction.CONFIGURATION, parts={"paper": "unknown"},
)  # fmt: skip
_obstacle = partial(_case, device=DeviceState.USER_ERROR, action=FaultAction.CLEAR)

CASES: tuple[FaultCase, ...] = (
    _obstacle("paper_out", completion="failed/paper_out", code="paper_out", parts={"paper": "out"}),
    _obstacle("cover_open", completion="failed/cover_open", code="cover_open", parts={"cover": "open"}),
    _obstacle(
        "hot", completion="failed/head_hot", code="head_hot", action=FaultAction.WAIT, parts={"head": "hot"},
    ),
    _obstacle(
        "cutter_jammed", completion="failed/cutter_jammed", code="cutter_jammed", device=DeviceState.HARDWARE_ERROR,
        parts={"cutter": "jammed"},
    ),
    _obstacle("offline", completion="failed/offline", code="offline", device=DeviceState.OFFLINE),
    _case("paper_low", completion="done", code="paper_low", action=FaultAction.CLEAR, parts={"paper": "low"}),
    _case("chatter", completion="done", parts={"paper": "full"}),
    _case("no_clear", completion="done", parts={"paper": "full"}),
    _case("small_buffer", completion="done", parts={"paper": "full"}),
    _obstacle("paper_out_mid_job", completion="uncertain/paper_out", code="paper_out", parts={"paper": "out"}),
    _case(
        "no_backchannel", completion="failed/disconnected", device=DeviceState.OFFLINE, code="disconnected",
        action=FaultAction.CLEAR, parts={"paper": "unknown"},
    ),
    _case(
        "backchannel_lost_mid_job", completion="uncertain/no_answer", parts={"paper": "full"},
    ),
    _case(
        "disconnect_mid_job", completion="uncertain/disconnected", device=DeviceState.NO_DEVICE, code="disconnected",
        action=FaultAction.CLEAR, parts={"paper": "unknown"},
    ),
    _nonsense("garbage"),
    _nonsense("endless"),
    _nonsense("echo"),
    _case(
        "no_barrier", options={"back_channel": "partial"}, completion="uncertain/not_confirmed",
        parts={"paper": "full"},
    ),
    _case(
        "no_backchannel", options={"back_channel": "none"}, completion="uncertain/not_confirmed",
        parts={"paper": "unknown"},
    ),
    _presenter("not_taken", completion="done", code="not_taken", parts={"media": "presented"}),
    _presenter(
        "presenter_jammed", completion="failed/paper_jammed", code="paper_jammed", parts={"media": "jammed"},
    ),
)  # fmt: skip
