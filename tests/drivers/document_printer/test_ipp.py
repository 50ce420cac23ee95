"""The driver against the real ippeveprinter, and against a peer that breaks the protocol."""

from __future__ import annotations

import asyncio
import hashlib
import os
import ssl
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from drivers.document_printer.ipp import IppPrinter
from drivers.document_printer.ipp_client import GET_JOBS, PRINT_JOB
from drivers.document_printer.ipp_codec import number_of, words_of
from drivers.document_printer.ipp_health import PARTS
from drivers.document_printer.job_outcomes import job_name
from drivers.errors import MediaError
from drivers.messages import DeviceState, FaultAction, PrintOutcome
from tests.drivers.document_printer.conftest import Job, bench, document, peer, run, until

PRINTED, FAILED, UNCERTAIN = PrintOutcome.PRINTED, PrintOutcome.FAILED, PrintOutcome.UNCERTAIN


# --- the real printer ----------------------------------------------------------------------------------------------


def test_a_document_is_printed_once_and_its_pages_counted(tmp_path: Path) -> None:
    async def work() -> None:
        async with bench(tmp_path) as where:
            job = document(pages=3, copies=2, two_sided=True)
            result = await where.printer.print_document(job)
            assert (result.outcome, result.pages_printed, result.reason) == (PRINTED, 6, "")
            assert (tmp_path / "document.pdf").read_bytes() == job.pdf
            again = await where.printer.print_document(job)
            assert again == result
            assert (await where.another_driver().print_document(job)).outcome is PRINTED
            assert len(where.papers()) == 1
            found = await where.another_driver().find_job(job.job_id, None)
            assert found.outcome is PRINTED
            assert found.printer_job_id == result.printer_job_id
            assert (await where.another_driver().find_job(job.job_id, "77")).outcome is PRINTED
            unknown = await where.another_driver().find_job("never-sent", None)
            assert (unknown.outcome, unknown.reason) == (UNCERTAIN, "job_unknown")

    run(work())


def test_capabilities_and_status_of_a_sound_printer(tmp_path: Path) -> None:
    async def work() -> None:
        async with bench(tmp_path) as where:
            capabilities = await where.printer.capabilities()
            assert capabilities.driver == "document_printer/ipp"
            assert {"two_sided", "a4", "backchannel_ipp"} <= capabilities.features
            assert capabilities.model
            status = await where.printer.status()
            assert (status.device, status.faults) == (DeviceState.ONLINE, ())
            assert set(status.parts) == set(PARTS)

    run(work())


def test_another_document_than_the_stated_one_is_never_sent(tmp_path: Path) -> None:
    async def work() -> None:
        async with bench(tmp_path) as where:
            job = document()
            forged = job.model_copy(update={"pdf": job.pdf + b" "})
            with pytest.raises(MediaError) as refused:
                await where.printer.print_document(forged)
            assert refused.value.reason == "hash_mismatch"
            assert (await where.printer.find_job(job.job_id, None)).reason == "job_unknown"

    run(work())


def test_faults_at_rest_are_told_and_refuse_or_warn(tmp_path: Path) -> None:
    async def work() -> None:
        async with bench(tmp_path) as where:
            for name, code, action, part, blocks in (
                ("media_empty", "paper_out", FaultAction.CLEAR, ("paper", "out"), True),
                ("toner_empty", "toner_out", FaultAction.MAINTENANCE, ("toner", "out"), True),
                ("waste_full", "waste_full", FaultAction.MAINTENANCE, ("cover", "closed"), True),
                ("media_low", "paper_low", FaultAction.CLEAR, ("paper", "low"), False),
                ("toner_low", "toner_low", FaultAction.MAINTENANCE, ("toner", "low"), False),
            ):
                await where.simulator.order("fault", name)
                status = await where.printer.status()
                assert [(fault.code, fault.action) for fault in status.faults] == [(code, action)]
                assert status.parts[part[0]] == part[1]
                assert status.is_fit is not blocks
                result = await where.printer.print_document(document(f"at-rest-{name}"))
                assert result.outcome is (FAILED if blocks else PRINTED)
                assert result.reason == (code if blocks else "")
                await where.simulator.order("clear")
                assert (await where.printer.status()).faults == ()
            assert len(where.papers()) == 2
            assert (await where.printer.print_document(document("at-rest-media_empty"))).outcome is PRINTED

    run(work())


