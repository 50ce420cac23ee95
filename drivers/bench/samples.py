"""Commands anybody may give a device as often as they like: nothing moves, nothing is spent, nobody is looked at.

A class is asked with what stands here; a command that needs nothing said beside its limit is found without it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from drivers.bench.conformance import NotTried
from drivers.host.interface import LIMIT_ARGUMENT, Method, methods_of
from drivers.messages import CodePurpose, DeviceClass, SignatureBox
from drivers.registry import protocol_of

WAITS: Final = ("read", "wait", "capture")
"""Commands that wait for the citizen."""
NOBODY: Final = "yizhan-no-such-order"

ARGUMENTS: Final[dict[tuple[str, str], dict[str, Any]]] = {
    (DeviceClass.CODE_SCANNER, "read"): {"purpose": CodePurpose.DOCUMENT},
    (DeviceClass.FACE_CAMERA, "preview"): {},
    (DeviceClass.DOCUMENT_SCANNER, "preview"): {},
    (DeviceClass.CABINET, "watch"): {},
    (DeviceClass.CABINET, "readings"): {},
    (DeviceClass.FACE_MATCHER, "verify"): {"reference_png": b"", "consent_id": "check"},
    (DeviceClass.FINGERPRINT_READER, "read"): {"consent_id": "check"},
    (DeviceClass.SIGNATURE_PAD, "capture"): {
        "document_sha256": "0" * 64, "box": SignatureBox(width_mm=60.0, height_mm=30.0),
    },
    (DeviceClass.ID_CARD_READER, "decode_photo"): {"photo": b""},
    (DeviceClass.DOCUMENT_PRINTER, "find_job"): {"job_id": NOBODY, "printer_job_id": None},
    (DeviceClass.PAYMENT_TERMINAL, "methods"): {},
    (DeviceClass.PAYMENT_TERMINAL, "find_payment"): {"order_id": NOBODY},
}  # fmt: skip


@dataclass(frozen=True)
class Question:
    """A command and what is said with it, beside its limit."""

    method: Method
    arguments: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.method.name

    def within(self, seconds: float) -> dict[str, Any]:
        """The arguments, and the limit where the command has one."""
        has_limit = LIMIT_ARGUMENT in self.method.signature.parameters
        return self.arguments | ({LIMIT_ARGUMENT: seconds} if has_limit else {})


def waits_of(device_class: str) -> list[Question]:
    """What waits for the citizen and answers once. Raises `NotTried` when the class has none."""
    found = [
        question
        for question in questions_of(device_class)
        if question.name.startswith(WAITS) and not question.method.streams and LIMIT_ARGUMENT in question.within(1.0)
    ]
    if not found:
        raise NotTried("this class has no command that only waits")
    return found


def questions_of(device_class: str) -> list[Question]:
    """All of them, streams too."""
    return [
        Question(method, ARGUMENTS.get((device_class, method.name), {}))
        for method in methods_of(protocol_of(device_class)).values()
        if (device_class, method.name) in ARGUMENTS or _only_waits(method)
    ]


def _only_waits(method: Method) -> bool:
    parameters = method.signature.parameters
    return (
        method.name.startswith(WAITS)
        and not method.streams
        and not method.acts
        and LIMIT_ARGUMENT in parameters
        and all(parameter.default is not parameter.empty for parameter in parameters.values())
    )
