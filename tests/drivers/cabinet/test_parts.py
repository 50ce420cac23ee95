"""Profiles, debounced parts, unlock tokens: what needs no line."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from drivers.cabinet.health import Health
from drivers.cabinet.nut import parts_of
from drivers.cabinet.profile import load_profile
from drivers.cabinet.reading import Reader
from drivers.cabinet.unlock_token import TokenCheck, make_token
from drivers.cabinet.watching import PartBoard
from drivers.errors import MediaError, Unsupported
from drivers.messages import DeviceState

NOW = 1_795_000_000


def changes(part: str, *looks: str) -> list[str]:
    board = PartBoard((part,))
    return [event.value for look in looks for event in board.hear({part: look})]


@pytest.mark.parametrize(
    ("part", "looks", "told"),
    [
        ("door_front", ("closed", "closed"), ["closed"]),
        ("door_front", ("closed", "open", "closed", "open", "closed"), ["closed"]),
        ("door_front", ("closed", "open", "open", "open"), ["closed", "open"]),
        ("door_front", ("closed", "open", "tampered", "tampered"), ["closed", "tampered"]),
        ("tamper", ("ok", "tampered", "ok"), ["ok", "tampered"]),
        ("mains", ("ok", "lost", "lost", "ok", "ok"), ["ok", "lost", "ok"]),
        ("proximity", ("not_present", "present", "present"), ["not_present", "present"]),
        ("proximity", ("present", *["not_present"] * 2, "present"), ["present"]),
        ("proximity", ("present", *["not_present"] * 3), ["present", "not_present"]),
        ("headset", ("plugged", "unknown", "unknown", "plugged"), ["plugged"]),
        ("headset", ("plugged", *["unknown"] * 3, "unplugged"), ["plugged", "unknown", "unplugged"]),
    ],
)
def test_a_change_is_told_once_when_it_has_lasted(part: str, looks: tuple[str, ...], told: list[str]) -> None:
    assert changes(part, *looks) == told


def test_the_reference_profile_is_read_in_few_requests() -> None:
    reader = Reader(load_profile(""))
    assert len(reader._blocks) <= 4
    assert "door_front" in reader.part_names


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "name: x\nunknown: 1", "name: X Y", "name: x\nunit: 0", "name: x\nlights: {a: {flash: {address: 1}}}",
        "name: x\ndoors: {front: {open: {address: 1}, unlock: {address: 2}}}", "name: x\ndoors: {front: {}}",
        "name: x\ntamper: {address: 70000}", "name: x\nflash_codes: {slow: 1}", "name: [", "name: x\nfan: {address: 1}",
        "&a [*a, *a]", "\x00",
    ],
)  # fmt: skip
def test_a_wrong_profile_is_refused_whole_with_its_name(text: str, tmp_path: Path) -> None:
    file = tmp_path / "cabinet.yaml"
    file.write_text(text)
    with pytest.raises(Unsupported) as wrong:
        load_profile(str(file))
    assert wrong.value.reason == "profile_wrong"
    assert "cabinet.yaml" in str(wrong.value)


def test_a_profile_that_is_not_there_or_endless_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unsupported):
        load_profile(str(tmp_path / "none.yaml"))
    (tmp_path / "large.yaml").write_text("#" * 300_000)
    with pytest.raises(Unsupported):
        load_profile(str(tmp_path / "large.yaml"))


def test_a_token_opens_one_door_of_one_terminal_once() -> None:
    key = Ed25519PrivateKey.generate()
    check = TokenCheck(key.public_key().public_bytes_raw().hex(), "K-17")
    token = make_token(key, "K-17", "front", NOW + 300)
    wrong = {
        "another door": (token, "rear", NOW),
        "another terminal": (make_token(key, "K-18", "front", NOW + 300), "front", NOW),
        "another key": (make_token(Ed25519PrivateKey.generate(), "K-17", "front", NOW + 300), "front", NOW),
        "too late": (make_token(key, "K-17", "front", NOW - 1), "front", NOW),
        "for ever": (make_token(key, "K-17", "front", NOW + 86_400), "front", NOW),
        "longer life": (token.replace(str(NOW + 300), str(NOW + 301)), "front", NOW),
        "nothing": ("", "front", NOW),
        "cut off": (token[:-1], "front", NOW),
    }
    for why, (bad, door, now) in wrong.items():
        with pytest.raises(MediaError) as refused:
            check.accept(bad, door, now)
        assert refused.value.reason == "token_invalid", why
        assert bad[:20] not in str(refused.value) or not bad
    check.accept(token, "front", NOW)
    with pytest.raises(MediaError):
        check.accept(token, "front", NOW + 1)


def test_a_key_that_is_none_is_a_mistake_of_settings() -> None:
    for key in ("zz", "00" * 31):
        with pytest.raises(Unsupported):
            TokenCheck(key, "K-17")


@pytest.mark.parametrize(
    ("status", "runtime", "parts"),
    [
        ("OL CHRG", "2400", ("ok", "ok", "enough", "ok")),
        ("OB DISCHRG", "720", ("lost", "ok", "enough", "ok")),
        ("OB DISCHRG", "299", ("lost", "ok", "short", "ok")),
        ("OB LB", "2400", ("lost", "low", "short", "ok")),
        ("OB", None, ("lost", "ok", "unknown", "ok")),
        ("FSD OB LB", None, ("lost", "low", "short", "ok")),
        ("OL RB", None, ("ok", "replace", "unknown", "ok")),
        ("OL OVER", "x", ("ok", "ok", "unknown", "overload")),
        ("OL BYPASS", "nan", ("ok", "ok", "unknown", "bypass")),
        ("OFF", None, ("unknown", "ok", "unknown", "off")),
        ("WAIT", None, ("unknown", "unknown", "unknown", "unknown")),
        ("", None, ("unknown", "unknown", "unknown", "unknown")),
    ],
)
def test_a_ups_is_put_into_our_words(status: str, runtime: str | None, parts: tuple[str, ...]) -> None:
    variables = {"ups.status": status} | ({} if runtime is None else {"battery.runtime": runtime})
    assert tuple(parts_of(variables, 5.0).values()) == parts


def test_the_worst_part_decides_and_a_fault_keeps_its_moment() -> None:
    health = Health()
    first = health.status({"door_front": "open", "mains": "lost", "temperature": "high"}, None)
    assert first.device is DeviceState.USER_ERROR
    assert [fault.code for fault in first.faults] == ["door_open", "mains_lost", "temperature_high"]
    second = health.status({"door_front": "open", "tamper": "tampered"}, None)
    assert second.device is DeviceState.HARDWARE_ERROR
    assert second.faults[0].since == first.faults[0].since
    assert health.status({"door_front": "locked"}, None).faults == ()
