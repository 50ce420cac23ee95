"""The citizen's phone in the dock: it pays what the terminal asks for, late, twice or wrongly.

It pays at the stand-in providers (`fleet_server/sandbox/payments`). What lasts (`fault …`) is how the providers behave
towards the centre, and payers of scanned codes towards us.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

PHONE = "phone"
PAYS = (
    ("pay paid", ("付款", "pay now")), ("pay late", ("关单后才付", "pay once it is closed")),
    ("pay twice", ("付两次", "pay twice")), ("pay wrong_amount", ("少付一分", "pay a fen too little")),
    ("pay silent", ("付款，通知丢失", "pay, the notice is lost")),
)  # fmt: skip
"""Orders, and how `POST /payments/pay` calls them."""
BEHAVES = ("refused", "never", "refuse", "down", "slow", "garbage")
OWED = frozenset({"waiting", "paying"})
PATIENCE_SECONDS = 15.0


class Phone:
    def __init__(self, sandbox: str) -> None:
        self._sandbox = sandbox

    def order(self, line: str) -> dict[str, Any]:
        """`pay HOW` pays the newest order that is still owed; `fault NAME` lasts until `clear`.

        Raises `ValueError` for another order and when nothing is owed, `OSError` when the providers do not answer.
        """
        verb, _, argument = line.partition(" ")
        if line in dict(PAYS):
            body = {"qr": self._owed(), "behave": argument}
            return {"ok": True, "answer": self._ask("POST", "pay", body)["state"]}
        if verb == "fault" and argument in BEHAVES:
            self._ask("POST", "orders", {"behave": argument})
        elif line == "clear":
            self._ask("DELETE", "orders")
        else:
            raise ValueError(f"the phone does not know {line!r}")
        return {"ok": True, "answer": line}

    def _owed(self) -> str:
        for trade in self._ask("GET", "trades"):
            if trade["state"] in OWED:
                return str(trade["number"])
        raise ValueError("nobody asks for money now: let the terminal show a code first")

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:
        request = urllib.request.Request(
            f"{self._sandbox}/payments/{path}", None if body is None else json.dumps(body).encode(),
            {"content-type": "application/json"}, method=method,
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            content = answer.read()
        return json.loads(content) if content else None
