"""Collected values + ReceiptLayout → PrintJob, independent of any printer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from drivers.messages import Align, Line, PairLine, PrintJob, QrLine, RuleLine, SpaceLine, TextLine
from kiosk.contracts.matter import ReceiptItem, ReceiptLayout
from kiosk.contracts.value import CITY_TIME, Language
from kiosk.flow.transaction import Objection
from kiosk.flow.values import Values
from kiosk.flow.words import word


def receipt_job(
    layout: ReceiptLayout,
    values: Values,
    *,
    job_id: str,
    language: Language,
    transaction_number: str,
    site: str,
    terminal: str,
    printed_at: dt.datetime,
) -> PrintJob:
    """The slip that proves the transaction; values are masked where the layout says so."""

    def say(key: str) -> str:
        return word(key).in_language(language)

    pairs = [
        PairLine(label=item.label.in_language(language), value=values.fill(item.value, language))
        for item in layout.items
        if values.knows(item.value)
    ]
    shown: list[Line] = []
    if layout.code is not None and values.knows(layout.code):
        caption = layout.code_caption.in_language(language) if layout.code_caption is not None else ""
        shown = [SpaceLine(millimetres=2), QrLine(content=values.fill(layout.code), caption=caption), RuleLine()]
    lines: list[Line] = [
        TextLine(text=say("receipt_brand"), align=Align.CENTRE, bold=True, scale=2),
        TextLine(text=layout.heading.in_language(language), align=Align.CENTRE, bold=True),
        RuleLine(),
        *pairs,
        RuleLine(),
        *shown,
        PairLine(label=say("receipt_number"), value=transaction_number),
        PairLine(label=say("receipt_time"), value=printed_at.astimezone(CITY_TIME).strftime("%Y-%m-%d %H:%M")),
        PairLine(label=say("receipt_site"), value=site or "—"),
        PairLine(label=say("receipt_terminal"), value=terminal),
        SpaceLine(millimetres=3),
        QrLine(content=transaction_number, caption=say("receipt_qr")),
    ]
    if layout.note is not None:
        lines += [SpaceLine(millimetres=2), TextLine(text=layout.note.in_language(language), align=Align.CENTRE)]
    lines += [TextLine(text=say("receipt_help"), align=Align.CENTRE)]
    return PrintJob(job_id=job_id, lines=tuple(lines))


def with_objections(layout: ReceiptLayout, objections: Sequence[Objection], language: Language) -> ReceiptLayout:
    """The receipt, with the numbers of what was contested."""
    items = tuple(
        item
        for objection in objections
        for item in (
            ReceiptItem(label=word("objection_item"), value=objection.label.in_language(language)),
            ReceiptItem(label=word("objection_number"), value=objection.number),
            ReceiptItem(label=word("objection_day"), value=objection.promised_on),
        )
        if item.value
    )
    return layout.model_copy(update={"items": (*layout.items, *items)})
