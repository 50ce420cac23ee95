"""What the commands say and ask on a console: passwords, ports, and a sentence instead of a traceback."""

from __future__ import annotations

import argparse
import getpass
import os

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from fleet_server.problems import ProblemError
from kiosk.contracts.errors import KioskError, SettingsInvalid

Expected = (ProblemError, KioskError, ValidationError, SQLAlchemyError, OSError, UnicodeDecodeError)
"""What a command may end with when what it was given, or stands on, is at fault."""


def sentence_of(error: BaseException) -> str:
    """What is wrong and where to look, for one of `Expected`. No value that was typed."""
    match error:
        case ProblemError():
            return f"{error.code}: {error.detail}"
        case ValidationError():
            faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
            return "; ".join(faults)
        case SQLAlchemyError():
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            return f"the database cannot be used: {reason}: see DATABASE_URL and --data, or begin with init"
        case OSError(filename=str() | bytes() as name):
            return f"{os.fsdecode(name)}: {error.strerror}"
        case _:
            return str(error)


def password(name: str, variable: str) -> str:
    """From the environment, else typed. Raises `SettingsInvalid` where nobody can type."""
    given = os.environ.get(variable)
    if given:
        return given
    try:
        return getpass.getpass(f"password of {name}: ")
    except EOFError:
        raise SettingsInvalid(f"the password of {name} is needed: type it, or set {variable}") from None


def port(text: str) -> int:
    """0 lets the system choose."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("give a port from 0 to 65535")
    return number
