"""A make-believe input device: umockdev's test bed, in a process of its own (spike-devices 1 and 6).

Run under umockdev's preloaded library by the keyboard's peer. Standard input takes one order a line: `plug`, `unplug`,
`keys CODE:VALUE …`, `dropped`, `endless` (it types by itself, without a pause) or `quiet`; each is answered by a line:
`ok`, or the bed's folder for the first `plug`. Processes that are to see the device need LD_PRELOAD and UMOCKDEV_DIR.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

from evdev import ecodes

from drivers.code_scanner.simulator.keyboard import LIBRARY, LINK

VENDOR, PRODUCT = 0x0C2E, 0x0B6A
NAME: Final = "Yizhan Scanner"
KEYS: Final = range(1, 127)
ENDLESS_SECONDS: Final = 0.002
EVENT: Final = struct.Struct("@llHHi")
_NAME_BYTES, _TYPES_BYTES, _KEYS_BYTES = 256, 4, 96
_BUS_USB: Final = 3


class Bed:
    """Each plugging-in gets the next number: umockdev dies of a node that comes back under its old name."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(LIBRARY)
        self._library.umockdev_testbed_new.restype = ctypes.c_void_p
        self._library.umockdev_testbed_get_root_dir.restype = ctypes.c_char_p
        self._bed = ctypes.c_void_p(self._library.umockdev_testbed_new())
        self.root = Path(self._library.umockdev_testbed_get_root_dir(self._bed).decode())
        self._number = -1
        self._master = -1
        self._lock = threading.Lock()
        self._endless = threading.Event()
        threading.Thread(target=self._type_without_end, daemon=True).start()

    def plug(self) -> None:
        self._number += 1
        name = f"input/event{self._number}"
        description = (
            f"P: {self._system_path()}\nN: {name}\nE: SUBSYSTEM=input\nE: DEVNAME=/dev/{name}\n"
            "E: ID_INPUT=1\nE: ID_INPUT_KEYBOARD=1\n\n"
        )
        self._must(self._library.umockdev_testbed_add_from_string(self._bed, description.encode(), None))
        with tempfile.NamedTemporaryFile("w", suffix=".ioctl") as recording:
            recording.write(_answers(f"/dev/{name}"))
            recording.flush()
            self._must(self._library.umockdev_testbed_load_ioctl(self._bed, None, recording.name.encode(), None))
        self._master = self._library.umockdev_testbed_get_dev_fd(self._bed, f"/dev/{name}".encode())
        link = self._inside(LINK)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(f"../event{self._number}")

    def unplug(self) -> None:
        if self._master < 0:
            return
        self._library.umockdev_testbed_remove_device(self._bed, f"/sys{self._system_path()}".encode())
        for path in (LINK, f"/dev/input/event{self._number}"):
            self._inside(path).unlink(missing_ok=True)
        with self._lock:
            os.close(self._master)
            self._master = -1

    def be_endless(self, endless: bool) -> None:
        self._endless.set() if endless else self._endless.clear()

    def emit(self, events: list[tuple[int, int, int]]) -> None:
        """(type, code, value) each followed by a report, as the kernel gives them."""
        for kind, code, value in events:
            self._write(EVENT.pack(0, 0, kind, code, value) + EVENT.pack(0, 0, ecodes.EV_SYN, ecodes.SYN_REPORT, 0))

    def _type_without_end(self) -> None:
        while self._endless.wait():
            with self._lock:
                has_room = self._master >= 0 and bool(select.select([], [self._master], [], 0)[1])
                if has_room:
                    self.emit([(ecodes.EV_KEY, ecodes.KEY_1, value) for value in (1, 0)])
            if not has_room:
                time.sleep(ENDLESS_SECONDS)

    def _write(self, data: bytes) -> None:
        if self._master >= 0:
            with contextlib.suppress(OSError):
                os.write(self._master, data)

    def _system_path(self) -> str:
        return f"/devices/yizhan/input{self._number}/event{self._number}"

    def _inside(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def _must(self, succeeded: int) -> None:
        if not succeeded:
            raise RuntimeError("umockdev refuses the make-believe device")


def _answers(node: str) -> str:
    """What the node answers to the questions a reader asks, as umockdev writes them down.

    EVIOCGRAB is left out: an entry for it crashes umockdev 0.17.16, and without one every grab succeeds.
    """
    identity = struct.pack("@HHHH", _BUS_USB, VENDOR, PRODUCT, 0x0100)
    name = NAME.encode().ljust(_NAME_BYTES, b"\0")
    empty = bytes(_NAME_BYTES)
    return "\n".join(
        (
            f"@DEV {node}",
            f"EVIOCGID 0 {identity.hex().upper()}",
            "EVIOCGVERSION 0 01000100",
            "EVIOCGEFFECTS 0 00000000",
            f"EVIOCGNAME {_NAME_BYTES} {name.hex().upper()}",
            f"EVIOCGPHYS {_NAME_BYTES} {empty.hex().upper()}",
            f"EVIOCGUNIQ {_NAME_BYTES} {empty.hex().upper()}",
            f"EVIOCGBIT(0) {_TYPES_BYTES} {_bits((ecodes.EV_SYN, ecodes.EV_KEY), _TYPES_BYTES)}",
            f"EVIOCGBIT(1) {_KEYS_BYTES} {_bits(KEYS, _KEYS_BYTES)}",
            "",
        )
    )


def _bits(numbers: range | tuple[int, ...], size: int) -> str:
    mask = bytearray(size)
    for number in numbers:
        mask[number // 8] |= 1 << number % 8
    return mask.hex().upper()


def main() -> None:
    bed = Bed()
    bed.plug()
    print(bed.root, flush=True)
    for line in sys.stdin:
        verb, *arguments = line.split()
        match verb:
            case "plug":
                bed.plug()
            case "unplug":
                bed.unplug()
            case "endless" | "quiet":
                bed.be_endless(verb == "endless")
            case "dropped":
                bed.emit([(ecodes.EV_SYN, ecodes.SYN_DROPPED, 0)])
            case "keys":
                pairs = [argument.split(":") for argument in arguments]
                bed.emit([(ecodes.EV_KEY, int(code), int(value)) for code, value in pairs])
        print("ok", flush=True)


if __name__ == "__main__":
    main()
