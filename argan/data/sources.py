"""What can be packed: photos in a folder, a tar, a glob or a bucket, or procedural scenes; listed, not read."""

import fnmatch
import glob
import io
import itertools
import os
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from argan.errors import StorageError, UserError
from argan.seeds import require_seed
from argan.storage import Storage, open_storage
from argan.storage.base import Entry, checked

TAR_SUFFIX = ".tar"
INDEX_READ_BYTES = 1 << 20
SCENES_PREFIX = "scenes:"


class Photo(NamedTuple):
    """Where the bytes of one photo lie."""

    name: str  # for people, and for the shuffle: it does not say where the source stands
    storage: Storage
    path: str
    start: int
    stop: int


class SceneItem(NamedTuple):
    """One procedural scene."""

    name: str
    seed: int
    number: int


Item = Photo | SceneItem


class Skipped(NamedTuple):
    """What did not become a sample, a reason to count by, and a sentence."""

    name: str
    reason: str
    message: str


class Listing(NamedTuple):
    """A source, in an order that depends on it alone; `has_truth`: its items come with "argan-truth/1"."""

    items: Sequence[Item]
    skipped: list[Skipped]
    has_truth: bool


def list_source(source: str) -> Listing:
    """Lists "scenes:COUNT[@SEED]", an s3://bucket/prefix, or what is local: a folder, a file, a glob of them.

    Folders and prefixes are taken with all that is below them, links to other folders aside; a .tar stands for its
    members. Every file counts as a photo until its bytes say otherwise. Raises UserError where there is nothing.
    """
    if source.startswith(SCENES_PREFIX):
        return _list_scenes(source)
    photos: list[Photo] = []
    skipped: list[Skipped] = []
    for name, storage, path, size_bytes in _files(source):
        try:
            checked(path)  # a bucket may hold "a//b.jpg", a folder "a\\b.jpg"
        except StorageError as odd:
            skipped.append(Skipped(name, "odd name", f"{name}: {odd}"))
            continue
        if path.endswith(TAR_SUFFIX):
            members, damage = _list_tar(name, storage, path, size_bytes)
            photos += members
            skipped += damage
        else:
            photos.append(Photo(name, storage, path, 0, size_bytes))
    if not photos:
        raise UserError("; ".join([f"there is nothing to pack at {source!r}", *(entry.message for entry in skipped)]))
    return Listing(photos, skipped, has_truth=False)


def would_list(source: str, uri: str) -> bool:
    """Whether files written below `uri` would be listed as photos of this source the next time."""
    if source.startswith(SCENES_PREFIX):
        return False
    if source.startswith("s3://") or os.path.exists(source):
        return f"{_without_links(uri)}/".startswith(f"{_without_links(open_storage(source).uri)}/")
    place, pattern = Path(uri), Path(os.path.abspath(source)).parts
    return any(_fits(folder.parts, pattern) for folder in (place, *place.parents))


