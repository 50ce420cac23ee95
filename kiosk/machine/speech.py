"""The sentence of a screen, spoken. Silent where the machine has no voice: speech helps, it never decides."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from kiosk.contracts.value import Language

WORDS_PER_MINUTE = 170
SLOW = 0.9
"""Speed in elder mode."""
LONGEST_SECONDS = 60.0
LONGEST_TEXT = 500

log = logging.getLogger(__name__)


class Speech(Protocol):
    """One voice: a new sentence ends the one before."""

    @property
    def is_audible(self) -> bool: ...

    async def say(self, text: str, language: Language, *, slow: bool = False) -> None:
        """Speak and return when it is over. Never raises; cancelling ends the sentence. No personal values."""
        ...

    async def stop(self) -> None: ...


def open_speech() -> Speech:
    """The voice of this machine: espeak-ng where it is installed, else silence."""
    program = shutil.which("espeak-ng")
    return EspeakSpeech(program) if program else SilentSpeech()


class SilentSpeech:
    is_audible = False

    async def say(self, text: str, language: Language, *, slow: bool = False) -> None:
        return

    async def stop(self) -> None:
        return


class EspeakSpeech:
    """espeak-ng as a program of its own. It reads Mandarin best from pinyin, which pypinyin gives it."""

    is_audible = True

    def __init__(self, program: str) -> None:
        self._program = program
        self._speaking: asyncio.subprocess.Process | None = None
        self._has_failed = False

    async def say(self, text: str, language: Language, *, slow: bool = False) -> None:
        await self.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_SECONDS):
                code, _ = await self._run(text, language, slow=slow)
                if code > 0 and not self._has_failed:
                    self._has_failed = True
                    log.warning("espeak-ng ended with %s: is a sound device there?", code)

    async def sound(self, text: str, language: Language, *, slow: bool = False) -> bytes:
        """The same as a WAV file."""
        _, content = await self._run(text, language, "--stdout", slow=slow)
        return content

    async def stop(self) -> None:
        speaking, self._speaking = self._speaking, None
        if speaking is not None and speaking.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                speaking.kill()
            await speaking.wait()

    async def _run(self, text: str, language: Language, *options: str, slow: bool) -> tuple[int, bytes]:
        """The sentence goes in by a pipe: arguments can be read by every process of the machine."""
        voice, words = spoken(text[:LONGEST_TEXT], language)
        speed = round(WORDS_PER_MINUTE * (SLOW if slow else 1.0))
        pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            self._program, "-v", voice, "-s", str(speed), "-b", "1", "--stdin", *options,
            stdin=pipe, stdout=pipe if options else nowhere, stderr=nowhere,
        )  # fmt: skip
        self._speaking = process
        try:
            content, _ = await process.communicate(words.encode())
        except asyncio.CancelledError:
            await self.stop()
            raise
        return process.returncode or 0, content or b""


def spoken(text: str, language: Language) -> tuple[str, str]:
    """Voice and words for espeak-ng: 您好 becomes `cmn-latn-pinyin` and `nin2 hao3`."""
    if language is Language.EN:
        return "en", text
    pinyin = _pinyin()
    return ("cmn-latn-pinyin", pinyin(text)) if pinyin else ("cmn", text)


@lru_cache(maxsize=1)
def _pinyin() -> Callable[[str], str] | None:
    try:
        from pypinyin import Style, lazy_pinyin  # noqa: PLC0415
    except ImportError:
        return None
    return lambda text: " ".join(lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True))
