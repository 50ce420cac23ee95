"""Where tests may run side by side (`make test` has some workers): a file keeps together, and so does the one house."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
TOGETHER = "journeys"
"""They share one house of many processes, started once. The longest group begins first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        where = item.path.relative_to(HERE)
        item.add_marker(pytest.mark.xdist_group(TOGETHER if where.parts[0] == TOGETHER else where.as_posix()))
    items.sort(key=lambda item: item.path.relative_to(HERE).parts[0] != TOGETHER)
