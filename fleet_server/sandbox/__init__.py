"""A stand-in city for demonstration and tests: departments, invented citizens, certificates, an SMS inbox, over HTTP.

Never part of production: the fleet server's settings refuse its address there.
"""

from __future__ import annotations

from pathlib import Path


def run(*, port: int, data: Path, host: str = "127.0.0.1") -> None:
    """Serve the city until ended. Prints one JSON line: address, and authorities (PEM file of the seals)."""
    from fleet_server.sandbox.serve import serve  # noqa: PLC0415  the server starts without typst and pyHanko

    serve(host=host, port=port, data=data)
