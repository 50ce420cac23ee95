"""A vendor's library, loaded only when it is the very file the operator allowed (domain.md 2.5).

The file is copied into sealed memory, the copy is hashed, and that copy is what gets loaded: nobody can put another
file in its place between the two.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import hmac
import os
import stat
from pathlib import Path
from typing import Any, Final

from drivers.errors import DeviceAbsent, Unsupported

HASH_MARK: Final = "#sha256="
ADDRESS: Final = r"^/[^#]*#sha256=[0-9A-Fa-f]{64}$"
LARGEST_LIBRARY_BYTES: Final = 64 * 1024 * 1024
CHUNK_BYTES: Final = 1 << 16
SEALS: Final = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


class SealedLibrary:
    """The allowed bytes, in memory nobody can change. Its descriptor stays open: the loader knows files by name."""

    def __init__(self, address: str, companions: tuple[SealedLibrary, ...] = ()) -> None:
        """`address` is PATH#sha256=HASH. Nothing is run yet.

        Raises `DeviceAbsent` (`library_missing`), `Unsupported` (`library_not_allowed`).

        `companions` are libraries this one asks for by name: loaded first, they are taken instead of any on the disk.
        """
        self.path, _, allowed = address.partition(HASH_MARK)
        self._companions = companions
        self._fd = os.memfd_create(Path(self.path).name[:64], os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            self._require(self._copy(), allowed)
            fcntl.fcntl(self._fd, fcntl.F_ADD_SEALS, SEALS)
        except BaseException:
            os.close(self._fd)
            raise

    def has(self, function: str) -> bool:
        """Whether its bytes name the function. Nothing is run."""
        with open(self._fd, "rb", closefd=False) as file:
            file.seek(0)
            return b"\0" + function.encode() + b"\0" in file.read()

    def load(self, *, for_others: bool = False) -> ctypes.CDLL:
        """Runs its constructors: they may hang or crash. Raises `Unsupported` (`library_unfit`).

        `for_others` offers its functions to the libraries loaded after it.
        """
        for companion in self._companions:
            companion.load(for_others=True)
        mode = ctypes.RTLD_GLOBAL if for_others else ctypes.RTLD_LOCAL
        try:
            return ctypes.CDLL(f"/proc/self/fd/{self._fd}", mode=mode)
        except OSError as error:
            raise Unsupported(
                f"{self.path} cannot be loaded here ({error}): ask the vendor for the build of this machine",
                "library_unfit",
            ) from error

    def _require(self, found: str, allowed: str) -> None:
        if not hmac.compare_digest(found, allowed.lower()):
            raise Unsupported(
                f"{self.path} is not the library that was allowed: its SHA-256 is {found}", "library_not_allowed"
            )

    def _copy(self) -> str:
        """The SHA-256 of what was copied."""
        try:
            source = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise DeviceAbsent(
                f"the vendor's library {self.path} cannot be read ({error.strerror}): install it", "library_missing"
            ) from error
        try:
            about = os.fstat(source)
            if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST_LIBRARY_BYTES:
                raise Unsupported(f"{self.path} is no library: correct the path", "library_not_allowed")
            found, left = hashlib.sha256(), LARGEST_LIBRARY_BYTES
            while left > 0 and (chunk := os.read(source, CHUNK_BYTES)):
                found.update(chunk)
                left -= len(chunk)
                os.write(self._fd, chunk)
            return found.hexdigest()
        finally:
            os.close(source)


def function(library: ctypes.CDLL, path: str, name: str, *argument_types: Any) -> Any:
    """One function that returns an int, its arguments declared. Raises `Unsupported` (`library_unfit`)."""
    try:
        found = getattr(library, name)
    except AttributeError as error:
        raise Unsupported(f"{path} has no {name}: correct the family, or the path", "library_unfit") from error
    found.argtypes = argument_types
    found.restype = ctypes.c_int
    return found
