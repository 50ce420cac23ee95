"""Settings of one machine, read once from machine.toml. What is unknown or unsafe is refused with its cure."""

from __future__ import annotations

import difflib
import ipaddress
import tomllib
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from drivers.messages import DeviceClass
from kiosk.contracts.errors import SettingsInvalid
from kiosk.contracts.value import Language

CAMERA_CLASSES = (
    DeviceClass.FACE_CAMERA.value, DeviceClass.FACE_MATCHER.value, DeviceClass.DOCUMENT_SCANNER.value,
)  # fmt: skip
THRESHOLD_CLASSES = (DeviceClass.FACE_CAMERA.value, DeviceClass.FACE_MATCHER.value)
CAMERA_KEYS = ("source", "camera", "ir_camera", "clip", "address")
LOCAL_SERVICES = {(DeviceClass.DOCUMENT_PRINTER.value, 631), (DeviceClass.CABINET.value, 3493)}
"""Services of this very machine that are no simulators: its print queue (IANA: ipp), its power (IANA: nut)."""
USUAL_PORTS = {"ipp": 631, "nut": 3493}
PSEUDO_TERMINALS = "/dev/pts/"
VIRTUAL_READERS = ("virtual pcd", "vpcd")


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MachineSection(Section):
    """`data` is a directory; relative paths start at the settings file. `site` is shown to citizens and staff."""

    data: Path
    development: bool = False
    language: Language = Language.ZH_CN
    site: str = ""


class ScreenSection(Section):
    width_px: int = Field(default=1080, ge=480, le=8192)
    height_px: int = Field(default=1920, ge=480, le=8192)
    width_mm: float = Field(default=268.0, ge=80, le=3000)
    height_mm: float = Field(default=476.0, ge=80, le=3000)
    orientation: Literal["portrait", "landscape"] = "portrait"
    fullscreen: bool = True

    @model_validator(mode="after")
    def _shape_fits_orientation(self) -> ScreenSection:
        if (self.height_px > self.width_px) != (self.orientation == "portrait"):
            raise ValueError(f"{self.width_px} × {self.height_px} is not {self.orientation}: swap width and height")
        return self


class FleetSection(Section):
    """`server` is the fleet server's address without a path. `ca` pins its certificate authority (PEM file)."""

    server: str
    enrolment_code: str = ""
    ca: Path | None = None
    heartbeat_seconds: float = Field(default=15.0, ge=1, le=3600)
    poll_seconds: float = Field(default=30.0, ge=1, le=3600)


class SignInSection(Section):
    """Thresholds are distances: smaller is more alike. They are handed to the camera as device options.

    `allow_clerk`: clerks of this shop, whom the centre knows, vouch for citizens together with a second person.
    """

    head_turn: bool = True
    accept_at: float | None = Field(default=None, gt=0, lt=1)
    retry_at: float | None = Field(default=None, gt=0, lt=1)
    allow_face: bool = True
    allow_code: bool = True
    allow_clerk: bool = False
    allow_bank_card: bool = True

    @model_validator(mode="after")
    def _face_is_never_the_only_way(self) -> SignInSection:
        if self.allow_face and not self.allow_code:
            raise ValueError("the face must never be the only way in: set allow_code = true")
        if self.accept_at is not None and self.retry_at is not None and self.retry_at < self.accept_at:
            raise ValueError("retry_at must not be smaller than accept_at")
        return self


class TimeOutSection(Section):
    """Elder mode doubles both."""

    idle_seconds: float = Field(default=60.0, ge=5, le=1800)
    warn_seconds: float = Field(default=25.0, ge=3, le=600)

    @model_validator(mode="after")
    def _warning_comes_first(self) -> TimeOutSection:
        if self.warn_seconds >= self.idle_seconds:
            raise ValueError("warn_seconds must be smaller than idle_seconds")
        return self


class DevelopmentSection(Section):
    """Only where machine.development is true: the dock that plays the world, and the address of a remote hand."""

    dock: bool = False
    hand: str = ""


Option = str | int | float | bool | list[str]


