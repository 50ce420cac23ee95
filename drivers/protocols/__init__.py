"""What a device can do, as async protocols. Blocking vendor code lives in the device's own process (drivers.host).

Every command may raise `DeviceError` (drivers.errors); limits are seconds. A command that runs longer than its limit
ends with `CommandTimedOut`; a cancelled asyncio task cancels the command in the device.
"""

from drivers.protocols.biometrics import FaceCamera, FaceCheck, FingerprintReader
from drivers.protocols.cabinet import Cabinet
from drivers.protocols.cards import CardRewriter, IdCardReader, SmartCardReader
from drivers.protocols.codes import CodeScanner
from drivers.protocols.common import Device, Simulator
from drivers.protocols.documents import DocumentScanner
from drivers.protocols.payment import PaymentTerminal
from drivers.protocols.printing import DocumentPrinter, ReceiptPrinter
from drivers.protocols.signature import SignaturePad

__all__ = [
    "Cabinet",
    "CardRewriter",
    "CodeScanner",
    "Device",
    "DocumentPrinter",
    "DocumentScanner",
    "FaceCamera",
    "FaceCheck",
    "FingerprintReader",
    "IdCardReader",
    "PaymentTerminal",
    "ReceiptPrinter",
    "SignaturePad",
    "Simulator",
    "SmartCardReader",
]
