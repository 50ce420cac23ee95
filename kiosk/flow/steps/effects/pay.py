"""Money, once, for what the following steps deliver. The order is on disk before anything of it is sent."""

from __future__ import annotations

from dataclasses import replace

from drivers.errors import CommandTimedOut, DeviceError, MediaError
from drivers.messages import CodePurpose, DeviceClass, PaymentMethod, ScannedCode
from kiosk.contracts.effect_steps import fen_of, yuan
from kiosk.contracts.errors import FaultCode
from kiosk.contracts.matter import PayStep
from kiosk.contracts.matter_ground import SOURCE_PLACE
from kiosk.contracts.payments import OrderLine
from kiosk.contracts.value import LocalizedText, plain
from kiosk.flow.equipment import PaymentsInUse
from kiosk.flow.screens import ChooseScreen, Chosen, KnownItem, Option, PayScreen, Place
from kiosk.flow.session import StepFailed, SteppedBack
from kiosk.flow.steps.effects.orders import Bill, OneOrder, Way, resume
from kiosk.flow.transaction import Outcome, Transaction, option
from kiosk.flow.words import sentence_of, word

PAYER_CODE = "payer_code"
PAYER_CODE_PATTERN = r"\d{16,24}"
SCAN_SECONDS = 60.0
BANK_CARD = "bank_card"
BY_CODE = frozenset({"alipay", "wechat"})


async def run(transaction: Transaction, step: PayStep) -> Outcome:
    payments = transaction.equipment.payments
    bill = bill_of(transaction, step)
    if bill.amount_fen == 0 or transaction.paid is not None:
        return Outcome.DONE
    if payments is None:
        raise StepFailed(FaultCode.PAYMENT_UNAVAILABLE, "no way to take money is configured", can_retry=False)
    if await resume(transaction, payments, bill):
        return Outcome.DONE
    while True:
        ways = await _ways(transaction, step, payments)
        way = ways[0] if len(ways) == 1 else await _choose(transaction, step, bill, ways)
        if way.method is PaymentMethod.QR_SCANNED:
            code = await _payer_code(transaction, step, bill)
            if code is None:
                continue
            way = replace(way, payer_code=code)
        if await OneOrder(transaction, payments, bill, way, offers_other=len(ways) > 1).is_paid():
            return Outcome.DONE


def bill_of(transaction: Transaction, step: PayStep) -> Bill:
    """What is to be paid, in whole fen. An amount nobody gave, or that is no amount, is never guessed."""
    lines = []
    for index, line in enumerate(step.lines):
        if transaction.matter.parts and line.part is not None and not transaction.serves((line.part,)):
            continue
        place = SOURCE_PLACE.fullmatch(line.amount_fen)
        fen = fen_of(line.amount_fen if place is None else transaction.values.get(place.group(1)))
        if fen is None:
            raise StepFailed(FaultCode.AUTHORITY_GARBLED, f"line {index} of {step.id} is no amount", can_retry=False)
        label = line.label.zh_cn[:80]
        lines.append((line, OrderLine(id=f"l{index}", label=label, amount_fen=fen, part=line.part or "")))
    return Bill(
        step=step,
        amount_fen=sum(order_line.amount_fen for _, order_line in lines),
        lines=tuple(order_line for _, order_line in lines),
        shown=tuple(
            KnownItem(label=line.label, value=plain(f"¥ {yuan(order_line.amount_fen)}")) for line, order_line in lines
        ),
        code=(transaction.values.get(step.bill) or "") if step.bill else "",
    )


# --- how to pay ----------------------------------------------------------------------------------------------------


