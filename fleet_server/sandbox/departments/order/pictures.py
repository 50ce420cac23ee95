"""Pictures handed in: a photographed paper (JPEG) or a signature (PNG)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

LARGEST_PICTURE = 1_500_000
_JPEG, _PNG = b"\xff\xd8", b"\x89PNG"


def is_photograph(text: Any, digest: Any) -> bool:
    """Whether the base64 text is a JPEG with this SHA-256."""
    picture = _picture(text)
    return picture is not None and picture.startswith(_JPEG) and hashlib.sha256(picture).hexdigest() == digest


def is_signature(text: Any) -> bool:
    """Whether the base64 text is a picture of a signature; its digest is of what was signed, not of the picture."""
    picture = _picture(text)
    return picture is not None and picture.startswith((_PNG, _JPEG))


def _picture(text: Any) -> bytes | None:
    if not isinstance(text, str) or len(text) > LARGEST_PICTURE * 4 // 3:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
