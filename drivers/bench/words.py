"""What the commands of the bench share: options from a command line, JSON out, a bar while a person waits."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from drivers.bench.options import option_names
from drivers.errors import Unsupported
from drivers.host import DeviceConfig

ADDRESS_OPTIONS = ("port", "address", "uri", "url", "source", "camera", "device", "reader", "library")
"""What drivers call the place where their device is; `--port` sets the first of them that the driver has."""


def option(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def address_option(driver: str) -> str | None:
    """The option of this driver that says where its device is. Raises `DeviceError` when it cannot be loaded."""
    names = option_names(driver)
    return next((name for name in ADDRESS_OPTIONS if name in names), None)


def device_config(driver: str, port: str | None, options: list[tuple[str, str]]) -> DeviceConfig:
    """The device as the command line describes it. Raises `DeviceError`."""
    given: dict[str, Any] = dict(options)
    if port is not None:
        key = address_option(driver)
        if key is None:
            raise Unsupported(f"{driver} has no place to set: leave --port out, use --option", "configuration_wrong")
        given[key] = port
    return DeviceConfig(name=driver, driver=driver, options=given)


def write_json(value: Any) -> None:
    """One line of UTF-8, whatever the locale."""
    sys.stdout.buffer.write(json.dumps(value, ensure_ascii=False).encode() + b"\n")
    sys.stdout.buffer.flush()


@contextlib.contextmanager
def waiting(sentence: str, seconds: float) -> Iterator[None]:
    """A bar on standard error while a person waits; nothing where a program reads."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(sentence, total=seconds)
        moving = asyncio.get_running_loop().create_task(_move(progress, bar))
        try:
            yield
        finally:
            moving.cancel()


async def _move(progress: Progress, bar: Any) -> None:
    while True:
        await asyncio.sleep(0.1)
        progress.advance(bar, 0.1)
