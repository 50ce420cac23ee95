"""The machine's record. The door of this room: `Journal` and the values it hands out."""

from kiosk.machine.journal.record import Head, Journal, OpenEffect, OpenTransaction
from kiosk.machine.journal.recordable import NotRecordable

__all__ = ["Head", "Journal", "NotRecordable", "OpenEffect", "OpenTransaction"]
