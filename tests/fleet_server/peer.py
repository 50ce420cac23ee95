"""A terminal as the wire sees it: signs requests as the contract says, keeps a journal, follows the repository."""

from __future__ import annotations

import base64
import datetime as dt
import email.utils
import hashlib
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms

from kiosk.contracts.events import GENESIS, JournalEntry
from kiosk.contracts.fleet import SIGNATURE_LABEL, SIGNED_COMPONENTS
from kiosk.contracts.matter import CONTRACT_VERSION, STEP_KINDS
from kiosk.contracts.value import canonical_bytes


class _Key(HTTPSignatureKeyResolver):
    def __init__(self, key: Ed25519PrivateKey) -> None:
        self.key = key

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:
        return self.key


@dataclass
class Peer:
    """`sign` gives the headers of a request; every part of it can be told to be wrong."""

    terminal: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public_key(self) -> str:
        return base64.b64encode(self.key.public_key().public_bytes_raw()).decode()

    def sign(
        self, method: str, url: str, body: bytes = b"", *, at: float | None = None, date: float | None = None,
        nonce: str | None = None, components: tuple[str, ...] | None = None, label: str = SIGNATURE_LABEL,
        key_id: str | None = None, headers: dict[str, str] | None = None,
    ) -> dict[str, str]:  # fmt: skip
        moment = time.time() if at is None else at
        stamp = email.utils.formatdate(moment if date is None else date, usegmt=True)
        request = httpx.Request(method, url, content=body, headers={"Date": stamp} | (headers or {}))
        covered = components or (SIGNED_COMPONENTS if body else SIGNED_COMPONENTS[:-1])
        signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_Key(self.key))
        signer.sign(
            request, key_id=key_id or self.terminal, label=label, created=dt.datetime.fromtimestamp(moment, dt.UTC),
            nonce=secrets.token_urlsafe(18) if nonce is None else nonce, covered_component_ids=covered,
            **({"body": body} if body else {}),
        )  # fmt: skip
        names = ("date", "signature", "signature-input", "content-digest")
        return {name: request.headers[name] for name in names if name in request.headers} | (headers or {})

    def get(self, client: httpx.Client, path: str, **wrong: Any) -> httpx.Response:
        return client.get(path, headers=self.sign("GET", str(client.base_url) + path, **wrong))

    def post(self, client: httpx.Client, path: str, value: Any, **wrong: Any) -> httpx.Response:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        headers = {"Content-Type": "application/json"} | wrong.pop("headers", {})
        headers = self.sign("POST", str(client.base_url) + path, body, headers=headers, **wrong)
        return client.post(path, content=body, headers=headers)

    def enrol(self, client: httpx.Client, code: str) -> httpx.Response:
        return client.post(
            "/terminal/v1/enrolments", json={"code": code, "public_key": self.public_key, "machine": "bench"}
        )

    def heartbeat(self, **changed: Any) -> dict[str, Any]:
        heartbeat = {
            "terminal": self.terminal, "boot_id": "boot", "sent_at": "2026-01-01T00:00:00Z", "version": "0.1",
            "contract_version": CONTRACT_VERSION, "step_kinds": list(STEP_KINDS), "stage": "home",
            "reported": {"generation": 0, "bundle": None, "result": "none"},
            "journal_id": "j", "journal_sequence": 0, "acknowledged_sequence": 0,
        }  # fmt: skip
        return heartbeat | changed


@dataclass
class Journal:
    """A chained journal in memory, and batches of it as a terminal uploads them."""

    peer: Peer
    journal_id: str = field(default_factory=lambda: secrets.token_hex(16))
    entries: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.write("journal_opened", {"terminal": self.peer.terminal, "reason": "enrolled"})

    def write(self, event: str, data: Any = None, number: str | None = None, **more: Any) -> dict[str, Any]:
        sequence = len(self.entries) + 1
        entry = {
            "journal_id": self.journal_id, "sequence": sequence, "occurred_at": f"2026-01-01T00:00:{sequence % 60:02}Z",
            "monotonic_ms": sequence, "event": event, "transaction_number": number,
            "data": {} if data is None else data,
            "previous_hash": self.entries[-1]["hash"] if self.entries else GENESIS,
        } | more  # fmt: skip
        return self._append(entry)

    def write_entry(self, event: str, data: dict[str, Any], number: str | None = None) -> None:
        """Through the contract's own model, as the terminal does it."""
        entry = JournalEntry(
            journal_id=self.journal_id, sequence=len(self.entries) + 1, occurred_at=dt.datetime.now(dt.UTC),
            monotonic_ms=1, event=event, transaction_number=number, data=data,
            previous_hash=self.entries[-1]["hash"],
        )  # fmt: skip
        self.entries.append(entry.sealed().model_dump(mode="json"))

    def transaction(self, number: str) -> None:
        self.write("transaction_begun", {"matter": "no_house_certificate", "version": 1, "bundle": "b" * 64}, number)
        self.write("print_begun", {"job_id": "1"}, number)
        self.write("print_ended", {"job_id": "1", "disposition": "succeeded"}, number)
        self.write("rating_given", {"grade": 5}, number)
        self.write("transaction_ended", {"disposition": "succeeded", "holder": "林**"}, number)

    def forked(self, sequence: int) -> Journal:
        """The same journal until before `sequence`; from there, one can write another truth."""
        other = Journal(self.peer, self.journal_id)
        other.entries = [dict(entry) for entry in self.entries[: sequence - 1]]
        return other

    def batch(self, first: int = 1, last: int | None = None) -> dict[str, Any]:
        entries = self.entries[first - 1 : last]
        checkpoint = {
            "journal_id": self.journal_id,
            "sequence": entries[-1]["sequence"],
            "hash": entries[-1]["hash"],
        }
        signature = base64.b64encode(self.peer.key.sign(canonical_bytes(checkpoint))).decode()
        return {
            "journal_id": self.journal_id,
            "first_sequence": first,
            "entries": entries,
            "checkpoint": checkpoint | {"signature": signature},
        }

    def upload(self, client: httpx.Client, first: int = 1, last: int | None = None, *, zstd: bool = False) -> Any:
        return self.send(client, self.batch(first, last), zstd=zstd)

    def send(self, client: httpx.Client, batch: dict[str, Any], *, zstd: bool = False) -> httpx.Response:
        body = json.dumps(batch).encode()
        headers = {}
        if zstd:
            body, headers = zstandard.compress(body), {"Content-Encoding": "zstd"}
        return self.peer.post(client, f"/terminal/v1/journals/{self.journal_id}/batches", body, headers=headers)

    def _append(self, entry: dict[str, Any]) -> dict[str, Any]:
        entry["hash"] = ""
        content = {name: value for name, value in entry.items() if name != "hash"}
        entry["hash"] = hashlib.sha256(canonical_bytes(content)).hexdigest()
        self.entries.append(entry)
        return entry
