"""What the city has been told to do wrong, until told otherwise."""

from __future__ import annotations

import threading
from typing import Any

from kiosk.contracts.scenario import SandboxOrder


class Orders:
    """The newest order that fits a call wins; an order with `times` is used up."""

    def __init__(self) -> None:
        self._orders: list[tuple[SandboxOrder, int | None]] = []
        self._lock = threading.Lock()

    def give(self, order: SandboxOrder) -> None:
        with self._lock:
            self._orders.insert(0, (order, order.times))

    def clear(self) -> None:
        with self._lock:
            self._orders.clear()

    def listed(self) -> list[dict[str, Any]]:
        with self._lock:
            return [{**order.model_dump(), "left": left} for order, left in self._orders]

    def take(self, authority: str, operation: str) -> SandboxOrder | None:
        with self._lock:
            for index, (order, left) in enumerate(self._orders):
                if order.authority != authority or order.operation not in ("*", operation):
                    continue
                if left is not None:
                    self._orders[index] = (order, left - 1)
                    if left <= 1:
                        del self._orders[index]
                return order
        return None
