"""Storage in a local folder (or a shared one that all machines mount at the same path)."""

import errno
import fcntl
import hashlib
import itertools
import os
import shutil
import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from argan.errors import ConflictError, MissingError, RefusedError, StorageError
from argan.storage.base import Entry, Storage, Versioned, check_range, checked

TEMPORARY_SUFFIX = ".argan-tmp"
LOCK_SUFFIX = ".argan-lock"
FOLDER_TRIES = 100
REFUSALS = (errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass(frozen=True)
class LocalStorage(Storage):
    """Objects are files. A write goes to a hidden file beside its place, is synced, and then moves over it. A folder in
    which nothing is left goes with the last object.
    """

    folder: Path

    @classmethod
    def at(cls, path: str) -> "LocalStorage":
        return cls(Path(os.path.abspath(os.path.expanduser(path))))

    @property
    def uri(self) -> str:
        return str(self.folder)

    def child(self, path: str) -> "LocalStorage":
        return LocalStorage(self._file(path))

    def read_bytes(self, path: str, start: int = 0, stop: int | None = None) -> bytes:
        check_range(start, stop)
        file = self._file(path)
        with reading(file), file.open("rb") as source:
            source.seek(start)
            return source.read() if stop is None else source.read(stop - start)

    def write_bytes(self, path: str, data: bytes) -> None:
        replace(self._file(path), lambda target: target.write(data))

    def read_versioned(self, path: str) -> Versioned:
        data = self.read_bytes(path)
        return Versioned(data, version_of(data))

    def write_if(self, path: str, data: bytes, version: str | None) -> str:
        file = self._file(path)
        with locked(file):
            try:
                current = self.read_versioned(path).version
            except MissingError:
                current = None
            if current != version:
                raise ConflictError(f"{file} is not at the expected version: another writer was there first")
            replace(file, lambda target: target.write(data))
        return version_of(data)

    def size_bytes(self, path: str) -> int:
        file = self._file(path)
        with reading(file):
            if file.is_dir():
                raise IsADirectoryError
            return file.stat().st_size

    def exists(self, path: str) -> bool:
        file = self._file(path)
        try:
            with reading(file):
                return stat.S_ISREG(file.stat().st_mode)
        except MissingError:
            return False

    def list(self, prefix: str = "") -> Iterator[Entry]:
        inside, _, _ = prefix.rpartition("/")
        top = self._file(inside) if inside else self.folder
        found = []
        for parent, _, names in os.walk(top, onerror=_refused):
            for name in names:
                file = Path(parent, name)
                path = file.relative_to(self.folder).as_posix()
                if path.startswith(prefix) and not name.endswith((TEMPORARY_SUFFIX, LOCK_SUFFIX)):
                    with suppress(MissingError), reading(file):  # deleted since the walk saw it
                        facts = file.stat()
                        if stat.S_ISREG(facts.st_mode):  # reading a pipe would wait for a writer
                            found.append(Entry(path, facts.st_size))
        yield from sorted(found, key=lambda entry: os.fsencode(entry.path))

    def delete(self, path: str) -> None:
        file = self._file(path)
        with writing(file), suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
            file.unlink()
            with suppress(OSError):  # mostly: it is not empty
                for folder in itertools.takewhile(lambda folder: folder != self.folder, file.parents):
                    folder.rmdir()

    def upload(self, local_path: Path, path: str) -> None:
        with reading(local_path), local_path.open("rb") as source:
            replace(self._file(path), lambda target: shutil.copyfileobj(source, target, 1 << 20))

    def download(self, path: str, local_path: Path) -> None:
        file = self._file(path)
        with reading(file), file.open("rb") as source:
            replace(local_path, lambda target: shutil.copyfileobj(source, target, 1 << 20))

    def _file(self, path: str) -> Path:
        if path.endswith((TEMPORARY_SUFFIX, LOCK_SUFFIX)):
            raise StorageError(f"{path!r}: names that end so are kept for storage's own files")
        return self.folder / checked(path)


def version_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def replace(file: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Let `fill` write a hidden file beside `file`, sync it, and move it into place: whole or not at all."""
    with writing(file):
        aside = file.parent / f".{file.name}.{uuid.uuid4().hex}{TEMPORARY_SUFFIX}"
        try:
            with os.fdopen(_created(aside), "wb") as target:
                fill(target)
                target.flush()
                os.fsync(target.fileno())
            os.replace(aside, file)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        _sync_folder(file.parent)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the lock of `file` against threads, processes and (where flock reaches, NFS too) machines.

    The lock file stays behind on purpose: removing it would let two writers hold two locks of one name.
    """
    with writing(file):
        descriptor = _created(file.parent / f".{file.name}{LOCK_SUFFIX}")
    try:
        with writing(file):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _created(file: Path) -> int:
    """A descriptor of the file, made with its folder where they are not there."""
    for tries_left in reversed(range(FOLDER_TRIES)):
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except (FileNotFoundError, FileExistsError):  # whoever deleted the last file in a folder took it away meanwhile
            if not tries_left:
                raise
    raise AssertionError("the last try returns or raises")


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Turn the operating system's refusals to read `file` into ours."""
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise MissingError(f"{file}: no such file") from error
    except OSError as error:
        raise _explained(error, f"{file} cannot be read") from error


@contextmanager
def writing(file: Path) -> Iterator[None]:
    """Turn the operating system's refusals to write `file` into ours."""
    try:
        yield
    except OSError as error:
        raise _explained(error, f"{file} cannot be written") from error


def _refused(error: OSError) -> None:
    """For os.walk, which would leave a folder out without a word."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise _explained(error, f"{error.filename} cannot be read") from error


def _explained(error: OSError, what: str) -> StorageError:
    reason = "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error)).lower()
    kind = RefusedError if error.errno in REFUSALS else StorageError
    return kind(f"{what}: {reason}")


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a loss of power."""
    with suppress(FileNotFoundError):  # gone by now, with what was written
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
