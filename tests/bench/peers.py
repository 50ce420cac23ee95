"""Simulators in processes of their own, as a demonstration has them."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 20.0


class Peer:
    """python -m drivers simulate NAME. `address` is what the driver opens; `order` returns when it was obeyed."""

    def __init__(self, process: asyncio.subprocess.Process, address: str) -> None:
        self._process = process
        self.address = address

    @classmethod
    async def start(cls, name: str, *arguments: str) -> Peer:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "drivers", "simulate", name, *arguments, cwd=ROOT,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            return cls(process, str((await _line(process))["address"]))
        except BaseException:
            process.kill()
            await process.wait()
            raise

    async def order(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode() + b"\n")
        answer = await _line(self._process)
        if not answer.get("ok"):
            raise RuntimeError(f"{text}: {answer}")

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()


async def _line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        line = await process.stdout.readline()
    if not line:
        raise RuntimeError("the simulator ended")
    said: dict[str, Any] = json.loads(line)
    return said
