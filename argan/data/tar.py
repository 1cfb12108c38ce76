"""Tars in memory whose bytes say nothing of when, where and by whom they were written."""

import io
import tarfile
from typing import NamedTuple


class Place(NamedTuple):
    """Where a member's bytes lie in a tar."""

    offset: int
    size: int


class TarWriter:
    """Members in the order they come, USTAR."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._bytes, mode="w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115 (finish closes)

    def add(self, name: str, data: bytes) -> Place:
        info = tarfile.TarInfo(name)  # mtime, uid and gid 0, no owner's name, mode 0644
        info.size = len(data)
        self._tar.addfile(info, io.BytesIO(data))
        stored_bytes = -(-len(data) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
        return Place(self._bytes.tell() - stored_bytes, len(data))

    def finish(self) -> bytes:
        """The whole tar; nothing can be added after."""
        self._tar.close()
        return self._bytes.getvalue()
