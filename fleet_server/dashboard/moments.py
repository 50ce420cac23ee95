"""Moments and lengths of time as staff read them: Chinese standard time, the day first."""

from __future__ import annotations

import datetime as dt

from fleet_server.dashboard.catalogue import Words
from fleet_server.database import now

CITY_TIME = dt.timezone(dt.timedelta(hours=8), "UTC+8")
"""China keeps one time and no summer time."""
MINUTE, HOUR, DAY = 60, 3600, 86400


def midnight(moment: dt.datetime | None = None) -> dt.datetime:
    """When the city's day of this moment began."""
    return (moment or now()).astimezone(CITY_TIME).replace(hour=0, minute=0, second=0, microsecond=0)


def shown(words: Words, moment: dt.datetime | None) -> str:
    """今天 10:32, 昨天 22:10, 11-20 08:15, 2025-12-31 23:59."""
    if moment is None:
        return words("time.never")
    local, today = moment.astimezone(CITY_TIME), now().astimezone(CITY_TIME).date()
    match (today - local.date()).days:
        case 0:
            return words("time.today", time=f"{local:%H:%M}")
        case 1:
            return words("time.yesterday", time=f"{local:%H:%M}")
    return f"{local:%m-%d %H:%M}" if local.year == today.year else f"{local:%Y-%m-%d %H:%M}"


def exactly(moment: dt.datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(CITY_TIME):%Y-%m-%d %H:%M:%S} UTC+8"


def lasting(words: Words, since: dt.datetime | None) -> str:
    """How long something has lasted, in its one or two greatest units."""
    if since is None:
        return ""
    seconds = max(0, int((now() - since).total_seconds()))
    if seconds < MINUTE:
        return words("time.moments")
    if seconds < HOUR:
        return words("time.minutes", count=seconds // MINUTE)
    if seconds < DAY:
        return words("time.hours", hours=seconds // HOUR, minutes=seconds % HOUR // MINUTE)
    return words("time.days", days=seconds // DAY, hours=seconds % DAY // HOUR)


def ago(words: Words, moment: dt.datetime | None) -> str:
    if moment is None:
        return words("time.never")
    if (now() - moment).total_seconds() < MINUTE:
        return words("time.just_now")
    return words("time.ago", length=lasting(words, moment))


def read_moment(text: object) -> dt.datetime | None:
    """A moment a terminal wrote, in city time; None when it is none, or one the city has no time for."""
    try:
        moment = dt.datetime.fromisoformat(str(text))
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(CITY_TIME)
    except (ValueError, OverflowError):
        return None
