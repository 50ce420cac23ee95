"""One device of this machine as it is configured, and what it means when its driver refuses to stand."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from drivers.errors import ERROR_KINDS, DeviceError, HardwareFault, Unsupported
from drivers.host.process import Ending
from drivers.messages import Message

EXPECTED_DEVICE = "expected_device"


class DeviceConfig(Message):
    """One device of this machine. `driver` is CLASS/MODEL; `options` are checked by the driver's own `Options`."""

    name: str
    driver: str
    options: dict[str, Any] = {}
    expected_device: str = Field(default="", description="serial number, USB serial or vendor:product; empty: any")

    @model_validator(mode="before")
    @classmethod
    def _of_the_house(cls, given: Any) -> Any:
        """`expected_device` may stand among the options, as machine.toml and the bench have it."""
        if not isinstance(given, dict) or EXPECTED_DEVICE not in given.get("options", {}):
            return given
        options = dict(given["options"])
        return {**given, EXPECTED_DEVICE: options.pop(EXPECTED_DEVICE), "options": options}

    @property
    def device_class(self) -> str:
        return self.driver.partition("/")[0]


def refusal_of(name: str, ending: Ending) -> DeviceError | None:
    """What the driver said when it could not be opened; None when it said nothing."""
    if ending.error is None:
        return None
    kind = ERROR_KINDS.get(ending.error["kind"], DeviceError)
    return kind(f"{name}: {ending.error['message']}", ending.error["reason"])


def is_permanent(refusal: DeviceError) -> bool:
    """No restart mends it: somebody must change something first."""
    return isinstance(refusal, HardwareFault | Unsupported) or refusal.reason == "library_missing"
