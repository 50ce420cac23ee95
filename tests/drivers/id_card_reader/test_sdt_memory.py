"""What stays of a card in the reader's process once it was handed over and the session ended: nothing."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from drivers.host import DeviceConfig, SupervisedDevice
from drivers.id_card_reader.simulator import SdtSimulator
from drivers.id_card_reader.simulator.cards import load_cards
from drivers.id_card_reader.simulator.module import SAM_ID

CARD = load_cards()["aydin"]
VALUES = [CARD.fields.name, CARD.fields.id_number, CARD.fields.address, CARD.fields.new_address]
PATTERNS = [str(value).encode(encoding) for value in VALUES for encoding in ("utf-8", "utf-16-le")] + [
    CARD.photo[100:164],
    CARD.text[122:158],
]


def count_in_memory(pid: int, patterns: list[bytes]) -> int:
    found = 0
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
            span, permissions, *_ = line.split()
            if not permissions.startswith("rw"):
                continue
            begin, end = (int(edge, 16) for edge in span.split("-"))
            with contextlib.suppress(OSError):
                memory.seek(begin)
                content = memory.read(end - begin)
                found += sum(content.count(pattern) for pattern in patterns)
    return found


def test_a_wiped_reader_holds_nothing_of_the_citizen() -> None:
    async def scene() -> None:
        peer = SdtSimulator(card="aydin")
        device = SupervisedDevice(
            DeviceConfig(name="reader", driver="id_card_reader/sdt", options={"port": await peer.start()})
        )
        try:
            await device.open()
            card = await device.proxy.read(timeout_seconds=5)
            assert card.name == CARD.fields.name
            await device.wipe()
            assert device.pid is not None
            assert count_in_memory(device.pid, [SAM_ID.encode()]) > 0, "the scan sees what the driver does keep"
            assert count_in_memory(device.pid, PATTERNS) == 0
        finally:
            await device.close()
            await peer.stop()

    asyncio.run(scene())
