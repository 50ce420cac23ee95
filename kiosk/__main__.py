"""The terminal's programs: run, demo, preview, devices, journal verify. The only page that knows everybody."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m kiosk", description="Yizhan, the self-service terminal")
    commands = parser.add_subparsers(dest="command", required=True)

    run = commands.add_parser("run", help="serve citizens on this machine")
    run.add_argument("--config", type=Path, required=True, help="machine.toml")

    demo = commands.add_parser("demo", help="the whole house with simulators, one invented citizen served")
    demo.add_argument("--matter", default="no_house_certificate", help="a folder's name under assets/matters/*/")
    demo.add_argument("--journeys", type=_journeys, default=1, help="how many citizens in a row, with different cards")
    demo.add_argument("--mode", choices=("standard", "elder"), default="standard")
    demo.add_argument("--language", choices=("zh-CN", "zh-TW", "en"), default="zh-CN")
    demo.add_argument("--orientation", choices=("portrait", "landscape"), default="portrait")
    demo.add_argument("--out", default="build/demo", help="a new or empty folder, or an earlier demo's")
    demo.add_argument("--stay", action="store_true", help="stay up and take orders for the simulators")

    preview = commands.add_parser("preview", help="a matter's screens as pictures, without devices or centre")
    preview.add_argument("matter", type=Path, help="one matter as JSON, composed and checked")
    preview.add_argument("--scenario", type=Path, help="whose answers are given where the matter asks")
    preview.add_argument("--language", choices=("zh-CN", "zh-TW", "en"), default="zh-CN")
    preview.add_argument("--out", type=Path, required=True)

    devices = commands.add_parser("devices", help="the running terminal's devices: show, accept another one, restart")
    devices.add_argument("action", nargs="?", choices=("show", "accept", "restart"), default="show")
    devices.add_argument("device", nargs="?", default="", help="its name in machine.toml")
    devices.add_argument("--config", type=Path, required=True, help="machine.toml of the running terminal")

    journal = commands.add_parser("journal", help="the terminal's journal").add_subparsers(dest="action", required=True)
    verify = journal.add_parser("verify", help="say whole, or name the first broken sequence")
    verify.add_argument("path", type=Path)

    given = parser.parse_args(arguments)
    match given.command:
        case "run":
            gc.disable()  # what is loaded now is kept: `run_ui` lets the collector work after the first picture
            from kiosk.program import run_terminal

            return run_terminal(given.config)
        case "demo":
            from kiosk.demo import run_demo

            return run_demo(given)
        case "preview":
            return run_preview(given)
        case "devices":
            from kiosk.machine.devices.asking import run_devices

            code, sentence = run_devices(given.config, given.action, given.device)
            print(sentence)
            return code
        case _:
            from kiosk.machine.journal.verify import run_verify

            code, sentence = run_verify(given.path)
            print(sentence)
            return code


def run_preview(given: argparse.Namespace) -> int:
    """0 when every screen of the matter was drawn; 1 when it could not be walked to its end, and where."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("QT_QUICK_BACKEND", "software")
    from kiosk.demo.preview import rehearsed, stuck_at
    from kiosk.ui.gallery.pictures import draw

    walked = rehearsed(given.matter, given.scenario, given.language)
    count = draw([(given.out / mode, views) for mode, views in walked])
    print(f"{count} pictures in {given.out}")
    stuck = [f"{mode}: {reason}" for mode, views in walked if (reason := stuck_at(views))]
    print("\n".join(stuck), end="\n" if stuck else "")
    return 1 if stuck else 0


def _journeys(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one citizen comes")
    return number


if __name__ == "__main__":
    sys.exit(main())
