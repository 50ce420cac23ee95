"""A third party's package with a face engine, laid out as an installer leaves it: code and dist-info in a folder."""

from __future__ import annotations

import shutil
from pathlib import Path

ENTRY_POINTS = """[yizhan.face_engines]
patch = installed_face_engine:PatchEngine
incomplete = installed_face_engine:Incomplete
without_library = engine_of_a_library_not_installed:Engine
"""


def install(folder: Path) -> str:
    """Returns the folder as an entry of the path."""
    information = folder / "face_engine-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: face-engine\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(ENTRY_POINTS)
    shutil.copy(Path(__file__).with_name("installed_engine.py"), folder / "installed_face_engine.py")
    return str(folder)
