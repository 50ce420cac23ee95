from __future__ import annotations

import asyncio
import shutil
import time

import pytest

from kiosk.contracts.value import Language
from kiosk.machine.speech import EspeakSpeech, SilentSpeech, open_speech, spoken

needs_voice = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed here")


def test_mandarin_is_read_from_pinyin_with_tones() -> None:
    assert spoken("请放身份证", Language.ZH_CN) == ("cmn-latn-pinyin", "qing3 fang4 shen1 fen4 zheng4")
    assert spoken("银行", Language.ZH_TW)[1] == "yin2 hang2"
    assert spoken("Place your card", Language.EN) == ("en", "Place your card")


@needs_voice
def test_each_language_has_a_sound_and_elder_mode_is_slower() -> None:
    async def story() -> None:
        speech = open_speech()
        assert isinstance(speech, EspeakSpeech)
        normal = await speech.sound("请把身份证放在读卡区", Language.ZH_CN)
        slow = await speech.sound("请把身份证放在读卡区", Language.ZH_CN, slow=True)
        assert normal.startswith(b"RIFF")
        assert len(slow) > len(normal) > 20_000
        assert len(await speech.sound("Place your card on the reader", Language.EN)) > 20_000

    asyncio.run(story())


@needs_voice
def test_no_sound_device_and_no_end_disturb_nobody() -> None:
    async def story() -> None:
        speech = open_speech()
        started = time.monotonic()
        saying = asyncio.create_task(speech.say("请稍候。" * 100, Language.ZH_CN))
        await asyncio.sleep(0)
        await speech.stop()
        saying.cancel()
        await asyncio.gather(saying, return_exceptions=True)
        await speech.stop()
        assert time.monotonic() - started < 5

    asyncio.run(story())


def test_a_machine_without_a_voice_is_silent() -> None:
    async def story() -> None:
        speech = SilentSpeech()
        await speech.say("请稍候", Language.ZH_CN)
        await speech.stop()
        assert not speech.is_audible

    asyncio.run(story())
