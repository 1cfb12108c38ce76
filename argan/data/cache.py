"""A node's own copies of shards: whole files under a limit in bytes, shared by all threads and processes of the node.

The folder is the state: SHA256.tar is a copy, SHA256.part one on its way, locked by who fetches it, so that its lock
dies with its owner. A part has its full length from the beginning: what is on its way counts against the limit.
"""

import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from argan.data.manifest import ShardInfo
from argan.errors import DataError, StorageError
from argan.storage import Storage
from argan.storage.local import writing

PIECE_BYTES = 8 << 20  # one ranged read of a download


def cache_directory(folder: str) -> Path:
    """This user's own, in compute.cache_folder or among the system's temporary files, which all users share."""
    return Path(folder or tempfile.gettempdir()) / f"argan-shards-{os.getuid()}"


@dataclass(frozen=True, kw_only=True)
class ShardCache:
    """Files in `directory`, together at most `limit_bytes`, the longest unused dropped first.

    A file is named by its hash, so sets that share shards share copies. The folder must be on one machine (flock).
    """

    directory: Path
    limit_bytes: int

    def open(self, storage: Storage, shard: ShardInfo) -> BinaryIO | None:
        """The shard's copy, opened for reading and fetched first if need be; it stays readable when dropped.

        None where no room can be made: the shard is over the limit, or others are fetching that much. Waits where
        another process is fetching the same shard. Raises DataError where what arrives is not what the manifest says,
        and StorageError where the storage fails or the folder is another user's.
        """
        with writing(self.directory):
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.directory.stat().st_uid != os.geteuid():
                raise StorageError(f"{self.directory} belongs to another user: set compute.cache_folder")
            while True:
                with self._locked():
                    copy = self._open_copy(shard)
                    if copy is not None:
                        return copy
                    part = os.fdopen(os.open(self._part(shard), os.O_RDWR | os.O_CREAT), "r+b")
                    mine = _lock(part, wait=False)
                    if mine and not self._make_room(shard):
                        self._part(shard).unlink()
                        part.close()
                        return None
                    if mine:
                        part.truncate(shard.size_bytes)
                with part:
                    if mine:
                        self._fetch(storage, shard, part)
                    else:
                        _lock(part, wait=True)  # until its owner is done, or dead: then look again

    def drop(self, shard: ShardInfo) -> None:
        """Forget the shard's copy: its bytes turned out to be wrong."""
        with self._locked():
            self._copy(shard).unlink(missing_ok=True)

    def _copy(self, shard: ShardInfo) -> Path:
        return self.directory / f"{shard.sha256}.tar"

    def _part(self, shard: ShardInfo) -> Path:
        return self.directory / f"{shard.sha256}.part"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone in the folder: whatever looks at more than one file. Never held during a download."""
        with (self.directory / "lock").open("ab") as lock:
            _lock(lock, wait=True)
            yield

    def _open_copy(self, shard: ShardInfo) -> BinaryIO | None:
        path = self._copy(shard)
        with suppress(FileNotFoundError):
            if path.stat().st_size == shard.size_bytes:
                os.utime(path, ns=(time.time_ns(), time.time_ns()))  # used last; the kernel's own clock is coarser
                return path.open("rb")
            path.unlink()
        return None

    def _make_room(self, shard: ShardInfo) -> bool:
        """Drop the longest unused copies until the shard fits. False, and nothing dropped, where it cannot."""
        parts = [path for path in self.directory.glob("*.part") if path != self._part(shard) and not _drop_dead(path)]
        room_bytes = self.limit_bytes - shard.size_bytes - sum(path.stat().st_size for path in parts)
        if room_bytes < 0:
            return False
        latest_first = sorted(self.directory.glob("*.tar"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in latest_first:
            room_bytes -= path.stat().st_size
            if room_bytes < 0:
                path.unlink()
        return True

    def _fetch(self, storage: Storage, shard: ShardInfo, part: BinaryIO) -> None:
        """Fill the part, check it, and make it the copy. The part is removed where that fails."""
        digest = hashlib.sha256()
        try:
            for start in range(0, shard.size_bytes, PIECE_BYTES):
                piece = storage.read_bytes(shard.name, start, min(start + PIECE_BYTES, shard.size_bytes))
                digest.update(piece)
                part.write(piece)
            part.flush()
            if digest.hexdigest() != shard.sha256:
                raise DataError(f"{storage.uri}/{shard.name} is not the file whose sha256 the manifest gives")
            with self._locked():
                os.replace(self._part(shard), self._copy(shard))
        except BaseException:
            with self._locked():
                self._part(shard).unlink(missing_ok=True)
            raise


def _lock(file: BinaryIO, *, wait: bool) -> bool:
    """Take the file's lock, which goes with its closing. False where it is held elsewhere and we do not wait."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _drop_dead(path: Path) -> bool:
    """Remove the part of an owner who died; False where the owner lives."""
    with path.open("rb") as part:
        if not _lock(part, wait=False):
            return False
        path.unlink()
        return True
