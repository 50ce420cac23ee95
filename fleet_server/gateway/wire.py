"""How a call and its answer travel: REST (JSON), form parameters with a signature among them, SOAP 1.1.

REST and SOAP are signed in headers: X-Yizhan-Moment, X-Yizhan-Nonce, Idempotency-Key, X-Yizhan-Scheme and
X-Yizhan-Signature over method, path with query, moment, nonce, idempotency key and the body's digest, one a line.
A form carries app_id, method (the path), nonce, request_no, sign_type, timestamp and `sign`: over all other parameters
that are not empty, as name=value joined by & in the order of their names. Groups become dotted names.
A signed answer carries X-Authority-Moment and X-Authority-Signature over status, our nonce, its moment and the body's
digest, one a line.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fleet_server.exchange.signatures import Scheme, Signer, Verifier, digest
from fleet_server.exchange.xml_tree import XmlRefused, tree_of, xml_of
from fleet_server.gateway.connectors import FORM_PARAMETERS, Connector, Operation

ANSWER_WINDOW_SECONDS = 300
SOAP_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"


class Unreadable(Exception):
    """An answer that is not in its authority's style, or not signed as declared. The text quotes nothing of it."""


@dataclass(frozen=True)
class Stamp:
    """What makes one try of a call itself. `moment` in seconds since 1970."""

    moment: str
    nonce: str
    idempotency_key: str


@dataclass(frozen=True)
class Packed:
    headers: dict[str, str]
    content: bytes


@dataclass(frozen=True)
class Wire:
    """One operation's way out and back. `body` is what the mapping made of the payload."""

    connector: Connector
    operation: Operation
    body: dict[str, Any]

    @property
    def scheme(self) -> Scheme:
        return self.connector.signature.scheme

    def packed(self, stamp: Stamp, signer: Signer) -> Packed:
        match self.connector.style:
            case "rest":
                content = json.dumps(self.body, ensure_ascii=False, sort_keys=True).encode()
                return self._signed({"content-type": "application/json"}, content, stamp, signer)
            case "soap":
                return self._signed(*self._envelope(), stamp, signer)
            case "form":
                return self._form(stamp, signer)

    def check(self, status: int, headers: Mapping[str, str], content: bytes, nonce: str, verifier: Verifier) -> None:
        """Raises `Unreadable` unless the authority signed this answer to this call, now."""
        moment = headers.get("x-authority-moment", "")
        text = "\n".join((str(status), nonce, moment, digest(self.scheme, content)))
        if not verifier.verify(text.encode(), headers.get("x-authority-signature", "")):
            raise Unreadable("the answer's signature does not verify")
        if not moment.isdecimal() or abs(int(moment) - time.time()) > ANSWER_WINDOW_SECONDS:
            raise Unreadable("the answer was not signed now")

    def tree(self, content: bytes) -> dict[str, Any]:
        """The answer as a tree for the connector's expressions. Raises `Unreadable`."""
        if self.connector.soap is not None:
            return _soap_body(content, self.connector.soap.list_element)
        try:
            said = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise Unreadable("no JSON") from error
        if not isinstance(said, dict):
            raise Unreadable("no object")
        return said

    def _signed(self, headers: dict[str, str], content: bytes, stamp: Stamp, signer: Signer) -> Packed:
        signed = signed_headers(
            self.scheme, signer, stamp, method=self.operation.method, target=self.operation.path, content=content
        )
        return Packed(headers | signed, content)

    def _form(self, stamp: Stamp, signer: Signer) -> Packed:
        own = dict.fromkeys(FORM_PARAMETERS, "") | {
            "app_id": self.connector.signature.application, "method": self.operation.path, "nonce": stamp.nonce,
            "request_no": stamp.idempotency_key, "sign_type": self.scheme.upper(), "timestamp": stamp.moment,
        }  # fmt: skip
        parameters = {name: value for name, value in (_flat(self.body) | own).items() if value != ""}
        parameters["sign"] = signer.sign(form_text(parameters))
        headers = {"content-type": "application/x-www-form-urlencoded;charset=utf-8"}
        return Packed(headers, urlencode(parameters).encode())

    def _envelope(self) -> tuple[dict[str, str], bytes]:
        soap = self.connector.soap
        assert soap is not None
        element = str(self.operation.element)
        inner = xml_of(element, self.body, soap.list_element)
        opening = f"<{element} xmlns="
        named = inner.replace(f"<{element}", f'{opening}"{soap.namespace}"', 1)
        text = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f'<soap:Envelope xmlns:soap="{SOAP_ENVELOPE}"><soap:Body>{named}</soap:Body></soap:Envelope>'
        )
        action = f'"{soap.namespace.rstrip("/")}/{element}"'
        return {"content-type": "text/xml;charset=utf-8", "soapaction": action}, text.encode()


def signed_headers(
    scheme: Scheme, signer: Signer, stamp: Stamp, *, method: str, target: str, content: bytes = b""
) -> dict[str, str]:
    text = "\n".join((method, target, stamp.moment, stamp.nonce, stamp.idempotency_key, digest(scheme, content)))
    return {
        "idempotency-key": stamp.idempotency_key,
        "x-yizhan-moment": stamp.moment,
        "x-yizhan-nonce": stamp.nonce,
        "x-yizhan-scheme": scheme,
        "x-yizhan-signature": signer.sign(text.encode()),
    }


def form_text(parameters: Mapping[str, str]) -> bytes:
    """What a form's signature is over."""
    return "&".join(
        f"{name}={value}" for name, value in sorted(parameters.items()) if name != "sign" and value != ""
    ).encode()


def _flat(body: Mapping[str, Any], before: str = "") -> dict[str, str]:
    made: dict[str, str] = {}
    for name, value in body.items():
        if isinstance(value, Mapping):
            made |= _flat(value, f"{before}{name}.")
        elif isinstance(value, str):
            made[before + name] = value
        else:
            made[before + name] = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return made


def _soap_body(content: bytes, list_element: str) -> dict[str, Any]:
    try:
        said = tree_of(content, list_element)
    except XmlRefused as error:
        raise Unreadable(str(error)) from error
    envelope = said.get("Envelope")
    body = envelope.get("Body") if isinstance(envelope, dict) else None
    if not isinstance(body, dict) or len(body) != 1:
        raise Unreadable("no SOAP envelope with one answer")
    if "Fault" in body:
        return {"Fault": body["Fault"]}
    (answer,) = body.values()
    if not isinstance(answer, dict):
        raise Unreadable("an empty SOAP answer")
    return answer
