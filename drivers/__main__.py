"""python -m drivers list | read | simulate | check"""

from __future__ import annotations

import argparse
import logging
import sys

from drivers.bench.check import check
from drivers.bench.listing import list_drivers
from drivers.bench.reading import read
from drivers.bench.simulating import simulate
from drivers.bench.words import option
from drivers.errors import DeviceError
from drivers.host.lives import system


def main(arguments: list[str] | None = None) -> int:
    parsed = _parser().parse_args(arguments)
    logging.getLogger("drivers").addHandler(logging.NullHandler())
    system.INHERITED |= system.TEST_BEDS
    try:
        return int(parsed.run(parsed))
    except DeviceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m drivers", description="The bench for devices and their drivers.")
    commands = parser.add_subparsers(required=True, metavar="list|read|simulate|check")

    listing = commands.add_parser("list", help="the drivers this machine could load")
    listing.set_defaults(run=list_drivers)
    listing.add_argument(
        "--addresses",
        action="store_true",
        help="with --json: which option says where the device is (loads every driver)",
    )

    reading = commands.add_parser("read", help="read one identity card")
    reading.set_defaults(run=read)
    reading.add_argument("--timeout", type=_seconds, default=15.0, metavar="S", help="seconds to wait for a card (15)")
    reading.add_argument(
        "--show-personal-data", action="store_true", help="print the values as they are, not masked: take care of them"
    )

    simulating = commands.add_parser("simulate", help="be the device at the other end of the wire")
    simulating.set_defaults(run=simulate)
    simulating.add_argument("--card", metavar="SAMPLE", help="the sample that lies there from the beginning")
    simulating.add_argument(
        "--fault", metavar="NAME", action="append", default=[], help="what is wrong with the device"
    )

    checking = commands.add_parser("check", help="certify a driver against the device, real or simulated")
    checking.set_defaults(run=check)
    checking.add_argument("--print", action="store_true", help="also print a test page: costs paper")
    checking.add_argument("--simulate", action="store_true", help="against the driver's own simulator, paper included")
    checking.add_argument("--attended", action="store_true", help="somebody stands there and does what is asked")
    checking.add_argument("--card", metavar="SAMPLE", help="with --simulate: the sample that lies there")

    for command in (reading, simulating, checking):
        command.add_argument("driver", metavar="CLASS/MODEL", help="for example id_card_reader/sdt")
        command.add_argument(
            "--option", type=option, action="append", default=[], metavar="KEY=VALUE", help="an option by its name"
        )
    for command in (reading, checking):
        command.add_argument("--port", help="where the device is: a path, or an address such as socket://host:port")
    for command in (listing, reading, checking):
        command.add_argument("--json", action="store_true", help="for programs")
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError("give seconds above 0 and up to 3600")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