@pytest.mark.parametrize(
    ("name", "outcome", "reason", "pages"),
    [
        ("jam", FAILED, "media_jammed", 0),
        ("cover_open", FAILED, "cover_open", 0),
        ("media_empty_mid_job", UNCERTAIN, "paper_out", 1),
        ("slow", FAILED, "timed_out", 0),
        ("abort", FAILED, "aborted", 0),
    ],
)
def test_a_job_that_gets_stuck_is_taken_back_at_the_limit(
    tmp_path: Path, name: str, outcome: PrintOutcome, reason: str, pages: int
) -> None:
    async def work() -> None:
        async with bench(tmp_path) as where:
            await where.simulator.order("fault", name)
            result = await where.printer.print_document(document(), timeout_seconds=1.0)
            assert (result.outcome, result.reason, result.pages_printed) == (outcome, reason, pages)
            await where.simulator.order("clear")
            assert (await where.printer.print_document(document("next"))).outcome is PRINTED
            assert len(where.papers()) == 1

    run(work())


def test_a_stuck_job_stays_and_is_reported_until_somebody_clears_it(tmp_path: Path) -> None:
    async def work() -> None:
        async with bench(tmp_path) as where:
            await where.simulator.order("fault", "media_empty_mid_job")
            printing = asyncio.create_task(where.printer.print_document(document()))

            async def told() -> bool:
                return "paper_out" in [fault.code for fault in (await where.printer.status()).faults]

            await until(told)
            meanwhile = await where.another_driver().find_job("paper-1", None)
            assert (meanwhile.outcome, meanwhile.reason) == (UNCERTAIN, "paper_out")
            await where.simulator.order("clear")
            result = await printing
            assert (result.outcome, result.pages_printed) == (PRINTED, 2)

    run(work())


def test_cancel_and_wipe_take_the_job_back(tmp_path: Path) -> None:
    async def work() -> None:
        async with bench(tmp_path) as where:
            await where.simulator.order("fault", "slow")
            for number, take_back in enumerate(
                (where.printer.wipe, lambda: where.another_driver().cancel_job("job-1"), where.another_driver().wipe)
            ):
                job_id = f"job-{number}"
                printing = asyncio.create_task(where.printer.print_document(document(job_id)))

                async def under_way(job_id: str = job_id) -> bool:
                    return (await where.another_driver().find_job(job_id, None)).reason == "still_printing"

                await until(under_way)
                await take_back()
                assert (await printing).outcome is FAILED
            printing = asyncio.create_task(where.printer.print_document(document("left")))
            await until(lambda: under_way("left"))
            printing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await printing
            assert (await where.another_driver().find_job("left", None)).outcome is FAILED
            await where.simulator.order("clear")
            assert where.papers() == []
            await where.printer.wipe()
            await where.printer.close()

    run(work())


def test_a_printer_that_stops_answering_is_uncertain_and_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.document_printer.ipp.CANCEL_SECONDS", 0.5)
    for room in ("ipp", "ipp_client"):
        monkeypatch.setattr(f"drivers.document_printer.{room}.POLL_ANSWER_SECONDS", 0.5)

    async def work() -> None:
        async with bench(tmp_path) as where:
            await where.simulator.order("fault", "slow")
            printing = asyncio.create_task(where.printer.print_document(document(), timeout_seconds=1.5))

            async def under_way() -> bool:
                return (await where.another_driver().find_job("paper-1", None)).reason == "still_printing"

            await until(under_way)
            await where.simulator.order("fault", "offline")
            result = await printing
            assert (result.outcome, result.reason) == (UNCERTAIN, "disconnected")
            await where.simulator.order("clear")

            async def settled() -> bool:
                return (await where.printer.find_job("paper-1", result.printer_job_id)).outcome in (PRINTED, FAILED)

            await until(settled)
            repeated = await where.printer.print_document(document())
            assert len(where.papers()) == (1 if repeated.outcome is PRINTED else 0)
            assert repeated == await where.another_driver().find_job("paper-1", None)

    run(work())


