"""One session at a time: others are refused, its end takes everything back, a late command does nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from drivers.errors import DeviceBusy, DeviceError
from drivers.messages import PrintOutcome
from tests.drivers.host.stage import QUICK, device, run, until

pytestmark = pytest.mark.usefixtures("driver_package")


def test_a_claimed_device_serves_its_session_alone() -> None:
    async def story() -> None:
        async with device() as supervised:
            assert supervised.cached_status().claimed_by is None
            first = supervised.claim("visit-1")
            assert (await first.read()).name == "驿测试"
            assert (await first.status()).claimed_by == "visit-1"
            for other in (supervised.proxy_of("visit-2"), supervised.proxy):
                with pytest.raises(DeviceBusy) as caught:
                    await other.read()
                assert caught.value.reason == "claimed"
                assert (await other.status()).is_fit
                assert (await other.capabilities()).version == "1"
            with pytest.raises(DeviceBusy):
                supervised.claim("visit-2")
            assert supervised.claim("visit-1") is not None
            await supervised.release("visit-2")
            assert supervised.cached_status().claimed_by == "visit-1"
            await supervised.release("visit-1")
            assert supervised.cached_status().claimed_by is None
            assert (await supervised.proxy_of("visit-2").read()).name == "驿测试"
            assert supervised.cached_status().claimed_by == "visit-2"

    run(story)


def test_the_end_of_a_session_takes_back_wipes_and_refuses_what_comes_late(tmp_path: Path) -> None:
    marks = tmp_path / "marks"

    async def story() -> None:
        async with device("never_answers", marks=str(marks)) as supervised:
            mine = supervised.proxy_of("visit-1")
            reading = asyncio.create_task(mine.read())
            await until(marks.exists)
            waiting = asyncio.create_task(mine.wait_removal())
            await asyncio.sleep(0)
            assert supervised.cached_status().armed
            await supervised.release("visit-1")
            with pytest.raises(DeviceError):
                await reading
            with pytest.raises(DeviceBusy) as caught:
                await waiting
            assert caught.value.reason == "claim_over"
            assert marks.read_text().split() == ["read", "cancelled", "wiped"]
            with pytest.raises(DeviceBusy):
                await mine.wait_removal()
            await mine.wipe()
            assert not supervised.cached_status().armed
            await supervised.proxy_of("visit-2").wait_removal()
            assert marks.read_text().split() == ["read", "cancelled", "wiped", "wait_removal"]

    run(story)


def test_nobody_takes_a_device_while_it_still_forgets_the_one_before() -> None:
    async def story() -> None:
        async with device("wipe_hangs", limits=QUICK) as supervised:
            supervised.claim("visit-1")
            ending = asyncio.create_task(supervised.release("visit-1"))
            await asyncio.sleep(0.05)
            with pytest.raises(DeviceBusy) as caught:
                await supervised.proxy_of("visit-2").read()
            assert caught.value.reason == "claimed"
            ending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await ending
            assert supervised.cached_status().claimed_by is None

    run(story)


def test_questions_about_what_was_need_no_claim() -> None:
    async def story() -> None:
        async with device(kind="document_printer") as printer:
            printer.claim("visit-1")
            assert (await printer.proxy.find_job("7", None)).outcome is PrintOutcome.PRINTED

    run(story)
