"""Every request says who sent it: HTTP message signatures (RFC 9421), digests of bodies (RFC 9530)."""

from __future__ import annotations

import datetime as dt
import secrets
from email.utils import format_datetime

from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms

from kiosk.contracts.fleet import SIGNATURE_LABEL, SIGNED_COMPONENTS
from kiosk.machine.fleet.identity import MachineKey


class _Message:
    """What the signature library looks at."""

    def __init__(self, method: str, url: str, headers: dict[str, str]) -> None:
        self.method = method
        self.url = url
        self.headers = headers


class _OneKey(HTTPSignatureKeyResolver):
    def __init__(self, key: MachineKey) -> None:
        self._key = key

    def resolve_private_key(self, key_id: str) -> object:
        return self._key.private


class RequestSigner:
    """Signs as one terminal. Date and `created` follow the server's clock, whose offset the caller gives."""

    def __init__(self, key: MachineKey, terminal: str) -> None:
        self._terminal = terminal
        self._signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_OneKey(key))

    def headers(self, method: str, url: str, *, now: dt.datetime, body: bytes | None = None) -> dict[str, str]:
        """The headers to send: date, content-digest (with a body only), signature-input and signature."""
        headers = {"date": format_datetime(now.astimezone(dt.UTC), usegmt=True)}
        components = [name for name in SIGNED_COMPONENTS if name != "content-digest" or body is not None]
        self._signer.sign(
            _Message(method, url, headers), key_id=self._terminal, created=now, nonce=secrets.token_urlsafe(18),
            label=SIGNATURE_LABEL, covered_component_ids=components, body=body,
        )  # fmt: skip
        return {name.lower(): value for name, value in headers.items()}
