"""What readers and writers of cards must keep (device-classes C.2; domain.md section 3).

Nothing is written and no try of a PIN is spent, unless whoever stands there allows it: a sample card, with --print.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets

from drivers.bench.conformance import Bench, Broken, NotTried, check, ends_within
from drivers.errors import CommandTimedOut, DeviceError, MediaError, Unsupported
from drivers.messages import (
    DeviceClass,
    Endorsement,
    RecordWrite,
    RewritableCard,
    RewriteJob,
    RewriteOutcome,
    RewriteResult,
    SocialSecurityCard,
    WriteOutcome,
)

READER = DeviceClass.SMART_CARD_READER
REWRITER = DeviceClass.CARD_REWRITER
SHORT_SECONDS = 1.0
CARD_SECONDS = 8.0
REWRITE_SECONDS = 60.0
NOBODY = "no such card"


# --- chip cards ------------------------------------------------------------------------------------------------------


@check("a chip that lies there answers, and its profile is read whole", READER)
async def profile(bench: Bench) -> str:
    chip, failure, _ = await ends_within(bench.proxy.wait_card(timeout_seconds=CARD_SECONDS), CARD_SECONDS)
    if isinstance(failure, CommandTimedOut):
        raise NotTried("lay a card on the reader")
    if failure is not None:
        raise failure
    if not chip.atr or bytes.fromhex(chip.atr)[:1] not in (b"\x3b", b"\x3f"):
        raise Broken("an answer to reset begins with 3B or 3F (ISO/IEC 7816-3, 8.1)")
    card = await _profile(bench)
    padded = [name for name, value in card if isinstance(value, str) and value != value.strip(" \x00")]
    if padded:
        raise Broken(f"padding was left on: {', '.join(padded)}")
    if card.birth_date is not None and card.birth_date > dt.datetime.now(dt.UTC).date():
        raise Broken("the date of birth is to come")
    return f"{chip.interface}, specification {card.specification}"


async def _profile(bench: Bench) -> SocialSecurityCard:
    card, failure, _ = await ends_within(bench.proxy.read_profile(timeout_seconds=CARD_SECONDS), CARD_SECONDS)
    if isinstance(failure, MediaError):
        raise NotTried(f"lay a social-security card on the reader that shows its data freely ({failure.reason})")
    if failure is not None:
        raise failure
    profile_read: SocialSecurityCard = card
    return profile_read


@check("a bank card's number is read and shown nowhere, and what is no bank card is refused as such", READER)
async def bank_card(bench: Bench) -> str:
    if "bank_card" not in (await bench.device.capabilities()).features:
        raise NotTried("the driver does not declare bank_card")
    card, failure, _ = await ends_within(bench.proxy.read_bank_card(timeout_seconds=CARD_SECONDS), CARD_SECONDS)
    if isinstance(failure, MediaError):
        return f"refused: {failure.reason}"
    if failure is not None:
        raise failure
    if card.number in repr(card):
        raise Broken("the number stands in the message's own words: declare it with repr=False")
    return str(card.last_digits)


@check("waiting for a card, and for its removal, ends within its limit", READER)
async def limits(bench: Bench) -> str:
    return await _limits(bench, bench.proxy.wait_card(timeout_seconds=SHORT_SECONDS))


async def _limits(bench: Bench, waiting: object) -> str:
    card, failure, taken = await ends_within(waiting, SHORT_SECONDS)  # type: ignore[arg-type]
    if card is None and not isinstance(failure, CommandTimedOut | MediaError):
        raise Broken(f"no card is CommandTimedOut, a bad one MediaError; it raised {failure!r}")
    _, left, taken_again = await ends_within(bench.proxy.wait_removal(timeout_seconds=SHORT_SECONDS), SHORT_SECONDS)
    if left is not None and not isinstance(left, CommandTimedOut):
        raise Broken(f"a card left behind is CommandTimedOut; it raised {left.kind}/{left.reason}")
    if card is not None and left is None:
        raise Broken("a card that answers is said to have been taken")
    return f"{taken:.2f} s and {taken_again:.2f} s"


@check("a wait that is taken back ends at once, and the device serves on", READER)
async def cancel(bench: Bench) -> str:
    return await _cancelled(bench, "wait_removal")


async def _cancelled(bench: Bench, command: str) -> str:
    if command not in (await bench.device.capabilities()).cancellable:
        raise NotTried(f"the driver does not declare {command} as cancellable")
    pid = bench.device.pid
    waiting = asyncio.ensure_future(getattr(bench.proxy, command)(timeout_seconds=10))
    await asyncio.wait({waiting}, timeout=0.4)
    waiting.cancel()
    await asyncio.wait({waiting})
    _, failure, taken = await ends_within(
        bench.proxy.wait_removal(timeout_seconds=SHORT_SECONDS), SHORT_SECONDS + 1
    )  # fmt: skip
    if bench.device.pid != pid:
        raise Broken("its process had to be killed to get the device back")
    if failure is not None and not isinstance(failure, CommandTimedOut):
        raise Broken(f"the next command failed: {failure.kind}/{failure.reason}")
    return f"the next command ended after {taken:.2f} s"


@check("what would spend a try of the PIN, or write, does not go through transmit", READER)
async def guarded(bench: Bench) -> str:
    for command in ("0020000003000000", "0024000000", "00DC0104020000", "00D6000001FF"):
        _, failure, _ = await ends_within(bench.proxy.transmit(bytes.fromhex(command)), CARD_SECONDS)
        if not isinstance(failure, Unsupported | MediaError):
            raise Broken(f"instruction {command[2:4]} went to the card, or failed as {failure!r}")
    _, failure, _ = await ends_within(bench.proxy.transmit(b"\x00"), CARD_SECONDS)
    if not isinstance(failure, MediaError):
        raise Broken(f"one byte is no APDU and is refused with MediaError, not {failure!r}")
    return ""


@check("what is no PIN costs no try", READER)
async def no_pin(bench: Bench) -> str:
    for pin in ("", "12345", "abcdef"):
        _, failure, _ = await ends_within(bench.proxy.verify_pin(pin), CARD_SECONDS)
        if not isinstance(failure, MediaError):
            raise Broken(f"a PIN that is none is refused with MediaError, not {failure!r}")
        if pin and pin in str(failure):
            raise Broken("it repeats what was entered")
    return ""


@check("a write that was meant for another card, or for other data, is refused", READER)
async def refuses_write(bench: Bench) -> str:
    if not bench.may_print:
        raise NotTried("lay a sample card on the reader and allow it to be written with --print")
    card = await _profile(bench)
    strange = RecordWrite(
        write_id=f"check-{secrets.token_hex(6)}", file="EF06", record=6, value=b"\x35\x02\x00",
        identification_code="00" * 16,
    )  # fmt: skip
    other = strange.model_copy(
        update={
            "write_id": f"check-{secrets.token_hex(6)}",
            "identification_code": card.identification_code,
            "expected_before": b"\xee\xee\xee",
        }
    )
    for write in (strange, other):
        result, failure, _ = await ends_within(
            bench.proxy.write_record(write, timeout_seconds=CARD_SECONDS), CARD_SECONDS
        )
        if failure is not None:
            raise failure
        if result.outcome is not WriteOutcome.FAILED:
            raise Broken(f"it ended {result.outcome}")
    if (await _profile(bench)) != card:
        raise Broken("a refused write changed the card")
    return ""


# --- cards written and printed anew ----------------------------------------------------------------------------------


async def _card(bench: Bench) -> RewritableCard:
    card, failure, _ = await ends_within(bench.proxy.read_card(timeout_seconds=CARD_SECONDS), CARD_SECONDS)
    if isinstance(failure, CommandTimedOut | MediaError):
        raise NotTried(f"put a permit in ({failure.reason})")
    if failure is not None:
        raise failure
    read: RewritableCard = card
    return read


def _job(card_number: str, job_id: str = "") -> RewriteJob:
    return RewriteJob(
        job_id=job_id or f"check-{secrets.token_hex(6)}",
        card_number=card_number,
        endorsement=Endorsement(kind="T", valid_from=dt.date(1931, 1, 1), valid_until=dt.date(1931, 6, 30)),
        print_lines=("检测 test",),
    )


@check("a permit is read whole", REWRITER)
async def reads_permit(bench: Bench) -> str:
    card = await _card(bench)
    if not card.card_number:
        raise Broken("a card without a number is not a read card")
    return f"{len(card.endorsements)} endorsements"


@check("reading, and waiting for removal, ends within its limit", REWRITER)
async def permit_limits(bench: Bench) -> str:
    return await _limits(bench, bench.proxy.read_card(timeout_seconds=SHORT_SECONDS))


@check("a wait that is taken back ends at once, and the unit serves on", REWRITER)
async def permit_cancel(bench: Bench) -> str:
    return await _cancelled(bench, "wait_removal")


@check("a job for another card changes nothing", REWRITER)
async def another_card(bench: Bench) -> str:
    before = await _card(bench)
    result = await _rewritten(bench, _job(NOBODY))
    if result.outcome is not RewriteOutcome.FAILED:
        raise Broken(f"it ended {result.outcome}")
    if await _card(bench) != before:
        raise Broken("the card was changed")
    return result.reason


@check("a job nobody began is answered plainly", REWRITER)
async def unknown_job(bench: Bench) -> str:
    card = await _card(bench)
    result, failure, _ = await ends_within(
        bench.proxy.find_rewrite(_job(card.card_number), timeout_seconds=CARD_SECONDS), CARD_SECONDS
    )
    if failure is not None:
        raise failure
    if result.outcome is not RewriteOutcome.FAILED:
        raise Broken(f"the card is there and knows nothing of it, and it said {result.outcome}")
    return result.reason or ""


@check("a job asked for twice is written once", REWRITER)
async def once(bench: Bench) -> str:
    if not bench.may_print:
        raise NotTried("put a sample card in and allow it to be written with --print")
    before = await _card(bench)
    job = _job(before.card_number)
    for _ in range(2):
        result = await _rewritten(bench, job)
        if result.outcome is not RewriteOutcome.COMPLETED:
            raise Broken(f"it ended {result.outcome}: {result.reason}")
    after = await _card(bench)
    if len(after.endorsements) != len(before.endorsements) + 1:
        raise Broken(f"{len(before.endorsements)} endorsements became {len(after.endorsements)}")
    if after.last_job_id != job.job_id or after.print_pending:
        raise Broken("the chip does not say that this job is written and printed")
    return "see that the print is new"


async def _rewritten(bench: Bench, job: RewriteJob) -> RewriteResult:
    result: RewriteResult | None
    failure: DeviceError | None
    result, failure, _ = await ends_within(bench.proxy.rewrite(job, timeout_seconds=REWRITE_SECONDS), REWRITE_SECONDS)
    if failure is not None or result is None:
        raise failure or Broken("it gave no result")
    return result
