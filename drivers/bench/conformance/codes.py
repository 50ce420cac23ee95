"""What a code scanner must keep (device-classes C.7). No finding ever shows a code: it may be a payer's."""

from __future__ import annotations

import asyncio

from drivers.bench.conformance import Bench, Broken, NotTried, check, ends_within
from drivers.errors import CommandTimedOut, DeviceError, MediaError, Unsupported
from drivers.messages import CodePurpose, DeviceClass, Symbology

SCANNER = DeviceClass.CODE_SCANNER
SHORT_SECONDS = 1.0
READ_SECONDS = 5.0
NEVER = r"yizhan-no-such-code-[0-9a-f]{64}"


@check("a code that is shown is read", SCANNER)
async def reads(bench: Bench) -> str:
    code, failure, taken = await ends_within(
        bench.proxy.read(purpose=CodePurpose.DOCUMENT, timeout_seconds=READ_SECONDS), READ_SECONDS
    )
    if isinstance(failure, CommandTimedOut):
        raise NotTried("hold a code before the scanner")
    if failure is not None:
        raise failure
    if not code.text:
        raise Broken("an empty code is no code")
    if code.text != code.text.strip("\r\n"):
        raise Broken("the scanner's ending was left on the code")
    knows = "symbology" in (await bench.device.capabilities()).features
    if not knows and code.symbology is not Symbology.UNKNOWN:
        raise Broken("it names the code's kind, and declares that it cannot")
    return f"{code.symbology}, {len(code.text)} characters in {taken:.2f} s"


@check("the pattern is kept", SCANNER)
async def pattern(bench: Bench) -> str:
    code, failure, taken = await ends_within(
        bench.proxy.read(purpose=CodePurpose.DOCUMENT, pattern=NEVER, timeout_seconds=SHORT_SECONDS), SHORT_SECONDS
    )
    if code is not None:
        raise Broken("it gave a code the pattern forbids")
    if not isinstance(failure, CommandTimedOut | MediaError):
        raise Broken(f"a code that does not fit is MediaError, none CommandTimedOut; it raised {failure!r}")
    return f"{failure.kind}/{failure.reason} after {taken:.2f} s"


@check("a pattern that is none is refused, not an accident", SCANNER)
async def broken_pattern(bench: Bench) -> str:
    pid = bench.device.pid
    _, failure, _ = await ends_within(
        bench.proxy.read(purpose=CodePurpose.DOCUMENT, pattern="(", timeout_seconds=SHORT_SECONDS), SHORT_SECONDS
    )
    if not isinstance(failure, Unsupported) or bench.device.pid != pid:
        raise Broken(f"say Unsupported; it ended with {failure!r}")
    return failure.reason


@check("only the kinds of code that were asked for are given", SCANNER)
async def kinds(bench: Bench) -> str:
    features = (await bench.device.capabilities()).features
    if "symbology" not in features:
        raise NotTried("the scanner does not name the kinds of codes")
    known = [kind for kind in Symbology if kind.value in features]
    if not known:
        raise Broken("it declares symbology, and no kind it reads")
    asked = known[-1]
    code, failure, _ = await ends_within(
        bench.proxy.read(purpose=CodePurpose.DOCUMENT, symbologies=(asked,), timeout_seconds=SHORT_SECONDS),
        SHORT_SECONDS,
    )
    if code is not None and code.symbology is not asked:
        raise Broken(f"asked for {asked} it gave {code.symbology}")
    if failure is not None and not isinstance(failure, CommandTimedOut | MediaError):
        raise Broken(f"another kind is MediaError; it raised {failure.kind}/{failure.reason}")
    return f"{asked}: {failure.reason if failure else 'read'}"


@check("a read that is taken back ends at once, and the scanner serves on", SCANNER)
async def cancel(bench: Bench) -> str:
    if "read" not in (await bench.device.capabilities()).cancellable:
        raise NotTried("the driver does not declare read as cancellable")
    pid = bench.device.pid
    reading = asyncio.ensure_future(_never(bench, 30.0))
    await asyncio.wait({reading}, timeout=0.4)
    reading.cancel()
    await asyncio.wait({reading})
    taken = await _ends_in_vain(bench)
    if bench.device.pid != pid:
        raise Broken("its process had to be killed to get the scanner back")
    return f"the next read ended after {taken:.2f} s"


@check("a wipe takes a read back", SCANNER)
async def wipe(bench: Bench) -> str:
    pid = bench.device.pid
    over = asyncio.Event()
    reading = asyncio.ensure_future(_never(bench, 30.0, over))
    await asyncio.wait({reading}, timeout=0.4)
    over.set()
    await ends_within(bench.device.wipe(), 3.0)
    await asyncio.wait({reading}, timeout=3.0)
    if not reading.done():
        reading.cancel()
        await asyncio.wait({reading})
        raise Broken("the read of the session that ended goes on")
    if bench.device.pid != pid:
        raise Broken("its process had to be killed")
    return ""


async def _never(bench: Bench, seconds: float, over: asyncio.Event | None = None) -> None:
    """Waits for a code that does not exist, past those held there; begins no new read once it is `over`."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + seconds
    while (left := ends_at - loop.time()) > 0 and not (over is not None and over.is_set()):
        try:
            await bench.proxy.read(purpose=CodePurpose.DOCUMENT, pattern=NEVER, timeout_seconds=left)
        except MediaError:
            continue
        except DeviceError:
            return


async def _ends_in_vain(bench: Bench) -> float:
    _, failure, taken = await ends_within(
        bench.proxy.read(purpose=CodePurpose.DOCUMENT, pattern=NEVER, timeout_seconds=SHORT_SECONDS), SHORT_SECONDS + 1
    )
    if not isinstance(failure, CommandTimedOut | MediaError):
        raise Broken(f"the next read ended with {failure!r}")
    return taken
