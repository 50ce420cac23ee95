"""The home page's tiles and doors, derived from the installed matters and the devices' fitness."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from drivers.messages import DeviceClass
from kiosk.contracts.hours import opens_again_at
from kiosk.contracts.listing import Listed
from kiosk.contracts.value import LocalizedText
from kiosk.flow.screens import Door, Reason, Tile
from kiosk.flow.words import Unfit, has_word, unfit_reason, word

FAVOURITES = 8
LEAST_FAVOURITE = 100


def tiles(matters: Sequence[Listed], unfit: Unfit, moment: dt.time) -> tuple[Tile, ...]:
    """One tile a matter; greyed, with the reason, when a device it needs is down or it is closed at this hour."""
    return tuple(_tile(matter, unfit, moment) for matter in matters)


def favourites(matters: Sequence[Listed]) -> tuple[str, ...]:
    """Ids of the most used matters, in the order their authors give; filled up in the catalogue's order."""
    ranked = sorted(matters, key=lambda matter: matter.favourite or LEAST_FAVOURITE)
    return tuple(matter.id for matter in ranked[:FAVOURITES])


def _tile(matter: Listed, unfit: Unfit, moment: dt.time) -> Tile:
    missing: list[DeviceClass] = sorted(matter.needs & unfit.keys())
    opens = opens_again_at(matter.closed_hours, moment)
    closed = word("closed_until").format(time=opens) if opens is not None else None
    return Tile(
        matter=matter.id,
        version=matter.version,
        title=matter.short_title or matter.title,
        department=matter.department_name,
        icon=matter.icon,
        enabled=not missing and closed is None,
        reason=unfit_reason(missing[0], unfit[missing[0]]) if missing else closed,
        search_text="\n".join((*matter.title.by_language().values(), *matter.keywords, *matter.questions)),
    )


def doors(matters: Sequence[Listed]) -> tuple[Door, ...]:
    """Life events first, then departments; of each, those with most matters first."""
    events: dict[str, list[str]] = {}
    departments: dict[str, list[str]] = {}
    names: dict[str, LocalizedText] = {}
    for matter in matters:
        events.setdefault(matter.life_event, []).append(matter.id)
        departments.setdefault(matter.department, []).append(matter.id)
        names[matter.department] = matter.department_name
    found = [
        Door(id=f"life_{event}", title=word(f"life_{event}"), icon=event, matters=tuple(members))
        for event, members in _most_first(events)
        if has_word(f"life_{event}")
    ]
    found += [
        Door(id=f"department_{id}", title=names[id], icon="department", matters=tuple(members))
        for id, members in _most_first(departments)
    ]
    return tuple(found)


def _most_first(groups: dict[str, list[str]]) -> list[tuple[str, list[str]]]:
    return sorted(groups.items(), key=lambda group: -len(group[1]))


def out_of_service_reasons(catalogue: Sequence[Tile], journal_full: bool) -> tuple[Reason, ...]:
    """Why this machine can serve nobody now; empty when it can serve at least one matter."""
    if journal_full:
        return (Reason(text=word("out_disk_full"), code="G71"),)
    if not catalogue:
        return (Reason(text=word("out_no_matters"), code="G72"),)
    if any(tile.enabled for tile in catalogue):
        return ()
    texts = {tile.reason.zh_cn: tile.reason for tile in catalogue if tile.reason is not None}
    return tuple(Reason(text=text, code="G73") for text in texts.values())
