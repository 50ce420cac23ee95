"""The driver against readers that are not ours: a small peer of its own making, with its own codec and its own habits.

It shares no code with the product. Habits: real IIN and SN, answers late, in pieces, behind noise, without what it does
not know, strict or lax about a card that was read.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import struct
import threading
import time
import tracemalloc
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest

from drivers.errors import CommandTimedOut, DeviceError, DeviceOffline, HardwareFault, MediaError
from drivers.id_card_reader.sdt import SdtReader
from drivers.messages import CardType, IdCard

NAME, NUMBER, ADDRESS = "辛样本", "350206190909090052", "福建省厦门市湖里区测试大道66号"
STATUS, SAM, FIND, SELECT, READ, MORE = "11ff", "12ff", "2001", "2002", "3001", "3003"


def wide(text: str, characters: int) -> bytes:
    return text.ljust(characters).encode("utf-16-le")


TEXT = (
    wide(NAME, 15) + wide("1", 1) + wide("30", 2) + wide("19090909", 8) + wide(ADDRESS, 35) + wide(NUMBER, 18)
    + wide("厦门市公安局湖里分局", 15) + wide("20210505", 8) + wide("20410505", 8) + wide("", 18)
)  # fmt: skip
PHOTO = b"WL" + bytes(1022)
CARD = struct.pack(">HH", len(TEXT), len(PHOTO)) + TEXT + PHOTO


def frame(status: int, data: bytes = b"", card_status: int = 0) -> bytes:
    body = struct.pack(">HHB", len(data) + 4, card_status, status) + data
    total = 0
    for byte in body:
        total ^= byte
    return b"\xaa\xaa\xaa\x96\x69" + body + bytes([total])


GOOD = {
    STATUS: frame(0x90),
    SAM: frame(0x90, struct.pack("<HHIII", 5, 3, 20190312, 4242, 77)),
    FIND: frame(0x9F, bytes.fromhex("3B7C01E9")),
    SELECT: frame(0x90, bytes.fromhex("0102A7FF10EE42D1")),
    READ: frame(0x90, CARD),
    MORE: frame(0x91),
}


@dataclass
class Habits:
    """How a reader answers. `once` holds answers given one time each before the ordinary one."""

    delay: float = 0.0
    piece: int = 0
    pause: float = 0.0
    noise: bytes = b""
    answers: dict[str, bytes | None] = field(default_factory=dict)
    once: dict[str, list[bytes | None]] = field(default_factory=dict)
    strict: bool = False
    absent_for: float = 0.0
    flood: bytes = b""


class ForeignReader(threading.Thread):
    """Serves one line until it is closed. `asked` lists what was asked and when."""

    def __init__(self, habits: Habits) -> None:
        super().__init__(daemon=True)
        self.habits = replace(habits, once={command: list(answers) for command, answers in habits.once.items()})
        self.asked: list[tuple[str, float]] = []
        self.begun_at = time.monotonic()
        self.was_read = False
        self.ending = threading.Event()

    def finds(self) -> list[float]:
        return [at for command, at in self.asked if command == FIND]

    def order_of_commands(self) -> list[str]:
        return [command for command, _ in self.asked]

    def serve(self, receive: Callable[[], bytes], send: Callable[[bytes], None], *, fileno: int) -> None:
        pending = b""
        if self.habits.flood:
            while not self.ending.is_set():
                send(self.habits.flood)
        while not self.ending.is_set():
            if not select.select([fileno], [], [], 0.02)[0]:
                continue
            received = receive()
            if not received:
                return
            pending += received
            while len(pending) >= 10:
                self.answer(pending[:10], send)
                pending = pending[10:]

    def answer(self, request: bytes, send: Callable[[bytes], None]) -> None:
        assert request[:7] == b"\xaa\xaa\xaa\x96\x69\x00\x03", request.hex()
        assert request[9] == 3 ^ request[7] ^ request[8], request.hex()
        command = request[7:9].hex()
        self.asked.append((command, time.monotonic()))
        reply = self.reply(command)
        if reply is None:
            return
        time.sleep(self.habits.delay)
        send(self.habits.noise)
        step = self.habits.piece or len(reply)
        for begin in range(0, len(reply), step):
            if begin:
                time.sleep(self.habits.pause)
            send(reply[begin : begin + step])

    def reply(self, command: str) -> bytes | None:
        if command == FIND and (time.monotonic() - self.begun_at < self.habits.absent_for):
            return frame(0x80)
        if command == FIND and self.habits.strict and self.was_read:
            return frame(0x80)
        self.was_read = self.was_read or command == READ
        if left := self.habits.once.get(command):
            return left.pop(0)
        return self.habits.answers.get(command, GOOD[command])


class OnPty(ForeignReader):
    """A cooked pseudo-terminal until the driver opens it, as a careless peer leaves it."""

    def __init__(self, habits: Habits, *, raw: bool = True) -> None:
        super().__init__(habits)
        self.master, self.slave = os.openpty()
        if raw:
            tty.setraw(self.slave)
        self.address = os.ttyname(self.slave)

    def run(self) -> None:
        with contextlib.suppress(OSError):
            self.serve(lambda: os.read(self.master, 64), self.write, fileno=self.master)

    def write(self, data: bytes) -> None:
        while data and not self.ending.is_set():
            if select.select([], [self.master], [], 0.02)[1]:
                data = data[os.write(self.master, data) :]

    def close(self) -> None:
        self.ending.set()
        self.join(5)
        os.close(self.slave)
        os.close(self.master)


class OnTcp(ForeignReader):
    def __init__(self, habits: Habits) -> None:
        super().__init__(habits)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(10)
        self.address = f"socket://127.0.0.1:{self.server.getsockname()[1]}"

    def run(self) -> None:
        while not self.ending.is_set():
            with contextlib.suppress(OSError):
                connection, _ = self.server.accept()
                with connection:
                    self.serve(lambda: connection.recv(64), connection.sendall, fileno=connection.fileno())  # noqa: B023

    def close(self) -> None:
        self.ending.set()
        with contextlib.suppress(OSError):
            socket.create_connection(self.server.getsockname(), timeout=1).close()
        self.join(5)
        self.server.close()


@contextlib.contextmanager
def reader_with(habits: Habits, transport: type[OnPty] | type[OnTcp] = OnPty) -> Iterator[OnPty | OnTcp]:
    peer = transport(habits)
    peer.start()
    try:
        yield peer
    finally:
        peer.close()


async def read(address: str, seconds: float = 10.0) -> IdCard:
    device = SdtReader(SdtReader.Options(port=address))
    try:
        return await device.read(timeout_seconds=seconds)
    finally:
        await device.close()


def is_read(card: IdCard) -> bool:
    assert card.card_type is CardType.RESIDENT
    assert (card.name, card.id_number, card.address, card.nation) == (NAME, NUMBER, ADDRESS, "土")
    assert card.photo == PHOTO
    return True


DAMAGED = bytes(GOOD[READ][:700]) + bytes([GOOD[READ][700] ^ 1]) + GOOD[READ][701:]
FALSE_BEGINNING = b"\xaa\xaa\xaa\x96\x69\x0f\x00"
NEW_ADDRESS = frame(0x90, wide("福建省厦门市思明区测试路2号", 35))
HABITS: dict[str, Habits] = {
    "ordinary": Habits(),
    "late": Habits(delay=0.3),
    "later than every limit": Habits(delay=0.65),
    "in pieces": Habits(piece=97, pause=0.02),
    "in two far apart": Habits(piece=6, pause=0.0, once={FIND: [None]}),
    "behind noise": Habits(noise=bytes.fromhex("00FFAAAAAA96AA69AA")),
    "behind a false beginning": Habits(noise=FALSE_BEGINNING),
    "a sync byte lost": Habits(answers={command: answer[1:] for command, answer in GOOD.items()}),
    "a sync byte too many": Habits(noise=b"\xaa"),
    "SAM commands unknown": Habits(answers={STATUS: frame(0x21), SAM: frame(0x21)}),
    "SAM commands fail": Habits(answers={STATUS: frame(0x60), SAM: frame(0x24)}),
    "SAM commands unanswered": Habits(answers={STATUS: None, SAM: None}),
    "SAM id too short": Habits(answers={SAM: frame(0x90, b"\x05\x00")}),
    "no new address": Habits(answers={MORE: frame(0x41)}),
    "new address refused": Habits(answers={MORE: frame(0x21)}),
    "new address unanswered": Habits(answers={MORE: None}),
    "new address damaged": Habits(answers={MORE: frame(0x90, wide("新", 35))[:-1] + b"\x00"}),
    "new address is no text": Habits(answers={MORE: frame(0x90, b"\x00\xd8" * 35)}),
    "new address empty": Habits(answers={MORE: frame(0x90, wide("", 35))}),
    "find damaged once": Habits(once={FIND: [GOOD[FIND][:-1] + b"\x00"]}),
    "select damaged once": Habits(once={SELECT: [GOOD[SELECT][:-1] + b"\x00"]}),
    "read damaged once": Habits(once={READ: [DAMAGED]}),
    "read cut once": Habits(once={READ: [GOOD[READ][:400]]}),
    "read cut in its preamble once": Habits(once={READ: [b"\xaa\xaa" + GOOD[READ][2:1000]]}),
    "read without its preamble once": Habits(once={READ: [GOOD[READ][3:]]}),
    "read with a wrong length once": Habits(once={READ: [GOOD[READ][:5] + b"\x0f\xf0" + GOOD[READ][7:]]}),
    "read unanswered once": Habits(once={READ: [None]}),
    "damaged, then strict": Habits(once={READ: [DAMAGED]}, strict=True),
    "damaged and refused, then strict": Habits(once={READ: [DAMAGED, frame(0x41)]}, strict=True),
    "cut, refused, damaged, then strict": Habits(once={READ: [GOOD[READ][:700], frame(0x41), DAMAGED]}, strict=True),
    "find refused once": Habits(once={FIND: [frame(0x24)]}),
    "request called damaged once": Habits(once={FIND: [frame(0x10)], READ: [frame(0x10)]}),
    "select refused once": Habits(once={SELECT: [frame(0x81)]}),
    "select refused twice": Habits(once={SELECT: [frame(0x81), frame(0x31)]}),
    "read refused once": Habits(once={READ: [frame(0x41, card_status=0x6982)]}),
    "read refused twice": Habits(once={READ: [frame(0x41), frame(0x47)]}),
    "lengths contradict once": Habits(once={READ: [frame(0x90, b"\x01\x00\x05\x00" + CARD[4:])]}),
    "text makes no sense once": Habits(once={READ: [frame(0x90, CARD[:40] + b"\x00" + CARD[41:])]}),
    "absent at first": Habits(absent_for=1.2),
    "found by status 90": Habits(answers={FIND: frame(0x90, bytes(4))}),
    "found without IIN": Habits(answers={FIND: frame(0x9F)}),
    "selected without SN": Habits(answers={SELECT: frame(0x90)}),
    "card status passed through": Habits(answers={READ: frame(0x90, CARD, card_status=0x9000)}),
    "fingerprints though none were asked for": Habits(
        answers={READ: frame(0x90, CARD[:4] + b"\x02\x00" + CARD[4:] + bytes(512))}
    ),
    "everything twice": Habits(answers={command: answer * 2 for command, answer in GOOD.items()}),
}  # fmt: skip


def test_any_conforming_reader_is_read() -> None:
    async def one(name: str, habits: Habits, transport: type[OnPty] | type[OnTcp]) -> str:
        """Empty, or what went wrong."""
        with reader_with(habits, transport) as peer:
            try:
                card = await read(peer.address)
            except DeviceError as error:
                return f"{name} {transport.__name__}: {error!r} {peer.order_of_commands()}"
        assert is_read(card)
        has_id = card.sam_id == "05.03-20190312-0000004242-0000000077"
        return "" if has_id != name.startswith("SAM ") else f"{name}: {card.sam_id}"

    async def scene() -> list[str]:
        scenes = [one(*habits, transport) for habits in HABITS.items() for transport in (OnPty, OnTcp)]
        return await asyncio.gather(*scenes)

    outcomes = asyncio.run(scene())
    assert [outcome for outcome in outcomes if outcome] == []
    assert len(outcomes) == 2 * len(HABITS)


def test_find_and_select_precede_every_reading() -> None:
    with reader_with(Habits(once={READ: [frame(0x41), DAMAGED]})) as peer:
        assert is_read(asyncio.run(read(peer.address)))
        assert peer.order_of_commands() == [STATUS, SAM, *[FIND, SELECT, READ] * 3, MORE]


@pytest.mark.parametrize("lost", [1, 2], ids=["at its introduction", "and once more after the card"])
def test_the_sam_id_survives_lost_answers(lost: int) -> None:
    """A reader that is not yet ready leaves its introduction unanswered, and one more answer is lost on the line."""
    habits = Habits(once={STATUS: [None], SAM: [None] * lost})
    with reader_with(habits) as peer:
        assert asyncio.run(read(peer.address)).sam_id == "05.03-20190312-0000004242-0000000077"
        assert peer.order_of_commands().count(SAM) == lost + 1


def test_a_late_answer_about_a_card_does_not_refuse_the_sam_id() -> None:
    for late in (0x80, 0x81, 0x41, 0x91):
        with reader_with(Habits(once={SAM: [frame(late) + GOOD[SAM]]})) as peer:
            assert asyncio.run(read(peer.address)).sam_id == "05.03-20190312-0000004242-0000000077", hex(late)
            assert peer.order_of_commands().count(SAM) == 1


def test_a_reader_without_a_sam_id_is_not_asked_for_ever() -> None:
    async def scene(address: str) -> None:
        device = SdtReader(SdtReader.Options(port=address))
        for _ in range(4):
            assert (await device.read(timeout_seconds=10)).sam_id is None
        await device.close()

    with reader_with(Habits(answers={SAM: frame(0x21)})) as peer:
        asyncio.run(scene(peer.address))
        assert peer.order_of_commands().count(SAM) == 3 + 2 * 2


def test_the_sam_id_is_recorded_and_asked_again_when_it_is_nonsense() -> None:
    nonsense = frame(0x90, bytes(16))
    with reader_with(Habits(once={SAM: [nonsense, nonsense]})) as peer:
        assert asyncio.run(read(peer.address)).sam_id == "05.03-20190312-0000004242-0000000077"
        assert peer.order_of_commands().count(SAM) == 3


@pytest.mark.parametrize("characters", [35, 0], ids=["padded", "without its padding"])
def test_a_new_address_is_read(characters: int) -> None:
    with reader_with(Habits(answers={MORE: frame(0x90, wide("福建省厦门市思明区测试路2号", characters))})) as peer:
        assert asyncio.run(read(peer.address)).new_address == "福建省厦门市思明区测试路2号"


@pytest.mark.parametrize(
    "lost", [[None], [frame(0x41)], [frame(0x24)], [NEW_ADDRESS[:40], frame(0x24)]],
    ids=["unanswered", "refused", "unknown error", "cut, then refused"],
)  # fmt: skip
def test_a_new_address_that_was_lost_is_asked_for_again(lost: list[bytes | None]) -> None:
    """Without it the citizen's old address would be used, and nobody would know."""
    with reader_with(Habits(answers={MORE: NEW_ADDRESS}, once={MORE: lost})) as peer:
        assert asyncio.run(read(peer.address)).new_address == "福建省厦门市思明区测试路2号"
        assert peer.order_of_commands().count(MORE) == len(lost) + 1


