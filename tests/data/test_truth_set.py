"""Scenes packed, then read back with their truth."""

import dataclasses
import gzip
import hashlib
import io
import tarfile

import numpy as np
import pytest
from packed_scenes import pack_scenes
from wild_images import jpeg, quadrants

from argan.data.manifest import read_manifest
from argan.data.truth_set import read_truth
from argan.errors import DataError
from argan.scenes import scene
from argan.storage import open_storage

NUM_SAMPLES, RESOLUTION = 7, 16


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    uri = str(tmp_path_factory.mktemp("set"))
    storage = pack_scenes(uri, f"scenes:{NUM_SAMPLES}@3", resolution=RESOLUTION, shard_samples=3)
    return storage, read_manifest(storage)


def test_every_photo_comes_with_its_own_truth(packed):
    storage, manifest = packed
    samples = list(read_truth(storage, manifest, np.arange(NUM_SAMPLES)))
    assert [sample.row for sample in samples] == list(range(NUM_SAMPLES))
    assert {sample.truth.info["index"] for sample in samples} == set(range(NUM_SAMPLES))
    for sample in samples:
        made = scene(3, sample.truth.info["index"], resolution=RESOLUTION)
        np.testing.assert_allclose(sample.truth.disparity, made.disparity, atol=1e-4)
        np.testing.assert_array_equal(sample.truth.mask, made.mask)
        assert np.abs(sample.image.astype(int) - made.image).mean() < 8  # a JPEG of the very photo


def test_rows_come_in_the_order_of_the_manifest_each_as_itself(packed):
    storage, manifest = packed
    everything = list(read_truth(storage, manifest, np.arange(NUM_SAMPLES)))
    some = list(read_truth(storage, manifest, np.array([5, 0, 3])))
    assert [sample.row for sample in some] == [0, 3, 5]
    for sample in some:
        np.testing.assert_array_equal(sample.image, everything[sample.row].image)


def test_photos_without_truth_are_refused(packed):
    storage, manifest = packed
    with pytest.raises(DataError, match="without truth"):
        list(read_truth(storage, dataclasses.replace(manifest, truth=False), np.arange(1)))


@pytest.mark.parametrize(
    ("photo", "words"),
    [
        (b"\xff\xd8 no photo", "cannot be decoded"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\n", "cannot be decoded"),  # Pillow would start Ghostscript
        (jpeg(quadrants(24)), "RGB of 24x24 px, not RGB of 16 px"),
        (None, "jpg' not found"),
    ],
)
def test_a_photo_that_is_none_is_named(packed, tmp_path, photo, words):
    with pytest.raises(DataError, match=f"does not fit the truth schema.*{words}"):
        list(read_truth(*with_photo(packed, open_storage(str(tmp_path)), photo), np.arange(1)))


def test_a_compressed_shard_is_none(packed, tmp_path):
    storage, manifest = packed
    out = open_storage(str(tmp_path))
    with pytest.raises(DataError, match=r"00000\.tar is no tar"):
        list(read_truth(out, as_shard_0(manifest, out, gzip.compress(shard_0(storage, manifest))), np.arange(1)))


def shard_0(storage, manifest):
    return storage.read_bytes(manifest.shards[0].name)


def as_shard_0(manifest, out, data):
    """The manifest, as if its first shard were `data`; that is written to `out`."""
    first, *others = manifest.shards
    out.write_bytes(first.name, data)
    first = dataclasses.replace(first, size_bytes=10 * first.size_bytes, sha256=hashlib.sha256(data).hexdigest())
    return dataclasses.replace(manifest, shards=(first, *others))


def with_photo(packed, out, photo):
    """A copy whose first shard has `photo` for each jpg, or none."""
    storage, manifest = packed
    made = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(shard_0(storage, manifest))) as tar,
        tarfile.open(fileobj=made, mode="w") as new,
    ):
        for member in tar:
            data = tar.extractfile(member).read()
            if member.name.endswith(".jpg"):
                data = photo
            if data is not None:
                member.size = len(data)
                new.addfile(member, io.BytesIO(data))
    return out, as_shard_0(manifest, out, made.getvalue())


def test_a_shard_that_is_not_the_manifests_is_named(packed, tmp_path):
    _, manifest = packed
    other = open_storage(str(tmp_path))
    other.write_bytes(manifest.shards[0].name, b"something else")
    with pytest.raises(DataError, match=r"00000\.tar is not the file"):
        list(read_truth(other, manifest, np.arange(1)))
