"""Commands and streams across the border: whole, in turn, taken back, and honest when the process is lost."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from drivers.errors import CommandTimedOut, DeviceOffline, HardwareFault, MediaError
from drivers.host import supervisor
from drivers.host.interface import deviation_of, methods_of
from drivers.messages import (
    CardType,
    DeviceState,
    DocumentJob,
    PrintJob,
    PrintOutcome,
    PrintResult,
)
from drivers.protocols import CodeScanner
from tests.drivers.host.stage import QUICK, back_after, device, run, until

pytestmark = pytest.mark.usefixtures("driver_package")

RECEIPT = PrintJob(job_id="job-1", lines=())


def test_values_cross_the_border_unchanged() -> None:
    async def story() -> None:
        async with device() as supervised:
            card = await supervised.proxy.read(timeout_seconds=5)
            assert card.card_type is CardType.RESIDENT
            assert (card.name, card.birth_date.year) == ("驿测试", 1900)
            assert card.photo == bytes(range(256)) * 4
            assert (await supervised.proxy.read(want_photo=False)).photo is None
            assert await supervised.proxy.decode_photo(b"\x00\xff") == b"\xff\x00"
            assert (await supervised.proxy.capabilities()).cancellable == {"read"}
            with pytest.raises(TypeError):
                await supervised.proxy.read(5)
            with pytest.raises(TypeError):
                await supervised.proxy.decode_photo(7)

    run(story)


def test_a_command_without_end_times_out_and_the_process_lives() -> None:
    async def story() -> None:
        async with device("never_answers", limits=QUICK) as supervised:
            pid = supervised.pid
            with pytest.raises(CommandTimedOut):
                await supervised.proxy.read(timeout_seconds=0.2)
            assert supervised.pid == pid

    run(story)


def test_a_driver_that_ignores_the_cancel_is_killed() -> None:
    async def story() -> None:
        async with device("ignores_cancel", limits=QUICK) as supervised:
            pid = supervised.pid
            assert pid
            with pytest.raises(CommandTimedOut):
                await supervised.proxy.read(timeout_seconds=0.2)
            await back_after(supervised, pid)

    run(story)


@pytest.mark.parametrize("behaviour", ["crash", "bug", "never_answers"])
def test_a_print_whose_process_was_lost_is_uncertain(behaviour: str, tmp_path: Path) -> None:
    marks = tmp_path / "marks"

    async def story() -> None:
        async with device(behaviour, "receipt_printer", QUICK, marks=str(marks)) as supervised:
            result = await supervised.proxy.print_receipt(RECEIPT, timeout_seconds=1.0)
            assert result.outcome is PrintOutcome.UNCERTAIN
            assert result.job_id == "job-1"
            assert result.reason

    run(story)
    assert marks.read_text().count("job-1") == 1, "a print is never repeated in silence"


def test_a_print_that_was_never_sent_is_an_error_not_uncertain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "WAIT_FOR_RETURN_SECONDS", 0.2)

    async def story() -> None:
        async with device("serve", "receipt_printer") as supervised:
            supervised._tasks[0].cancel()
            assert supervised._process
            supervised._process.end("process_lost")
            with pytest.raises(DeviceOffline):
                await supervised.proxy.print_receipt(RECEIPT)

    run(story)


def test_leaving_a_command_takes_it_back_in_the_device(tmp_path: Path) -> None:
    marks = tmp_path / "marks"

    async def story() -> None:
        async with device("never_answers", marks=str(marks)) as supervised:
            reading = asyncio.create_task(supervised.proxy.read())
            await until(marks.exists)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            await until(lambda: "cancelled" in marks.read_text())
            await supervised.proxy.wait_removal()

    run(story)


def test_leaving_a_stream_stops_the_camera_and_frees_the_queue(tmp_path: Path) -> None:
    marks = tmp_path / "marks"

    async def story() -> None:
        async with device("serve", "document_scanner", marks=str(marks)) as supervised:
            seen = 0
            async for picture in supervised.proxy.preview():
                assert len(picture.rgb) == 640 * 480 * 3
                assert set(picture.rgb[:100]) == {seen}
                seen += 1
                if seen == 5:
                    break
            page = await supervised.proxy.capture()
            assert len(page.jpeg) == 1_000_000
            assert marks.read_text() == "camera stopped\n"

    run(story)


def test_a_stream_that_ends_by_itself_and_one_whose_process_dies() -> None:
    async def story() -> None:
        async with device("three", "document_scanner") as supervised:
            assert len([picture async for picture in supervised.proxy.preview()]) == 3
        async with device("crash", "document_scanner") as supervised:
            pictures = supervised.proxy.preview()
            for _ in range(3):
                await anext(pictures)
            with pytest.raises(DeviceOffline):
                await anext(pictures)

    run(story)


def test_commands_wait_their_turn_and_status_does_not(tmp_path: Path) -> None:
    marks = tmp_path / "marks"

    async def story() -> None:
        async with device("slow", marks=str(marks)) as supervised:
            reading = asyncio.create_task(supervised.proxy.read())
            await until(marks.exists)
            removal = asyncio.create_task(supervised.proxy.wait_removal())
            assert (await supervised.proxy.status()).device is DeviceState.BUSY
            await asyncio.gather(reading, removal)

    run(story)
    assert marks.read_text().split("\n")[:3] == ["read", "read ended", "wait_removal"]


def test_taking_a_job_back_passes_the_running_print(tmp_path: Path) -> None:
    marks = tmp_path / "marks"

    async def story() -> None:
        async with device("serve", "document_printer", marks=str(marks)) as supervised:
            job = DocumentJob(job_id="7", pdf=b"%PDF", sha256="0")
            printing = asyncio.create_task(supervised.proxy.print_document(job))
            await until(marks.exists)
            await supervised.proxy.cancel_job("7")
            assert (await printing).outcome is PrintOutcome.FAILED
            assert await supervised.proxy.find_job("7", "x") == PrintResult(
                job_id="7", outcome=PrintOutcome.PRINTED, printer_job_id="x"
            )

    run(story)


def test_errors_keep_their_kind_and_reason_and_bugs_say_nothing_personal() -> None:
    async def story() -> None:
        async with device("unreadable") as supervised:
            with pytest.raises(MediaError, match="the card was moved") as caught:
                await supervised.proxy.read()
            assert caught.value.reason == "moved_too_soon"
        for behaviour in ("bug", "lies"):
            async with device(behaviour) as supervised:
                with pytest.raises(HardwareFault) as fault:
                    await supervised.proxy.read()
                assert fault.value.reason == "driver_broken"
                assert "驿测试" not in str(fault.value)

    run(story)


@pytest.mark.parametrize("behaviour", ["ends_the_program", "interrupts", "invents_an_end"])
def test_a_driver_that_would_end_the_program_ends_its_command_alone(behaviour: str) -> None:
    async def story() -> None:
        async with device(behaviour) as supervised:
            pid = supervised.pid
            with pytest.raises(HardwareFault) as fault:
                await supervised.proxy.read(timeout_seconds=1.0)
            assert fault.value.reason == "driver_broken"
            assert "驿测试" not in str(fault.value)
            assert (await supervised.proxy.status()).device is DeviceState.ONLINE
            assert supervised.pid == pid

    run(story)


def test_an_error_that_is_no_text_crosses_all_the_same() -> None:
    async def story() -> None:
        async with device("unspeakable") as supervised:
            with pytest.raises(MediaError) as caught:
                await supervised.proxy.read(timeout_seconds=1.0)
            assert caught.value.reason == "?"

    run(story)


class OtherThanItsProtocol:
    async def read(self, timeout: float) -> None: ...

    def wipe(self) -> None: ...

    async def close(self) -> None:
        raise TypeError("a mistake of its own")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("status", "has no status"),
        ("read", "does not take purpose, symbologies, pattern, timeout_seconds"),
        ("wipe", "is no coroutine: write async def"),
        ("close", None),
    ],
)
def test_what_deviates_from_the_protocol_is_told_to_its_maker(name: str, words: str | None) -> None:
    driver, method = OtherThanItsProtocol(), methods_of(CodeScanner)[name]

    async def asked() -> str:
        try:
            await getattr(driver, name)(**dict.fromkeys(method.signature.parameters))
        except (AttributeError, TypeError) as error:
            return str(deviation_of(driver, method, error))
        raise AssertionError("it was as its protocol says")

    assert words in asyncio.run(asked()) if words else asyncio.run(asked()) == "None"


def test_what_a_driver_prints_is_logged_without_personal_values(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="drivers.host")

    async def story() -> None:
        async with device("talks") as supervised:
            await supervised.proxy.read()
            await until(lambda: "reading" in caplog.text)

    run(story)
    assert "350102" not in caplog.text
    assert "驿" not in caplog.text
    assert len(caplog.records) < 60