def test_a_printer_killed_in_mid_job_is_uncertain(tmp_path: Path) -> None:
    async def work() -> None:
        async with bench(tmp_path) as where:
            await where.simulator.order("fault", "slow")
            printing = asyncio.create_task(where.printer.print_document(document(), timeout_seconds=2))

            async def under_way() -> bool:
                return (await where.another_driver().find_job("paper-1", None)).reason == "still_printing"

            await until(under_way)
            await where.simulator.stop()
            result = await printing
            assert (result.outcome, result.reason, result.printer_job_id) == (UNCERTAIN, "disconnected", "1")

    run(work())


def test_a_dead_printer_fails_at_once(tmp_path: Path) -> None:
    async def work() -> None:
        async with bench(tmp_path) as where:
            await where.simulator.stop()
            started = time.monotonic()
            result = await where.printer.print_document(document())
            assert (result.outcome, result.reason) == (FAILED, "disconnected")
            status = await where.printer.status()
            assert (status.device, [fault.code for fault in status.faults]) == (DeviceState.OFFLINE, ["disconnected"])
            assert (await where.printer.find_job("paper-1", None)).outcome is UNCERTAIN
            await where.printer.cancel_job("paper-1")
            await where.printer.wipe()
            assert time.monotonic() - started < 3

    run(work())


def test_ipps_trusts_the_pinned_certificate_only(tmp_path: Path) -> None:
    async def work() -> None:
        async with bench(tmp_path) as where:
            secure = where.address.replace("ipp://", "ipps://")
            port = urlsplit(where.address).port or 0
            text = await asyncio.to_thread(ssl.get_server_certificate, ("localhost", port))
            pin = hashlib.sha256(ssl.PEM_cert_to_DER_cert(text)).hexdigest()
            pinned = IppPrinter(IppPrinter.Options(address=secure, certificate_sha256=pin))
            assert (await pinned.print_document(document())).outcome is PRINTED
            for untrusting in (
                IppPrinter.Options(address=secure),
                IppPrinter.Options(address=secure, certificate_sha256="00" * 32),
            ):
                result = await IppPrinter(untrusting).print_document(document("other"))
                assert (result.outcome, result.reason) == (FAILED, "disconnected")
            assert len(where.papers()) == 1

    run(work())


def test_the_simulator_leaves_no_process_behind_when_it_is_killed(tmp_path: Path) -> None:
    program = (
        "import asyncio\n"
        "from drivers.document_printer.simulator import IppeveSimulator\n"
        "async def main():\n"
        f"    print(await IppeveSimulator(out={str(tmp_path)!r}).start(), flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path.cwd()), "TMPDIR": str(tmp_path)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"ipp://localhost:")
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) == 2
        process.kill()
    _, alive = psutil.wait_procs(children, timeout=5)
    assert [child for child in alive if child.status() != psutil.STATUS_ZOMBIE] == []


# --- a peer that breaks the protocol -------------------------------------------------------------------------------


def test_what_goes_over_the_wire_is_a4_and_nothing_personal() -> None:
    async def work() -> None:
        async with peer() as (own, printer):
            job = document("JOB-7", title="a title that stays here")
            await printer.print_document(job)
            _, asked, template, data = next(item for item in own.received if item[0] == PRINT_JOB)
            assert list(asked)[:3] == ["attributes-charset", "attributes-natural-language", "printer-uri"]
            assert words_of(asked, "job-name") == ("yizhan-JOB-7",)
            size = template["media-col"][0].content["media-size"][0].content  # type: ignore[index,call-overload]
            assert (number_of(size, "x-dimension"), number_of(size, "y-dimension")) == (21_000, 29_700)
            assert data == job.pdf

    run(work())


def test_an_unplain_id_is_not_shown_in_the_queue() -> None:
    assert job_name("plain-1.2:3") == "yizhan-plain-1.2:3"
    assert "张" not in job_name("张三")
    assert len(job_name("x" * 5000)) < 255


@pytest.mark.parametrize("misbehave", ["lose_answer", "half_answer", "server_error"])
def test_an_answer_lost_after_sending_finds_the_job_by_its_name(misbehave: str) -> None:
    async def work() -> None:
        async with peer(misbehave) as (own, printer):
            result = await printer.print_document(document())
            assert (result.outcome, result.printer_job_id) == (PRINTED, "1")
            assert own.operations().count(PRINT_JOB) == 1

    run(work())


