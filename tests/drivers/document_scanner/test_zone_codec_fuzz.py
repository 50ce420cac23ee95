"""Lines of a zone as a bad reading gives them: a zone whose check digits hold, or `ZoneUnreadable`; nothing else."""

from __future__ import annotations

import random

import pytest

from drivers.document_scanner.zone.codec import ALPHABET, ZoneUnreadable, check_digit, parsed

SAMPLES = (
    ["I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"],
    ["I<UTOD23145890<7349<<<<<<<<<<<", "3407127M9507122UTO<<<<<<<<<<<2", "STEVENSON<<PETER<JOHN<<<<<<<<<"],
    ["I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"],
    ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"],
)
STRANGE = ALPHABET + "аé０ \n\x00«"


def mutated(chance: random.Random, lines: list[str]) -> list[str]:
    changed = [list(line) for line in lines]
    for _ in range(chance.choice((0, 1, 1, 2, 2, 3, 6))):
        line = chance.choice(changed)
        match chance.randrange(12):
            case 0 if line:
                del line[chance.randrange(len(line))]
            case 1:
                line.insert(chance.randrange(len(line) + 1), chance.choice(STRANGE))
            case 2:
                chance.shuffle(changed)
            case _ if line:
                line[chance.randrange(len(line))] = chance.choice(ALPHABET if chance.random() < 0.95 else STRANGE)
    if chance.random() < 0.02:
        changed.append(list(chance.choice(lines)))
    return ["".join(line) for line in changed]


def hold(count: int, seed: int) -> int:
    chance, read = random.Random(seed), 0
    for _ in range(count):
        lines = mutated(chance, chance.choice(SAMPLES))
        try:
            zone = parsed(lines)
        except ZoneUnreadable as error:
            assert error.reason in ("not_a_zone", "check_failed")  # noqa: PT017
            continue
        read += 1
        body = "".join(lines).translate(str.maketrans("OI", "01"))
        assert zone.expiry + check_digit(zone.expiry) in body.translate(str.maketrans("QDLZSGBT", "00125687"))
    return read


def test_a_sample_of_bad_readings() -> None:
    assert 500 < hold(6000, 1) < 5500


@pytest.mark.campaign
def test_a_million_bad_readings() -> None:
    assert hold(1_000_000, 2) > 100_000
