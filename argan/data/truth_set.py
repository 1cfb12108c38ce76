"""Reading photos together with their truth: whole samples of a set in the schema "argan-truth/1", shard by shard."""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from argan.data.manifest import Manifest
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
        if hashlib.sha256(data).hexdigest() != info.sha256:
            raise DataError(f"{storage.uri}/{info.name} is not the file whose sha256 the manifest gives")
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for row in wanted[manifest.shard[wanted] == number]:
                key = str(manifest.key[row])
                yield _sample(tar, storage.uri, key, int(row), manifest)


def _sample(tar: tarfile.TarFile, uri: str, key: str, row: int, manifest: Manifest) -> TruthSample:
    try:
        members = {name: _member(tar, f"{key}.{name}") for name in (*TRUTH_MEMBERS, "jpg")}
        truth = decode_truth(members)
    except (DataError, KeyError) as error:
        raise DataError(f"sample {key} of {uri} does not fit the truth schema: {error}") from error
    image = np.asarray(Image.open(io.BytesIO(members["jpg"])).convert("RGB"))
    side = manifest.resolution
    if image.shape[:2] != (side, side) or truth.disparity.shape != (side, side):
        raise DataError(f"sample {key} of {uri} is not {side} px square: {image.shape[:2]}, {truth.disparity.shape}")
    return TruthSample(row, image, truth)


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    member = tar.extractfile(name)
    if member is None:
        raise DataError(f"{name} is no file")
    return member.read()
