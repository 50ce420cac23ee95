"""`python -m kiosk demo`: the steps a person would take, with a progress line for each."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from kiosk.demo.cards import cards_for
from kiosk.demo.citizen import Citizen, Journey
from kiosk.demo.city import City
from kiosk.demo.dock import Dock
from kiosk.demo.hand import Hand
from kiosk.demo.processes import DemoFailed
from kiosk.demo.report import collect_paper, copy_journal, write_report

ARRIVAL_SECONDS = 30.0
TRACES = ("screens", "machine.toml", "report.json")
"""One of them is in every folder a demo wrote to."""
LEFT_FILES = ("report.json", "receipt.bin", "receipt.png", "document.pdf", "journal.sqlite")


def run_demo(arguments: argparse.Namespace) -> int:
    """Exit code 0 when every journey succeeded and its transaction arrived at the server."""
    console = Console(highlight=False)
    out = Path(arguments.out).resolve()
    try:
        fresh(out)
    except DemoFailed as error:
        console.print(f"[bold red]The demo did not start:[/] {error}")
        return 1
    city = City(out, orientation=arguments.orientation)
    started = time.monotonic()
    try:
        cards = cards_for(arguments.matter)
        with console.status("Starting") as status:
            city.start(status.update)
            journeys = _serve(city, arguments, cards, status.update)
            status.update("Waiting for the journal to arrive at the server")
            journal, server = _arrived(city, journeys)
        report = write_report(city, journeys, journal, server)
        collect_paper(city)
        _tell(console, city, report, time.monotonic() - started)
        if arguments.stay or sys.stdout.isatty():
            _stay(console, city)
    except DemoFailed as error:
        console.print(f"[bold red]The demo stopped:[/] {error}")
        return 1
    finally:
        city.stop()
    return 0 if all(journey["disposition"] == "succeeded" for journey in report["journeys"]) else 1


def fresh(out: Path) -> None:
    """Nothing of an earlier demo is taken for this one's, and nothing else is touched. Raises `DemoFailed`."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()) and not any((out / name).exists() for name in TRACES):
            raise DemoFailed(f"{out} holds something else than a demo: name a new or empty folder with --out")
        for name in ("logs", "server", "terminal", "sandbox", "devices", "screens"):
            shutil.rmtree(out / name, ignore_errors=True)
        for name in LEFT_FILES:
            (out / name).unlink(missing_ok=True)
        (out / "screens").mkdir()
    except OSError as error:
        raise DemoFailed(f"{out} cannot be written: {error.strerror}: name another folder with --out") from error


def _serve(
    city: City, arguments: argparse.Namespace, cards: tuple[str, ...], tell: Callable[[str], None]
) -> list[Journey]:
    hand = Hand(city.hand)
    journeys = []
    for number in range(arguments.journeys):
        card = cards[number % len(cards)]
        tell(f"Citizen {number + 1} of {arguments.journeys} at the terminal")
        city.new_day()
        journey = Journey(card, arguments.matter, arguments.mode, arguments.language)
        _wait_for_matter(hand, arguments.matter)
        Citizen(city, hand, city.out / "screens" if number == 0 else None).walk(journey)
        journeys.append(journey)
    hand.close()
    return journeys


def _wait_for_matter(hand: Hand, matter: str, seconds: float = 60.0) -> None:
    """Until the catalogue stands; a matter that is no favourite is searched for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if hand.state()["matters"]:
            return
        time.sleep(0.1)
    raise DemoFailed(f"the matter {matter} did not reach the terminal within {seconds:.0f} s")


def _arrived(city: City, journeys: list[Journey]) -> tuple[Path, dict[str, int]]:
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while True:
        server = city.summary()
        if server["transactions"] >= len(journeys):
            return copy_journal(city), server
        if time.monotonic() > deadline:
            raise DemoFailed(f"only {server['transactions']} of {len(journeys)} transactions arrived at the server")
        time.sleep(0.5)


def _tell(console: Console, city: City, report: dict[str, object], seconds: float) -> None:
    journeys = report["journeys"]
    assert isinstance(journeys, list)
    console.print(f"[bold]{len(journeys)} citizen(s) served in {seconds:.0f} s[/]")
    for journey in journeys:
        console.print(
            f"  {journey['transaction_number']}  {journey['matter']}  {journey['disposition']}  "
            f"signed in after {journey['sign_in_ms']} ms, {journey['journal_entries']} journal entries"
        )
    left = [name for name in LEFT_FILES if (city.out / name).exists()]
    console.print(f"Left in {city.out}: {', '.join([*left, 'screens/', 'server/'])}")


def _stay(console: Console, city: City) -> None:
    """Keep the house up, with its screen and levers in a browser, until the terminal's input ends or is interrupted."""
    with console.status("The other devices"):
        missing = city.start_others()
        hand = Hand(city.hand)
    dock = Dock(city, hand)
    for device, reason in missing.items():
        console.print(f"No {device} here: {reason}")
    console.print("\nThe house stays up. Open in a browser:")
    console.print(f"  the kiosk's screen and the dev dock   {dock.address}")
    console.print(f"  the dashboard                         {city.dashboard}")
    for account in city.seed["accounts"].values():
        console.print(f"      {account['name']:14} {account['password']}")
    for clerk in city.seed["clerks"]:
        console.print(f"      clerk {clerk['number']:8} {clerk['pin']}   (the shop's, at the terminal)")
    console.print("Enter ends it.")
    try:
        sys.stdin.readline()
    except KeyboardInterrupt:
        console.print("Ending")
    finally:
        dock.close()
        hand.close()
