"""Reading photos together with their truth: whole samples of a set in the schema "argan-truth/1", shard by shard."""

import io
import tarfile
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from argan.data.manifest import Manifest
from argan.data.reading import decode_photo
from argan.data.shard_files import sha256
from argan.data.truth import TRUTH_MEMBERS, Truth, decode_truth
from argan.errors import DataError
from argan.storage import Storage


class TruthSample(NamedTuple):
    row: int  # of the manifest
    image: NDArray[np.uint8]  # [H,W,3] sRGB
    truth: Truth


def read_truth(storage: Storage, manifest: Manifest, rows: NDArray[np.int64]) -> Iterator[TruthSample]:
    """The samples of the given rows, in the order of the manifest. One shard at a time is in memory.

    Raises DataError where the set has no truth, where a shard is not the manifest's, or where a sample does not fit.
    """
    if not manifest.truth:
        raise DataError(f"{storage.uri} holds photos without truth: there is nothing to compare with")
    wanted = np.sort(rows)
    for number in np.unique(manifest.shard[wanted]):
        info = manifest.shards[number]
        data = storage.read_bytes(info.name)
        if sha256(data) != info.sha256:
            raise DataError(f"{storage.uri}/{info.name} is not the file whose sha256 the manifest gives")
        try:
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:  # a compressed one is no shard
                rows = wanted[manifest.shard[wanted] == number].tolist()
                samples = [_sample(tar, storage.uri, row, manifest) for row in rows]
        except tarfile.TarError as error:
            raise DataError(f"{storage.uri}/{info.name} is no tar: {error}") from error
        yield from samples


def _sample(tar: tarfile.TarFile, uri: str, row: int, manifest: Manifest) -> TruthSample:
    key, side = manifest.key[row], manifest.resolution
    planes = np.empty((3, side, side), np.uint8)
    try:
        members = {name: _member(tar, f"{key}.{name}") for name in (*TRUTH_MEMBERS, "jpg")}
        decode_photo(members["jpg"], planes)
        truth = decode_truth(members)
        if truth.disparity.shape != (side, side):
            raise DataError(f"its disparity is {list(truth.disparity.shape)}, not {side} px square")
    except (DataError, KeyError) as error:
        raise DataError(f"sample {key} of {uri} does not fit the truth schema: {error}") from error
    return TruthSample(row, np.ascontiguousarray(planes.transpose(1, 2, 0)), truth)


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    member = tar.extractfile(name)
    if member is None:
        raise DataError(f"{name} is no file")
    return member.read()
