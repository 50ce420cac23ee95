"""Hand-over to the citizen's phone: a slip is shown as a QR code, the phone sends photos or text, the terminal takes
them. Terminal API below `/terminal/v1`; errors are problem+json.

| request                    | body → answer                                                                    |
|----------------------------|----------------------------------------------------------------------------------|
| POST   handovers           | SlipRequest → Slip; the terminal's earlier slips end; 503 `no_phone_address`      |
| GET    handovers/{id}      | – → SlipStanding; 404 `no_slip`: run out, ended, or another terminal's           |
| GET    handovers/{id}/content | – → HandedOver, once `sent`                                                    |
| DELETE handovers/{id}      | – → 204; the centre forgets it, whatever it held                                 |

The token stands in the code alone, behind the `#` of the address: no request carries it in a path. The centre keeps
its hash. What the phone sends is sealed under a key that only the token gives, bound to terminal, transaction, step
and place: nobody can read it on the centre's disk, and nothing can be moved to another transaction.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import os
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import Field

from kiosk.contracts.errors import Garbled
from kiosk.contracts.value import Contract, LocalizedText, canonical_bytes

TOKEN_BYTES = 16
SLIP_SECONDS = 600
MAXIMUM_PHOTOS = 3
MAXIMUM_TEXT = 500
TEXT_PLACE = MAXIMUM_PHOTOS
"""Of the text among the pieces; photos are numbered from 0."""
MAXIMUM_PHOTO_BYTES = 400 * 1024
"""A photo as the centre passes it on; three of them in base64 still fit into one request to an authority."""
NONCE_BYTES = 12


class SlipRequest(Contract):
    """What a phone may send, and for what."""

    transaction_number: str = Field(min_length=1, max_length=40)
    step: str = Field(pattern=r"^[a-z][a-z0-9_]{1,95}$")
    material: LocalizedText
    photos: int = Field(ge=0, le=MAXIMUM_PHOTOS)
    text: int = Field(ge=0, le=MAXIMUM_TEXT)


class Slip(Contract):
    """A single-use permission to send. `address` is what the QR code holds, the token included."""

    id: str
    token: str
    address: str
    expires_at: dt.datetime
    seconds: int = Field(description="until it runs out, so that a wrong clock does not matter")


class SlipStanding(Contract):
    state: Literal["waiting", "opened", "sent"]
    seconds_left: int
    phone_seen_seconds: int | None = Field(default=None, description="since the phone was last heard of")


class Piece(Contract):
    """`content`: nonce and ciphertext, base64."""

    kind: Literal["photo", "text"]
    content: str


class HandedOver(Contract):
    pieces: tuple[Piece, ...] = Field(min_length=1, max_length=MAXIMUM_PHOTOS + 1)


class FromPhone(Contract):
    """What the citizen sent, opened: JPEG photos in their order, and text, which may be empty."""

    photos: tuple[bytes, ...] = ()
    text: str = ""


class Binding(Contract):
    """What one piece belongs to; part of its seal."""

    terminal: str
    transaction_number: str
    step: str
    place: int


def slip_id(token: str) -> str:
    """What the slip is called wherever the token must not be: 32 hexadecimal digits."""
    return hashlib.sha256(b"slip " + token.encode()).hexdigest()[:32]


def seal(token: str, binding: Binding, content: bytes) -> bytes:
    """Nonce and ciphertext (AES-256-GCM)."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(_key(token)).encrypt(nonce, content, canonical_bytes(binding))


def unseal(token: str, binding: Binding, piece: Piece) -> bytes:
    """The content. Raises `Garbled` for anything that was not sealed for this token and binding."""
    try:
        sealed = base64.b64decode(piece.content, validate=True)
        return AESGCM(_key(token)).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], canonical_bytes(binding))
    except (InvalidTag, ValueError) as error:
        raise Garbled("what the phone sent does not open", reason="handover_seal") from error


def _key(token: str) -> bytes:
    return hashlib.sha256(b"content " + token.encode()).digest()
