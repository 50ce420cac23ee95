"""Faces and fingers (spike-face 4; device-classes C.3, C.9)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Literal, Protocol

from drivers.messages import FaceProgress, FaceVerdict, FingerGuidance, FingerTemplate, FingerVerdict, Preview
from drivers.protocols.common import Device


class FaceCamera(Device, Protocol):
    """A camera that looks at the citizen, alone (device-classes C.3). A second, infrared one where it is declared."""

    def preview(self, sensor: Literal["rgb", "ir"] = "rgb") -> AsyncGenerator[Preview, None]:
        """A mirror, until the caller leaves the iteration. Raises `Unsupported` (`not_fitted`), `DeviceBusy`,
        `DeviceAbsent` (`camera_absent`), `DeviceOffline` (`camera_lost`, `camera_stalled`)."""
        ...


class FaceCheck(Device, Protocol):
    """Camera and comparison engine in one process: frames and templates never leave it (spike-face 4)."""

    def verify(
        self, *, reference_png: bytes, consent_id: str, head_turn: bool = True, timeout_seconds: float = 30.0
    ) -> AsyncGenerator[FaceProgress | Preview | FaceVerdict, None]:
        """Compare the person before the camera with a reference picture; the last item is the `FaceVerdict`.

        `consent_id` names the citizen's consent in the journal; an empty one raises `ConsentRequired`.
        Leaving the iteration early stops the camera and wipes the frames.
        """
        ...


class FingerprintReader(Device, Protocol):
    """Optical or capacitive module (device-classes C.9). It keeps nothing: persistence is `clear`."""

    def read(
        self, *, consent_id: str, captures: int = 2, timeout_seconds: float = 30.0
    ) -> AsyncGenerator[FingerGuidance | FingerTemplate, None]:
        """Guide the finger and end with its template. An empty `consent_id` raises `ConsentRequired`.

        Raises `CommandTimedOut` (`no_finger`, `finger_left`), `MediaError` (`low_quality`, `read_failed`,
        `fake_suspected`), `NeedsAttention` (`dirty`). A reader takes more captures than asked for where it needs them.
        """
        ...

    def verify(
        self, *, reference: FingerTemplate, consent_id: str, timeout_seconds: float = 30.0
    ) -> AsyncGenerator[FingerGuidance | FingerVerdict, None]:
        """Compare a finger with a template; the last item is the verdict. Raises as `read`, and `Unsupported`
        (`format_unsupported`)."""
        ...
