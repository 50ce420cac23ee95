"""One cell of the fault matrix: a knob of a simulator, and how it must end for device, caller, citizen and staff."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from drivers.messages import DeviceState, FaultAction

Deed = Callable[[Any], Awaitable[object]]
"""What is asked of the device's proxy while the fault lasts. Its result is the command's, or a completion as text."""


@dataclass(frozen=True, eq=False)
class FaultCase:
    """`completion` is "done", "KIND/REASON" of the DeviceError, or "OUTCOME/REASON" of a result that says so itself.

    `code` names the fault the status carries then ("" = none) and the sentence it has in assets/i18n/faults; without
    one the sentence is that of the completion's reason. `during` orders the fault when the deed has begun.

    `options` may hold "{address}" where the simulator's address belongs, besides the usual option. `orders` set the
    scene before the fault (`place lin`, `remove` …); afterwards the runner orders `clear`, wipes the device and waits
    until it is fit again, with the same process. Set `mends` to False where a `clear` cannot mend: the next case begins
    anew.
    """

    driver: str
    fault: str
    deed: Deed
    completion: str
    device: DeviceState = DeviceState.ONLINE
    code: str = ""
    action: FaultAction | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    simulator_options: Mapping[str, str] = field(default_factory=dict)
    during: bool = False
    orders: tuple[str, ...] = ()
    mends: bool = True
    unplayable: str = ""
    """Why the simulator cannot be played on this machine; the case is then skipped, and still told."""

    @property
    def device_class(self) -> str:
        return self.driver.partition("/")[0]

    @property
    def sentence(self) -> str:
        """The code whose sentences are told; empty when nothing has to be told."""
        return self.code or self.completion.partition("/")[2]
