"""The keys of both sides, made when first needed; and the merchants' console, from which the centre copies its own.

A real merchant makes its own key and never shows it. Here the console hands it out: this money is no money.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from fleet_server.payments.providers.signatures import PrivateKey, PublicKey, private_key
from fleet_server.settings import write_secret

ALIPAY_APP, ALIPAY_SELLER = "2021000000000001", "2088000000000001"
WECHAT_APP, WECHAT_MERCHANT, WECHAT_SERIAL = (
    "wx0000000000000001",
    "1900000001",
    "0123456789ABCDEF0123456789ABCDEF01234567",
)
WECHAT_KEY_ID, WECHAT_API_V3_KEY = "PUB_KEY_ID_0119000000012026010100000001", "sandbox-city-api-v3-key-32-bytes"
NON_TAX_APP, NON_TAX_AGENCY = "350200NT01", "350200001"
SOMEBODY_ELSE = "9999999999999999"


class Keys:
    """One pair for all providers, one for the merchant; in `data`, readable by the city alone."""

    def __init__(self, data: Path) -> None:
        self._data = data

    @functools.cached_property
    def provider(self) -> PrivateKey:
        return self._key("provider")

    @functools.cached_property
    def merchant(self) -> PrivateKey:
        return self._key("merchant")

    @functools.cached_property
    def merchant_public(self) -> PublicKey:
        return self.merchant.public_key()

    @functools.cached_property
    def stranger(self) -> PrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def signer(self, *, is_forged: bool) -> PrivateKey:
        return self.stranger if is_forged else self.provider

    def console(self, address: str) -> dict[str, Any]:
        """The merchant accounts as the centre's configuration has them (payments/providers/accounts.py)."""
        both = {"id": "sandbox", "private_key": _private_pem(self.merchant), "provider_key": _public_pem(self.provider)}
        return {
            "alipay": [
                both
                | {"gateway": f"{address}/alipay/gateway.do", "app_id": ALIPAY_APP, "seller_id": ALIPAY_SELLER}
            ],
            "wechat": [
                both
                | {
                    "gateway": address, "app_id": WECHAT_APP, "merchant_id": WECHAT_MERCHANT, "serial": WECHAT_SERIAL,
                    "provider_key_id": WECHAT_KEY_ID, "api_v3_key": WECHAT_API_V3_KEY,
                }
            ],
            "non_tax": [
                both | {"gateway": f"{address}/non_tax/gateway", "app_id": NON_TAX_APP, "agency": NON_TAX_AGENCY}
            ],
            "bank_card": [{"id": "sandbox"}],
        }  # fmt: skip

    def _key(self, name: str) -> PrivateKey:
        path = self._data / f"{name}.key"
        if not path.exists():
            made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            write_secret(path, _private_pem(made).encode())
        return private_key(path.read_text())


def _private_pem(key: PrivateKey) -> str:
    no_password = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password).decode()


def _public_pem(key: PrivateKey) -> str:
    style = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, style).decode()
