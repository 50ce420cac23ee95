"""Every class × its simulator's knobs: the right status, completion and sentences (drivers/README.md)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest

from drivers.registry import drivers, find_simulator, simulators
from kiosk.contracts.fault_words import EVERY, FOLDER, NAMES, fault_names, fault_words, words_of_class
from kiosk.contracts.value import Language
from tests.drivers.face_matcher.engine_package import install
from tests.drivers.fault_cases.case import FaultCase
from tests.drivers.fault_cases.playing import all_cases, play_all
from tests.drivers.fault_cases.table import README, in_readme, written

CASES = all_cases()
IDS = [f"{case.driver}-{case.fault}{'-during' if case.during else ''}" for case in CASES]


@pytest.fixture(scope="module")
def engine_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An engine for `face_matcher/plugged`, where the device processes look for packages."""
    installed = install(tmp_path_factory.mktemp("installed"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [installed, os.environ.get("PYTHONPATH", "")])))
        yield


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest, engine_package: None) -> dict[FaultCase, BaseException | None]:
    """All chosen cases, played together before the first is judged."""
    chosen = {
        item.callspec.params["case"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.function is test_a_fault_ends_as_the_matrix_says
    }
    cases = [case for case in CASES if case in chosen and not case.unplayable]
    played = asyncio.run(play_all(cases))
    return {case: played[number] for number, case in enumerate(cases)}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_fault_ends_as_the_matrix_says(case: FaultCase, verdicts: dict[FaultCase, BaseException | None]) -> None:
    if case.unplayable:
        pytest.skip(case.unplayable)
    wrong = verdicts[case]
    if wrong is not None:
        raise wrong


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_fault_has_its_sentences_and_its_name(case: FaultCase) -> None:
    for code in {case.code, case.sentence} - {""}:
        words = fault_words(case.device_class, code)
        assert words is not None, f"assets/i18n/faults/{case.device_class}.yaml: write {code}"
        assert code in fault_names(), f"assets/i18n/faults/{NAMES}.yaml: write {code}"
        for language in Language:
            assert words.citizen.in_language(language).strip()
            assert words.staff.in_language(language).strip()


def test_every_knob_of_every_simulator_has_its_cell() -> None:
    told = {(case.driver, case.fault) for case in CASES}
    knobs = {(name, fault) for name in simulators() for fault in find_simulator(name).load().faults}
    assert knobs, "saw no knob: the check looks in the wrong place"
    assert not knobs - told, f"write a FaultCase for {sorted(knobs - told)}"
    assert not told - knobs, f"no simulator knows {sorted(told - knobs)}"


def test_every_driver_has_its_row() -> None:
    missing = set(drivers()) - {case.driver for case in CASES}
    assert not missing, f"write cases (and a simulator) for {sorted(missing)}"


@pytest.mark.parametrize("file", sorted(file.stem for file in FOLDER.glob("*.yaml") if file.stem != NAMES))
def test_the_sentences_are_short_calm_and_each_in_its_own_script(file: str) -> None:
    from drivers.messages import DeviceClass

    assert file == EVERY or file in {item.value for item in DeviceClass}, f"{file}.yaml is no device class"
    words = words_of_class(file)
    assert words
    for code, entry in words.items():
        assert code in fault_names(), f"{NAMES}.yaml: write {code}"
        for text, most in ((entry.citizen, 60), (entry.staff, 90)):
            assert len(text.zh_cn) <= most, f"{file} {code}: {len(text.zh_cn)} characters are too many"
            assert len(text.en) <= most * 4, f"{file} {code}: {len(text.en)} letters are too many"
            assert text.en.isascii() or not any("\u4e00" <= letter <= "\u9fff" for letter in text.en)
            assert text.zh_cn.endswith("。"), f"{file} {code}: a sentence ends with 。"
            assert text.zh_tw.endswith("。"), f"{file} {code}: a sentence ends with 。"
            assert text.en.endswith("."), f"{file} {code}: a sentence ends with a full stop"


def test_the_table_in_the_readme_is_the_one_these_cases_make() -> None:
    assert in_readme(README.read_text(encoding="utf-8")) == written(CASES), (
        "drivers/README.md is not up to date: run .venv/bin/python -m tests.drivers.fault_cases"
    )