class DeviceSettings(BaseModel):
    """`driver` is CLASS/MODEL; every other key of the section is an option of that driver."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    driver: str = Field(pattern=r"^[a-z][a-z_]*/[a-z][a-z0-9_]*$")
    options: dict[str, Option] = {}

    @model_validator(mode="before")
    @classmethod
    def _rest_is_options(cls, value: Any) -> Any:
        if isinstance(value, dict) and "options" not in value:
            rest = {key: item for key, item in value.items() if key != "driver"}
            return {**({"driver": value["driver"]} if "driver" in value else {}), "options": rest}
        return value

    @property
    def device_class(self) -> str:
        return self.driver.partition("/")[0]


class MachineSettings(Section):
    machine: MachineSection
    fleet: FleetSection
    screen: ScreenSection = ScreenSection()
    sign_in: SignInSection = SignInSection()
    time_outs: TimeOutSection = TimeOutSection()
    development: DevelopmentSection = DevelopmentSection()
    devices: dict[str, DeviceSettings] = {}

    @staticmethod
    def load(path: Path) -> MachineSettings:
        """Read machine.toml. Raises `SettingsInvalid` naming file, key and cure."""
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise SettingsInvalid(f"{path}: {error.strerror}: create the file or correct --config") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsInvalid(f"{path}: not TOML ({error}): correct that line") from error
        return MachineSettings.from_table(content, path)

    @staticmethod
    def from_table(content: dict[str, Any], path: Path) -> MachineSettings:
        """The same from a table already read; `path` names the file in messages and anchors relative paths."""
        try:
            settings = MachineSettings.model_validate(content)
        except ValidationError as error:
            raise SettingsInvalid("\n".join(f"{path}: {line}" for line in _sentences(error))) from error
        settings = settings.anchored(path.parent.resolve())
        unsafe = [] if settings.machine.development else list(_unsafe(settings))
        if unsafe:
            raise SettingsInvalid("\n".join(f"{path}: {line}" for line in unsafe))
        return settings

    def device_options(self, name: str) -> dict[str, Option]:
        """Options for the driver of device `name`; a face camera also gets the sign-in's thresholds."""
        device = self.devices[name]
        options = dict(device.options)
        if device.device_class in THRESHOLD_CLASSES:
            for key, threshold in (("accept_at", self.sign_in.accept_at), ("retry_at", self.sign_in.retry_at)):
                if threshold is not None:
                    options.setdefault(key, threshold)
        return options

    def anchored(self, folder: Path) -> MachineSettings:
        """The same with relative paths starting at `folder`."""
        machine = self.machine.model_copy(update={"data": folder / self.machine.data})
        fleet = self.fleet.model_copy(update={"ca": folder / self.fleet.ca if self.fleet.ca else None})
        return self.model_copy(update={"machine": machine, "fleet": fleet})


def _sentences(error: ValidationError) -> list[str]:
    lines = []
    for mistake in error.errors(include_url=False, include_input=False):
        where = [str(part) for part in mistake["loc"]]
        key = ".".join(where) or "the file"
        match mistake["type"]:
            case "extra_forbidden":
                lines.append(f"{key}: unknown key; {_suggestion(where)}")
            case "missing":
                lines.append(f"{key}: missing; add it")
            case _:
                lines.append(f"{key}: {mistake['msg'].removeprefix('Value error, ')}")
    return lines


def _suggestion(where: list[str]) -> str:
    model: type[BaseModel] = MachineSettings
    for part in where[:-1]:
        field = model.model_fields.get(part)
        inner = field.annotation if field else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        model = inner
    known = sorted(model.model_fields)
    near = difflib.get_close_matches(where[-1], known, n=1)
    return f"did you mean {near[0]}?" if near else f"remove it, known are: {', '.join(known)}"


def _unsafe(settings: MachineSettings) -> list[str]:
    """What a terminal in a shop must not be told. Each sentence names the key and the cure."""
    cure = "allowed only with machine.development = true"
    found = []
    if settings.development.dock:
        found.append(f"development.dock: the dock that plays the world is {cure}; remove it")
    if settings.development.hand:
        found.append(f"development.hand: a remote hand is {cure}; remove it")
    server = urlsplit(settings.fleet.server)
    if server.scheme != "https" and not (server.scheme == "http" and _is_loopback(server.hostname)):
        found.append(f"fleet.server: {settings.fleet.server!r} is not protected by TLS; use an https:// address")
    for name, device in settings.devices.items():
        for key, value in device.options.items():
            reason = _unsafe_option(device.device_class, key, value)
            if reason:
                found.append(f"devices.{name}.{key}: {reason}; {cure}")
    return found


def _unsafe_option(device_class: str, key: str, value: Option) -> str:
    if key == "photo_decoder" and value == "sample":
        return "the sample decoder reads invented cards only"
    if key in ("simulated", "simulator") and value:
        return "a simulator serves no citizen"
    return _unsafe_address(device_class, key, value) if isinstance(value, str) else ""


def _unsafe_address(device_class: str, key: str, value: str) -> str:
    if value.startswith((PSEUDO_TERMINALS, "pty:")) or (
        value.startswith("/") and str(Path(value).resolve()).startswith(PSEUDO_TERMINALS)
    ):
        return "a pseudo-terminal is a simulator, not a device"
    if device_class == DeviceClass.SMART_CARD_READER and any(name in value.lower() for name in VIRTUAL_READERS):
        return "a virtual reader holds no card"
    if device_class in CAMERA_CLASSES and key in CAMERA_KEYS and not (value.isdigit() or value.startswith("/dev/")):
        return "a camera is /dev/videoN or a number, never a file or an address"
    address = urlsplit(value) if "://" in value else None
    if address is None or not _is_loopback(address.hostname):
        return ""
    if (device_class, address.port or USUAL_PORTS.get(address.scheme)) not in LOCAL_SERVICES:
        return "an address on this machine is a simulator, not a device"
    return ""


def _is_loopback(host: str | None) -> bool:
    if host is None:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
