"""Which driver is which: "id_card_reader/sdt" → its class, imported only when asked for.

Built-in drivers and those of installed packages have one form, `CLASS/MODEL = module:Class`. A package states it in its
entry-point group `yizhan.drivers` (simulators: `yizhan.simulators`); a built-in name cannot be taken over by a package.
"""

from __future__ import annotations

import importlib
import re
import traceback
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import PurePath
from typing import Any

from pydantic import BaseModel

from drivers.errors import DeviceAbsent, HardwareFault, Unsupported
from drivers.messages import DeviceClass
from drivers.protocols import (
    Cabinet,
    CardRewriter,
    CodeScanner,
    Device,
    DocumentPrinter,
    DocumentScanner,
    FaceCamera,
    FaceCheck,
    FingerprintReader,
    IdCardReader,
    PaymentTerminal,
    ReceiptPrinter,
    SignaturePad,
    SmartCardReader,
)

DRIVERS_GROUP = "yizhan.drivers"
SIMULATORS_GROUP = "yizhan.simulators"
BUILT_IN = "built-in"
NAME = re.compile(r"[a-z][a-z_]*/[a-z0-9][a-z0-9_]*")

PROTOCOLS: dict[str, type] = {
    DeviceClass.ID_CARD_READER: IdCardReader,
    DeviceClass.FACE_CAMERA: FaceCamera,
    DeviceClass.FACE_MATCHER: FaceCheck,
    DeviceClass.RECEIPT_PRINTER: ReceiptPrinter,
    DeviceClass.DOCUMENT_PRINTER: DocumentPrinter,
    DeviceClass.DOCUMENT_SCANNER: DocumentScanner,
    DeviceClass.SMART_CARD_READER: SmartCardReader,
    DeviceClass.CARD_REWRITER: CardRewriter,
    DeviceClass.CODE_SCANNER: CodeScanner,
    DeviceClass.SIGNATURE_PAD: SignaturePad,
    DeviceClass.FINGERPRINT_READER: FingerprintReader,
    DeviceClass.PAYMENT_TERMINAL: PaymentTerminal,
    DeviceClass.CABINET: Cabinet,
}
"""What a device of each class can do; a class without an entry is a plain `Device`."""

_DRIVERS = {
    "id_card_reader/sdt": ("drivers.id_card_reader.sdt:SdtReader", "Resident identity card readers with a SAM module"),
    "id_card_reader/sdk": ("drivers.id_card_reader.sdk:SdkReader", "Card readers behind a vendor's library"),
    "face_matcher/dlib": ("drivers.face_matcher.dlib_engine:FaceMatcher", "Camera and dlib comparison in one process"),
    "face_matcher/plugged": ("drivers.face_matcher.plugged:PluggedMatcher", "Camera and an installed face engine"),
    "face_camera/uvc": ("drivers.face_camera.uvc:UvcCamera", "Cameras the system knows, clips, picture sequences"),
    "receipt_printer/escpos": ("drivers.receipt_printer.escpos:EscposPrinter", "Thermal printers speaking ESC/POS"),
    "document_printer/ipp": (
        "drivers.document_printer.ipp:IppPrinter",
        "A4 printers that take PDF or PWG raster by IPP",
    ),
    "document_printer/cups": ("drivers.document_printer.cups:CupsPrinter", "Queues of CUPS, for a vendor's driver"),
    "document_scanner/document_camera": (
        "drivers.document_scanner.document_camera:DocumentCamera",
        "Overhead document cameras",
    ),
    "document_scanner/sane": ("drivers.document_scanner.sane:SaneScanner", "Flatbeds and feeders through SANE, eSCL"),
    "card_rewriter/serial_rewriter": (
        "drivers.card_rewriter.serial_rewriter:SerialRewriter",
        "Units that write a permit's chip and print it anew, on a serial line",
    ),
    "smart_card_reader/pcsc": ("drivers.smart_card_reader.pcsc:PcscReader", "Chip cards in any PC/SC reader"),
    "code_scanner/serial_line": (
        "drivers.code_scanner.serial_line:SerialScanner",
        "Code scanners on USB-CDC or a serial line",
    ),
    "code_scanner/hid": ("drivers.code_scanner.hid:HidScanner", "Code scanners posing as keyboards, taken exclusively"),
    "code_scanner/camera_qr": ("drivers.code_scanner.camera_qr:CameraQr", "Codes held before a camera"),
    "payment_terminal/gateway_qr": (
        "drivers.payment_terminal.gateway_qr:GatewayQr",
        "QR codes shown and scanned, through the centre",
    ),
    "payment_terminal/zvt": ("drivers.payment_terminal.zvt:ZvtTerminal", "Bank-card terminals speaking ZVT"),
    "cabinet/modbus_rtu": ("drivers.cabinet.modbus_rtu:ModbusCabinet", "Doors, lights, sensors on a Modbus controller"),
    "cabinet/nut": ("drivers.cabinet.nut:NutUps", "A UPS behind Network UPS Tools"),
    "fingerprint_reader/r503": (
        "drivers.fingerprint_reader.r503:R503Reader",
        "Serial fingerprint modules: R503, AS608, ZFM",
    ),
    "signature_pad/touchscreen": (
        "drivers.signature_pad.touchscreen:Touchscreen",
        "Signing on the terminal's own screen",
    ),
    "signature_pad/serial_pen": ("drivers.signature_pad.serial_pen:SerialPen", "Pads with a pen speaking ISDV4"),
}

