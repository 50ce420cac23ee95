"""What the home page says of a matter, without its steps: read for all at once, while a matter is read when opened."""

from __future__ import annotations

from typing import Literal

from drivers.messages import DeviceClass
from kiosk.contracts.matter import CallServiceStep, Matter, Slug
from kiosk.contracts.value import Contract, LocalizedText


class ListedMatter(Contract):
    """One matter of a catalogue. `needs` and `operations` are derived from its steps."""

    id: Slug
    version: int
    title: LocalizedText
    short_title: LocalizedText | None = None
    department: Slug
    department_name: LocalizedText
    region: str
    also_in: tuple[Literal["province", "other_provinces"], ...] = ()
    audience: Literal["citizen", "enterprise", "both"] = "citizen"
    life_event: Slug
    icon: Slug
    keywords: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    favourite: int | None = None
    closed_hours: str | None = None
    needs: frozenset[DeviceClass] = frozenset()
    operations: tuple[str, ...] = ()


class Listing(Contract):
    """All matters of one bundle, in its order; kept beside it."""

    bundle: str
    matters: tuple[ListedMatter, ...]


Listed = ListedMatter | Matter
"""What a catalogue is made of."""


def listed(matter: Matter) -> ListedMatter:
    shared = matter.model_dump(include=set(ListedMatter.model_fields) & set(Matter.model_fields))
    operations = dict.fromkeys(step.operation for step in matter.steps if isinstance(step, CallServiceStep))
    return ListedMatter.model_validate({**shared, "needs": matter.needs, "operations": tuple(operations)})