def test_a_length_field_split_by_a_long_pause_is_one_answer() -> None:  # A-M3
    class Pausing(OnPty):
        def answer(self, request: bytes, send: Callable[[bytes], None]) -> None:
            command = request[7:9].hex()
            self.asked.append((command, time.monotonic()))
            send(GOOD[command][:6])
            time.sleep(0.4)
            send(GOOD[command][6:])

    peer = Pausing(Habits())
    peer.start()
    try:
        assert is_read(asyncio.run(read(peer.address)))
        assert peer.order_of_commands() == [STATUS, SAM, FIND, SELECT, READ, MORE]
    finally:
        peer.close()


def test_waiting_asks_no_more_often_than_the_field_allows() -> None:
    with reader_with(Habits(absent_for=60)) as peer:
        with pytest.raises(CommandTimedOut):
            asyncio.run(read(peer.address, 1.7))
        finds = peer.finds()
        gaps = [later - earlier for earlier, later in pairwise(finds)]
        assert len(gaps) >= 4
        assert min(gaps) > 0.28
        assert max(gaps) < 0.45


def test_a_terminal_left_cooked_is_read() -> None:
    peer = OnPty(Habits(), raw=False)
    peer.start()
    try:
        assert is_read(asyncio.run(read(peer.address)))
    finally:
        peer.close()


