"""The city as a process: bind, say where, serve."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import uvicorn

from fleet_server.sandbox.app import create_app
from fleet_server.sandbox.keys import gateway_key

PRODUCTION = "production"


def serve(*, host: str, port: int, data: Path) -> None:
    if os.environ.get("YIZHAN_ENVIRONMENT") == PRODUCTION:
        raise SystemExit("the sandbox city is never run in production: unset YIZHAN_ENVIRONMENT or do not start it")
    app = create_app(data, gateway_key())
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
        address = f"http://{host}:{listener.getsockname()[1]}"
        print(json.dumps({"address": address, "authorities": str(data / "authorities.pem")}), flush=True)
        config = uvicorn.Config(app, log_level="warning", access_log=False, loop="uvloop")
        uvicorn.Server(config).run(sockets=[listener])