_SIMULATORS = {
    "id_card_reader/sdt": ("drivers.id_card_reader.simulator:SdtSimulator", "SAM module on a pseudo-terminal"),
    "id_card_reader/sdk": ("drivers.id_card_reader.simulator:SdkSimulator", "A vendor's library, built here"),
    "face_matcher/dlib": ("drivers.face_camera.simulator:CameraSimulator", "A camera that shows recorded pictures"),
    "face_matcher/plugged": ("drivers.face_camera.simulator:CameraSimulator", "A camera that shows recorded pictures"),
    "face_camera/uvc": ("drivers.face_camera.simulator:CameraSimulator", "A camera that shows recorded pictures"),
    "receipt_printer/escpos": (
        "drivers.receipt_printer.simulator:EscposSimulator",
        "Thermal printer on a pseudo-terminal",
    ),
    "document_printer/ipp": ("drivers.document_printer.simulator:IppeveSimulator", "IPP printer on a local port"),
    "document_printer/cups": ("drivers.document_printer.cups_simulator:CupsSimulator", "Private CUPS queue before it"),
    "document_scanner/document_camera": (
        "drivers.document_scanner.simulator:DocumentCameraSimulator",
        "A camera that shows recorded papers",
    ),
    "document_scanner/sane": (
        "drivers.document_scanner.simulator:EsclSimulator",
        "Network scanner on a local port",
    ),
    "card_rewriter/serial_rewriter": (
        "drivers.card_rewriter.simulator:RewriterSimulator",
        "Card rewriter on a pseudo-terminal",
    ),
    "smart_card_reader/pcsc": ("drivers.smart_card_reader.simulator:CardSimulator", "Virtual social-security cards"),
    "code_scanner/serial_line": (
        "drivers.code_scanner.simulator:SerialScannerSimulator",
        "Code scanner on a pseudo-terminal",
    ),
    "code_scanner/hid": ("drivers.code_scanner.simulator:KeyboardSimulator", "Input device in a umockdev test bed"),
    "code_scanner/camera_qr": ("drivers.code_scanner.simulator:CameraSimulator", "A camera that films codes"),
    "payment_terminal/gateway_qr": (
        "drivers.payment_terminal.simulator:GatewaySimulator",
        "The centre's payment orders, with an acquirer behind them",
    ),
    "payment_terminal/zvt": (
        "drivers.payment_terminal.simulator:ZvtSimulator",
        "Card terminal on a TCP port or a pseudo-terminal",
    ),
    "cabinet/modbus_rtu": ("drivers.cabinet.simulator:ModbusSimulator", "Modbus controller on a pseudo-terminal"),
    "cabinet/nut": ("drivers.cabinet.simulator:NutSimulator", "upsd with one UPS on a local port"),
    "fingerprint_reader/r503": (
        "drivers.fingerprint_reader.simulator:R503Simulator",
        "Fingerprint module on a pseudo-terminal",
    ),
    "signature_pad/touchscreen": ("drivers.signature_pad.simulator:HandSimulator", "A hand that writes on the screen"),
    "signature_pad/serial_pen": ("drivers.signature_pad.simulator:SerialPenSimulator", "Pen pad on a pseudo-terminal"),
}


