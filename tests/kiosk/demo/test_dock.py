"""The dev dock against real simulators: every device's levers, what lasts and what was mended, no way in for others."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from drivers.bench.words import address_option
from drivers.registry import find_simulator, simulators
from fleet_server.sandbox.app import create_app
from kiosk.demo.city import SIMULATED, City
from kiosk.demo.dock import APP_CODE, Dock
from kiosk.demo.dock.levers import FAULTS, ORDERS, panel
from kiosk.demo.dock.phone import BEHAVES, PAYS
from kiosk.demo.hand import Hand
from kiosk.demo.others import NO_WIRE, ONE_CAMERA, SHOWN, THE_SCREEN, others, section
from kiosk.demo.processes import Program
from tests.fleet_server.gateway.conftest import served

SLOW = frozenset(order for order, _ in ORDERS["face_matcher/dlib"][1:6])
"""Every person is painted anew."""
PNG = b"\x89PNG\r\n\x1a\n"


class StillHand:
    """Touches nothing; its screen is one picture."""

    def __init__(self) -> None:
        self.touched: list[tuple[float, float]] = []

    def touch(self, across: float, down: float) -> bool:
        self.touched.append((across, down))
        return True

    def shot(self, path: Path) -> None:
        path.write_bytes(PNG)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    out = tmp_path_factory.mktemp("dock")
    names = {"card_reader": "id_card_reader/sdt", "receipt_printer": "receipt_printer/escpos"}
    programs = {
        name: Program(name, ["drivers", "simulate", driver], log=out / f"{name}.log") for name, driver in names.items()
    }
    server = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield SimpleNamespace(
        out=out, simulators=programs, peers={name: program.answer() for name, program in programs.items()},
        server=SimpleNamespace(pid=server.pid), dashboard="http://127.0.0.1:1/",
    )  # fmt: skip
    for program in programs.values():
        program.stop()
    server.kill()
    server.wait(10)


@pytest.fixture
def dock(city: SimpleNamespace) -> Iterator[tuple[Dock, StillHand]]:
    hand = StillHand()
    dock = Dock(cast("City", city), cast("Hand", hand))
    yield dock, hand
    dock.close()


def ask(dock: Dock, wish: Any, *, known: bool = True) -> dict[str, Any]:
    request = urllib.request.Request(dock.address, json.dumps(wish).encode(), {"X-Dock": "1"} if known else {})
    with urllib.request.urlopen(request, timeout=20) as answer:
        said: dict[str, Any] = json.load(answer)
    return said


def panels(dock: Dock) -> dict[str, dict[str, Any]]:
    with urllib.request.urlopen(dock.address, timeout=20) as answer:
        page = answer.read().decode()
    found = re.search(r"cards = (\[.*?\])\.map\(card\)", page, re.DOTALL)
    assert found is not None
    return {each["device"]: each for each in json.loads(found[1])}


def test_every_fault_a_simulator_names_is_a_lever(dock: tuple[Dock, StillHand], city: SimpleNamespace) -> None:
    shown = panels(dock[0])
    assert list(shown) == ["card_reader", "receipt_printer", "phone", "network"]
    for device, said in city.peers.items():
        assert [fault[0] for fault in shown[device]["faults"]] == said["faults"]
    assert "place lin" in {order[0] for order in shown["card_reader"]["orders"]}
    with urllib.request.urlopen(f"{dock[0].address}screen.png?1", timeout=20) as answer:
        assert answer.read() == PNG


def test_a_fault_lasts_until_it_is_mended(dock: tuple[Dock, StillHand]) -> None:
    page = dock[0]
    assert ask(page, {"device": "receipt_printer", "order": "fault paper_out"})["active"] == ["paper_out"]
    assert ask(page, {"device": "receipt_printer", "order": "fault cover_open"})["active"] == [
        "paper_out",
        "cover_open",
    ]
    assert panels(page)["receipt_printer"]["active"] == ["paper_out", "cover_open"]
    assert ask(page, {"device": "card_reader", "order": "place lin"}) == {
        "order": "place", "ok": True, "answer": "ok", "active": [],
    }  # fmt: skip
    assert ask(page, {"device": "receipt_printer", "order": "clear"})["active"] == []


def test_what_no_simulator_obeys_is_said(dock: tuple[Dock, StillHand]) -> None:
    for wish in (
        {"device": "receipt_printer", "order": "fault of_my_own"}, {"device": "nothing", "order": "clear"}, {}, [],
        {"touch": ["a", 1]}, {"touch": [1]}, {"device": "receipt_printer"},
    ):  # fmt: skip
        assert ask(dock[0], wish)["ok"] is False
    assert panels(dock[0])["receipt_printer"]["active"] == []


def test_a_click_is_a_touch_and_the_network_is_cut_and_mended(
    dock: tuple[Dock, StillHand], city: SimpleNamespace
) -> None:
    page, hand = dock
    assert ask(page, {"touch": [0.5, 0.25]}) == {"ok": True}
    assert hand.touched == [(0.5, 0.25)]
    stat = Path("/proc", str(city.server.pid), "stat")

    def comes_to(wanted: bool) -> bool:
        deadline = time.monotonic() + 10
        while (stat.read_text().rpartition(")")[2].split()[0] == "T") is not wanted:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    assert ask(page, {"device": "network", "order": "fault cut"})["active"] == ["cut"]
    assert comes_to(True), "the server was not stopped"
    assert ask(page, {"device": "network", "order": "clear"})["active"] == []
    assert comes_to(False), "the server does not go on"


def test_the_phone_pays_what_is_owed_late_twice_or_wrongly(tmp_path: Path) -> None:
    app = create_app(tmp_path / "city", b"key")
    house = app.state.clearing
    with served(app) as address:
        page = Dock(
            cast("City", SimpleNamespace(out=tmp_path, peers={}, dashboard="", sandbox_address=address)),
            cast("Hand", StillHand()),
        )
        try:
            assert "nobody asks for money now" in ask(page, {"device": "phone", "order": "pay paid"})["error"]
            for number, (order, _) in enumerate(PAYS):
                house.create("alipay", f"order-{number}", 2000, "工本费", "http://127.0.0.1:1/")
                said = ask(page, {"device": "phone", "order": order})
                assert (said["ok"], said["answer"]) == (True, "waiting" if order == "pay late" else "paid"), order
                house.close(house.find("alipay", f"order-{number}"))
            assert [len(trade.payments) for trade in house.trades.values()] == [1, 0, 2, 1, 1]
            assert panels(page)["phone"]["orders"][0] == ["pay paid", "付款", "pay now"]
            for fault in BEHAVES:
                assert fault in ask(page, {"device": "phone", "order": f"fault {fault}"})["active"]
            assert {behaviour.behave for behaviour, _ in house.behaviours} == set(BEHAVES)
            assert not ask(page, {"device": "phone", "order": "fault paper_out"})["ok"]
            assert ask(page, {"device": "phone", "order": "clear"})["active"] == []
            assert house.behaviours == []
        finally:
            page.close()


def test_the_app_shows_the_code_it_has_now(tmp_path: Path) -> None:
    class Scanner:
        said = ""

        def order(self, line: str) -> dict[str, Any]:
            self.said = line
            return {"ok": True}

    scanner = Scanner()
    known = {"simulators": {"code_scanner": scanner}, "app_code": "MZT1.of-{}".format}
    page = Dock(cast("City", SimpleNamespace(out=tmp_path, peers={}, dashboard="", **known)), cast("Hand", StillHand()))
    try:
        assert ask(page, {"device": "code_scanner", "order": "app_code lin"})["ok"]
    finally:
        page.close()
    assert scanner.said == "place MZT1.of-lin"


def test_another_page_s_form_pulls_no_lever(dock: tuple[Dock, StillHand]) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(dock[0], {"device": "receipt_printer", "order": "fault paper_out"}, known=False)
    assert refused.value.code == 403
    refused.value.close()


# --- the tables ------------------------------------------------------------------------------------------------------


def test_the_simulators_know_every_order_of_the_dock() -> None:
    async def refused(name: str) -> list[str]:
        simulator = find_simulator(name).load()()
        wrong = []
        try:
            await simulator.start()
            for order in [order.replace(APP_CODE, "place ") for order, _ in ORDERS[name] if order not in SLOW]:
                try:
                    await simulator.order(*order.split(" ", 1))
                except ValueError as error:
                    wrong.append(f"{name} {order}: {error}")
        finally:
            await simulator.stop()
        return [each for each in wrong if "there is no such order" not in each]  # nobody pays when nothing is owed

    async def all_refused() -> list[str]:
        return [each for found in await asyncio.gather(*map(refused, ORDERS)) for each in found]

    assert asyncio.run(all_refused()) == []
    assert not set(ORDERS) - set(simulators()), "orders for a device nobody simulates"


def test_every_fault_has_words_in_both_languages() -> None:
    knobs = {fault for name in simulators() for fault in find_simulator(name).load().faults} | set(BEHAVES)
    assert not knobs - set(FAULTS), f"kiosk/demo/dock/levers.py: write {sorted(knobs - set(FAULTS))}"
    for chinese, english in FAULTS.values():
        assert re.search(r"[\u4e00-\u9fff]", chinese)
        assert english.isascii()
    assert panel("it", "code_scanner/nobody_wrote_this", ("odd_thing",), ())["faults"] == [
        ["odd_thing", "odd thing", "odd thing"]
    ]


def test_all_simulators_stand_in_the_dock() -> None:
    assert set(SHOWN) == set(SIMULATED.values())
    found = others(simulators())
    assert set(found.values()) | {*SHOWN, THE_SCREEN} | NO_WIRE == {
        name for name in simulators() if name in SHOWN or name.partition("/")[0] not in ONE_CAMERA
    }
    assert len(found) == len(set(found))
    assert not set(found) & set(SIMULATED), "two devices of one name"


@pytest.mark.parametrize("driver", sorted(others(simulators()).values()))
def test_the_settings_of_another_device_are_those_its_driver_takes(driver: str) -> None:
    import tomllib

    text = section("it", driver, address_option(driver), "socket://127.0.0.1:9", "/nowhere")
    options = tomllib.loads(text)["devices"]["it"]
    assert options.pop("driver") == driver
    options_class = find_driver_options(driver)
    missing = {name for name, field in options_class.model_fields.items() if field.is_required()} - set(options)
    assert not missing, f"kiosk/demo/others.py: FURTHER[{driver!r}] must say {sorted(missing)}"
    assert not set(options) - set(options_class.model_fields)


def find_driver_options(driver: str) -> Any:
    from drivers.registry import find_driver

    return find_driver(driver).load().Options
