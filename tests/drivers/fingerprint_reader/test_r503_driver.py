"""The driver against its peer on a pseudo-terminal: guidance, verdicts, misfortunes, and that nothing stays behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

import pytest

from drivers.bench.conformance import conformance
from drivers.errors import (
    CommandCancelled,
    CommandTimedOut,
    ConsentRequired,
    DeviceAbsent,
    DeviceBusy,
    DeviceError,
    DeviceOffline,
    HardwareFault,
    MediaError,
    NeedsAttention,
    Unsupported,
)
from drivers.fingerprint_reader.commands import Instruction
from drivers.fingerprint_reader.r503 import R503Reader
from drivers.fingerprint_reader.simulator import R503Simulator
from drivers.host import DeviceConfig
from drivers.messages import DeviceState, FaceDecision, FaultAction, FingerGuidance, FingerTemplate, FingerVerdict

CONSENT = "consent-1"
Scene = Callable[[R503Reader, R503Simulator], Awaitable[None]]


async def play(scene: Scene, *, reader: dict[str, Any] | None = None, **simulator: str) -> None:
    peer = R503Simulator(**simulator)
    device = R503Reader(R503Reader.Options(port=await peer.start(), **reader or {}))
    try:
        await scene(device, peer)
    finally:
        await device.close()
        await peer.stop()


def run(scene: Scene, **options: Any) -> None:
    asyncio.run(asyncio.wait_for(play(scene, **options), 60))


async def played(stream: AsyncGenerator[Any, None]) -> tuple[list[str], Any]:
    """The prompts, without repetitions in a row, and the last item."""
    prompts: list[str] = []
    last = None
    async for item in stream:
        last = item
        if isinstance(item, FingerGuidance) and prompts[-1:] != [item.prompt]:
            prompts.append(item.prompt)
    return prompts, last


async def enrolled(device: R503Reader) -> FingerTemplate:
    _, template = await played(device.read(consent_id=CONSENT, timeout_seconds=20))
    assert isinstance(template, FingerTemplate)
    return template


async def compared(device: R503Reader, template: FingerTemplate) -> FingerVerdict:
    _, verdict = await played(device.verify(reference=template, consent_id=CONSENT, timeout_seconds=20))
    assert isinstance(verdict, FingerVerdict)
    return verdict


@pytest.mark.parametrize(("size", "baud"), [("1536", "57600"), ("512", "115200")])
def test_a_finger_is_read_guided_and_known_again(size: str, baud: str) -> None:
    async def scene(device: R503Reader, peer: R503Simulator) -> None:
        prompts, template = await played(device.read(consent_id=CONSENT, timeout_seconds=20))
        assert prompts == ["PRESENT_FINGER", "LIFT_FINGER", "PRESENT_FINGER"]
        assert isinstance(template, FingerTemplate)
        assert (template.format, len(template.template)) == ("r503", int(size))
        assert 40 <= template.quality <= 100
        assert str(template.template) not in repr(template)
        verdict = await compared(device, template)
        assert (verdict.decision, verdict.reason, verdict.captures) == (FaceDecision.ACCEPT, "", 1)
        assert verdict.score is not None
        assert verdict.score >= verdict.accept_at
        await peer.order("place", "another")
        prompts, verdict = await played(device.verify(reference=template, consent_id=CONSENT, timeout_seconds=20))
        assert (verdict.decision, verdict.reason, verdict.captures) == (FaceDecision.REJECT, "NO_MATCH", 3)
        assert prompts == ["PRESENT_FINGER", *["LIFT_FINGER", "PRESENT_FINGER"] * 2]

    options = {"baud_rate": int(baud), "template_bytes": int(size)}
    run(scene, card="thumb", template_bytes=size, baud=baud, reader=options)


def test_without_consent_not_a_byte_is_sent() -> None:
    async def scene(device: R503Reader, peer: R503Simulator) -> None:
        template = FingerTemplate(format="r503", template=b"x", quality=1)
        for stream in (device.read(consent_id=""), device.verify(reference=template, consent_id="")):
            with pytest.raises(ConsentRequired):
                await anext(stream)
        assert peer.module.instructions == []

    run(scene, card="thumb")


def test_only_templates_of_this_family_are_compared() -> None:
    async def scene(device: R503Reader, peer: R503Simulator) -> None:
        for template in (
            FingerTemplate(format="iso_19794_2", template=b"x", quality=1),
            FingerTemplate(format="r503", template=b"", quality=1),
            FingerTemplate(format="r503", template=bytes(9000), quality=1),
        ):
            with pytest.raises(Unsupported) as caught:
                await anext(device.verify(reference=template, consent_id=CONSENT))
            assert caught.value.reason == "format_unsupported"
        assert peer.module.instructions == []

    run(scene, card="thumb")


def test_nothing_stays_in_the_module() -> None:
    async def scene(device: R503Reader, peer: R503Simulator) -> None:
        template = await enrolled(device)
        assert all(not any(buffer) for buffer in peer.module.buffers.values()), "buffers are overwritten at the end"
        await compared(device, template)
        assert all(not any(buffer) for buffer in peer.module.buffers.values())
        assert {1, 2} <= set(peer.module.buffers)
        assert (await device.status()).parts["holds_data"] == "no"
        assert {instruction.name for instruction in peer.module.instructions} <= {each.name for each in Instruction}

    run(scene, card="thumb")


def test_a_reading_that_is_left_leaves_no_finger_behind() -> None:
    async def scene(device: R503Reader, peer: R503Simulator) -> None:
        stream = device.read(consent_id=CONSENT, timeout_seconds=20)
        async for item in stream:
            if isinstance(item, FingerGuidance) and item.prompt == "LIFT_FINGER":
                assert any(peer.module.buffers[1])
                break
        await stream.aclose()
        assert not any(peer.module.buffers[1])
        assert (await enrolled(device)).quality >= 40

    run(scene, card="thumb")


def test_wiping_takes_back_a_running_reading() -> None:
    async def scene(device: R503Reader, peer: R503Simulator) -> None:
        reading = asyncio.create_task(played(device.read(consent_id=CONSENT, timeout_seconds=30)))
        while Instruction.GEN_IMG not in peer.module.instructions:
            await asyncio.sleep(0.01)
        with pytest.raises(DeviceBusy):
            await anext(device.read(consent_id=CONSENT))
        assert (await device.status()).device in (DeviceState.BUSY, DeviceState.ONLINE)
        await device.wipe()
        with pytest.raises(CommandCancelled):
            await asyncio.wait_for(reading, 5)
        await device.wipe()
        await peer.order("place", "thumb")
        assert (await enrolled(device)).quality >= 40

    run(scene)


def test_what_others_stored_in_the_flash_is_deleted_at_opening() -> None:
    async def scene(device: R503Reader, peer: R503Simulator) -> None:
        await peer.order("fault", "stored")
        assert (await device.status()).parts["holds_data"] == "no"
        assert peer.module.stored == 0
        assert Instruction.EMPTY in peer.module.instructions

    run(scene)


def test_a_lost_reference_is_never_compared_with_what_lay_there_before() -> None:
    """Data packets are not confirmed. Buffer 2 would still hold the finger's own template: it would match itself."""

    async def scene(device: R503Reader, peer: R503Simulator) -> None:
        template = await enrolled(device)
        peer.module.buffers[2] = template.template
        stranger = template.model_copy(update={"template": bytes(reversed(template.template))})
        await peer.order("fault", "download_lost")
        with pytest.raises(HardwareFault) as caught:
            await compared(device, stranger)
        assert caught.value.reason == "transfer_failed"

    run(scene, card="thumb")


