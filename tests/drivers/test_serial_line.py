"""The line: pseudo-terminals and sockets, and every way they end."""

from __future__ import annotations

import os
import socket
import termios
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.errors import DeviceAbsent, DeviceBusy, DeviceError, DeviceOffline
from drivers.serial_line import SerialLine, open_line

LONG = 20.0


class Pty:
    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.port = os.ttyname(self.slave)

    def send(self, data: bytes) -> None:
        os.write(self.master, data)

    def heard(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += os.read(self.master, size - len(data))
        return data

    def unplug(self) -> None:
        for fd in (self.master, self.slave):
            if fd >= 0:
                os.close(fd)
        self.master = self.slave = -1


class Tcp:
    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = f"socket://127.0.0.1:{self.server.getsockname()[1]}"
        self.peer: socket.socket | None = None

    def connected(self) -> socket.socket:
        if self.peer is None:
            self.peer = self.server.accept()[0]
        return self.peer

    def send(self, data: bytes) -> None:
        self.connected().sendall(data)

    def heard(self, size: int) -> bytes:
        return self.connected().recv(size, socket.MSG_WAITALL)

    def unplug(self) -> None:
        self.connected().close()
        self.server.close()


@pytest.fixture(params=[Pty, Tcp])
def peer(request: pytest.FixtureRequest) -> Iterator[Pty | Tcp]:
    made = request.param()
    yield made
    if isinstance(made, Pty) or made.peer is not None:
        made.unplug()
    else:
        made.server.close()


@pytest.fixture
def line(peer: Pty | Tcp) -> Iterator[SerialLine]:
    opened = open_line(peer.port, device="thing")
    yield opened
    opened.close()


def reason(call: object) -> str:
    with pytest.raises(DeviceError) as caught:
        call()  # type: ignore[operator]
    return caught.value.reason


def test_bytes_go_both_ways(peer: Pty | Tcp, line: SerialLine) -> None:
    every = bytes(range(256))
    line.write(every)
    assert peer.heard(256) == every
    peer.send(every)
    assert line.read_exactly(256, LONG) == every


def test_a_read_gives_what_is_there_and_no_more_than_asked(peer: Pty | Tcp, line: SerialLine) -> None:
    peer.send(b"abc")
    assert line.read_exactly(2, LONG) == b"ab"
    assert line.read(100, LONG) == b"c"


def test_silence_ends_with_nothing(line: SerialLine) -> None:
    assert line.read(10, 0.01) == b""
    assert line.read(10, 0) == b""


def test_what_came_before_the_limit_is_given(peer: Pty | Tcp, line: SerialLine) -> None:
    peer.send(b"ab")
    assert line.read_exactly(10, 0.2) == b"ab"


def test_draining_forgets_what_came_before(peer: Pty | Tcp, line: SerialLine) -> None:
    peer.send(b"old" * 500)
    assert line.read(3, LONG) == b"old"
    line.drain()
    peer.send(b"new")
    assert line.read(100, LONG) == b"new"


def test_draining_an_endless_stream_ends(peer: Pty | Tcp, line: SerialLine) -> None:
    stop = threading.Event()

    def pour() -> None:
        while not stop.is_set():
            try:
                peer.send(b"x" * 512)
            except OSError:
                return

    pouring = threading.Thread(target=pour, daemon=True)
    pouring.start()
    begun = time.monotonic()
    line.drain()
    took = time.monotonic() - begun
    stop.set()
    line.drain()
    line.close()  # frees a sender that stands in a full buffer
    if isinstance(peer, Pty):
        peer_master, peer.master = peer.master, -1
        os.close(peer.slave)
        peer.slave = -1
        pouring.join(LONG)
        os.close(peer_master)
    pouring.join(LONG)
    assert not pouring.is_alive()
    assert took < 10


def test_an_unplug_is_named_while_reading_and_ever_after(peer: Pty | Tcp, line: SerialLine) -> None:
    if isinstance(peer, Tcp):
        peer.connected()
    unplugging = threading.Timer(0.05, peer.unplug)
    unplugging.start()
    assert reason(lambda: line.read(10, LONG)) == "unplugged"
    unplugging.join()
    assert reason(lambda: line.read(10, 0.1)) == "unplugged"
    assert reason(lambda: line.read_exactly(10, 0.1)) == "unplugged"

    def write_again() -> None:
        for _ in range(200):  # the first bytes to a closed socket are still taken
            line.write(b"?")

    assert reason(write_again) == "unplugged"
    line.close()
    line.close()
    if isinstance(peer, Tcp):
        peer.peer = None


def test_a_device_that_takes_no_bytes_is_stuck(peer: Pty | Tcp, line: SerialLine) -> None:
    if isinstance(peer, Tcp):
        peer.connected()
    assert reason(lambda: line.write(bytes(20_000_000), 0.1)) == "stuck"


def test_another_thread_ends_a_read(line: SerialLine) -> None:
    waking = threading.Timer(0.05, line.interrupt)
    waking.start()
    begun = time.monotonic()
    assert line.read_exactly(10, 60) == b""
    assert time.monotonic() - begun < 30
    waking.join()
    assert line.read(10, 0.01) == b""


def test_an_interrupt_beforehand_ends_the_next_read_once(peer: Pty | Tcp, line: SerialLine) -> None:
    line.interrupt()
    assert line.read(10, 60) == b""
    peer.send(b"a")
    assert line.read(10, LONG) == b"a"


def test_a_closed_line_says_so(line: SerialLine) -> None:
    line.close()
    line.interrupt()
    assert reason(lambda: line.read(1, 0.1)) == "unplugged"
    assert reason(lambda: line.write(b"a")) == "unplugged"


def test_opening_and_closing_leaves_no_descriptors(peer: Pty | Tcp) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        open_line(peer.port, device="thing").close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_port_belongs_to_one(tmp_path: Path) -> None:
    pty = Pty()
    first = open_line(pty.port, device="thing")
    with pytest.raises(DeviceBusy) as caught:
        open_line(pty.port, device="thing")
    assert caught.value.reason == "port_busy"
    first.close()
    open_line(pty.port, device="thing").close()
    pty.unplug()


@pytest.mark.parametrize(
    ("port", "kind", "word"),
    [
        ("/dev/nonexistent", DeviceAbsent, "device_absent"),
        ("socket://127.0.0.1", DeviceAbsent, "bad_address"),
        ("socket://127.0.0.1:99999", DeviceAbsent, "bad_address"),
        ("ftp://127.0.0.1:1", DeviceAbsent, "bad_address"),
        ("socket://127.0.0.1:1", DeviceOffline, "device_offline"),
        ("/dev/null", DeviceAbsent, "not_a_serial_port"),
    ],
)
def test_what_cannot_be_opened_is_named(port: str, kind: type[DeviceError], word: str) -> None:
    with pytest.raises(kind) as caught:
        open_line(port, device="thing")
    assert caught.value.reason == word


def test_a_file_is_no_port(tmp_path: Path) -> None:
    (file := tmp_path / "port").write_bytes(b"")
    assert reason(lambda: open_line(str(file), device="thing")) == "not_a_serial_port"


def test_line_settings_reach_the_port() -> None:
    """Of those a pseudo-terminal keeps: it has eight bits and no parity whatever it is told."""
    pty = Pty()
    line = open_line(pty.port, device="thing", baud_rate=9600, data_bits=7, parity="odd", stop_bits=2)
    _, _, control, _, _, speed, _ = termios.tcgetattr(pty.slave)
    assert speed == termios.B9600
    assert control & termios.PARODD
    assert control & termios.CSTOPB
    line.close()
    pty.unplug()
