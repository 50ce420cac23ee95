"""A server with an enrolled terminal, a slip for it, and phones."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from PIL import Image

from fleet_server.handover import phone as phone_room
from tests.fleet_server.conftest import World
from tests.fleet_server.peer import Peer

MATERIAL = {"zh-CN": "现场照片", "zh-TW": "現場照片", "en": "Photo"}
SLIP = {"transaction_number": "T-1", "step": "photo_page", "material": MATERIAL, "photos": 2, "text": 40}


def photo(width: int = 640, height: int = 480, kind: str = "JPEG", **more: Any) -> bytes:
    written = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(written, kind, **more)
    return written.getvalue()


@dataclass
class Phone:
    """What a phone's browser does: the token of the code it scanned, and the key it was given."""

    client: httpx.Client
    token: str
    key: str = ""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "X-Phone": self.key}

    def open(self) -> httpx.Response:
        answer = self.client.post("/phone/v1/slip", headers=self.headers)
        if answer.status_code == 200:
            self.key = answer.json()["phone"]
        return answer

    def put(self, content: bytes, place: int = 0) -> httpx.Response:
        return self.client.put(f"/phone/v1/slip/photos/{place}", content=content, headers=self.headers)

    def finish(self, photos: int = 0, text: str = "") -> httpx.Response:
        return self.client.post("/phone/v1/slip/sent", json={"photos": photos, "text": text}, headers=self.headers)


@dataclass
class Bench:
    """One terminal at its centre. `slip()` asks for a slip; `phone(slip)` is somebody who scanned its code."""

    world: World
    client: httpx.Client
    peer: Peer

    def slip(self, **changed: Any) -> dict[str, Any]:
        answer = self.peer.post(self.client, "/terminal/v1/handovers", SLIP | changed)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def phone(self, slip: dict[str, Any]) -> Phone:
        return Phone(self.client, slip["address"].rpartition("#")[2])

    def get(self, path: str) -> httpx.Response:
        return self.peer.get(self.client, f"/terminal/v1/handovers/{path}")

    def delete(self, slip: dict[str, Any]) -> httpx.Response:
        path = f"/terminal/v1/handovers/{slip['id']}"
        return self.client.delete(path, headers=self.peer.sign("DELETE", str(self.client.base_url) + path))


@pytest.fixture(autouse=True)
def patient_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests share one address; the one about limits sets its own."""
    monkeypatch.setattr(phone_room, "REQUESTS", phone_room.Limit(100_000, 60.0))
    monkeypatch.setattr(phone_room, "WRONG_TOKENS", phone_room.Limit(100_000, 60.0))


@pytest.fixture
def bench(world: World) -> Iterator[Bench]:
    with world.client() as client:
        yield Bench(world, client, world.terminal())
