"""A material from the citizen's own phone: a code on the screen, a page on the phone, and a look at what was sent."""

from __future__ import annotations

import asyncio

from kiosk.contracts.errors import Garbled, Unreachable
from kiosk.contracts.handover import FromPhone, Slip, SlipRequest, SlipStanding
from kiosk.contracts.matter import CollectMaterialStep, PhoneSource
from kiosk.contracts.value import LocalizedText, plain
from kiosk.flow.equipment import HandOverInUse
from kiosk.flow.screens import Chosen, InstructScreen, KnownItem, PreviewScreen, ReviewScreen, Screen
from kiosk.flow.session import SteppedBack
from kiosk.flow.transaction import Transaction, option
from kiosk.flow.words import word

TICK_SECONDS = 1.0
LOOK_EVERY = 3
"""Ticks between two looks at the centre when no hint comes."""
QUIET_SECONDS = 30
"""A phone that was not heard of for so long is gone: the time-out runs again."""
TAKE_TRIES = 4
AGAIN, OTHER, USE = "again", "other", "use"


async def receive(
    transaction: Transaction, step: CollectMaterialStep, source: PhoneSource, hand_over: HandOverInUse
) -> FromPhone | LocalizedText | None:
    """What the citizen sent and saw here; the sentence to say when it could not come; None: they want another way."""
    wanted = SlipRequest(
        transaction_number=transaction.number, step=step.id, material=step.material, photos=source.photos,
        text=source.text,
    )  # fmt: skip
    while True:
        visit = _Visit(transaction, step, hand_over, wanted)
        came = await visit.run()
        if isinstance(came, FromPhone):
            decided = await _looked_at(transaction, step, came)
            if decided == AGAIN:
                continue
            return came if decided == USE else None
        if came in _SENTENCES:
            return word(_SENTENCES[came])
        if came != AGAIN:
            return None


_SENTENCES = {"unreachable": "phone_unreachable", "garbled": "phone_garbled", "expired": "phone_expired"}


class _Visit:
    """One slip, from the code on the screen to its end."""

    def __init__(
        self, transaction: Transaction, step: CollectMaterialStep, hand_over: HandOverInUse, wanted: SlipRequest
    ) -> None:
        self._transaction = transaction
        self._session = transaction.session
        self._step = step
        self._hand_over = hand_over
        self._wanted = wanted
        self._standing: SlipStanding | None = None
        self._hint: LocalizedText | None = None

    async def run(self) -> FromPhone | str:
        """What came, or how it ended: again, other, expired, unreachable, garbled."""
        self._transaction.working("phone_preparing")
        try:
            slip = await self._hand_over.offer(self._wanted)
        except (Unreachable, Garbled):
            return "unreachable"
        self._transaction.journal("handover_offered", step=self._step.id)
        came: FromPhone | str = "left"
        try:
            came = await self._wait(slip)
        finally:
            self._hand_over.end_soon(slip)
            sent = came if isinstance(came, FromPhone) else FromPhone()
            self._transaction.journal(
                "handover_ended", step=self._step.id, outcome=came if isinstance(came, str) else "sent",
                photos=len(sent.photos), has_text=bool(sent.text),
            )  # fmt: skip
        return came

    async def _wait(self, slip: Slip) -> FromPhone | str:
        clock = asyncio.get_running_loop().time
        ends_at, ticks = clock() + slip.seconds, 0
        self._session.questions_asked += 1
        screen_id = self._session.next_screen_id()
        while (left := ends_at - clock()) > 0:
            self._session.show(self._screen(slip, round(left), screen_id), busy=self._is_at_work)
            try:
                async with asyncio.timeout(TICK_SECONDS):
                    answer = await self._session.answered()
                if isinstance(answer, Chosen):
                    return answer.option
            except TimeoutError:
                pass
            except SteppedBack:
                return OTHER
            ticks += 1
            if (self._hand_over.was_hinted() or ticks % LOOK_EVERY == 0) and not await self._look(slip):
                return "expired"
            if self._standing is not None and self._standing.state == "sent":
                return await self._take(slip)
        return "expired"

    @property
    def _is_at_work(self) -> bool:
        """A phone has the page open and was heard of just now: the citizen is busy there."""
        standing = self._standing
        if standing is None or standing.state != "opened" or standing.phone_seen_seconds is None:
            return False
        return standing.phone_seen_seconds < QUIET_SECONDS

    async def _look(self, slip: Slip) -> bool:
        """Ask the centre; False when it knows the slip no more."""
        try:
            self._standing = await self._hand_over.standing(slip)
        except (Unreachable, Garbled):
            self._hint = word("phone_link_weak")
            return True
        self._hint = None
        return self._standing is not None

    async def _take(self, slip: Slip) -> FromPhone | str:
        self._transaction.working("phone_taking")
        for attempt in range(TAKE_TRIES):
            if attempt:
                await asyncio.sleep(TICK_SECONDS)
            try:
                return await self._hand_over.take(slip, self._wanted)
            except Garbled:
                return "garbled"
            except Unreachable:
                continue
        return "unreachable"

    def _screen(self, slip: Slip, left: int, screen_id: int) -> InstructScreen:
        say = word("phone_opened") if self._is_at_work else word("phone_scan")
        others = (option(AGAIN, "phone_new_code"), option(OTHER, "phone_other_way"))
        return InstructScreen(
            **self._transaction.frame(say=say, alternatives=others) | {"screen_id": screen_id},
            hint=self._hint or word(_hint_of(self._wanted)), qr=slip.address, seconds_left=left,
            seconds_total=slip.seconds,
        )  # fmt: skip


def _hint_of(wanted: SlipRequest) -> str:
    if not wanted.text:
        return "phone_hint_photos"
    return "phone_hint_both" if wanted.photos else "phone_hint_text"


async def _looked_at(transaction: Transaction, step: CollectMaterialStep, sent: FromPhone) -> str:
    """The citizen looks at each photo and the text here: use, again, other."""
    answers = (option(AGAIN, "phone_send_again"), option(OTHER, "phone_other_way"))
    screens: list[Screen] = [
        PreviewScreen(
            **transaction.frame(
                say=word("phone_check_photo"), primary=option(USE, "phone_use_photo"), alternatives=answers
            ),
            page_png=photo,
            caption=_numbered(step.material, number, len(sent.photos)),
        )
        for number, photo in enumerate(sent.photos, 1)
    ]
    if sent.text:
        screens.append(
            ReviewScreen(
                **transaction.frame(
                    say=word("phone_check_text"), primary=option(USE, "phone_use_text"), alternatives=answers
                ),
                items=(KnownItem(label=word("phone_text"), value=plain(sent.text), origin=word("origin_phone")),),
            )
        )
    for screen in screens:
        try:
            answer = await transaction.session.ask(screen)
        except SteppedBack:
            return OTHER
        if isinstance(answer, Chosen) and answer.option != USE:
            return answer.option
    return USE


def _numbered(material: LocalizedText, number: int, of: int) -> LocalizedText:
    if of == 1:
        return material
    return LocalizedText(
        zh_cn=f"{material.zh_cn}（{number}/{of}）", zh_tw=f"{material.zh_tw}（{number}/{of}）",
        en=f"{material.en} ({number} of {of})",
    )  # fmt: skip
