"""Bytes two people signed: the TUF repository (DESIGN 2.2) as this terminal trusts it.

What python-tuf refuses is said in the words of `BundleRejected`; what did not arrive is `Unreachable`, and no refusal.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from tuf.api import exceptions as tuf_errors
from tuf.ngclient.config import UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface
from tuf.ngclient.updater import Updater

from kiosk.contracts.bundle import MAXIMUM_BUNDLE_BYTES, Bundle, read_bundle, read_matter
from kiosk.contracts.errors import (
    BadSignature,
    BundleRejected,
    Expired,
    Malformed,
    OlderVersion,
    Oversized,
    UnderSigned,
    Unreachable,
)
from kiosk.contracts.matter import Matter
from kiosk.contracts.value import sha256_hex

Fetch = Callable[[str, int], Awaitable[bytes]]
"""(path below `repository/`, limit in bytes) → the file. Raises `Unreachable`, or `FileNotFoundError`."""

FETCH_SECONDS = 60.0
METADATA_BYTES = 2 * 1024 * 1024
_SIGNED_BY = re.compile(r"signed by (\d+)/(\d+) keys")

logging.getLogger("tuf").setLevel(logging.WARNING)


class _Fetcher(FetcherInterface):
    """Fetches on the event loop for the updater, which waits in a thread of its own."""

    def __init__(self, fetch: Fetch, loop: asyncio.AbstractEventLoop) -> None:
        self._read = fetch
        self._loop = loop

    def _fetch(self, url: str) -> Iterator[bytes]:
        future = asyncio.run_coroutine_threadsafe(self._bytes(url), self._loop)
        try:
            return iter([future.result(timeout=FETCH_SECONDS)])
        except FileNotFoundError as error:
            raise tuf_errors.DownloadHTTPError(f"{url}: not there", 404) from error
        except TimeoutError as error:
            future.cancel()
            raise tuf_errors.DownloadError(f"{url}: no answer in {FETCH_SECONDS:g} s") from error
        except Unreachable as error:
            if error.reason == "answer_too_long":
                raise tuf_errors.DownloadLengthMismatchError(str(error)) from error
            raise tuf_errors.DownloadError(str(error)) from error

    async def _bytes(self, url: str) -> bytes:
        return await self._read(url, MAXIMUM_BUNDLE_BYTES)


class _ClockedUpdater(Updater):
    """Judges expiry by the server's clock: this machine's own may be wrong."""

    def __init__(self, folder: Path, fetcher: FetcherInterface, root: bytes, now: dt.datetime) -> None:
        limits = UpdaterConfig(
            root_max_length=METADATA_BYTES, snapshot_max_length=METADATA_BYTES, targets_max_length=METADATA_BYTES,
            max_delegations=200,
        )  # fmt: skip
        super().__init__(
            metadata_dir=str(folder), metadata_base_url="metadata/", target_dir=str(folder / "targets"),
            target_base_url="targets/", fetcher=fetcher, config=limits, bootstrap=root,
        )  # fmt: skip
        self._trusted_set.reference_time = now


class Repository:
    """The signed repository, trusted from the root handed over at enrolment. What it learnt stays in `directory`."""

    def __init__(self, directory: Path, root: str) -> None:
        self._root = root.encode()
        self._folder = directory / sha256_hex(self._root)[:16]

    async def download(self, bundle_hash: str, fetch: Fetch, now: dt.datetime) -> list[tuple[str, bytes]]:
        """The bundle's bytes and its matters', all verified: `[(target path, bytes)]`, the bundle first.

        Raises a `BundleRejected`, or `Unreachable` when something did not arrive.
        """
        loop = asyncio.get_running_loop()
        return await asyncio.to_thread(self._download, bundle_hash, _Fetcher(fetch, loop), now)

    def _download(self, bundle_hash: str, fetcher: _Fetcher, now: dt.datetime) -> list[tuple[str, bytes]]:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "targets").mkdir(exist_ok=True)
        try:
            updater = _ClockedUpdater(self._folder, fetcher, self._root, now)
            updater.refresh()
            path = f"bundles/{bundle_hash}.json"
            content = _target(updater, path, MAXIMUM_BUNDLE_BYTES)
            bundle = read_bundle(content, bundle_hash)
            files = [(path, content)]
            for reference in bundle.matters:
                if reference.path != f"matters/{reference.department}/{reference.id}/{reference.version}.json":
                    raise Malformed(f"matter {reference.id}: the path does not belong to its department and version")
                files.append((reference.path, _target(updater, reference.path, reference.length)))
        except (tuf_errors.DownloadError, tuf_errors.RepositoryError) as error:
            raise said_plainly(error) from error
        except (OSError, ValueError) as error:
            raise Malformed(f"the repository cannot be used ({type(error).__name__})") from error
        check_matters(bundle, dict(files))
        return files


def check_matters(bundle: Bundle, files: dict[str, bytes]) -> list[Matter]:
    """Bytes to matters, each exactly the one the bundle names. Raises `Malformed`."""
    matters = []
    for reference in bundle.matters:
        if reference.path not in files:
            raise Malformed(f"matter {reference.id} is missing")
        matter = read_matter(files[reference.path], reference)
        if matter.department != reference.department:
            raise Malformed(f"matter {matter.id} belongs to {matter.department}, not to {reference.department}")
        if {step.kind for step in matter.steps} != set(reference.step_kinds):
            raise Malformed(f"matter {matter.id} uses other step kinds than the bundle says")
        matters.append(matter)
    if len({matter.id for matter in matters}) != len(matters):
        raise Malformed("the bundle names one matter twice")
    return matters


def _target(updater: Updater, path: str, limit: int) -> bytes:
    found = updater.get_targetinfo(path)
    if found is None:
        raise UnderSigned(f"{path}: nobody entitled to it has signed it")
    if found.length > limit:
        raise Oversized(f"{path}: {found.length} bytes where {limit} are allowed")
    cached = updater.find_cached_target(found)
    file = Path(cached or updater.download_target(found))
    content = file.read_bytes()
    file.unlink(missing_ok=True)
    return content


_PLAIN: tuple[tuple[type[Exception], type[BundleRejected]], ...] = (
    (tuf_errors.DownloadLengthMismatchError, Oversized),
    (tuf_errors.ExpiredMetadataError, Expired),
    (tuf_errors.BadVersionNumberError, OlderVersion),
    (tuf_errors.LengthOrHashMismatchError, BadSignature),
)


def said_plainly(error: tuf_errors.DownloadError | tuf_errors.RepositoryError) -> BundleRejected | Unreachable:
    """The updater's refusal in our words. A broken seal is told from one seal too few by how many still hold."""
    for theirs, ours in _PLAIN:
        if isinstance(error, theirs):
            return ours(str(error))
    if isinstance(error, tuf_errors.UnsignedMetadataError):
        count = _SIGNED_BY.search(str(error))
        return UnderSigned(str(error)) if count and int(count.group(1)) > 0 else BadSignature(str(error))
    if isinstance(error, tuf_errors.DownloadError):
        return Unreachable(f"the repository was not reached: {error}", reason="not_reached")
    return Malformed(str(error))
