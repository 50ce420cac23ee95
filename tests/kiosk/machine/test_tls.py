"""The pinned authority is the only one believed, on requests and on the channel."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kiosk.contracts.errors import Unreachable
from kiosk.machine.fleet.client import FleetClient
from kiosk.machine.fleet.enrolment import enrol
from kiosk.machine.fleet.identity import Identity
from kiosk.machine.fleet_link import FleetLink
from kiosk.machine.journal import Journal
from kiosk.machine.library import Library
from tests.kiosk.machine.centre import Centre
from tests.kiosk.machine.city import City

PEM = serialization.Encoding.PEM


class Pinned:
    """A certificate authority and a server certificate for 127.0.0.1, as files."""

    def __init__(self, folder: Path, name: str) -> None:
        self.ca, self.certificate, self.key = (folder / f"{name}-{part}.pem" for part in ("ca", "server", "key"))
        ca_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        ca = self._builder(name, name, ca_key, ca=True).sign(ca_key, hashes.SHA256())
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        server = (
            self._builder("server", name, server_key, ca=False)
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
            .sign(ca_key, hashes.SHA256())
        )
        plain = serialization.NoEncryption()
        self.ca.write_bytes(ca.public_bytes(PEM))
        self.certificate.write_bytes(server.public_bytes(PEM))
        self.key.write_bytes(server_key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, plain))

    def _builder(
        self, subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, *, ca: bool
    ) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )


def test_only_the_pinned_authority_is_believed(tmp_path: Path, city: City) -> None:
    ours, others = Pinned(tmp_path, "ours"), Pinned(tmp_path, "others")
    centre = Centre(city)

    async def story() -> None:
        url = centre.url.replace("http:", "https:")
        identity = Identity.open(tmp_path / "machine")
        for ca in (others.ca, None):
            with pytest.raises(Unreachable):
                await enrol(identity, server=url, code="GOOD-CODE-1", ca=ca)
        enrolment = await enrol(identity, server=url, code="GOOD-CODE-1", ca=ours.ca)
        journal = Journal.open(tmp_path / "machine" / "journal.sqlite", terminal="k1")
        client = FleetClient(url, identity.key, "k1", ca=ours.ca)
        library = Library.open(tmp_path / "machine" / "library", enrolment=enrolment, journal=journal)
        link = FleetLink(client, identity, library, journal, heartbeat_seconds=1, poll_seconds=1)
        task = asyncio.create_task(link.run())
        async with asyncio.timeout(10):
            while not (link.online and centre.sockets):
                await asyncio.sleep(0.01)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await client.close()
        stranger = FleetClient(url, identity.key, "k1", ca=others.ca)
        with pytest.raises(Unreachable):
            await stranger.get("desired-state")
        await stranger.close()
        journal.close()

    with centre.running(ssl_certfile=str(ours.certificate), ssl_keyfile=str(ours.key)):
        asyncio.run(story())