async def _ways(transaction: Transaction, step: PayStep, payments: PaymentsInUse) -> tuple[Way, ...]:
    """What the matter takes and what works now. Raises StepFailed when nothing does."""
    transaction.working("pay_preparing")
    devices = transaction.equipment.devices
    wanted = [channel.value for channel in step.channels]
    works = frozenset(wanted) & await payments.channels()
    ways = [Way(channel, channel, PaymentMethod.QR_SHOWN) for channel in wanted if channel in works - {BANK_CARD}]
    if works & BY_CODE and devices.code_scanner is not None and devices.is_fit(DeviceClass.CODE_SCANNER):
        ways.append(Way(PAYER_CODE, None, PaymentMethod.QR_SCANNED))
    if BANK_CARD in works and await _takes_cards(transaction):
        ways.append(Way(BANK_CARD, BANK_CARD, PaymentMethod.CARD))
    if not ways:
        raise StepFailed(FaultCode.PAYMENT_UNAVAILABLE, "no channel of this matter works now")
    return tuple(ways)


async def _takes_cards(transaction: Transaction) -> bool:
    """Only from a device that keeps its orders on disk: another could not say after a power cut who was charged."""
    devices = transaction.equipment.devices
    if devices.payment_terminal is None or not devices.is_fit(DeviceClass.PAYMENT_TERMINAL):
        return False
    try:
        can = await devices.payment_terminal.capabilities()
        return "ids_on_disk" in can.features and PaymentMethod.CARD in await devices.payment_terminal.methods()
    except DeviceError:
        return False


async def _choose(transaction: Transaction, step: PayStep, bill: Bill, ways: tuple[Way, ...]) -> Way:
    screen = ChooseScreen(
        **transaction.frame(title=word("pay_title_amount").format(amount=yuan(bill.amount_fen)), say=_to(step)),
        options=tuple(_option(way) for way in ways),
        layout="list",
    )
    while True:
        answer = await transaction.session.ask(screen)
        for way in ways:
            if isinstance(answer, Chosen) and answer.option == way.id:
                return way


def _to(step: PayStep) -> LocalizedText:
    say, payee = word("pay_choose"), step.payee
    return LocalizedText(
        zh_cn=say.zh_cn.format(payee=payee.zh_cn), zh_tw=say.zh_tw.format(payee=payee.zh_tw),
        en=say.en.format(payee=payee.en),
    )  # fmt: skip


def _option(way: Way) -> Option:
    match way.method:
        case PaymentMethod.CARD:
            icon, detail = "card", "pay_by_card"
        case PaymentMethod.QR_SCANNED:
            icon, detail = "phone", "pay_by_code"
        case PaymentMethod.QR_SHOWN:
            icon, detail = "scan", "pay_by_any_phone" if way.id == "non_tax" else "pay_by_phone"
    return option(way.id, f"pay_{way.id}", icon=icon, detail=detail)


async def _payer_code(transaction: Transaction, step: PayStep, bill: Bill) -> str | None:
    """The code on the citizen's phone; None when they would rather pay another way. It is kept nowhere."""
    scanner = transaction.equipment.devices.code_scanner
    if scanner is None:
        return None
    say = word("pay_show_code")
    while True:
        transaction.session.questions_asked += 1
        transaction.session.show(
            PayScreen(
                **transaction.frame(
                    say=say, place=Place.CODE_SCANNER, alternatives=(option("other", "pay_other_way"),)
                ),
                amount=yuan(bill.amount_fen), payee=step.payee, subject=step.subject, lines=bill.shown,
                channel=word("pay_payer_code"), icon="phone", seconds_left=0, seconds_total=0,
            )
        )  # fmt: skip
        try:
            read = await transaction.session.unless_answered(
                scanner.read(purpose=CodePurpose.PAYER_CODE, pattern=PAYER_CODE_PATTERN, timeout_seconds=SCAN_SECONDS)
            )
        except (CommandTimedOut, MediaError) as error:
            say = sentence_of(DeviceClass.CODE_SCANNER, error) or word("pay_show_code_again")
            continue
        except SteppedBack:
            return None
        except DeviceError as error:
            raise StepFailed(FaultCode.DEVICE_DOWN, str(error)) from error
        return read.text if isinstance(read, ScannedCode) else None