REFUSALS: list[tuple[int, type[DeviceError], str]] = [
    (0x10, HardwareFault, "line_fault"),
    (0x11, HardwareFault, "line_fault"),
    (0x21, HardwareFault, "command_refused"),
    (0x23, HardwareFault, "not_allowed"),
    (0x24, HardwareFault, "unknown_error"),
    (0x31, MediaError, "sam_auth_failed"),
    (0x32, MediaError, "sam_auth_failed"),
    (0x33, MediaError, "sam_auth_failed"),
    (0x3F, MediaError, "read_failed"),
    (0x40, MediaError, "wrong_card_type"),
    (0x41, MediaError, "read_failed"),
    (0x47, MediaError, "read_failed"),
    (0x60, HardwareFault, "self_test_failed"),
    (0x66, HardwareFault, "not_authorised"),
    (0x80, MediaError, "moved_too_soon"),
    (0x81, MediaError, "select_failed"),
    (0x91, MediaError, "read_failed"),
    (0x5A, HardwareFault, "unknown_status"),
]


def test_every_refusal_has_its_error() -> None:
    async def refused(status: int) -> tuple[int, type[DeviceError], str]:
        with reader_with(Habits(answers={READ: frame(status)})) as peer:
            with pytest.raises(DeviceError) as caught:
                await read(peer.address)
            assert peer.order_of_commands().count(READ) <= 3
        return status, type(caught.value), caught.value.reason

    async def scene() -> list[tuple[int, type[DeviceError], str]]:
        return await asyncio.gather(*(refused(status) for status, *_ in REFUSALS))

    assert asyncio.run(scene()) == REFUSALS


