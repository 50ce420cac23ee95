"""From the card laid down to the citizen signed in, through the supervised device processes, beside its floor.

Floor: 1,295 bytes at 115200 baud, one detection, three encodings. The citizen's own time (choosing the way, consenting,
turning the head) is not in it; everything the machine does is, the wait for the reader's next look too: it looks every
0.1 s, as a terminal is set whose reader bears that (the driver's own default is the 0.3 s every reader bears).
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from drivers.face_camera.invented import frame
from drivers.face_matcher.dlib_models import DlibEngine
from drivers.host import DeviceConfig
from drivers.id_card_reader.simulator.wires import PtyWire, send_paced
from drivers.messages import DeviceClass, FaceDecision, FaceVerdict
from kiosk.machine.devices import Devices
from tests.bench.measure import Measure, measured, pairwise_ratio, spread
from tests.bench.peers import Peer

ROUNDS = 10
GOAL = 1.5
CARD_BYTES, BAUD_RATE = 1295, 115200
CITIZEN = "lin"
POLL_SECONDS = 0.1
REST_SECONDS = 0.35
ENCODINGS = 3
START_SECONDS = 30.0


@dataclass
class Taken:
    """Milliseconds, one entry a round."""

    whole: list[float] = field(default_factory=list)
    floors: list[float] = field(default_factory=list)
    parts: dict[str, list[float]] = field(default_factory=dict)

    def note(self, part: str, seconds: float) -> None:
        self.parts.setdefault(part, []).append(seconds * 1000)


def run(tell: Callable[[str], None]) -> list[Measure]:
    taken = asyncio.run(_rounds(tell))
    parts = {name: spread(values) for name, values in taken.parts.items()}
    waits = [whole - floor for whole, floor in zip(taken.parts["card_read"], taken.parts["card_there"], strict=True)]
    without = [whole - max(wait, 0) for whole, wait in zip(taken.whole, waits, strict=True)]
    return [
        measured(
            "sign-in, card laid to accepted", median(taken.whole), "ms", floor=median(taken.floors),
            ratio=pairwise_ratio(taken.whole, taken.floors), at_most=GOAL,
            detail={
                "spread": spread(taken.whole), "floor_spread": spread(taken.floors), "parts": parts,
                "wait_for_the_readers_next_look": round(median(waits), 1),
                "ratio_without_that_wait": round(pairwise_ratio(without, taken.floors), 3),
            },
        )
    ]  # fmt: skip


async def _rounds(tell: Callable[[str], None]) -> Taken:
    taken = Taken()
    chance = random.Random(115200)
    picture = frame(CITIZEN, 0.0, 1280, 720)
    engine = DlibEngine()
    engine.warm_up()
    async with AsyncExitStack() as stack:
        reader = await Peer.start("id_card_reader/sdt")
        stack.push_async_callback(reader.stop)
        camera = await Peer.start("face_matcher/dlib")
        stack.push_async_callback(camera.stop)
        devices = Devices(
            [
                DeviceConfig(
                    name="reader", driver="id_card_reader/sdt",
                    options={
                        "port": reader.address, "photo_decoder": "sample", "poll_interval_seconds": POLL_SECONDS,
                    },
                ),
                DeviceConfig(name="face", driver="face_matcher/dlib", options={"camera": camera.address}),
            ]
        )  # fmt: skip
        stack.push_async_callback(devices.close)
        await devices.open(timeout_seconds=START_SECONDS)
        await _until_fit(devices)
        await camera.order(f"person {CITIZEN}")
        await asyncio.sleep(3.0)  # the simulator draws the turned heads meanwhile
        for number in range(ROUNDS + 1):
            warm = Taken() if number == 0 else taken
            warm.floors.append(await _floor(engine, picture, warm))
            await _one(devices, reader, warm, chance.random() * POLL_SECONDS)
            tell(f"sign-in {number} of {ROUNDS}")
    return taken


async def _until_fit(devices: Devices) -> None:
    """A device process that a busy machine made too slow is started again by its supervisor."""
    deadline = time.monotonic() + START_SECONDS
    while not all(devices.is_fit(needed) for needed in (DeviceClass.ID_CARD_READER, DeviceClass.FACE_MATCHER)):
        if time.monotonic() > deadline:
            raise RuntimeError(f"devices do not stand: {sorted(devices.faults)}")
        await asyncio.sleep(0.1)


async def _one(devices: Devices, reader: Peer, taken: Taken, phase_seconds: float) -> None:
    cards, faces = devices.card_reader, devices.face_check
    assert cards is not None
    assert faces is not None
    reading = asyncio.create_task(cards.read(timeout_seconds=15))
    await asyncio.sleep(REST_SECONDS + phase_seconds)
    await reader.order(f"place {CITIZEN}")
    laid = time.perf_counter()
    card = await reading
    taken.note("card_read", time.perf_counter() - laid)
    begun = time.perf_counter()
    assert card.photo is not None
    reference = await cards.decode_photo(card.photo)
    if reference is None:
        raise RuntimeError("the sample card carries no picture that can be decoded")
    taken.note("decode_photo", time.perf_counter() - begun)
    begun = time.perf_counter()
    verdict = await _verdict(faces, reference, taken, begun)
    ended = time.perf_counter()
    if verdict.decision is not FaceDecision.ACCEPT:
        raise RuntimeError(f"not accepted: {verdict.reason}")
    taken.note("face", ended - begun)
    for part, milliseconds in verdict.milliseconds.items():
        taken.note(f"face.{part}", milliseconds / 1000)
    taken.whole.append((ended - laid) * 1000)
    await devices.wipe()
    await _lift(devices.card_reader, reader)
    await _read_what_lies_there(devices.card_reader, reader, taken)


async def _verdict(faces: Any, reference: bytes, taken: Taken, begun: float) -> FaceVerdict:
    first = True
    async for item in faces.verify(reference_png=reference, consent_id="bench", head_turn=False):
        if first:
            taken.note("face.until_first_picture", time.perf_counter() - begun)
            first = False
        if isinstance(item, FaceVerdict):
            return item
    raise RuntimeError("the face check ended without a verdict")


async def _lift(cards: Any, reader: Peer) -> None:
    await reader.order("remove")
    await cards.wait_removal(timeout_seconds=10)


async def _read_what_lies_there(cards: Any, reader: Peer, taken: Taken) -> None:
    """The same reading without a wait for the next look: what the rest of `card_read` is."""
    await asyncio.sleep(REST_SECONDS)
    await reader.order(f"place {CITIZEN}")
    begun = time.perf_counter()
    await cards.read(timeout_seconds=15)
    taken.note("card_there", time.perf_counter() - begun)
    await _lift(cards, reader)


# --- the floor -------------------------------------------------------------------------------------------------------


async def _floor(engine: DlibEngine, picture: Any, taken: Taken) -> float:
    """Milliseconds: the card's bytes on the line, one detection, three encodings, one after the other."""
    wire = await _on_the_line()
    taken.note("floor.line", wire)
    begun = time.perf_counter()
    faces = await asyncio.to_thread(engine.detect, picture)
    taken.note("floor.detection", time.perf_counter() - begun)
    detected = time.perf_counter()
    for _ in range(ENCODINGS):
        await asyncio.to_thread(engine.encode, picture, faces[0])
    taken.note("floor.encodings", time.perf_counter() - detected)
    return (wire + time.perf_counter() - begun) * 1000


async def _on_the_line() -> float:
    """Seconds for a card's answer through a paced pseudo-terminal, from its first request to its last byte."""
    wire = PtyWire()
    address = await wire.start(lambda _: None)
    line = os.open(address, os.O_RDONLY | os.O_NOCTTY)
    try:
        begun = time.perf_counter()
        arriving = asyncio.get_running_loop().run_in_executor(None, _take, line)
        await send_paced(wire, bytes(CARD_BYTES), BAUD_RATE)
        await arriving
        return time.perf_counter() - begun
    finally:
        os.close(line)
        await wire.stop()


def _take(line: int) -> None:
    left = CARD_BYTES
    while left:
        left -= len(os.read(line, left))
