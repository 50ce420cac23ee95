"""Steps that all members of a package share: one consent, one review, one signature, one payment, one receipt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from kiosk.contracts import package_words as words
from kiosk.contracts.effect_steps import BillLine, PaymentChannel
from kiosk.contracts.matter import (
    ConsentStep,
    Matter,
    PayStep,
    PrintReceiptStep,
    ReceiptItem,
    ReceiptLayout,
    ReviewStep,
    ShownValue,
    SignStep,
    places_in,
)
from kiosk.contracts.matter_ground import Clause
from kiosk.contracts.package import PackageMatter
from kiosk.contracts.package_steps import in_languages, rewritten
from kiosk.contracts.standard_words import StepWords
from kiosk.contracts.text import Language, LocalizedText
from kiosk.contracts.value import canonical_bytes, sha256_hex

Names = Mapping[str, dict[str, str]]
"""By member: what its steps' values are called in the package."""


def _frame(id: str, said: StepWords) -> dict[str, object]:
    return {"id": id, "title": said.title, "say": said.say, "say_elder": said.say_elder}


def consent_step(package: PackageMatter, members: Sequence[Matter]) -> ConsentStep | None:
    """Every department, its matter, and the first paragraph of what it asks consent to."""
    asked = [(member, step) for member in members for step in member.steps if isinstance(step, ConsentStep)]
    if not asked:
        return None
    clauses = tuple(Clause(part=member.id, text=_consent_clause(member, step)) for member, step in asked)
    text = words.CONSENT_TEXT
    text = in_languages(lambda lang: text.in_language(lang).replace("{title}", _within_quotes(package, lang)))
    said = [text.by_language(), *(clause.text.by_language() for clause in clauses)]
    version = f"{package.id}-{package.version}-{sha256_hex(canonical_bytes(said))[:12]}"
    return ConsentStep.model_validate({"id": "consent", "text": text, "clauses": clauses, "text_version": version})


def _within_quotes(package: PackageMatter, language: Language) -> str:
    """The title where marks stand around it: its own become inner ones."""
    return package.title.in_language(language).translate(str.maketrans("“”「」", "‘’『』"))


def _consent_clause(member: Matter, step: ConsentStep) -> LocalizedText:
    return in_languages(
        lambda lang: (
            words.CONSENT_CLAUSE.in_language(lang)
            .replace("{department}", member.department_name.in_language(lang))
            .replace("{matter}", (member.short_title or member.title).in_language(lang))
            .replace("{text}", step.text.in_language(lang).strip().split("\n")[0])
        )
    )


def review_step(members: Sequence[Matter], names: Names) -> ReviewStep | None:
    """Every value once, in the order the members show them."""
    show: dict[str, ShownValue] = {}
    for member in members:
        for step in member.steps:
            if isinstance(step, ReviewStep):
                own = step.model_copy(update={"show": tuple(s for s in step.show if _is_asked(s, names[member.id]))})
                for shown in rewritten(own, names[member.id]).show:
                    show.setdefault(shown.value, shown)
    return ReviewStep.model_validate({**_frame("review", words.REVIEW), "show": tuple(show.values())}) if show else None


def _is_asked(shown: ShownValue, names: Mapping[str, str]) -> bool:
    """False for what the package fills in by itself, perhaps only when a part was handed in."""
    return not any(place in names for place in places_in(shown.value))


def signature_step(package: PackageMatter, members: Sequence[Matter], names: Names) -> SignStep | None:
    """One signature below what each member has signed."""
    clauses: list[Clause] = []
    show: dict[str, ShownValue] = {}
    parts: list[str] = []
    for member in members:
        for step in member.steps:
            if isinstance(step, SignStep):
                names[member.id][f"material.{step.id}"] = "material.signature"
                made = rewritten(step, names[member.id])
                clauses.append(Clause(part=member.id, text=made.text))
                parts.append(member.id)
                for shown in made.show:
                    show.setdefault(shown.value, shown)
    if not clauses:
        return None
    text = in_languages(
        lambda lang: words.SIGN_TEXT.in_language(lang).replace("{title}", _within_quotes(package, lang))
    )
    return SignStep.model_validate({
        **_frame("signature", words.SIGN), "text": text, "clauses": tuple(clauses), "show": tuple(show.values()),
        "parts": tuple(dict.fromkeys(parts)),
    })  # fmt: skip


