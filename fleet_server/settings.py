"""Settings of the fleet server, from the environment. Refuses to start with what is not fit for production.

YIZHAN_ENVIRONMENT     development (default) or production
YIZHAN_DATA            directory for the database, keys and the repository of matters
DATABASE_URL           postgresql://… ; without it SQLite in the data directory
YIZHAN_SECRET          signs staff cookies; in production at least 32 characters and no placeholder
YIZHAN_OFFLINE_KEYS    directory of the root and targets keys; in production a removable medium
YIZHAN_SEAL_AUTHORITY  PEM file of the seal authorities, handed to terminals at enrolment
YIZHAN_SANDBOX_URL     stand-in city; refused in production
YIZHAN_AUTHORITIES_URL where the departments' systems are reached (the city's data exchange)
YIZHAN_GATEWAY_KEY     secret shared with them: signs each call (HMAC-SHA256); needless with the sandbox
YIZHAN_GATEWAY_KEY_FILE  the same, from a file
YIZHAN_GATEWAY_KEYS    directory of RSA and SM2 keys for authorities that want them (fleet_server/gateway/keyring.py)
YIZHAN_PAYMENTS        YAML file of the merchant accounts (payments/providers/accounts.py); without it nobody can pay,
                       but in development at the sandbox city
YIZHAN_PUBLIC_URL      https://… where payment providers reach this server with their notices
YIZHAN_PHONE_URL       https://… where citizens' phones reach this server; without it YIZHAN_PUBLIC_URL
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, field_validator, model_validator

from kiosk.contracts.errors import SettingsInvalid

MINIMUM_SECRET_LENGTH = 32
SANDBOX_KEY = "the sandbox city's well-known key"
"""Signs calls to the sandbox when no other key is given. It protects nothing: the sandbox is refused in production."""
DATABASES = ("postgresql://", "postgres://", "postgresql+psycopg://", "sqlite://")
PLACEHOLDERS = ("change", "secret", "placeholder", "example", "default", "password", "xxxx", "todo")


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: Literal["development", "production"] = "development"
    data: Path = Path("data")
    database_url: str = ""
    secret: SecretStr = SecretStr("")
    offline_keys: Path | None = None
    seal_authority: Path | None = None
    sandbox_url: str | None = None
    authorities_url: str | None = None
    gateway_key: SecretStr = SecretStr("")
    gateway_key_file: Path | None = None
    gateway_keys: Path | None = None
    payments: Path | None = None
    public_url: str | None = None
    phone_url: str | None = None
    heartbeat_seconds: int = 15
    silence_seconds: int = 60
    statement_hours: int = 72

    @field_validator("database_url")
    @classmethod
    def _of_a_known_kind(cls, url: str) -> str:
        if url and not url.startswith(DATABASES):
            raise ValueError("DATABASE_URL: write it as postgresql://user@host:port/name, or leave it out for SQLite")
        return url

    @model_validator(mode="after")
    def _fit_for_production(self) -> Settings:
        if self.environment != "production":
            return self
        if self.sandbox_url:
            raise ValueError("YIZHAN_SANDBOX_URL: the sandbox city is never used in production; unset it")
        secret = self.secret.get_secret_value()
        if len(secret) < MINIMUM_SECRET_LENGTH or len(set(secret)) < 10:
            raise ValueError(f"YIZHAN_SECRET: give at least {MINIMUM_SECRET_LENGTH} random characters")
        if any(word in secret.lower() for word in PLACEHOLDERS):
            raise ValueError("YIZHAN_SECRET: this is a placeholder; make one with `openssl rand -hex 32`")
        if self.payments and not (self.public_url or "").startswith("https://"):
            raise ValueError("YIZHAN_PUBLIC_URL: payment providers need an https:// address to send their notices to")
        if self.phone_url and not self.phone_url.startswith("https://"):
            raise ValueError("YIZHAN_PHONE_URL: phones send photos, so the address begins with https://")
        return self

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, **given: object) -> Settings:
        """Read the environment; `given` wins over it. Raises `SettingsInvalid` naming the variable and the cure."""
        variables = os.environ if environment is None else environment
        names = {
            "environment": "YIZHAN_ENVIRONMENT", "data": "YIZHAN_DATA", "database_url": "DATABASE_URL",
            "secret": "YIZHAN_SECRET", "offline_keys": "YIZHAN_OFFLINE_KEYS",
            "seal_authority": "YIZHAN_SEAL_AUTHORITY", "sandbox_url": "YIZHAN_SANDBOX_URL",
            "authorities_url": "YIZHAN_AUTHORITIES_URL", "gateway_key": "YIZHAN_GATEWAY_KEY",
            "gateway_key_file": "YIZHAN_GATEWAY_KEY_FILE", "gateway_keys": "YIZHAN_GATEWAY_KEYS",
            "payments": "YIZHAN_PAYMENTS", "public_url": "YIZHAN_PUBLIC_URL",
            "phone_url": "YIZHAN_PHONE_URL",
        }  # fmt: skip
        found: dict[str, object] = {key: variables[name] for key, name in names.items() if variables.get(name)}
        try:
            return cls.model_validate(found | given)
        except ValidationError as error:
            reasons = "; ".join(
                f"{'.'.join(map(str, fault['loc']))} {fault['msg']}".strip() for fault in error.errors()
            )
            raise SettingsInvalid(f"fleet server settings: {reasons}") from error

    @property
    def is_development(self) -> bool:
        return self.environment == "development"

    @property
    def sqlalchemy_url(self) -> str:
        if not self.database_url:
            return f"sqlite:///{self.data / 'fleet.sqlite'}"
        for prefix in ("postgresql://", "postgres://"):
            if self.database_url.startswith(prefix):
                return "postgresql+psycopg://" + self.database_url.removeprefix(prefix)
        return self.database_url

    @property
    def keys(self) -> Path:
        return self.data / "keys"

    @property
    def offline_keys_directory(self) -> Path:
        return self.offline_keys or self.keys / "offline"

    @property
    def repository(self) -> Path:
        return self.data / "repository"

    def seal_authority_pem(self) -> str:
        """Read at each enrolment, so that a renewed authority is handed out without a restart."""
        path = self.seal_authority or self.data / "seal-authority.pem"
        return path.read_text() if path.exists() else ""

    def cookie_secret(self) -> bytes:
        """The staff cookie secret. In development one is made and kept in the data directory when none is given."""
        given = self.secret.get_secret_value()
        if given:
            return given.encode()
        path = self.keys / "cookie.secret"
        if not path.exists():
            write_secret(path, secrets.token_bytes(32))
        return path.read_bytes()


def write_secret(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read; an existing file is never replaced."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
