"""The terminal's side of a hand-over to the citizen's phone: a slip from the centre, and what came for it, opened here.

Contract: kiosk/contracts/handover.py. The token lives in the slip, in memory, and on the screen.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TypeVar

from pydantic import ValidationError

from kiosk.contracts.errors import Garbled, Unreachable
from kiosk.contracts.handover import (
    MAXIMUM_PHOTO_BYTES,
    TEXT_PLACE,
    Binding,
    FromPhone,
    HandedOver,
    Slip,
    SlipRequest,
    SlipStanding,
    unseal,
)
from kiosk.contracts.value import Contract
from kiosk.machine.fleet.client import Answer, FleetClient

T = TypeVar("T", bound=Contract)
ANSWER_SECONDS = 8.0
CONTENT_BYTES = 4 * 1024 * 1024


class HandOver:
    """One for a terminal: it serves one citizen at a time."""

    def __init__(self, client: FleetClient) -> None:
        self._client = client
        self._is_hinted = False
        self._endings: set[asyncio.Task[None]] = set()

    def look_soon(self) -> None:
        """The centre says that a phone has sent something."""
        self._is_hinted = True

    def was_hinted(self) -> bool:
        """Whether the centre said so since this was last asked. A hint may be lost: look now and then without one."""
        hinted, self._is_hinted = self._is_hinted, False
        return hinted

    async def offer(self, wanted: SlipRequest) -> Slip:
        """A new slip. Raises `Unreachable`, also when the centre has no address for phones; `Garbled`."""
        answer = await self._client.post("handovers", wanted.model_dump_json().encode(), timeout_seconds=ANSWER_SECONDS)
        return _read(Slip, answer)

    async def standing(self, slip: Slip) -> SlipStanding | None:
        """How it stands; None when the centre knows it no more. Raises `Unreachable`, `Garbled`."""
        answer = await self._client.get(f"handovers/{slip.id}", timeout_seconds=ANSWER_SECONDS)
        return None if answer.status == 404 else _read(SlipStanding, answer)

    async def take(self, slip: Slip, wanted: SlipRequest) -> FromPhone:
        """What was sent, opened; the centre is told to forget it. Raises `Unreachable`, `Garbled`."""
        answer = await self._client.get(f"handovers/{slip.id}/content", limit=CONTENT_BYTES)
        held = _read(HandedOver, answer)
        photos, text = [], ""
        for place, piece in enumerate(held.pieces):
            is_text = piece.kind == "text"
            binding = Binding(
                terminal=self._client.terminal, transaction_number=wanted.transaction_number, step=wanted.step,
                place=TEXT_PLACE if is_text else place,
            )  # fmt: skip
            content = unseal(slip.token, binding, piece)
            if is_text:
                text = content.decode()[: wanted.text]
            else:
                photos.append(_photo(content))
        self.end_soon(slip)
        return FromPhone(photos=tuple(photos[: wanted.photos]), text=text)

    def end_soon(self, slip: Slip) -> None:
        """The centre shall forget it. Nobody waits for that; when it cannot be told, the slip runs out by itself."""
        ending = asyncio.create_task(self._end(slip.id))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

    async def close(self) -> None:
        await asyncio.gather(*self._endings, return_exceptions=True)

    async def _end(self, id: str) -> None:
        with contextlib.suppress(Unreachable):
            await self._client.request("DELETE", f"handovers/{id}", timeout_seconds=ANSWER_SECONDS)


def _photo(content: bytes) -> bytes:
    if not content.startswith(b"\xff\xd8\xff") or len(content) > MAXIMUM_PHOTO_BYTES:
        raise Garbled("the centre passed on what is no photo of its own", reason="handover_photo")
    return content


def _read(kind: type[T], answer: Answer) -> T:
    if answer.status not in (200, 201):
        reason = answer.problem.code or f"http_{answer.status}"
        raise Unreachable(f"hand-over: {answer.problem.title}", reason=reason)
    try:
        return kind.model_validate_json(answer.content)
    except ValidationError as error:
        raise Garbled(f"hand-over: {error.error_count()} mistakes in the answer", reason="garbled") from None
