"""The merchant accounts money is collected into, as configured (YIZHAN_PAYMENTS, a YAML file).

    alipay:
      - {id: city, gateway: "https://openapi.alipay.com/gateway.do", app_id: …, seller_id: …,
         private_key: app.pem, provider_key: alipay.pem}
    wechat:
      - {id: city, gateway: "https://api.mch.weixin.qq.com", app_id: …, merchant_id: …, serial: …, private_key: …,
         provider_key: …, provider_key_id: PUB_KEY_ID_…, api_v3_key: …}
    non_tax:
      - {id: treasury, gateway: …, app_id: …, agency: …, private_key: …, provider_key: …}
    bank_card:
      - {id: city, files: /srv/acquirer}

A `bank_card` account has no keys: the machines' own devices take the money. `files`: folder of the acquirer's daily
files (card_devices.py); without it card payments are kept, and compared with nothing.

Keys are PEM texts, or names of files beside the YAML file. An account with `payees` takes the money of those payees
(zh-CN, as matters name them); one without takes everybody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from fleet_server.payments.providers import signatures
from kiosk.contracts.errors import SettingsInvalid

KEYS = ("private_key", "provider_key")


class Collector(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9_]{1,40}$")
    payees: tuple[str, ...] = ()


class Account(Collector):
    """`private_key` signs what we say; `provider_key` verifies what the provider says."""

    gateway: str = Field(pattern=r"^https?://")
    app_id: str = Field(min_length=1, max_length=64)
    private_key: SecretStr
    provider_key: str

    @field_validator("private_key")
    @classmethod
    def _signs(cls, value: SecretStr) -> SecretStr:
        signatures.private_key(value.get_secret_value())
        return value

    @field_validator("provider_key")
    @classmethod
    def _verifies(cls, value: str) -> str:
        signatures.public_key(value)
        return value


class AlipayAccount(Account):
    seller_id: str = Field(min_length=1, max_length=32)


class WeChatAccount(Account):
    merchant_id: str = Field(min_length=1, max_length=32)
    serial: str = Field(min_length=1, max_length=64, description="of our certificate")
    provider_key_id: str = Field(min_length=1, max_length=64)
    api_v3_key: SecretStr = Field(min_length=32, max_length=32)


class NonTaxAccount(Account):
    agency: str = Field(min_length=1, max_length=32, description="执收单位编码, who collects")


class CardAccount(Collector):
    files: str = Field(default="", description="folder of the acquirer's daily files")


class Accounts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    alipay: tuple[AlipayAccount, ...] = ()
    wechat: tuple[WeChatAccount, ...] = ()
    non_tax: tuple[NonTaxAccount, ...] = ()
    bank_card: tuple[CardAccount, ...] = ()

    def online(self) -> tuple[Account, ...]:
        return (*self.alipay, *self.wechat, *self.non_tax)


def account_for(accounts: Sequence[Collector], payee: str) -> Collector | None:
    """The account that names this payee, else the first that takes everybody's."""
    named = (account for account in accounts if payee in account.payees)
    return next(named, next((account for account in accounts if not account.payees), None))


def read_accounts(path: Path, *, is_development: bool) -> Accounts:
    """Raises `SettingsInvalid` naming the field and the cure, never a key."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or {}
        return understood(_with_files(content, path.parent), is_development=is_development)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsInvalid(f"YIZHAN_PAYMENTS: {path} cannot be read: {type(error).__name__}") from error


def understood(content: Any, *, is_development: bool) -> Accounts:
    try:
        accounts = Accounts.model_validate(content)
    except ValidationError as error:
        places = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_input=False)
        )
        raise SettingsInvalid(f"YIZHAN_PAYMENTS: {places}") from error
    for account in accounts.online():
        if not is_development and not account.gateway.startswith("https://"):
            raise SettingsInvalid(f"YIZHAN_PAYMENTS: {account.id}: gateway is https:// in production")
    return accounts


def _with_files(content: Any, beside: Path) -> Any:
    if isinstance(content, list):
        return [_with_files(item, beside) for item in content]
    if not isinstance(content, dict):
        return content
    filled = {key: _with_files(value, beside) for key, value in content.items()}
    for key in KEYS:
        value = filled.get(key)
        if isinstance(value, str) and "-----BEGIN" not in value:
            filled[key] = (beside / value).read_text(encoding="utf-8")
    return filled
