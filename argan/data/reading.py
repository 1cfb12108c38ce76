"""Photos out of shards: the bytes of given rows by few ranged reads, each checked by its hash, and their decoding."""

import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import BinaryIO

import numpy as np
from PIL import Image

from argan.data.cache import ShardCache
from argan.data.manifest import Manifest
from argan.data.png import DAMAGE
from argan.data.shard_files import sha256
from argan.errors import DataError
from argan.storage import Storage

# A gap is read along where asking again takes longer: at 100 MB/s and 1 ms a request, 100 kB; less, to spare memory.
GAP_BYTES = 64 << 10
SPAN_BYTES = 8 << 20  # the most that one ranged read holds in memory

ReadRange = Callable[[int, int], bytes]


def read_photo_bytes(
    storage: Storage, manifest: Manifest, ids: np.ndarray, cache: ShardCache | None = None
) -> list[bytes]:
    """The files of the photos with the given ids, in that order, as they were packed.

    Raises DataError, naming photo and shard, where bytes are not those whose hash the manifest gives, and StorageError
    where the storage fails.
    """
    rows, places = np.unique(ids, return_inverse=True)  # rows go by shard and offset: sorted, they are read forwards
    shards, firsts = np.unique(manifest.shard[rows], return_index=True)
    found: list[bytes] = []
    for shard, of_shard in zip(shards.tolist(), np.split(rows, firsts)[1:], strict=True):
        found += _read_rows(storage, manifest, shard, of_shard, cache)
    return [found[place] for place in places.tolist()]


def decode_photo(data: bytes, into: np.ndarray) -> None:
    """Decode a JPEG or PNG into `into`, uint8 [3,H,W]. Raises DataError where it is not an RGB photo of that size."""
    _, height, width = into.shape
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
            found = f"{image.mode} of {image.width}x{image.height} px"
            fits = (image.mode, image.height, image.width) == ("RGB", height, width)
            # Colour by colour in each line: planes are then copies of whole lines.
            lines = image.tobytes("raw", "RGB;L") if fits else b""
    except DAMAGE as error:
        raise DataError(f"cannot be decoded: {error}") from error
    if not fits:
        raise DataError(f"is {found}, not RGB of {width} px")
    into[:] = np.frombuffer(lines, np.uint8).reshape(height, 3, width).swapaxes(0, 1)


def decode_photos(manifest: Manifest, ids: np.ndarray, files: list[bytes]) -> np.ndarray:
    """The photos with the given ids, decoded: uint8 [n,3,H,W], contiguous. Raises DataError, naming photo and shard."""
    images = np.empty((len(files), 3, manifest.resolution, manifest.resolution), np.uint8)
    for row, data, image in zip(ids.tolist(), files, images, strict=True):
        try:
            decode_photo(data, image)
        except DataError as error:
            raise DataError(f"{_photo(manifest, row)} {error}") from error
    return images


def read_photos(storage: Storage, manifest: Manifest, ids: np.ndarray) -> np.ndarray:
    """The photos with the given ids (rows of the manifest), in that order: uint8 [n,3,H,W], sRGB.

    Raises DataError where a photo is not the manifest's, StorageError where the storage fails.
    """
    return decode_photos(manifest, ids, read_photo_bytes(storage, manifest, ids))


def _read_rows(
    storage: Storage, manifest: Manifest, shard: int, rows: np.ndarray, cache: ShardCache | None
) -> list[bytes]:
    """The files of sorted rows of one shard, checked; a copy in the cache that is wrong or unreadable is dropped."""
    info = manifest.shards[shard]
    copy = cache.open(storage, info) if cache is not None else None
    if cache is not None and copy is not None:
        with copy, suppress(OSError):
            files = list(_read_spans(manifest, rows, lambda start, stop: _read_copy(copy, start, stop)))
            if _first_wrong(manifest, rows, files) is None:
                return files
        cache.drop(info)
    files = list(_read_spans(manifest, rows, lambda start, stop: storage.read_bytes(info.name, start, stop)))
    wrong = _first_wrong(manifest, rows, files)
    if wrong is not None:
        raise DataError(f"{_photo(manifest, wrong)} is broken at {storage.uri}: its bytes do not fit the manifest")
    return files


def _read_copy(copy: BinaryIO, start: int, stop: int) -> bytes:
    copy.seek(start)
    return copy.read(stop - start)


def _read_spans(manifest: Manifest, rows: np.ndarray, read: ReadRange) -> Iterator[bytes]:
    """Each row's bytes, by one read for as many rows as lie close together; cut where the shard ends too early."""
    starts = manifest.offset[rows].tolist()
    stops = (manifest.offset[rows] + manifest.size[rows]).tolist()
    first = 0
    for last in range(len(starts)):
        goes_on = (
            last + 1 < len(starts)
            and starts[last + 1] - stops[last] <= GAP_BYTES
            and stops[last + 1] - starts[first] <= SPAN_BYTES
        )
        if goes_on:
            continue
        begin = starts[first]
        span = read(begin, stops[last])
        for row in range(first, last + 1):
            yield span[starts[row] - begin : stops[row] - begin]
        first = last + 1


def _first_wrong(manifest: Manifest, rows: np.ndarray, files: list[bytes]) -> int | None:
    for row, digest, data in zip(rows.tolist(), manifest.sha256[rows].tolist(), files, strict=True):
        if sha256(data).encode() != digest:
            return row
    return None


def _photo(manifest: Manifest, row: int) -> str:
    return f"the photo {manifest.key[row]} of {manifest.shards[manifest.shard[row]].name}"
