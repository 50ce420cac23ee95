"""Who this machine is. Its Ed25519 key is born here and never leaves; what enrolment answered is kept beside it."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from pydantic import ValidationError

from kiosk.contracts.errors import SettingsInvalid
from kiosk.contracts.fleet import EnrolmentAnswer

KEY_FILE = "machine.key"
ENROLMENT_FILE = "enrolment.json"


class MachineKey:
    """The machine's signing key, in a file only its owner can read."""

    algorithm = "ed25519"

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self.private = private

    @staticmethod
    def open(directory: Path) -> MachineKey:
        """The key in `directory`, made on the first call. Raises `SettingsInvalid` when the file is damaged."""
        path = directory / KEY_FILE
        if not path.exists():
            key = Ed25519PrivateKey.generate()
            write_durably(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            return MachineKey(key)
        try:
            loaded = load_pem_private_key(path.read_bytes(), password=None)
        except ValueError as error:
            raise SettingsInvalid(f"{path}: damaged key: delete it and enrol the machine anew") from error
        if not isinstance(loaded, Ed25519PrivateKey):
            raise SettingsInvalid(f"{path}: not an Ed25519 key: delete it and enrol the machine anew")
        return MachineKey(loaded)

    def sign(self, content: bytes) -> bytes:
        return self.private.sign(content)

    @property
    def public_base64(self) -> str:
        return base64.b64encode(self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


class Identity:
    """Key and enrolment of the machine in one data directory."""

    def __init__(self, directory: Path, key: MachineKey, enrolment: EnrolmentAnswer | None) -> None:
        self.directory = directory
        self.key = key
        self.enrolment = enrolment

    @staticmethod
    def open(directory: Path) -> Identity:
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / ENROLMENT_FILE
        enrolment = None
        if path.exists():
            try:
                enrolment = EnrolmentAnswer.model_validate_json(path.read_bytes())
            except ValidationError as error:
                raise SettingsInvalid(f"{path}: damaged: delete it and enrol the machine anew") from error
        return Identity(directory, MachineKey.open(directory), enrolment)

    @property
    def is_enrolled(self) -> bool:
        return self.enrolment is not None

    @property
    def terminal(self) -> str:
        """This terminal's id; empty before enrolment."""
        return self.enrolment.terminal if self.enrolment else ""

    def keep(self, answer: EnrolmentAnswer) -> None:
        """Keep what the server answered, durably."""
        write_durably(self.directory / ENROLMENT_FILE, answer.model_dump_json().encode())
        self.enrolment = answer


def write_durably(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Whole or not at all: written beside, flushed to the disk, renamed, and the folder flushed too."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