@pytest.mark.parametrize("habits", [Habits(answers={READ: DAMAGED}), Habits(answers={READ: GOOD[READ][:900]})])
def test_a_card_always_damaged_is_told_after_five_attempts(habits: Habits) -> None:
    with reader_with(habits) as peer:
        with pytest.raises(MediaError) as caught:
            asyncio.run(read(peer.address))
        assert caught.value.reason == "read_failed"
        assert peer.order_of_commands().count(READ) == 5


def test_a_card_that_makes_no_sense_is_told_soon_even_by_a_strict_reader() -> None:
    nonsense = frame(0x90, CARD[:40] + b"\x00" + CARD[41:])
    with reader_with(Habits(answers={READ: nonsense}, strict=True)) as peer:
        begun_at = time.monotonic()
        with pytest.raises(MediaError) as caught:
            asyncio.run(read(peer.address))
        assert caught.value.reason == "decode_failed"
        assert time.monotonic() - begun_at < 12
        assert NUMBER not in str(caught.value)


def test_a_card_of_no_known_type_is_refused() -> None:
    data = CARD[: 4 + 248] + "Q".encode("utf-16-le") + CARD[4 + 250 :]
    with reader_with(Habits(answers={READ: frame(0x90, data)})) as peer:
        with pytest.raises(MediaError) as caught:
            asyncio.run(read(peer.address))
        assert caught.value.reason == "wrong_card_type"


