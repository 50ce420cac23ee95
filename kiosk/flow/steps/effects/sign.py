"""A handwritten signature under exactly what is shown, on the glass or on a pad with its own pen."""

from __future__ import annotations

import asyncio
import base64
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import partial

from drivers.errors import CommandTimedOut, DeviceError, DeviceOffline, MediaError
from drivers.messages import DeviceClass, Ink, PenPoint, Signature, SignatureBox, Stroke
from drivers.protocols import SignaturePad
from kiosk.contracts.errors import FaultCode
from kiosk.contracts.matter import SignStep
from kiosk.contracts.value import Language, LocalizedText, canonical_bytes, sha256_hex
from kiosk.flow.screens import Chosen, InkLine, KnownItem, Place, SignScreen, Wrote
from kiosk.flow.session import StepFailed
from kiosk.flow.steps.asking.shown import shown_item
from kiosk.flow.transaction import Outcome, Transaction, option
from kiosk.flow.words import sentence_of, word

FIELD = SignatureBox(width_mm=200, height_mm=80)
CAPTURE_SECONDS = 900.0
"""Longer than any time-out of the session: whoever is still there is not cut off while writing."""


async def run(transaction: Transaction, step: SignStep) -> Outcome:
    hint: LocalizedText | None = None
    while True:
        taken = await transaction.with_device(DeviceClass.SIGNATURE_PAD, partial(_taken, transaction, step, hint))
        if isinstance(taken, Signature):
            _keep(transaction, step, taken)
            return Outcome.DONE
        hint = taken


async def _taken(
    transaction: Transaction, step: SignStep, hint: LocalizedText | None
) -> Signature | LocalizedText | None:
    return await _Sheet(transaction, step, hint).taken()


def statement(transaction: Transaction, step: SignStep, language: Language) -> bytes:
    """Canonical bytes of what is signed in `language`: the statement and the values beside it, none of them masked."""
    values = transaction.values
    shown = [item for item in step.show if values.knows(item.value)]
    return canonical_bytes(
        {
            "language": language.value,
            "statement": _statement_text(transaction, step, language),
            "values": [[item.label.in_language(language), values.fill(item.value, language)] for item in shown],
        }
    )


def _statement_text(transaction: Transaction, step: SignStep, language: Language) -> str:
    """The statement, in a package followed by what each wanted part has signed."""
    clauses = (clause.text for clause in step.clauses if transaction.serves((clause.part,)))
    lines = (text.in_language(language) for text in (step.text, *clauses))
    return transaction.values.fill("\n".join(lines), language)


def _keep(transaction: Transaction, step: SignStep, signature: Signature) -> None:
    """The journal takes the signature's own hash: it covers what was shown, and nobody can guess from it what was."""
    transaction.values.put(
        f"material.{step.id}",
        {
            "origin": "signature",
            "sha256": signature.document_sha256,
            "page": base64.b64encode(signature.image_png).decode(),
        },
    )
    transaction.journal("document_signed", step=step.id, sha256=signature.sha256, pad=signature.pad)


class _Sheet:
    """One try at a signature, bound to what is shown in the language that stands."""

    def __init__(self, transaction: Transaction, step: SignStep, hint: LocalizedText | None) -> None:
        self._transaction = transaction
        self._session = transaction.session
        self._is_confirmed = False
        self._language = transaction.session.language
        self._sha256 = sha256_hex(statement(transaction, step, self._language))
        values = transaction.values
        text = LocalizedText.of({each.value: _statement_text(transaction, step, each) for each in Language})
        items: tuple[KnownItem, ...] = tuple(
            shown_item(transaction, item) for item in step.show if values.knows(item.value)
        )
        self._screen = SignScreen(
            **transaction.frame(
                primary=option("confirm", "sign_confirm", enabled=False),
                alternatives=(option("again", "sign_again", enabled=False),),
            ),
            text=text,
            items=items,
            field_mm=(FIELD.width_mm, FIELD.height_mm),
            hint=hint,
        )

    async def taken(self) -> Signature | LocalizedText | None:
        """The signature, or why it must be written again (None: the citizen wanted to). Raises as the flow does."""
        pad = self._transaction.equipment.devices.signature_pad
        if pad is None:
            raise StepFailed(FaultCode.DEVICE_DOWN, "no signature pad is configured", can_retry=False)
        if "feed_ink" not in (await pad.capabilities()).features:
            self._screen = replace(self._screen, writes_here=False, place=Place.SIGNATURE_PAD)
        self._session.questions_asked += 1
        armed = asyncio.Event()
        writing = asyncio.ensure_future(self._follow(pad, armed))
        hearing = asyncio.ensure_future(self._obey(pad, armed))
        try:
            await asyncio.wait({writing, hearing}, return_when=asyncio.FIRST_COMPLETED)
            if hearing.done() and (not writing.done() or hearing.exception() is not None):
                return hearing.result()
            return writing.result()
        except CommandTimedOut:
            return None
        except MediaError as error:
            return sentence_of(DeviceClass.SIGNATURE_PAD, error) or word("sign_once_more")
        except DeviceOffline:
            raise
        except DeviceError as error:
            raise StepFailed(FaultCode.DEVICE_DOWN, str(error)) from error
        finally:
            for task in (writing, hearing):
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task

    async def _follow(self, pad: SignaturePad, armed: asyncio.Event) -> Signature:
        captured = pad.capture(document_sha256=self._sha256, box=FIELD, timeout_seconds=CAPTURE_SECONDS)
        async with aclosing(captured) as inks:
            async for ink in inks:
                if isinstance(ink, Signature):
                    if ink.document_sha256 != self._sha256:
                        raise MediaError("the signature belongs to another document", "document_changed")
                    return ink
                self._show(ink)
                armed.set()
        raise DeviceOffline("the signature pad ended without a signature")

    async def _obey(self, pad: SignaturePad, armed: asyncio.Event) -> LocalizedText | None:
        """Strokes and buttons in the order they came; returns when the sheet is to be begun anew."""
        await armed.wait()
        while True:
            answer = await self._session.heard()
            match answer:
                case Wrote():
                    if self._screen.writes_here:
                        await pad.feed_ink(_stroke(answer))
                case Chosen(option="again"):
                    return None
                case Chosen(option="confirm"):
                    if self._session.language is not self._language:
                        return word("sign_language_changed")
                    self._is_confirmed = True
                    self._transaction.working("sign_taking")
                    await pad.confirm_ink(self._sha256)
                case _:
                    pass

    def _show(self, ink: Ink) -> None:
        written = any(stroke.points for stroke in ink.strokes)
        if self._is_confirmed:
            return
        screen = self._screen
        if written and screen.primary is not None:
            buttons = (screen.primary, *screen.alternatives)
            confirm, again = (replace(button, enabled=True) for button in buttons)
            screen = replace(screen, primary=confirm, alternatives=(again,))
        self._screen = replace(screen, ink=() if screen.writes_here else _lines(ink))
        if self._screen is not self._session.screen:
            self._session.show(self._screen)


def _stroke(wrote: Wrote) -> Stroke:
    return Stroke(points=tuple(PenPoint(x_mm=x, y_mm=y, milliseconds=at) for x, y, at in wrote.points))


def _lines(ink: Ink) -> tuple[InkLine, ...]:
    return tuple(tuple((point.x_mm, point.y_mm, point.pressure) for point in stroke.points) for stroke in ink.strokes)
