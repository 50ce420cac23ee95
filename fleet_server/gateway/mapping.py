"""From a payload to an authority's body, and from its JSON to our answer."""

from __future__ import annotations

import re
from typing import Any

from fleet_server.exchange.identifiers import is_certificate_identifier
from fleet_server.gateway.authority import AuthorityFailed, Reply
from fleet_server.gateway.connectors import REGION, Connector, Operation
from fleet_server.gateway.expressions import search
from fleet_server.gateway.wire import Unreadable, Wire
from fleet_server.problems import ProblemError
from kiosk.contracts.fleet import ServiceAnswer

MAXIMUM_VALUE_CHARACTERS = 4_000_000
_OTHER_REFUSAL = {
    "zh-CN": "{authority}没有受理：{words}",
    "zh-TW": "{authority}沒有受理：{words}",
    "en": "{authority} did not accept this: {words}",
}


_NOT_OFFERED_THERE = {
    "zh-CN": "所选地区的部门还没有开通这项业务的跨区域办理，没有提交任何材料，也没有扣款。"
    "请到当地政务服务窗口办理，或拨打当地12345咨询。",
    "zh-TW": "所選地區的部門尚未開通這項業務的跨區域辦理，沒有送出任何文件，也沒有扣款。"
    "請到當地政務服務窗口辦理，或撥打當地12345洽詢。",
    "en": "The authorities of that region do not offer this elsewhere. Nothing was handed in and nothing was charged. "
    "Please go to a service counter there, or call 12345 of that region.",
}
_AREA = re.compile(r"[1-9]\d{5}")
_FEN = re.compile(r"0|[1-9]\d{0,11}")


def region_of(name: str, payload: dict[str, Any]) -> str:
    """The area code asked for, or nothing. Raises 422 when it is none."""
    region = payload.get(REGION) or ""
    if region and not (isinstance(region, str) and _AREA.fullmatch(region)):
        raise ProblemError(422, "payload_invalid", f"{name}: {REGION} must be an area code of six digits")
    return str(region)


def not_offered_there(request_id: str) -> ServiceAnswer:
    return ServiceAnswer(
        request_id=request_id, outcome="refused", reason="not_offered_in_region", message=_NOT_OFFERED_THERE
    )


def checked_payload(name: str, operation: Operation, payload: dict[str, Any]) -> dict[str, str]:
    """The parameters as text. Raises 422 naming parameters, never values."""
    payload = {key: value for key, value in payload.items() if key != REGION or REGION in operation.parameters}
    unknown = set(payload) - operation.parameters
    if unknown:
        raise ProblemError(422, "payload_invalid", f"{name} takes no {', '.join(sorted(unknown))}")
    given: dict[str, str] = {}
    for key, value in payload.items():
        if value is None or value == "":
            continue
        if not isinstance(value, str) or len(value) > MAXIMUM_VALUE_CHARACTERS:
            raise ProblemError(422, "payload_invalid", f"{name}: {key} must be text")
        given[key] = value
    missing = [key for key in operation.required if key not in given]
    if operation.one_of and not set(operation.one_of) & set(given):
        missing.append(" or ".join(operation.one_of))
    if missing:
        raise ProblemError(422, "payload_invalid", f"{name} needs {', '.join(missing)}")
    return given


def body_of(operation: Operation, payload: dict[str, str]) -> dict[str, Any]:
    filled: dict[str, Any] = _filled(operation.body, payload)
    return filled


def answer_of(wire: Wire, payload: dict[str, str], reply: Reply, request_id: str) -> ServiceAnswer:
    """The authority's answer in our words, or `AuthorityFailed` garbled."""
    connector, operation = wire.connector, wire.operation
    said = _tree_of(wire, reply)
    if reply.status == 200 and search(connector.done, said) is True:
        return _good(connector, operation, payload, said, request_id)
    code = search(connector.refusal.code, said)
    if code is None:
        raise AuthorityFailed("garbled", f"{connector.authority} answered neither done nor refused")
    return _refused(connector, str(code), str(search(connector.refusal.words, said) or ""), request_id)


def _tree_of(wire: Wire, reply: Reply) -> Any:
    connector = wire.connector
    if reply.status != 200 and reply.status not in connector.refusal_statuses:
        raise AuthorityFailed("garbled", f"{connector.authority} answered {reply.status}")
    try:
        return wire.tree(reply.content)
    except Unreadable as error:
        raise AuthorityFailed("garbled", f"{connector.authority} answered {error}") from error


def _good(
    connector: Connector, operation: Operation, payload: dict[str, str], said: Any, request_id: str
) -> ServiceAnswer:
    answer = operation.answer
    for theirs, ours in answer.agrees.items():
        spoken, asked = search(theirs, said), search(ours, payload)
        if spoken is not None and spoken != asked:
            raise AuthorityFailed("garbled", f"{connector.authority} answered about somebody else")
    data = {name: value for name, path in answer.data.items() if (value := search(path, said)) is not None}
    missing = [name for name in answer.required if name not in data]
    if missing:
        raise AuthorityFailed("garbled", f"{connector.authority} left out {', '.join(missing)}")
    odd = [name for name, value in data.items() if name.endswith("_fen") and not _FEN.fullmatch(str(value))]
    if odd:
        raise AuthorityFailed("garbled", f"{connector.authority} gave a {odd[0]} that is no whole number of fen")
    forged = [name for name in answer.identifiers if name in data and not is_certificate_identifier(str(data[name]))]
    if forged:
        raise AuthorityFailed("garbled", f"{connector.authority} gave an {forged[0]} whose check does not hold")
    if "document_id" in data:
        data["document_id"] = f"{connector.authority}.{data['document_id']}"
    case_number = search(answer.case_number, said) if answer.case_number else None
    if answer.case_number and case_number is None:
        raise AuthorityFailed("garbled", f"{connector.authority} gave no case number")
    accepted = answer.accepted is not None and search(answer.accepted, said) is True
    return ServiceAnswer(
        request_id=request_id,
        outcome="accepted" if accepted else "done",
        case_number=None if case_number is None else str(case_number),
        data=data,
    )


def _refused(connector: Connector, code: str, words: str, request_id: str) -> ServiceAnswer:
    known = connector.refusals.get(code)
    if known is not None:
        message = known.message.by_language()
        return ServiceAnswer(request_id=request_id, outcome="refused", reason=known.reason, message=message)
    names = connector.name.by_language()
    message = {
        language: sentence.format(authority=names[language], words=words or code)
        for language, sentence in _OTHER_REFUSAL.items()
    }
    return ServiceAnswer(request_id=request_id, outcome="refused", reason="refused", message=message)


def _filled(body: Any, payload: dict[str, str]) -> Any:
    if isinstance(body, dict):
        return {key: value for key, inner in body.items() if (value := _filled(inner, payload)) is not None}
    return search(body, payload)
