"""A receipt printer on each kind of wire, and an invented slip."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from drivers.messages import Align, PairLine, PrintJob, QrLine, RuleLine, SpaceLine, TextLine
from drivers.receipt_printer.escpos import EscposPrinter
from drivers.receipt_printer.simulator import EscposSimulator

QR_CONTENT = "https://yizhan.example/t/YZ20261122-000184"


def slip(job_id: str = "slip-1") -> PrintJob:
    return PrintJob(
        job_id=job_id,
        lines=(
            TextLine(text="办事回执", align=Align.CENTRE, scale=2, bold=True),
            SpaceLine(millimetres=2),
            PairLine(label="事项", value="无房证明"),
            PairLine(label="申请人", value="测試龘䶮㐀𠮷"),
            PairLine(label="费用", value="￥0.00"),
            RuleLine(),
            TextLine(text="请妥善保管，如需查询办理进度，请扫描下方二维码，或拨打 12345。"),
            QrLine(content=QR_CONTENT, caption="扫码查询办理进度"),
            TextLine(text="感谢您使用自助服务", align=Align.CENTRE),
        ),
    )


@dataclass
class Bench:
    simulator: EscposSimulator
    printer: EscposPrinter
    address: str


@asynccontextmanager
async def bench(
    transport: str = "pty",
    profile: str = "raster",
    out: Path | None = None,
    peer: dict[str, str] | None = None,
    **options: Any,
) -> AsyncIterator[Bench]:
    """`peer`: options of the simulated printer beside its transport; `options`: those of the driver."""
    simulator = EscposSimulator(transport=transport, out=str(out) if out else "", **(peer or {}))
    address = await simulator.start()
    given = {"port": address, "profile": profile, "baud_rate": 921_600, **options}
    printer = EscposPrinter(EscposPrinter.Options.model_validate(given))
    try:
        yield Bench(simulator, printer, address)
    finally:
        await printer.close()
        await simulator.stop()


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 30))


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 5.0) -> None:
    """Poll a condition to its deadline."""
    async with asyncio.timeout(seconds):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.01)


@pytest.fixture(params=[("pty", "raster"), ("tcp", "gb18030")], ids=["pty raster", "tcp gb18030"])
def wire(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Transport and profile."""
    found: tuple[str, str] = request.param
    return found
