"""A citizen contests a value that an authority, a certificate or the card gave: recorded, sent, numbered (数据异议)."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.contracts.entries import entry_mistake
from kiosk.contracts.errors import Refused, ServiceFailed
from kiosk.contracts.events import Disposition
from kiosk.contracts.matter import (
    FillFormStep,
    PrintReceiptStep,
    ReceiptLayout,
    ReviewStep,
    ShownValue,
    places_in,
)
from kiosk.contracts.text import FieldKind
from kiosk.contracts.value import CITY_TIME, Language, LocalizedText
from kiosk.flow.screens import ChooseScreen, Chosen, FormFilled, FormItem, FormScreen, KnownItem, NoticeScreen, Option
from kiosk.flow.steps.certificates import purpose_of
from kiosk.flow.steps.effects import print_receipt
from kiosk.flow.transaction import Objection, Transaction, option
from kiosk.flow.words import word

OPERATION = "objection.submit"
GIVEN_BY_OTHERS = ("card", "certificate", "service")
LONGEST_WORDS = 100
SECONDS = 15.0


@dataclass(frozen=True)
class Contestable:
    """A shown value that somebody else gave, and the source it comes from."""

    shown: ShownValue
    known: KnownItem
    source: str


def contestable(transaction: Transaction, step: ReviewStep, items: dict[int, KnownItem]) -> list[Contestable]:
    """What may be contested of the values shown, by their place in the step; nothing while nobody is signed in."""
    if transaction.session.identity.card is None:
        return []
    found = [(at, _source_of(transaction, step.show[at])) for at in items]
    return [Contestable(step.show[at], items[at], source) for at, source in found if source]


def _source_of(transaction: Transaction, item: ShownValue) -> str:
    for place in places_in(item.value):
        root, name = place.split(".", 1)
        if root in GIVEN_BY_OTHERS:
            return place
        if root == "answer":
            return _source_of_answer(transaction, name.removesuffix("_label"))
    return ""


def _source_of_answer(transaction: Transaction, name: str) -> str:
    """Where a form's value was taken from; empty when the citizen entered it."""
    value = transaction.values.get(f"answer.{name}")
    fields = (field for step in transaction.matter.steps if isinstance(step, FillFormStep) for field in step.fields)
    sources = next((field.sources for field in fields if field.id == name), ())
    return next((source for source in sources if value and transaction.values.get(source) == value), "")


async def contest(transaction: Transaction, step: ReviewStep, values: list[Contestable]) -> bool:
    """From the choice of the value to its number. True: the matter goes on. Raises SteppedBack before it is sent."""
    value = values[0] if len(values) == 1 else await _which(transaction, values)
    wanted, phone = await _what_it_should_be(transaction, value)
    transaction.working("objection_sending")
    objection = await _send(transaction, step, value, wanted, phone)
    if objection is None:
        await _tell_not_sent(transaction)
        return True
    transaction.objections.append(objection)
    if await _goes_on(transaction, objection):
        return True
    await print_receipt.run(transaction, _slip(step))
    return False


async def _which(transaction: Transaction, values: list[Contestable]) -> Contestable:
    screen = ChooseScreen(
        **transaction.frame(title=word("objection_which"), say=word("objection_which_say")),
        options=tuple(
            Option(id=f"value_{at}", label=value.known.label, detail=value.known.value)
            for at, value in enumerate(values)
        ),
        layout="list",
    )
    while True:
        answer = await transaction.session.ask(screen)
        for at, value in enumerate(values):
            if isinstance(answer, Chosen) and answer.option == f"value_{at}":
                return value


