"""What authors of connectors and matters are told at the console: file, line, mistake, cure."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fleet_server.gateway.connectors import (
    ConnectorInvalid,
    Connectors,
    load_connector,
)
from kiosk.contracts.errors import SettingsInvalid


def check_connectors(paths: Iterable[Path]) -> tuple[list[str], bool]:
    """A line or more for every file, and whether all are in order. Directories are searched for *.yaml."""
    said: list[str] = []
    good = True
    found = {}
    for file in (file for path in paths for file in (sorted(path.glob("*.yaml")) if path.is_dir() else [path])):
        try:
            connector = load_connector(file.read_text(encoding="utf-8"), str(file))
        except ConnectorInvalid as error:
            said.append(str(error))
            good = False
        except OSError as error:
            said.append(f"{file}: cannot be read, {(error.strerror or 'it is no file').lower()}: correct the path")
            good = False
        except UnicodeDecodeError:
            said.append(f"{file}: is no UTF-8 text: save the file as UTF-8")
            good = False
        else:
            said.append(f"{file}: {connector.authority}, {len(connector.operations)} operations, is in order")
            if connector.authority in found:
                said.append(f"{file}: authority {connector.authority} is given twice: rename one")
                good = False
            found[connector.authority] = connector
    try:
        Connectors(found)
    except SettingsInvalid as error:
        said.append(str(error))
        good = False
    return said or ["no connector found there"], good and bool(said)
