"""Faces and fingers (spike-face 4; device-classes C.3, C.9). Templates and frames never leave their process."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import ConfigDict, Field

from drivers.messages.common import Message


class FaceDecision(StrEnum):
    ACCEPT = "accept"
    RETRY = "retry"
    REJECT = "reject"
    STAFF = "staff"  # attempts exhausted, or the engine cannot decide: another way in


class FaceVerdict(Message):
    """The end of one face check. `reason` is a code of spike-face 4 (NO_MATCH, STEP_TIMEOUT …), empty on accept."""

    decision: FaceDecision
    reason: str = ""
    distance: float | None = Field(default=None, description="smaller is more alike; two decimals")
    accept_at: float
    retry_at: float
    engine: str
    model_sha256: str
    attempts: int
    milliseconds: dict[str, int] = Field(default={}, description="capture, detect, encode, decide, head_turn")


class FaceProgress(Message):
    """What the citizen should do now. `prompt` is a reason code or a prompt word (LOOK_STRAIGHT, TURN_LEFT …)."""

    phase: Literal["position", "neutral", "turn", "return", "decide"]
    prompt: str
    step: int = 0
    steps: int = 0


class Preview(Message):
    """A small mirror picture for the screen: width × height RGB888 rows without padding."""

    width: int
    height: int
    rgb: bytes = Field(repr=False)

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")


# --- fingers -------------------------------------------------------------------------------------------------------


class FingerGuidance(Message):
    """What the citizen should do now. `prompt` is a word of device-classes C.9: PRESENT_FINGER, LIFT_FINGER …"""

    prompt: Literal[
        "PRESENT_FINGER", "LIFT_FINGER", "PRESS_HARDER", "PRESS_SOFTER", "MOVE_TO_CENTRE", "DRY_FINGER", "CLEAN_SENSOR"
    ]
    capture: int = 0
    captures: int = 0


class FingerTemplate(Message):
    """Features of one finger, in the named format. Personal: it lives in memory until handed on."""

    format: str
    template: bytes = Field(repr=False)
    quality: int = Field(ge=0, le=100)

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")


class FingerVerdict(Message):
    """The end of one comparison. `score` in the module's own scale; larger is more alike."""

    decision: FaceDecision
    reason: str = ""
    score: int | None = None
    accept_at: int
    captures: int
