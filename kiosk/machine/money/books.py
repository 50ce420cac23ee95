"""What the journal says of an order: which money is open, and whether what it paid for was delivered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from kiosk.contracts.events import Disposition, JournalEntry

PAGE = 500

_STEP_OF = {"service_begun": "request_id", "print_begun": "job_id", "card_write_begun": "job_id"}
_ENDS = {
    "service_ended": "request_id", "service_reconciled": "request_id", "print_ended": "job_id",
    "print_reconciled": "job_id", "card_write_ended": "job_id", "card_write_reconciled": "job_id",
}  # fmt: skip


class Effect(Protocol):
    @property
    def effect_id(self) -> str: ...
    @property
    def event(self) -> str: ...
    @property
    def sequence(self) -> int: ...
    @property
    def transaction_number(self) -> str | None: ...
    @property
    def data(self) -> dict[str, Any]: ...
    @property
    def is_uncertain(self) -> bool: ...


class OpenTransaction(Protocol):
    @property
    def transaction_number(self) -> str: ...


class Books(Protocol):
    """The part of the journal money needs."""

    def append(self, event: str, /, *, transaction_number: str | None = None, **data: Any) -> Any: ...

    def end_effect(
        self, effect_id: str, event: str, /, *, disposition: Disposition, transaction_number: str | None = None,
        **data: Any,
    ) -> Any: ...  # fmt: skip

    def entries(self, after: int = 0, limit: int = 500) -> list[JournalEntry]: ...

    def open_effects(self) -> Sequence[Effect]: ...

    def open_transactions(self) -> Sequence[OpenTransaction]: ...


@dataclass
class Deed:
    """One act of the delivery: a request to an authority, a page, a card."""

    kind: str
    id: str
    outcome: str = ""
    """A Disposition, or empty while only its intent is written."""


@dataclass
class Delivery:
    """What the journal knows of what an order paid for. `decided`: yes, no, or ask after `open_deeds`.

    `lines`: of a package, the deeds each line of the bill pays for; each line is delivered or goes back alone.
    `is_said`: the flow itself said that the delivery is over.
    """

    decided: Literal["yes", "no", "open"] = "no"
    undelivered: tuple[str, ...] = ()
    open_deeds: tuple[Deed, ...] = ()
    deeds: dict[str, Deed] = field(default_factory=dict)
    allowed: tuple[str, ...] = ()
    lines: dict[str, tuple[str, ...]] = field(default_factory=dict)
    is_said: bool = False

    @property
    def is_certain(self) -> bool:
        """Delivered, whatever still happens: said so, or everything allowed has been done."""
        return self.decided == "yes" and (self.is_said or not self.lines)

    def judged_again(self) -> Delivery:
        """After the open deeds have been asked after, and know their outcome."""
        return judged_lines(self.allowed, self.lines, self.deeds)


def delivery_of(order: Effect, books: Books) -> Delivery:
    """Read on from the order's intent. Delivered is what was said to be, or all deeds allowed for it that succeeded."""
    allowed: tuple[str, ...] = ()
    lines: dict[str, tuple[str, ...]] = {}
    deeds: dict[str, Deed] = {}
    steps: dict[str, str] = {}
    for entry in _entries_of(order, books):
        data = entry.data
        match entry.event:
            case "payment_delivered" if data.get("order_id") == order.effect_id:
                undelivered = tuple(part for part in str(data.get("undelivered", "")).split(",") if part)
                return Delivery("yes", undelivered, is_said=True)
            case "delivery_allowed" if data.get("order_id") == order.effect_id:
                allowed = tuple(str(data.get("steps", "")).split(","))
                lines = _lines_of(str(data.get("lines", "")))
            case event if event in _STEP_OF:
                id = str(data.get(_STEP_OF[event], ""))
                steps[id] = str(data.get("step", ""))
                deeds[steps[id]] = Deed(event.removesuffix("_begun"), id)
            case event if event in _ENDS:
                id = str(data.get(_ENDS[event], ""))
                deed = deeds.get(steps.get(id, ""))
                if deed is not None and deed.id == id:
                    deed.outcome = str(data.get("disposition", ""))
            case _:
                pass
    return judged_lines(allowed, lines, deeds)


def _lines_of(said: str) -> dict[str, tuple[str, ...]]:
    """From `l0=step,l1=step,l1=step`."""
    lines: dict[str, tuple[str, ...]] = {}
    for pair in said.split(","):
        line, _, step = pair.partition("=")
        if step:
            lines[line] = (*lines.get(line, ()), step)
    return lines


def judged_lines(allowed: tuple[str, ...], lines: dict[str, tuple[str, ...]], deeds: dict[str, Deed]) -> Delivery:
    """Of a package line by line: delivered when one line is, and the others go back. Else the order as a whole."""
    if not lines:
        return replace(judged_delivery(allowed, deeds), allowed=allowed)
    judged = {line: judged_delivery(steps, deeds) for line, steps in lines.items()}
    open_deeds = tuple(deed for each in judged.values() for deed in each.open_deeds)
    missing = tuple(line for line, each in judged.items() if each.decided == "no")
    decided: Literal["yes", "no", "open"] = "no" if len(missing) == len(lines) else "yes"
    return Delivery("open" if open_deeds else decided, missing, open_deeds, deeds, allowed, lines)


def judged_delivery(allowed: tuple[str, ...], deeds: dict[str, Deed]) -> Delivery:
    """Nothing allowed, a deed never begun or one that failed: not delivered. A request without a sure end is asked
    after at the centre. A page or a card nobody can be asked about counts as not delivered: the citizen gets the money.
    """
    if not allowed:
        return Delivery("no", deeds=deeds)
    found = [deeds.get(step) for step in allowed]
    if any(deed is None or (deed.outcome == Disposition.FAILED) for deed in found):
        return Delivery("no", deeds=deeds)
    unsure = [deed for deed in found if deed is not None and deed.outcome != Disposition.SUCCEEDED]
    if any(deed.kind != "service" for deed in unsure):
        return Delivery("no", deeds=deeds)
    if unsure:
        return Delivery("open", open_deeds=tuple(unsure), deeds=deeds)
    return Delivery("yes", deeds=deeds)


def _entries_of(order: Effect, books: Books) -> Iterator[JournalEntry]:
    after = order.sequence
    while page := books.entries(after, PAGE):
        for entry in page:
            if entry.transaction_number == order.transaction_number:
                yield entry
        after = page[-1].sequence