def test_a_flood_from_the_first_moment_ends_in_time_and_in_little_memory() -> None:
    for flood in (bytes(range(256)) * 64, FALSE_BEGINNING * 2000):
        with reader_with(Habits(flood=flood), OnTcp) as peer:
            begun_at = time.monotonic()
            tracemalloc.start()
            try:
                with pytest.raises(HardwareFault) as caught:
                    asyncio.run(read(peer.address, 1.0))
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert caught.value.reason in ("wrong_device", "line_fault")
            assert time.monotonic() - begun_at < 10
            assert peak < 2_000_000
            peer.ending.set()


class CutOff(OnTcp):
    """A serial server that drops its connection in the middle of some answers."""

    def __init__(self, habits: Habits, cuts: dict[str, int]) -> None:
        super().__init__(habits)
        self.cuts = cuts

    def answer(self, request: bytes, send: Callable[[bytes], None]) -> None:
        command = request[7:9].hex()
        if self.cuts.get(command, 0) > 0:
            self.cuts[command] -= 1
            send(GOOD[command][: len(GOOD[command]) // 2])
            raise OSError("cut")
        super().answer(request, send)


@pytest.mark.parametrize(
    "cuts", [{STATUS: 1}, {SAM: 1}, {FIND: 2}, {SELECT: 1}, {READ: 1}, {SAM: 1, READ: 1}, {MORE: 1}]
)
def test_a_line_that_drops_in_an_answer_is_dialled_again(cuts: dict[str, int]) -> None:
    peer = CutOff(Habits(strict=True), dict(cuts))
    peer.start()
    try:
        assert is_read(asyncio.run(read(peer.address)))
        assert not any(peer.cuts.values())
    finally:
        peer.close()


def test_a_line_that_is_cut_again_and_again_is_told_soon() -> None:
    peer = CutOff(Habits(), {READ: 99})
    peer.start()
    try:
        begun_at = time.monotonic()
        with pytest.raises(DeviceOffline) as caught:
            asyncio.run(read(peer.address))
        assert caught.value.reason == "unplugged"
        assert peer.cuts[READ] == 96  # dialled again twice
        assert time.monotonic() - begun_at < 8
    finally:
        peer.close()


def test_one_device_reads_card_after_card_and_notices_removal() -> None:
    async def scene(peer: OnPty | OnTcp) -> None:
        device = SdtReader(SdtReader.Options(port=peer.address))
        try:
            for _ in range(2):
                assert is_read(await device.read(timeout_seconds=5))
                peer.habits.answers = {MORE: frame(0x41), FIND: frame(0x80)}
                await device.wait_removal(timeout_seconds=4)
                peer.habits.answers = {}
        finally:
            await device.close()

    with reader_with(Habits()) as peer:
        asyncio.run(scene(peer))
