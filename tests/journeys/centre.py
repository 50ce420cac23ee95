"""The fleet server as its staff use it: two people who publish, an administrator who rolls out, and what it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from tests.journeys.house import MATTER, House

TEXT = Path("assets/matters/natural_resources/no_house_certificate/matter.yaml")
TITLE = "无房证明（开具）"


def newer_matter(house: House, title: str, folder: Path) -> Path:
    """The matter's next version with another short title, as a file of its author."""
    text = TEXT.read_text(encoding="utf-8")
    version = house.server_rows("SELECT MAX(version) FROM matter_version WHERE matter = ?", MATTER)[0][0]
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if line.startswith("version: "):
            lines[number] = f"version: {version + 1}"
    start = next(number for number, line in enumerate(lines) if line.startswith("short_title:"))
    assert lines[start + 1].startswith("  zh-CN: ")
    lines[start + 1] = f"  zh-CN: {title}"
    file = folder / f"matter-{version + 1}.yaml"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def publish(house: House, file: Path, *scope: str) -> dict[str, Any]:
    """`python -m fleet_server publish`, with two people's passwords."""
    accounts = house.city.seed["accounts"]
    return house.city.fleet_command(
        "publish", str(file), *scope,
        YIZHAN_AUTHOR_PASSWORD=accounts["author"]["password"],
        YIZHAN_REVIEWER_PASSWORD=accounts["reviewer"]["password"],
    )  # fmt: skip


class Staff:
    """One person signed in over the staff's JSON interface."""

    def __init__(self, house: House, role: str) -> None:
        self._http = httpx.Client(base_url=house.city.dashboard + "staff/v1", trust_env=False, timeout=20)
        answer = self._http.post("/session", json=house.city.seed["accounts"][role])
        answer.raise_for_status()
        self._http.headers["x-csrf-token"] = answer.json()["csrf_token"]

    def roll_out(self, bundle: str) -> int:
        """Every terminal is to run a bundle that was published before; the new generation."""
        answer = self._http.post("/roll-backs", json={"bundle": bundle, "scope": "all", "reason": "test"})
        answer.raise_for_status()
        return int(answer.json()["generation"])

    def terminal(self) -> dict[str, Any]:
        answer = self._http.get("/terminals")
        answer.raise_for_status()
        (found,) = answer.json()
        return dict(found)

    def close(self) -> None:
        self._http.close()
