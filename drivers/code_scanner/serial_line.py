"""Code scanners on a serial line: USB-CDC, RS-232, a serial server (device-classes C.7, spike-devices 6).

The scanner is set to send each code followed by an ending. What it sends while nobody reads is dropped, and so is the
rest of a code that was on its way when a read began.
"""

from __future__ import annotations

import contextlib
import time
from typing import Final

from pydantic import Field, field_validator

from drivers.code_scanner.armed import ArmedScanner, Watch
from drivers.code_scanner.payload import (
    MENDED_QUIET_SECONDS,
    NAMED_BY_AIM,
    NOISE_SECONDS,
    QUIET_SECONDS,
    CodeSplitter,
    Encoding,
    Suffix,
    code_of,
    decode_text,
    invalid,
)
from drivers.errors import DeviceError, HardwareFault
from drivers.messages import Message, ScannedCode
from drivers.serial_line import Parity, SerialLine, open_line

CHUNK_BYTES: Final = 1024
QUIET_BYTES: Final = 32 * 1024
LOOK_SECONDS: Final = 1.0
_COMMAND_BYTES: Final = 64


class SerialLineOptions(Message):
    port: str = Field(min_length=1, description="serial device, pseudo-terminal, or socket://host:port")
    baud_rate: int = Field(default=9600, ge=1200, le=921600)
    parity: Parity = "none"
    suffix: Suffix = Field(default="cr", description="what the scanner sends after each code; gap: silence")
    gap_seconds: float = Field(default=0.3, ge=0.05, le=2.0, description="silence that ends, or gives up, a code")
    encoding: Encoding = Field(default="utf-8", description="character set of what the scanner sends")
    aim_prefix: bool = Field(default=False, description="the scanner names each code's kind before it (]Q1 …)")
    arm_hex: str = Field(default="", description="bytes that switch the scanner on for a read; often 1654 0d")
    disarm_hex: str = Field(default="", description="bytes that switch it off again; often 1655 0d")

    @field_validator("arm_hex", "disarm_hex")
    @classmethod
    def _is_hex(cls, text: str) -> str:
        if len(bytes.fromhex(text)) > _COMMAND_BYTES:
            raise ValueError(f"at most {_COMMAND_BYTES} bytes")
        return text


class SerialScanner(ArmedScanner):
    """The symbology is known only with `aim_prefix`; without, codes of every kind are given as `unknown`."""

    Options = SerialLineOptions

    def __init__(self, options: SerialLineOptions) -> None:
        super().__init__(
            _SerialSource(options),
            driver="code_scanner/serial_line",
            features=frozenset({"trigger"} if options.arm_hex else ()),
            knows_symbology=NAMED_BY_AIM if options.aim_prefix else frozenset(),
        )


class _SerialSource:
    def __init__(self, options: SerialLineOptions) -> None:
        self._options = options
        self._splitter = CodeSplitter(options.suffix)
        self._line: SerialLine | None = None
        self._has_read = False

    @property
    def parts(self) -> dict[str, str]:
        if self._line is None:
            return {"scanner": "unknown", "window": "unknown"}
        return {"scanner": "on" if self._has_read else "unknown", "window": "unknown"}

    def look(self, *, after_fault: bool) -> None:
        """A stream without end stays a fault until the line is quiet."""
        line = self._open()
        try:
            if after_fault:
                self._drop_until_quiet(line, Watch(LOOK_SECONDS), LOOK_SECONDS / 2, MENDED_QUIET_SECONDS)
            elif line.read(CHUNK_BYTES, 0):
                line.drain()
        except DeviceError:
            self.close()
            raise

    def next_code(self, watch: Watch) -> ScannedCode:
        line = self._plugged()
        try:
            self._drop_until_quiet(line, watch, NOISE_SECONDS, QUIET_SECONDS)
            self._tell(line, self._options.arm_hex)
            return self._received(line, watch)
        except DeviceError as error:
            if error.reason in ("unplugged", "stuck"):
                self.close()
            raise
        finally:
            self.forget()
            if self._line is not None:
                with contextlib.suppress(DeviceError):
                    self._tell(line, self._options.disarm_hex)

    def interrupt(self) -> None:
        line = self._line
        if line is not None:
            line.interrupt()

    def forget(self) -> None:
        self._splitter.forget()

    def close(self) -> None:
        self.forget()
        line, self._line = self._line, None
        self._has_read = False
        if line is not None:
            line.close()

    def _open(self) -> SerialLine:
        if self._line is None:
            options = self._options
            self._line = open_line(
                options.port, device="code scanner", baud_rate=options.baud_rate, parity=options.parity
            )
        return self._line

    def _plugged(self) -> SerialLine:
        """Opened again where the scanner was taken away, and perhaps put back, since the last look."""
        line = self._open()
        try:
            line.drain()
        except DeviceError:
            self.close()
            return self._open()
        return line

    def _tell(self, line: SerialLine, command_hex: str) -> None:
        if command_hex:
            line.write(bytes.fromhex(command_hex))

    def _drop_until_quiet(self, line: SerialLine, watch: Watch, patience_seconds: float, quiet_seconds: float) -> None:
        """Raises `HardwareFault` (`wrong_device`) when it never pauses."""
        line.drain()
        line.read(CHUNK_BYTES, 0)  # takes up an interrupt that came too late for the read before
        noisy_until = time.monotonic() + min(patience_seconds, watch.left())
        dropped = 0
        while more := line.read(CHUNK_BYTES, quiet_seconds):
            dropped += len(more)
            if dropped > QUIET_BYTES or time.monotonic() > noisy_until:
                raise HardwareFault(
                    "the code scanner sends without end: another device may be on its port", "wrong_device"
                )
        watch.left()

    def _received(self, line: SerialLine, watch: Watch) -> ScannedCode:
        while True:
            left = watch.left()
            within = self._splitter.is_within_code
            data = line.read(CHUNK_BYTES, min(left, self._options.gap_seconds) if within else left)
            if not data:
                watch.left()
                if not within:
                    continue
                code = self._splitter.end()
                if self._options.suffix != "gap":
                    raise invalid("the code came without its ending: it was cut short, or the suffix is set wrong")
                codes = [code] if code else []
            else:
                codes = self._splitter.feed(data)
            if codes:
                self._has_read = True
                return code_of(decode_text(codes[0], self._options.encoding), aim_prefix=self._options.aim_prefix)