async def _what_it_should_be(transaction: Transaction, value: Contestable) -> tuple[str, str]:
    """In the citizen's words; a phone number to be told the answer, as it is known or left empty."""
    items = (
        FormItem(
            id="objection_wanted", label=word("objection_wanted"), kind=FieldKind.TEXT, max_length=LONGEST_WORDS,
            hint=word("objection_wanted_hint"),
        ),
        FormItem(
            id="objection_phone", label=word("objection_phone"), kind=FieldKind.PHONE, required=False,
            value=transaction.values.get("answer.phone") or "",
        ),
    )  # fmt: skip
    entered = {item.id: item.value for item in items}
    errors: dict[str, LocalizedText] = {}
    today = transaction.equipment.now().astimezone(CITY_TIME).date()
    while True:
        answer = await transaction.session.ask(
            FormScreen(
                **transaction.frame(
                    title=value.known.label, say=word("objection_say"), primary=option("confirm", "objection_send")
                ),
                items=tuple(_with(item, entered[item.id], errors.get(item.id)) for item in items),
                known=(value.known,),
            )
        )
        if not isinstance(answer, FormFilled):
            continue
        entered = {item.id: answer.values.get(item.id, "").strip() for item in items}
        errors = {}
        for item in items:
            assert item.kind != "code"
            assert item.kind != "pin"
            wrong = entry_mistake(
                item.kind, entered[item.id], today=today, required=item.required, longest=item.max_length
            )
            if wrong is not None:
                errors[item.id] = wrong
        if not errors:
            return entered["objection_wanted"], entered["objection_phone"]


def _with(item: FormItem, value: str, error: LocalizedText | None) -> FormItem:
    return FormItem(
        id=item.id, label=item.label, kind=item.kind, value=value, hint=item.hint, required=item.required, error=error,
        max_length=item.max_length,
    )  # fmt: skip


async def _send(
    transaction: Transaction, step: ReviewStep, value: Contestable, wanted: str, phone: str
) -> Objection | None:
    """None when it could not be sent. The journal learns which value and whose, never what it says."""
    label = value.shown.label.in_language(Language.ZH_CN)
    values = transaction.values
    payload = {
        "item": label, "source": value.source, "wanted": wanted, "phone": phone,
        "id_number": values.get("card.id_number"), "permit_number": values.get("card.permit_number"),
        "name": values.get("card.name") or values.get("card.name_latin"), "matter": transaction.matter.id,
    }  # fmt: skip
    request_id = transaction.begin_effect("service_begun", step=step.id, operation=OPERATION)
    facts = {"step": step.id, "operation": OPERATION}
    try:
        answer = await transaction.equipment.services.call(
            OPERATION,
            {name: text for name, text in payload.items() if text},
            request_id=request_id,
            transaction_number=transaction.number,
            matter=transaction.matter.id,
            purpose=purpose_of(transaction),
            timeout_seconds=SECONDS,
        )
    except ServiceFailed as failure:
        ended = Disposition.FAILED if isinstance(failure, Refused) else Disposition.UNCERTAIN
        transaction.end_effect(request_id, "service_ended", ended, reason=failure.reason, case_number="", **facts)
        return None
    number = answer.case_number or ""
    transaction.end_effect(request_id, "service_ended", Disposition.SUCCEEDED, reason="", case_number=number, **facts)
    transaction.journal("objection_made", step=step.id, item=label, source=value.source, case_number=number)
    return Objection(value.shown.label, number, str(answer.data.get("promised_on") or ""))


async def _goes_on(transaction: Transaction, objection: Objection) -> bool:
    say = word("objection_sent_say").format(number=objection.number, day=objection.promised_on or "—")
    answer = await transaction.session.ask(
        NoticeScreen(
            **transaction.frame(
                title=word("objection_sent"),
                say=say,
                can_go_back=False,
                primary=option("go_on", "objection_go_on"),
                alternatives=(option("end", "objection_end"),),
            ),
            what_to_do=word("objection_keep"),
        )
    )
    return not (isinstance(answer, Chosen) and answer.option == "end")


async def _tell_not_sent(transaction: Transaction) -> None:
    await transaction.session.ask(
        NoticeScreen(
            **transaction.frame(
                title=word("objection_not_sent"),
                say=word("objection_not_sent_say"),
                can_go_back=False,
                primary=option("go_on", "objection_go_on"),
            ),
            tone="attention",
        )
    )


def _slip(step: ReviewStep) -> PrintReceiptStep:
    """Numbers of the objections alone, for a citizen who stops here."""
    layout = ReceiptLayout(heading=word("objection_receipt"), items=())
    return PrintReceiptStep(id=f"{step.id}_slip", layout=layout)
