"""What storage is: bytes under relative paths, written whole or not at all, with one conditional write."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from argan.errors import StorageError


class Entry(NamedTuple):
    """One object of a listing; `path` is relative to the storage that listed it."""

    path: str
    size_bytes: int


class Versioned(NamedTuple):
    """An object's bytes and the opaque version that `write_if` takes. Equal bytes may share a version."""

    data: bytes
    version: str


class Storage(ABC):
    """A place that holds bytes under paths such as "shards/00000.tar".

    Paths are relative, with "/" between names, and without empty, "." or ".." names. All verbs may be called from any
    thread and process. All raise StorageError, one sentence, where the place refuses or stays away. Storage pickles to
    its URI alone: clients and credentials are made anew where it arrives.
    """

    @property
    @abstractmethod
    def uri(self) -> str:
        """Where this is: an absolute local path, or s3://bucket/prefix."""

    @abstractmethod
    def child(self, path: str) -> "Storage":
        """The storage whose root is `path` in this one."""

    @abstractmethod
    def read_bytes(self, path: str, start: int = 0, stop: int | None = None) -> bytes:
        """Bytes [start, stop) of an object, cut at its end as a slice is; 0 <= start <= stop. Goes on after a break.

        Raises MissingError where nothing is, for an empty range too.
        """

    @abstractmethod
    def write_bytes(self, path: str, data: bytes) -> None:
        """Put an object in place, whole or not at all; a reader sees the old bytes or the new ones.

        What is written under conditions is written by `write_if` alone.
        """

    @abstractmethod
    def read_versioned(self, path: str) -> Versioned:
        """An object's bytes with the version that they are. Raises MissingError where nothing is."""

    @abstractmethod
    def write_if(self, path: str, data: bytes, version: str | None) -> str:
        """Write only if the object still is at `version` (None: if there is none), and return the new version.

        Of several writers that hold one version, one wins; the others get ConflictError. Whoever gets ConflictError
        reads again and assumes nothing: after a broken connection it may hide a write of our own that stood for a
        moment and was replaced. Any other StorageError leaves open whether the write took place.
        """

    @abstractmethod
    def size_bytes(self, path: str) -> int:
        """The size of an object. Raises MissingError where nothing is."""

    @abstractmethod
    def exists(self, path: str) -> bool:
        """Whether an object is there; a mere folder is none."""

    @abstractmethod
    def list(self, prefix: str = "") -> Iterator[Entry]:
        """All objects whose path begins with `prefix` (a string, not a folder), in the order of their UTF-8 bytes."""

    @abstractmethod
    def delete(self, path: str) -> None:
        """Take an object away; where nothing is, nothing happens."""

    @abstractmethod
    def upload(self, local_path: Path, path: str) -> None:
        """Put a local file in place, whole or not at all, without holding it in memory."""

    @abstractmethod
    def download(self, path: str, local_path: Path) -> None:
        """Write an object to a local file, whole or not at all, without holding it in memory."""


def checked(path: str) -> str:
    """The path itself, if it stays inside its storage: a manifest must not lead out of its set by "../"."""
    if any(name in ("", ".", "..") for name in path.split("/")) or "\\" in path or "\0" in path:
        raise StorageError(f'{path!r} is no path inside a storage: it must be relative, without "..", "." or "//"')
    return path


def check_range(start: int, stop: int | None) -> None:
    """Raise ValueError unless 0 <= start <= stop: a negative offset is a bug of the caller, not a person's mistake."""
    if start < 0 or (stop is not None and stop < start):
        raise ValueError(f"a range needs 0 <= start <= stop, got [{start}, {stop})")
