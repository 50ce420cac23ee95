"""Keys of the gateway and of the authorities, from files, or handed out by the sandbox city.

Directory YIZHAN_GATEWAY_KEYS, all PEM, readable by the server alone:

  rsa.key, sm2.key                the gateway's private keys
  AUTHORITY.rsa.pem, .sm2.pem     public key of an authority that signs its answers
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Protocol

import httpx

from fleet_server.exchange.signatures import HmacKey, Scheme, Signer, Verifier, signer_of, verifier_of
from fleet_server.gateway.connectors import Connector
from kiosk.contracts.errors import SettingsInvalid

HAND_OUT_PATH = "/gateway-keys"


class KeysUnavailable(Exception):
    """The sandbox city did not hand out its keys."""


class Keyring(Protocol):
    async def signer(self, authority: str, scheme: Scheme) -> Signer:
        """What our calls to this authority are signed with. May raise `KeysUnavailable`."""

    async def verifier(self, authority: str, scheme: Scheme) -> Verifier:
        """What its answers are verified with. May raise `KeysUnavailable`."""

    def forget(self) -> None:
        """Handed-out keys were not accepted: ask for them anew."""


class FileKeyring:
    """Read once. Raises `SettingsInvalid` when a connector needs a key that is not there, naming the file."""

    def __init__(self, hmac_key: bytes, directory: Path | None, connectors: Iterable[Connector] = ()) -> None:
        self._hmac = HmacKey(hmac_key)
        self._signers: dict[Scheme, Signer] = {"hmac": self._hmac}
        self._verifiers: dict[tuple[str, Scheme], Verifier] = {}
        for connector in connectors:
            scheme = connector.signature.scheme
            if scheme == "hmac":
                continue
            if scheme not in self._signers:
                self._signers[scheme] = signer_of_file(scheme, _file(directory, f"{scheme}.key", connector))
            if connector.signature.answers:
                name = f"{connector.authority}.{scheme}.pem"
                path = _file(directory, name, connector)
                try:
                    self._verifiers[connector.authority, scheme] = verifier_of(scheme, path.read_bytes())
                except (OSError, ValueError) as error:
                    raise SettingsInvalid(f"YIZHAN_GATEWAY_KEYS: {name}: {error}") from error

    async def signer(self, authority: str, scheme: Scheme) -> Signer:
        return self._signers[scheme]

    async def verifier(self, authority: str, scheme: Scheme) -> Verifier:
        return self._hmac if scheme == "hmac" else self._verifiers[authority, scheme]

    def forget(self) -> None:
        """Files do not change while the server runs."""


class SandboxKeyring:
    """Keys the sandbox city hands to whoever signs with the shared key; asked for when first needed."""

    def __init__(self, hmac_key: bytes, address: str) -> None:
        self._hmac = HmacKey(hmac_key)
        self._address = address
        self._keys: dict[str, Signer | Verifier] = {}
        self._asking = asyncio.Lock()

    async def signer(self, authority: str, scheme: Scheme) -> Signer:
        if scheme == "hmac":
            return self._hmac
        await self._ready()
        return self._keys[f"{scheme}.key"]  # type: ignore[return-value]

    async def verifier(self, authority: str, scheme: Scheme) -> Verifier:
        if scheme == "hmac":
            return self._hmac
        await self._ready()
        return self._keys[f"{scheme}.pem"]  # type: ignore[return-value]

    def forget(self) -> None:
        self._keys.clear()

    async def _ready(self) -> None:
        async with self._asking:
            if self._keys:
                return
            headers = {"x-yizhan-signature": self._hmac.sign(HAND_OUT_PATH.encode())}
            try:
                async with httpx.AsyncClient(base_url=self._address, trust_env=False, timeout=10) as client:
                    answer = await client.get(HAND_OUT_PATH, headers=headers)
                    answer.raise_for_status()
                    handed = answer.json()
                made: dict[str, Signer | Verifier] = {}
                for scheme in _PAIRED:
                    made[f"{scheme}.key"] = signer_of(scheme, handed[f"{scheme}.key"].encode())
                    made[f"{scheme}.pem"] = verifier_of(scheme, handed[f"{scheme}.pem"].encode())
            except (httpx.HTTPError, ValueError, KeyError, AttributeError) as error:
                raise KeysUnavailable("the sandbox city hands out no keys") from error
            self._keys = made


_PAIRED: tuple[Literal["rsa", "sm2"], ...] = ("rsa", "sm2")


def signer_of_file(scheme: Literal["rsa", "sm2"], path: Path) -> Signer:
    """Raises `SettingsInvalid` naming the file."""
    try:
        return signer_of(scheme, path.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsInvalid(f"YIZHAN_GATEWAY_KEYS: {path.name}: {error}") from error


def _file(directory: Path | None, name: str, connector: Connector) -> Path:
    if directory is None or not (directory / name).is_file():
        raise SettingsInvalid(
            f"YIZHAN_GATEWAY_KEYS: {name} is missing, and {connector.authority} signs with {connector.signature.scheme}"
        )
    return directory / name
