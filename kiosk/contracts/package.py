"""A package (一件事; one industry, one licence 一业一证): a matter made of matters, written as data.

Its file has a matter's head and, instead of steps, `package:`; `compose` makes one Matter of it and its members
(kiosk/contracts/compose.py). What is the same is asked, collected, reviewed, signed and paid once; each part is
submitted by its own steps and has an outcome of its own.
"""

from __future__ import annotations

from pydantic import Field

from kiosk.contracts.matter import Condition, MatterHead, Slug, Source, Step
from kiosk.contracts.value import Contract

MOST_PARTS = 15


class PackagePart(Contract):
    """A member, and when it is part of what this citizen needs. `when` names what `before` asks."""

    matter: Slug
    when: Condition = {}
    needs: tuple[Slug, ...] = Field(
        default=(), description="parts before it that must have been handed in with success"
    )


class Package(Contract):
    """`before`: steps ahead of the members', for example one `ask`. `after`: steps when all parts have an outcome,
    for example the composite licence; they are a part themselves, under the package's own id.

    A member's step S is named MEMBER_S there: service.food_licence_submit.number. `answers` says what is settled by
    the package itself (`purpose: school`), or known from another value (`credit_code:
    service.company_registration_register.credit_code`, which one part's authority gives and the later parts send).
    """

    parts: tuple[PackagePart, ...] = Field(min_length=2, max_length=MOST_PARTS)
    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    answers: dict[Slug, str] = Field(
        default={},
        description="fields and questions of the members that need not be asked here: a choice or text, or a source",
    )
    without: dict[Slug, Source] = Field(
        default={},
        description="certificates this package only brings about: not collected, not looked up; type and the source of "
        "the identifier it gets",
    )


class PackageMatter(MatterHead):
    package: Package