def test_a_job_lost_on_the_way_is_uncertain_and_not_sent_again() -> None:
    async def work() -> None:
        async with peer("lose_job") as (own, printer):
            result = await printer.print_document(document(), timeout_seconds=1)
            assert (result.outcome, result.reason) == (UNCERTAIN, "disconnected")
            again = await printer.print_document(document(), timeout_seconds=1)
            assert again.outcome is UNCERTAIN
            assert own.operations().count(PRINT_JOB) == 1

    run(work())


def test_late_completion_is_waited_for() -> None:
    async def work() -> None:
        async with peer() as (own, printer):
            own.polls_until_done = 6
            result = await printer.print_document(document())
            assert (result.outcome, result.pages_printed) == (PRINTED, 2)

    run(work())


def test_a_job_that_cannot_be_cancelled_stays_uncertain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.document_printer.ipp.CANCEL_SECONDS", 0.5)

    async def work() -> None:
        async with peer("will_not_cancel") as (own, printer):
            own.polls_until_done = 1000
            result = await printer.print_document(document(), timeout_seconds=0.5)
            assert (result.outcome, result.reason, result.printer_job_id) == (UNCERTAIN, "timed_out", "1")
            own.polls_until_done = 0
            assert (await printer.find_job("paper-1", "1")).outcome is PRINTED

    run(work())


def test_a_number_given_anew_after_a_restart_is_not_taken_for_ours() -> None:
    async def work() -> None:
        async with peer() as (own, printer):
            own.jobs[1] = Job("somebody-else", 9, "other", 5)
            found = await printer.find_job("paper-1", "1")
            assert (found.outcome, found.reason) == (UNCERTAIN, "job_unknown")

    run(work())


def test_wipe_leaves_the_jobs_of_others_alone() -> None:
    async def work() -> None:
        async with peer() as (own, printer):
            own.jobs = {1: Job("yizhan-a", 5, "other"), 2: Job("report", 5, "yizhan"), 3: Job("yizhan-b", 5, "yizhan")}
            await printer.wipe()
            assert [job.state for job in own.jobs.values()] == [5, 5, 7]

    run(work())


@pytest.mark.parametrize(
    ("misbehave", "reason"),
    [
        ("garbage", "disconnected"),
        ("no_http", "disconnected"),
        ("endless", "disconnected"),
        ("wrong_number", "disconnected"),
        ("no_pdf", "format_unsupported"),
        ("refuse_job", "document_refused"),
        ("busy", "offline"),
    ],
)
def test_nonsense_and_refusals_fail_without_hanging(misbehave: str, reason: str) -> None:
    async def work() -> None:
        async with peer(misbehave) as (_, printer):
            result = await printer.print_document(document(), timeout_seconds=5)
            assert (result.outcome, result.reason) == (FAILED, reason)
            await printer.status()

    run(work())


def test_a_printer_of_the_old_version_prints() -> None:
    async def work() -> None:
        async with peer("old_version") as (own, printer):
            assert (await printer.print_document(document())).outcome is PRINTED
            assert own.operations().count(PRINT_JOB) == 1

    run(work())


def test_a_stopped_job_of_a_printer_that_tells_little_may_have_begun() -> None:
    async def work() -> None:
        async with peer("tells_little") as (own, printer):
            own.jobs[7] = Job(job_name("YZ-7"), 8, "yizhan")
            assert (await printer.find_job("YZ-7", "7")).outcome is UNCERTAIN

    run(work())


def test_a_printer_without_job_lists_still_prints() -> None:
    async def work() -> None:
        async with peer("no_lists") as (own, printer):
            assert (await printer.print_document(document())).outcome is PRINTED
            assert GET_JOBS in own.operations()

    run(work())


@pytest.mark.parametrize("address", ["http://localhost/", "/dev/usb/lp0", "ipp://"])
def test_a_wrong_address_is_a_matter_of_configuration(address: str) -> None:
    async def work() -> None:
        printer = IppPrinter(IppPrinter.Options(address=address))
        status = await printer.status()
        assert (status.device, status.faults[0].action) == (DeviceState.NO_DEVICE, FaultAction.CONFIGURATION)
        assert (await printer.print_document(document())).outcome is FAILED

    run(work())
