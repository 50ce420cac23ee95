"""政务数据: objections, progress, guides, appointments, reports. Manner: success with data, or a code with msg."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Department
from fleet_server.sandbox.departments.city import citizens_voice as voice
from fleet_server.sandbox.departments.city import hall, people_desk


def _in_data(work: Callable[[Call], dict[str, Any]]) -> Callable[[Call], dict[str, Any]]:
    def answered(call: Call) -> dict[str, Any]:
        return {"success": True, "code": "200", "data": work(call)}

    return answered


def _counter(operation: str, path: str, work: Callable[[Call], dict[str, Any]], *, submits: bool = False) -> Counter:
    return Counter(operation, path, _in_data(work), submits=submits)


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"success": False, "code": code, "msg": words}


DEPARTMENT = Department(
    id="data_administration",
    prefix="/zwsj",
    decline=_decline,
    counters=(
        _counter("objection.submit", "/objections", voice.objection_submit, submits=True),
        _counter("objection.query", "/objections/query", voice.objection_query),
        _counter("progress.query", "/cases/query", voice.progress),
        _counter("report.submit", "/reports", voice.report, submits=True),
        _counter("enterprise.submit", "/enterprise-requests", voice.enterprise, submits=True),
        _counter("complaint.submit", "/complaints", voice.complaint, submits=True),
        _counter("guides.find", "/guides/search", hall.guides_find),
        _counter("guides.read", "/guides/read", hall.guides_read),
        _counter("appointments.days", "/appointments/days", hall.days),
        _counter("appointments.slots", "/appointments/slots", hall.slots),
        _counter("appointments.book", "/appointments", hall.book, submits=True),
        _counter("policies.find", "/policies/search", hall.policies_find),
        _counter("policies.notice", "/policies/notices", hall.policy_notice, submits=True),
        _counter("certificates.print", "/certificates/prints", hall.certificate_print, submits=True),
        _counter("public_housing.apply", "/housing/applications", people_desk.housing_apply, submits=True),
        _counter("lease.register", "/housing/leases", people_desk.lease_register, submits=True),
        _counter("library.card", "/library/cards", people_desk.library_card, submits=True),
        _counter("transport.qualification", "/transport/qualifications", people_desk.driver),
        _counter("archives.extract", "/archives/extracts", people_desk.archive, submits=True),
    ),
)
