"""Hours in which a matter is closed, written as 22:00-06:00 in the city's time; they may pass midnight."""

from __future__ import annotations

import datetime as dt
import re

CLOSED_HOURS = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d-(?:[01]\d|2[0-3]):[0-5]\d")


def opens_again_at(closed_hours: str | None, moment: dt.time) -> str | None:
    """`"06:00"` when the matter is closed at this moment, else None. It opens with the last minute named."""
    if closed_hours is None or not CLOSED_HOURS.fullmatch(closed_hours):
        return None
    first, last = closed_hours.split("-")
    begins, ends = dt.time.fromisoformat(first), dt.time.fromisoformat(last)
    now = moment.replace(tzinfo=None)
    is_closed = begins <= now < ends if begins <= ends else now >= begins or now < ends
    return last if is_closed else None