def payment_step(package: PackageMatter, members: Sequence[Matter], names: Names) -> PayStep | None:
    """One payment with a line for each part. A non-tax code pays one bill: never the bills of several. No bank card:
    it gives back whole payments only, and a part may be refused alone.
    """
    paid = [(member, step) for member in members for step in member.steps if isinstance(step, PayStep)]
    for member, step in paid:
        names[member.id][f"payment.{step.id}"] = "payment.payment"
    made = [(member, rewritten(step, names[member.id])) for member, step in paid]
    if not made:
        return None
    lines = tuple(_line(member, line) for member, step in made for line in step.lines)
    in_parts = [each for each in PaymentChannel if each is not PaymentChannel.BANK_CARD]
    channels = [each for each in in_parts if all(each in step.channels for _, step in made)]
    bill = made[0][1].bill
    if len(made) > 1:
        bill = None
        channels = [each for each in channels if each is not PaymentChannel.NON_TAX]
    payees = {step.payee.zh_cn: step.payee for _, step in made}
    return PayStep.model_validate({
        **_frame("payment", words.PAY), "lines": lines, "bill": bill, "subject": package.title,
        "payee": words.PAYEE if len(payees) > 1 else made[0][1].payee,
        "channels": tuple(channels) or (PaymentChannel.ALIPAY, PaymentChannel.WECHAT),
        "parts": tuple(dict.fromkeys(member.id for member, _ in made)),
    })  # fmt: skip


def _line(member: Matter, line: BillLine) -> BillLine:
    return line.model_copy(update={"part": member.id})


def receipt_step(package: PackageMatter, members: Sequence[Matter], names: Names) -> PrintReceiptStep:
    """What became of each part, with its number and reason, then what the members' own receipts prove."""
    proofs = {member.id: _receipt_items(member, names) for member in members}
    members_with = Counter(value for shown in proofs.values() for value in shown)
    common = _by_value(
        item
        for shown in proofs.values()
        for value, item in shown.items()
        if members_with[value] > 1 or _is_of_citizen(item)
    )
    items = list(common.values())
    listed = [(member.id, member.short_title or member.title) for member in members]
    if package.package.after:
        listed.append((package.id, package.short_title or package.title))
    for id, title in listed:
        items.append(ReceiptItem(label=title, value=f"{{part.{id}.outcome_label}}"))
        items.append(ReceiptItem(label=words.RECEIPT_NUMBER, value=f"{{part.{id}.case_number}}"))
        items.append(ReceiptItem(label=words.RECEIPT_REASON, value=f"{{part.{id}.reason}}"))
        items += [
            _under_its_part(item)
            for value, item in proofs.get(id, {}).items()
            if value not in common and not value.endswith(".case_number}")
        ]
    heading = in_languages(
        lambda lang: words.RECEIPT_HEADING.in_language(lang).replace(
            "{title}", (package.short_title or package.title).in_language(lang)
        )
    )
    return PrintReceiptStep.model_validate(
        {"id": "receipt", "layout": ReceiptLayout(heading=heading, items=tuple(items))}
    )


def _receipt_items(member: Matter, names: Names) -> dict[str, ReceiptItem]:
    return _by_value(
        item
        for step in member.steps
        if isinstance(step, PrintReceiptStep)
        for item in rewritten(step, names[member.id]).layout.items
    )


def _by_value(items: Iterable[ReceiptItem]) -> dict[str, ReceiptItem]:
    """Each value once, under its first label."""
    found: dict[str, ReceiptItem] = {}
    for item in items:
        found.setdefault(item.value, item)
    return found


def _under_its_part(item: ReceiptItem) -> ReceiptItem:
    label = in_languages(lambda lang: words.RECEIPT_INDENT.in_language(lang) + item.label.in_language(lang))
    return item.model_copy(update={"label": label})


def _is_of_citizen(item: ReceiptItem) -> bool:
    places = places_in(item.value)
    return bool(places) and all(place.startswith("card.") for place in places)