def _without_links(uri: str) -> str:
    """A local path by its true name; an S3 URI as it is."""
    return uri if uri.startswith("s3://") else os.path.realpath(uri)


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """As `glob` matches a path, but for hidden files."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_fits(parts[start:], pattern[1:]) for start in range(len(parts) + 1))
    return bool(parts) and fnmatch.fnmatch(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])


def _list_scenes(source: str) -> Listing:
    from argan.scenes import SCENES_VERSION
    from argan.scenes.seeds import JUDGING_SEEDS

    count, _, seed = source.removeprefix(SCENES_PREFIX).partition("@")
    seed = seed or "0"
    if not (count.isdecimal() and int(count) > 0 and seed.isdecimal()):
        raise UserError(f"scenes are asked for as scenes:COUNT or scenes:COUNT@SEED, got {source!r}")
    require_seed(int(seed), "the seed of scenes")
    if int(seed) in JUDGING_SEEDS:
        raise UserError(f"the scenes of seed {int(seed)} judge what was learned from others: take another seed")
    kind = f"scenes-v{SCENES_VERSION}@{int(seed)}"
    scenes = [SceneItem(f"{kind}/{index}", int(seed), index) for index in range(int(count))]
    return Listing(scenes, [], has_truth=True)


def _files(source: str) -> Iterator[tuple[str, Storage, str, int]]:
    """(name, storage, path, bytes) of each file of a source that is not scenes."""
    if source.startswith("s3://"):
        if source.endswith(TAR_SUFFIX):
            parent, _, path = source.rpartition("/")
            storage = open_storage(parent)
            yield path, storage, path, storage.size_bytes(path)
        else:
            yield from _files_below(open_storage(source))
    elif os.path.isdir(source):
        yield from _files_below(open_storage(source))
    else:
        yield from _matches(source)


def _files_below(storage: Storage) -> Iterator[tuple[str, Storage, str, int]]:
    for entry in storage.list():
        yield entry.path, storage, entry.path, entry.size_bytes


def _matches(source: str) -> Iterator[tuple[str, Storage, str, int]]:
    """A file, or what a glob finds with all that lies below it: each once, named from where the wildcards begin."""
    parent = Path(source).parent
    exists = os.path.exists(source)
    fixed = parent.parts if exists else itertools.takewhile(lambda part: not set(part) & set("*?["), parent.parts)
    top = Path(os.path.abspath(Path(*fixed)))
    given = set()
    for found in [source] if exists else sorted(glob.glob(source, recursive=True)):
        place = Path(os.path.abspath(found))
        if place.is_dir():
            folder, storage = place, open_storage(str(place))
            files = list(storage.list())
        elif place.is_file():
            folder, storage = place.parent, open_storage(str(place.parent))
            files = [Entry(place.name, place.stat().st_size)]
        else:
            continue
        for file in files:
            name = (folder / file.path).relative_to(top).as_posix()
            if name not in given:
                given.add(name)
                yield name, storage, file.path, file.size_bytes


def _list_tar(name: str, storage: Storage, path: str, size_bytes: int) -> tuple[list[Photo], list[Skipped]]:
    """The members that are whole, and where the tar was cut off or damaged a line on the rest."""
    photos: list[Photo] = []
    damage = ""
    try:
        with _open_tar(storage, path, size_bytes) as tar:
            for member in tar:
                if member.size < 0:  # tarfile would read on backwards, for ever
                    raise tarfile.ReadError(f"{member.name} has {member.size} bytes")
                stop = member.offset_data + member.size
                if member.isreg() and stop <= size_bytes:
                    photos.append(Photo(f"{name}/{member.name}", storage, path, member.offset_data, stop))
            # tarfile takes a damaged header for the end; at the true end there are zeros.
            if any(storage.read_bytes(path, tar.offset, tar.offset + tarfile.BLOCKSIZE) or b"\1"):
                damage = f"no end mark at byte {tar.offset:,}"
    except tarfile.TarError as error:
        damage = str(error)
    if not damage:
        return photos, []
    message = f"{name} is cut off, damaged or compressed ({damage}): {len(photos)} members before that are whole"
    return photos, [Skipped(name, "broken tar", message)]


def _open_tar(storage: Storage, path: str, size_bytes: int) -> tarfile.TarFile:
    reader = io.BufferedReader(_Ranges(storage, path, size_bytes), INDEX_READ_BYTES)
    return tarfile.open(fileobj=reader, mode="r:")


class _Ranges(io.RawIOBase):
    """An object in storage as a file to seek in."""

    def __init__(self, storage: Storage, path: str, size_bytes: int) -> None:
        self._storage = storage
        self._path = path
        self._size_bytes = size_bytes
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size_bytes}[whence]
        return self._position

    def readinto(self, buffer: Any) -> int:
        data = self._storage.read_bytes(self._path, self._position, self._position + len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