@dataclass(frozen=True)
class Entry:
    """One driver (or simulator) that could be loaded. `target` is module:Class, `source` built-in or a package."""

    name: str
    target: str
    description: str
    source: str

    @property
    def device_class(self) -> str:
        return self.name.partition("/")[0]

    def load(self) -> type[Any]:
        """Import the class. Raises `DeviceAbsent` (`library_missing`) or `HardwareFault` (`driver_broken`).

        Whatever else the module does, an end of the program included, is told by its kind and place.
        """
        module_name, _, attribute = self.target.partition(":")
        try:
            module = importlib.import_module(module_name)
        except ImportError as error:
            missing = getattr(error, "name", None) or "a library"
            raise DeviceAbsent(
                f"{self.name}: {missing} cannot be imported: install it, or choose another driver", "library_missing"
            ) from error
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            raise HardwareFault(
                f"{self.name}: importing {module_name} fails with {_place(error)}: report it to its maker",
                "driver_broken",
            ) from error
        loaded = getattr(module, attribute, None)
        if not isinstance(loaded, type):
            raise HardwareFault(f"{self.name}: {module_name} has no class {attribute}: reinstall it", "driver_broken")
        return loaded

    def options(self) -> type[BaseModel]:
        """Import the class; what can be configured. Raises as `load`."""
        found = getattr(self.load(), "Options", None)
        if not isinstance(found, type) or not issubclass(found, BaseModel):
            raise HardwareFault(
                f"{self.name}: it has no Options: give it a class of that name, made from drivers.messages.Message",
                "driver_broken",
            )
        return found


def protocol_of(device_class: str) -> type:
    return PROTOCOLS.get(device_class, Device)


def drivers() -> dict[str, Entry]:
    """Every driver that could be loaded, sorted by name. Nothing is imported."""
    return _entries(_DRIVERS, DRIVERS_GROUP)


def simulators() -> dict[str, Entry]:
    """Every simulator known by name; a shipped terminal knows the names but has none of the modules."""
    return _entries(_SIMULATORS, SIMULATORS_GROUP)


def find_driver(name: str) -> Entry:
    """The driver of that name. Raises `Unsupported` (`driver_unknown`), naming those that exist."""
    built_in = _DRIVERS.get(name)
    return Entry(name, *built_in, BUILT_IN) if built_in else _find(name, drivers(), "driver")


def find_simulator(name: str) -> Entry:
    """The simulator of that name. Raises `Unsupported` (`driver_unknown`), naming those that exist."""
    return _find(name, simulators(), "simulator")


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, SyntaxError) and error.filename:
        return f"SyntaxError at {PurePath(error.filename).name}:{error.lineno}"
    return f"{type(error).__name__} at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}"


def _find(name: str, entries: dict[str, Entry], word: str) -> Entry:
    if name in entries:
        return entries[name]
    device_class = name.partition("/")[0]
    siblings = [other for other in entries if other.startswith(f"{device_class}/")]
    if siblings:
        raise Unsupported(f"no {word} is called {name!r}: choose one of {', '.join(siblings)}", "driver_unknown")
    classes = sorted({entry.device_class for entry in entries.values()})
    raise Unsupported(
        f"no {word} is called {name!r}: say CLASS/MODEL, as python -m drivers list does; classes: {', '.join(classes)}",
        "driver_unknown",
    )


def _entries(built_in: dict[str, tuple[str, str]], group: str) -> dict[str, Entry]:
    found = {
        point.name: Entry(point.name, point.value.replace(" ", ""), *_origin(point))
        for point in entry_points(group=group)
        if NAME.fullmatch(point.name)
    }
    found |= {name: Entry(name, *entry, BUILT_IN) for name, entry in built_in.items()}
    return dict(sorted(found.items()))


def _origin(point: EntryPoint) -> tuple[str, str]:
    if point.dist is None:
        return "", "package"
    summary = next(iter(point.dist.metadata.get_all("Summary", [])), "")
    return summary, f"{point.dist.name} {point.dist.version}"
