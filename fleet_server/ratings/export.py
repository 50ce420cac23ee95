"""Ratings as the provincial platform takes them in: one row for each rated transaction, fields of domain.md 6.1.

The centre holds nobody's name, document number or telephone: those four fields are empty, and the platform takes them
from the authority's case, by its number. Skipped ratings are no ratings and are not reported.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import yaml
from pydantic import ValidationError
from sqlmodel import Session, col, select

from fleet_server.journal.models import Transaction
from fleet_server.journal.service import stored_entries
from fleet_server.matters.models import MatterVersion
from fleet_server.terminals.models import Site, Terminal
from kiosk.contracts.events import JournalEntry
from kiosk.contracts.value import CITY_TIME

LONGEST_DAYS = 92
FIRST_YEAR = 2000
CHANNEL = "自助终端"
GRADES = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}
REASONS = {
    "slow": "太慢", "unclear": "看不明白", "device": "设备不好用", "result": "结果不满意", "attitude": "现场服务",
}  # fmt: skip
DOCUMENTS = {
    "resident": "居民身份证", "hmt_residence": "港澳台居民居住证", "foreign_permanent_2017": "外国人永久居留身份证",
    "foreign_permanent_2023": "外国人永久居留身份证", "travel_permit": "港澳台居民来往内地（大陆）通行证",
    "passport": "护照", "social_security": "社会保障卡",
}  # fmt: skip
COLUMNS = {
    "case_number": "办件编号", "implementation_code": "实施编码", "matter_name": "事项名称",
    "document_kind": "申请人证件类型", "document_number": "申请人证件号码", "applicant": "申请人姓名",
    "phone": "联系电话", "accepted_at": "受理时间", "promised_time": "承诺办结时限", "legal_time": "法定办结时限",
    "grade": "整体评价", "stars": "评价星级", "rated_at": "评价时间", "channel": "评价渠道", "station": "评价站点",
    "reasons": "评价原因", "text": "文字评价", "transaction_number": "终端办件号",
}  # fmt: skip
"""Our names, and the platform's headings in their order."""


@dataclass(frozen=True)
class Reported:
    """One rating. Times are city time, `YYYY-MM-DD HH:MM:SS`; empty is what the centre does not know."""

    case_number: str
    implementation_code: str
    matter_name: str
    document_kind: str
    accepted_at: str
    promised_time: str
    grade: str
    stars: int
    rated_at: str
    station: str
    reasons: str
    transaction_number: str
    channel: str = CHANNEL
    document_number: str = ""
    applicant: str = ""
    phone: str = ""
    legal_time: str = ""
    text: str = ""


def reported(session: Session, begin: dt.date, end: dt.date) -> list[Reported]:
    """Ratings given from the first to the last of these days (city time), oldest first."""
    since = dt.datetime.combine(begin, dt.time(), CITY_TIME)
    until = dt.datetime.combine(end, dt.time.max, CITY_TIME)
    query = (
        select(Transaction)
        .where(col(Transaction.rated_at) >= since, col(Transaction.rated_at) <= until)
        .where(col(Transaction.rating).between(1, 5))
        .order_by(col(Transaction.rated_at), col(Transaction.number))
    )
    stations = _stations(session)
    matter = cache(lambda name, version: _matter(session, name, version))
    return [_row(session, row, matter(row.matter, row.version), stations) for row in session.exec(query)]


def as_csv(rows: Sequence[Reported]) -> bytes:
    """UTF-8 with a mark, for the office programs that need one. No value begins a formula."""
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(COLUMNS.values())
    for row in rows:
        values = asdict(row)
        table.writerow(_harmless(str(values[name])) for name in COLUMNS)
    return b"\xef\xbb\xbf" + written.getvalue().encode()


def as_json(rows: Sequence[Reported]) -> list[dict[str, Any]]:
    """The same under the platform's headings."""
    return [{heading: asdict(row)[name] for name, heading in COLUMNS.items()} for row in rows]


def _row(session: Session, row: Transaction, matter: dict[str, Any], stations: dict[str, str]) -> Reported:
    document, accepted_at = _of_journal(session, row)
    guide = matter.get("guide") or {}
    return Reported(
        case_number=row.case_number or "", implementation_code=str(matter.get("code", "")),
        matter_name=_chinese(matter.get("title")) or row.matter, document_kind=document,
        accepted_at=_moment(accepted_at or row.begun_at), promised_time=_chinese(guide.get("time_limit")),
        grade=GRADES[row.rating or 0], stars=row.rating or 0, rated_at=_moment(row.rated_at),
        station=stations.get(row.terminal, row.terminal), transaction_number=row.number,
        reasons="；".join(REASONS.get(reason, reason) for reason in row.rating_reasons),
    )  # fmt: skip


def _of_journal(session: Session, row: Transaction) -> tuple[str, dt.datetime | None]:
    """What kind of document was shown, and when the authority gave the case its number."""
    document, accepted_at = "", None
    for entry in stored_entries(session, row.journal_id, row.first_sequence, row.last_sequence):
        if entry.get("transaction_number") != row.number:
            continue
        try:
            told = JournalEntry.model_validate(entry)
        except ValidationError:
            continue  # set aside when it came (journal_poison)
        if told.event == "card_read":
            document = DOCUMENTS.get(str(told.data.get("card_type", "")), "")
        elif told.event == "service_ended" and told.data.get("case_number") and accepted_at is None:
            accepted_at = told.occurred_at
    return document, accepted_at


def _matter(session: Session, name: str, version: int | None) -> dict[str, Any]:
    """The version that was run; a terminal may run one this centre never published."""
    found = session.get(MatterVersion, (name, version)) if version is not None else None
    content = yaml.load(found.text, Loader=yaml.CSafeLoader) if found is not None else None
    return content if isinstance(content, dict) else {}


def _stations(session: Session) -> dict[str, str]:
    sites = {site.id: site.name for site in session.exec(select(Site))}
    return {
        each.id: f"{sites[each.site]}（{each.id}）" for each in session.exec(select(Terminal)) if each.site in sites
    }


def _chinese(text: Any) -> str:
    return str(text.get("zh-CN", "")) if isinstance(text, dict) else str(text or "")


def _moment(moment: dt.datetime | None) -> str:
    """Empty too at the ends of the calendar, which no city time has."""
    try:
        return "" if moment is None else f"{moment.astimezone(CITY_TIME):%Y-%m-%d %H:%M:%S}"
    except OverflowError:
        return ""


def _harmless(value: str) -> str:
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
