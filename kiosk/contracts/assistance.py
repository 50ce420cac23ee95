"""A remote helper: a person of the centre who sees what kind of screen stands at a terminal, and never whose values.

| request                           | body → answer                                                            |
|-----------------------------------|--------------------------------------------------------------------------|
| POST assistance                   | AssistanceRequest → AssistanceCall; the terminal's earlier call ends     |
| PUT  assistance/{id}              | AssistanceReport → AssistanceStanding; 404 `no_call` once it is over     |
| POST assistance/{id}/end          | AssistanceEnd → 204                                                      |

The centre hints `assistance` when somebody takes the call, writes, points or ends it. Nothing in this contract lets a
helper tap, type, or see a value: there is no message for it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kiosk.contracts.value import Contract, Language, LocalizedText

NOBODY_SECONDS = 180
"""After so long without anybody taking the call, it ends."""
LONGEST_SECONDS = 1800
SILENT_SECONDS = 30
"""Neither side waits longer for the other: the call is over."""
LONGEST_WORDS = 120
MAXIMUM_PARTS = 60


class Touchable(Contract):
    """Something to touch. `name` is what a helper points at; `label` is None where it may say something personal."""

    name: str = Field(max_length=100)
    label: LocalizedText | None = None
    enabled: bool = True
    is_primary: bool = False


class AskedField(Contract):
    """A field of a form: whether something stands in it, never what."""

    name: str = Field(max_length=100)
    label: LocalizedText | None = None
    is_required: bool = True
    is_filled: bool = False
    is_wrong: bool = False


class ScreenDescription(Contract):
    """What stands on the screen, without any personal value. A text is None where it may hold one.

    `screen` differs for every screen. `shown` are the labels of values that stand there; their values stay there.
    """

    screen: int
    stage: str = Field(max_length=20)
    kind: str = Field(default="", max_length=20)
    place: str = Field(default="", max_length=20)
    matter: LocalizedText | None = None
    step: int = Field(default=0, ge=0, le=250)
    steps: int = Field(default=0, ge=0, le=250)
    title: LocalizedText | None = None
    say: LocalizedText | None = None
    touchables: tuple[Touchable, ...] = Field(default=(), max_length=MAXIMUM_PARTS)
    fields: tuple[AskedField, ...] = Field(default=(), max_length=MAXIMUM_PARTS)
    shown: tuple[LocalizedText | None, ...] = Field(default=(), max_length=MAXIMUM_PARTS)


class AssistanceRequest(Contract):
    """The citizen agreed to this, knowing what is seen."""

    mode: Literal["standard", "elder"]
    language: Language
    description: ScreenDescription


class AssistanceCall(Contract):
    id: str


class AssistanceReport(Contract):
    """`heard` is the number of the last message shown."""

    mode: Literal["standard", "elder"]
    language: Language
    description: ScreenDescription
    heard: int = 0


class HelperMessage(Contract):
    """A sentence, or something to point at on the screen it was meant for, or both."""

    number: int
    text: LocalizedText | None = None
    is_ready: bool = Field(default=True, description="one of the ready sentences; else the helper's own words")
    point: str = Field(default="", max_length=100)
    screen: int = 0


class AssistanceStanding(Contract):
    state: Literal["waiting", "taken", "ended"]
    messages: tuple[HelperMessage, ...] = ()


class AssistanceEnd(Contract):
    """Who ended it at the terminal: the citizen, the end of the visit, nobody who took it, or the link."""

    reason: Literal["citizen", "session", "nobody", "lost"]