SURVIVED = ["noise", "slow", "corrupt_once", "truncated_once", "poor_once", "no_light", "stored", "restarted"]


async def side_by_side(scenes: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Misfortunes are mostly waited out: each has its own reader and peer, and a few run at a time."""
    few = asyncio.Semaphore(5)

    async def in_turn(scene: Coroutine[Any, Any, None]) -> None:
        async with few:
            await scene

    async with asyncio.TaskGroup() as group:
        for scene in scenes:
            group.create_task(in_turn(scene))


def test_passing_misfortunes_are_survived() -> None:
    async def survive(fault: str) -> None:
        async def scene(device: R503Reader, peer: R503Simulator) -> None:
            await peer.order("fault", fault)
            template = await enrolled(device)
            assert (await compared(device, template)).decision is FaceDecision.ACCEPT, fault

        await play(scene, card="thumb", baud="115200", reader={"baud_rate": 115200})

    asyncio.run(side_by_side(survive(fault) for fault in SURVIVED))


LASTING: list[tuple[str, type[DeviceError], str, str]] = [
    ("dry", MediaError, "low_quality", "DRY_FINGER"),
    ("wet", MediaError, "low_quality", "PRESS_SOFTER"),
    ("poor", MediaError, "low_quality", "MOVE_TO_CENTRE"),
    ("small", MediaError, "low_quality", "PRESS_HARDER"),
    ("capture_failed", MediaError, "low_quality", "PRESS_HARDER"),
    ("other_finger", MediaError, "low_quality", "LIFT_FINGER"),
    ("dirty", NeedsAttention, "dirty", "CLEAN_SENSOR"),
    ("fake", MediaError, "fake_suspected", "PRESENT_FINGER"),
    ("no_finger", CommandTimedOut, "no_finger", "PRESENT_FINGER"),
    ("finger_left", CommandTimedOut, "finger_left", "LIFT_FINGER"),
    ("sensor_failed", HardwareFault, "sensor_failed", "PRESENT_FINGER"),
    ("wrong_password", HardwareFault, "wrong_password", ""),
    ("silent", DeviceOffline, "device_offline", ""),
    ("endless", HardwareFault, "wrong_device", ""),
    ("wrong_device", HardwareFault, "wrong_device", ""),
    ("download_lost", DeviceError, "", ""),
]


def test_no_misfortune_is_forgotten() -> None:
    assert {*SURVIVED, *(fault for fault, *_ in LASTING)} == R503Simulator.faults


def test_lasting_misfortunes_are_named_and_mended() -> None:
    async def suffer(fault: str, error: type[DeviceError], reason: str, prompt: str) -> None:
        async def scene(device: R503Reader, peer: R503Simulator) -> None:
            await peer.order("fault", fault)
            prompts: list[str] = []
            begun_at = time.monotonic()
            limit = 2.5 if error is CommandTimedOut else 12
            with pytest.raises(error) as caught:
                async for item in device.read(consent_id=CONSENT, timeout_seconds=limit):
                    prompts += [item.prompt] if isinstance(item, FingerGuidance) else []
            assert (fault, type(caught.value), caught.value.reason) == (fault, error, reason)
            assert time.monotonic() - begun_at < 25
            assert prompt in prompts if prompt else not prompts, fault
            status = await device.status()
            lasting = error in (NeedsAttention, HardwareFault, DeviceOffline)
            assert [found.code for found in status.faults] == ([reason] if lasting else []), fault
            assert status.is_fit == (error not in (HardwareFault, DeviceOffline))
            if fault == "dirty":
                assert (status.parts["sensor"], status.faults[0].action) == ("dirty", FaultAction.CLEAR)
            await peer.order("clear")
            await peer.order("place", "thumb")
            assert (await enrolled(device)).quality >= 40
            assert (await device.status()).faults == ()

        options = {"baud_rate": 115200, "fake_code": 0x3A}
        await play(scene, card="thumb", baud="115200", reader=options)

    asyncio.run(side_by_side(suffer(*case) for case in LASTING if case[2]))


def test_a_module_that_lost_its_power_in_the_midst_is_greeted_and_the_finger_asked_for_again() -> None:
    async def scene(device: R503Reader, peer: R503Simulator) -> None:
        prompts, template = [], None
        async for item in device.read(consent_id=CONSENT, timeout_seconds=20):
            if isinstance(item, FingerGuidance):
                if item.prompt == "LIFT_FINGER" and "LIFT_FINGER" not in prompts:
                    await peer.order("fault", "restarted")
                prompts.append(item.prompt)
            template = item
        assert prompts.count("LIFT_FINGER") > 1, "the first capture was lost with the power"
        assert isinstance(template, FingerTemplate)
        assert (await compared(device, template)).decision is FaceDecision.ACCEPT

    run(scene, card="thumb")


def test_a_code_nobody_knows_is_a_failure() -> None:
    async def scene(device: R503Reader, peer: R503Simulator) -> None:
        for code in (0x3A, 0x99, 0xFF):
            peer.module.picture_code = code
            with pytest.raises(HardwareFault) as caught:
                await enrolled(device)
            assert caught.value.reason == "unknown_status"
        assert "fake_detection" not in (await device.capabilities()).features

    run(scene, card="thumb")


def test_unplugged_while_reading() -> None:
    async def scene() -> None:
        peer = R503Simulator()
        device = R503Reader(R503Reader.Options(port=await peer.start()))
        reading = asyncio.create_task(played(device.read(consent_id=CONSENT, timeout_seconds=30)))
        while Instruction.GEN_IMG not in peer.module.instructions:
            await asyncio.sleep(0.01)
        await peer.stop()
        with pytest.raises(DeviceOffline) as caught:
            await asyncio.wait_for(reading, 10)
        assert caught.value.reason == "unplugged"
        assert (await device.status()).device in (DeviceState.OFFLINE, DeviceState.NO_DEVICE)
        await device.close()
        await device.close()
        with pytest.raises(DeviceOffline):
            await anext(device.read(consent_id=CONSENT))

    asyncio.run(scene())


def test_ports_that_are_no_reader(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no device", encoding="utf-8")

    async def scene() -> None:
        for port, reason in ((tmp_path / "absent", "device_absent"), (tmp_path / "file", "not_a_serial_port")):
            device = R503Reader(R503Reader.Options(port=str(port)))
            with pytest.raises(DeviceAbsent) as caught:
                await anext(device.read(consent_id=CONSENT))
            assert caught.value.reason == reason
            assert (await device.status()).device is DeviceState.NO_DEVICE
            await device.close()

    asyncio.run(scene())


def test_the_contract_is_kept() -> None:
    async def scene() -> None:
        peer = R503Simulator(card="thumb")
        name = "fingerprint_reader/r503"
        config = DeviceConfig(name=name, driver=name, options={"port": await peer.start()})
        findings = await conformance(config, "port", may_print=False, on_check=lambda _sentence: None)
        await peer.stop()
        assert [(finding.check, finding.remark) for finding in findings if finding.outcome == "broken"] == []
        fingers = [finding for finding in findings if "finger" in finding.check or "template" in finding.check]
        assert [finding.outcome for finding in fingers] == ["kept"] * len(fingers)
        assert len(fingers) >= 4

    asyncio.run(asyncio.wait_for(scene(), 90))


def test_the_peer_refuses_what_it_does_not_know() -> None:
    async def scene(_device: R503Reader, peer: R503Simulator) -> None:
        for verb, argument in (("place", ""), ("fault", "nothing"), ("dance", "")):
            with pytest.raises(ValueError, match="is called"):
                await peer.order(verb, argument)

    run(scene)
