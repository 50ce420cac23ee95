"""A new matter as a file that passes the check, and its screens as pictures; for those who write matters."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from fleet_server.matters.folder import load_file
from fleet_server.problems import ProblemError
from kiosk.contracts.errors import MatterInvalid
from kiosk.contracts.matter import Matter

MODELS = Path(__file__).resolve().parents[2] / "assets" / "authoring"
FIRST_CODE = 352099900000
"""Of a range no office uses; a city puts in the issued code (GB/T 39554.1)."""
PREVIEW_SECONDS = 300

_SLUG = re.compile(r"[a-z][a-z0-9_]{1,47}")
_CODE = re.compile(r'^code: "?(\d{12})"?', re.MULTILINE)


def begin_matter(folder: Path) -> list[Path]:
    """Write matter.yaml and a scenario into DEPARTMENT/MATTER; the files written. Raises `ProblemError`."""
    folder = folder.resolve()
    id_, department = folder.name, folder.parent.name
    for name in (department, id_):
        if _SLUG.fullmatch(name) is None:
            raise ProblemError(
                422, "bad_name", f"{name!r}: give a path …/DEPARTMENT/MATTER of small letters, digits and underlines"
            )
    if (folder / "matter.yaml").exists():
        raise ProblemError(409, "exists", f"{folder / 'matter.yaml'} is there already: choose another name")
    matters = folder.parents[1]
    words = {"id": id_, "code": _next_code(matters), "department": department,
             "department_name": _name_of(folder.parent)}  # fmt: skip
    text = (MODELS / "matter.yaml").read_text(encoding="utf-8")
    for place, word in words.items():
        text = text.replace(f"{{{place}}}", word)
    written = {
        folder / "matter.yaml": text,
        folder / "scenarios" / "happy.yaml": (MODELS / "scenario.yaml").read_text(encoding="utf-8"),
    }
    for path, content in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return list(written)


def _next_code(matters: Path) -> str:
    texts = (file.read_text(encoding="utf-8") for file in matters.glob("*/*/matter.yaml"))
    taken = [int(found.group(1)) for text in texts if (found := _CODE.search(text))]
    return str(max([FIRST_CODE, *(code for code in taken if code >= FIRST_CODE)]) + 1000)


def _name_of(department: Path) -> str:
    """As the department's other matters call it."""
    for file in sorted(department.glob("*/matter.yaml")):
        try:
            name = load_file(file).department_name
        except (MatterInvalid, OSError, UnicodeDecodeError):
            continue
        return f"{{zh-CN: {name.zh_cn}, zh-TW: {name.zh_tw}, en: {name.en}}}"
    return "{zh-CN: 某某局, zh-TW: 某某局, en: The office}"


def preview_matter(path: Path, out: Path) -> int:
    """Draw the matter's screens with the terminal's own pages, in a process of their own; its exit code.

    Raises `MatterInvalid` for a matter that does not pass the check, `ProblemError` where no terminal is installed.
    """
    file = path / "matter.yaml" if path.is_dir() else path
    matter: Matter = load_file(file)
    out.mkdir(parents=True, exist_ok=True)
    composed = out / "matter.json"
    composed.write_text(matter.model_dump_json(by_alias=True, exclude_none=True), encoding="utf-8")
    scenarios = sorted(file.parent.glob("scenarios/*.yaml"), key=lambda each: (each.stem != "happy", each.stem))
    command = [sys.executable, "-m", "kiosk", "preview", str(composed), "--out", str(out)]
    command += ["--scenario", str(scenarios[0])] if scenarios else []
    done = subprocess.run(command, check=False, timeout=PREVIEW_SECONDS)
    composed.unlink()
    return done.returncode
