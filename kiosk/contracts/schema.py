"""JSON Schema of what authors write, for editors. `python -m kiosk.contracts.schema matter > assets/schemas/…`."""

from __future__ import annotations

import json
import sys

from kiosk.contracts.matter import Matter
from kiosk.contracts.package import PackageMatter
from kiosk.contracts.scenario import Scenario
from kiosk.contracts.value import Contract

SCHEMAS: dict[str, type[Contract]] = {"matter": Matter, "package": PackageMatter, "scenario": Scenario}
"""Each is kept in assets/schemas/NAME.schema.json; a test keeps them fresh."""


def schema_text(name: str) -> str:
    """The schema as it lies in the file, newline included. Raises KeyError for a name not in SCHEMAS."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **SCHEMAS[name].model_json_schema(by_alias=True),
    }
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in SCHEMAS:
        print(f"usage: python -m kiosk.contracts.schema {{{'|'.join(SCHEMAS)}}}", file=sys.stderr)
        return 2
    print(schema_text(arguments[0]), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
