"""How departments are spoken to: REST, form and SOAP; HMAC, RSA and SM2. The other side of the gateway's `wire`.

What is signed is put together here anew, so that a slip on one side is seen on the other.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.responses import Response

from fleet_server.exchange.signatures import HmacKey, Scheme, Signer, Verifier, digest
from fleet_server.exchange.xml_tree import XmlRefused, tree_of, xml_of
from fleet_server.sandbox.keys import ExchangeKeys

Style = Literal["rest", "form", "soap"]
PLATFORM_PARAMETERS = ("app_id", "method", "nonce", "request_no", "sign", "sign_type", "timestamp")
RESPONSE_NAMESPACE = "urn:yizhan:sandbox"


class Seals:
    """Signs the city's answers and verifies the gateway's calls, in every scheme."""

    def __init__(self, key: bytes, keys: ExchangeKeys) -> None:
        self._hmac = HmacKey(key)
        self._keys = keys

    def signer(self, scheme: Scheme) -> Signer:
        return self._hmac if scheme == "hmac" else self._pair[scheme][0]

    def verifier(self, scheme: Scheme) -> Verifier:
        return self._hmac if scheme == "hmac" else self._pair[scheme][1]

    def may_have_keys(self, path: str, signature: str) -> bool:
        return self._hmac.verify(path.encode(), signature)

    @cached_property
    def _pair(self) -> dict[str, tuple[Signer, Verifier]]:
        both: tuple[Literal["rsa", "sm2"], ...] = ("rsa", "sm2")
        return {scheme: (self._keys.signer(scheme), self._keys.verifier(scheme)) for scheme in both}


class Heard:
    """A call as it came: who vouches for it, and what it says."""

    def __init__(self, request: Request, content: bytes, style: Style, scheme: Scheme) -> None:
        self._request, self._content, self._style, self._scheme = request, content, style, scheme
        sent = parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True) if style == "form" else []
        self.parameters = dict(sent)
        named = self.parameters if style == "form" else request.headers
        moment, nonce, key = _PLACES["form" if style == "form" else "headers"]
        self.moment, self.nonce, self.idempotency_key = (named.get(name, "") for name in (moment, nonce, key))

    def is_signed(self, verifier: Verifier) -> bool:
        if self._style == "form":
            if self.parameters.get("method") != self._request.url.path:
                return False
            rest = sorted((name, value) for name, value in self.parameters.items() if name != "sign" and value)
            text = "&".join(f"{name}={value}" for name, value in rest)
            return verifier.verify(text.encode(), self.parameters.get("sign", ""))
        if self._request.headers.get("x-yizhan-scheme", "hmac") != self._scheme:
            return False
        return verifier.verify(
            signed_text(self._request, self._content, self._scheme), self._request.headers.get("x-yizhan-signature", "")
        )

    @property
    def digest(self) -> str:
        """Of what it says, whatever its moment and nonce."""
        if self._style != "form":
            return digest(self._scheme, self._content)
        return digest(self._scheme, json.dumps(self.body(), sort_keys=True).encode())

    def body(self) -> dict[str, Any] | None:
        """What it says as an object, or None when it says nothing that can be read."""
        match self._style:
            case "rest":
                try:
                    sent = json.loads(self._content)
                except ValueError:
                    return None
                return sent if isinstance(sent, dict) else None
            case "form":
                return _grouped({k: v for k, v in self.parameters.items() if k not in PLATFORM_PARAMETERS})
            case "soap":
                return _soap_request(self._content)


def signed_text(request: Request, content: bytes, scheme: Scheme = "hmac") -> bytes:
    """What a call's header signature is over."""
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    stated = (request.headers.get(name, "") for name in _PLACES["headers"])
    return "\n".join((request.method, target, *stated, digest(scheme, content))).encode()


def answered(style: Style, status: int, answer: Any) -> Response:
    """The department's answer in its style."""
    if style == "soap":
        body = answer if isinstance(answer, dict) else {"value": answer}
        inner = xml_of("Response", body).replace("<Response", f'<Response xmlns="{RESPONSE_NAMESPACE}"', 1)
        text = (
            '<?xml version="1.0" encoding="UTF-8"?><S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/">'
            f"<S:Header/><S:Body>{inner}</S:Body></S:Envelope>"
        )
        return Response(text.encode(), status, media_type="text/xml;charset=utf-8")
    return Response(
        json.dumps(answer, ensure_ascii=False).encode(), status, media_type="application/json;charset=utf-8"
    )


def seal_answer(response: Response, nonce: str, scheme: Scheme, signer: Signer) -> Response:
    """Sign an answer to the call with this nonce."""
    moment = str(int(time.time()))
    text = "\n".join((str(response.status_code), nonce, moment, digest(scheme, bytes(response.body))))
    response.headers["x-authority-moment"] = moment
    response.headers["x-authority-signature"] = signer.sign(text.encode())
    return response


_PLACES = {
    "headers": ("x-yizhan-moment", "x-yizhan-nonce", "idempotency-key"),
    "form": ("timestamp", "nonce", "request_no"),
}


def _grouped(parameters: Mapping[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in parameters.items():
        *groups, last = name.split(".")
        place = made
        for group in groups:
            inner = place.setdefault(group, {})
            place = inner if isinstance(inner, dict) else {}
        place[last] = value
    return made


def _soap_request(content: bytes) -> dict[str, Any] | None:
    try:
        envelope = tree_of(content).get("Envelope")
    except XmlRefused:
        return None
    body = envelope.get("Body") if isinstance(envelope, dict) else None
    if not isinstance(body, dict) or len(body) != 1:
        return None
    (asked,) = body.values()
    return asked if isinstance(asked, dict) else {}
