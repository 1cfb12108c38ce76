"""The manifest: what is written is read again, and what does not fit is refused in a sentence."""

import dataclasses
import hashlib
import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argan.data.manifest import read_manifest, write_manifest
from argan.errors import DataError
from argan.storage import open_storage

COLUMNS = ("key", "shard", "offset", "size", "width", "height", "sha256")


@pytest.fixture
def storage(tmp_path, make_set):
    storage = open_storage(str(tmp_path))
    make_set(storage, (3, 0, 4))
    return storage


@pytest.fixture
def manifest(storage):
    return read_manifest(storage)


def change_head(storage, **changes):
    head = json.loads(storage.read_bytes("manifest.json"))
    storage.write_bytes("manifest.json", json.dumps(head | changes).encode())


def change_rows(storage, change):
    """Write other rows under a hash that fits them: a careless tool, not a broken disk."""
    table = change(pq.read_table(io.BytesIO(storage.read_bytes("manifest.parquet"))))
    file = io.BytesIO()
    pq.write_table(table, file)
    storage.write_bytes("manifest.parquet", file.getvalue())
    change_head(storage, manifest_sha256=hashlib.sha256(file.getvalue()).hexdigest())


def test_what_is_written_is_read_again(tmp_path, make_set):
    storage = open_storage(str(tmp_path))
    written = make_set(storage, (2, 0, 5)).manifest
    read = read_manifest(storage)
    for field in dataclasses.fields(written):
        assert np.array_equal(getattr(read, field.name), getattr(written, field.name)), field.name
    for name in COLUMNS:
        assert getattr(read, name).dtype == getattr(written, name).dtype
    assert (read.fingerprint, read.shard_counts, read.num_samples) == (written.fingerprint, (2, 0, 5), 7)


def test_an_empty_set_is_written_and_read(tmp_path, manifest):
    storage = open_storage(str(tmp_path / "empty"))
    columns = {name: getattr(manifest, name)[:0] for name in COLUMNS}
    write_manifest(storage, dataclasses.replace(manifest, **columns, shards=()))
    assert read_manifest(storage).num_samples == 0


def test_rows_are_those_of_the_tars(storage, manifest):
    """Offsets and hashes lead to the very bytes, by nothing but a slice of the file."""
    for row in range(manifest.num_samples):
        tar = storage.read_bytes(manifest.shards[manifest.shard[row]].name)
        data = tar[manifest.offset[row] : manifest.offset[row] + manifest.size[row]]
        assert hashlib.sha256(data).hexdigest().encode() == manifest.sha256[row]


def test_equal_manifests_are_equal_bytes_and_the_json_comes_last(storage, manifest):
    before = {path: storage.read_bytes(path) for path in ("manifest.json", "manifest.parquet")}
    order = []

    class Recorded:
        def write_bytes(self, path, data):
            order.append(path)
            assert data == before[path]

    write_manifest(Recorded(), manifest)
    assert order == ["manifest.parquet", "manifest.json"]


def test_the_fingerprint_is_of_the_photos_alone(manifest):
    moved = dataclasses.replace(manifest, source="elsewhere", seed=9, key=manifest.key[::-1])
    assert moved.fingerprint == manifest.fingerprint
    assert dataclasses.replace(manifest, sha256=manifest.sha256[::-1]).fingerprint != manifest.fingerprint


def test_the_rows_can_be_read_by_others(storage, manifest):
    table = pq.read_table(io.BytesIO(storage.read_bytes("manifest.parquet")))
    assert table.column_names == list(COLUMNS)
    assert table.schema.field("sha256").type == pa.string()


def test_nothing_there(tmp_path):
    with pytest.raises(DataError, match="holds no finished set"):
        read_manifest(open_storage(str(tmp_path / "nowhere")))


def test_no_json(storage):
    storage.write_bytes("manifest.json", b"\x89PNG")
    with pytest.raises(DataError, match="not JSON"):
        read_manifest(storage)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": "argan-shards/9"}, "argan-shards/9"),
        ({"manifest_sha256": "0" * 64}, "sha256"),
        ({"num_samples": 8}, "speaks of"),
        ({"fingerprint": "0" * 64}, "speaks of"),
        ({"resolution": 16}, "8x8 px in a set of 16 px"),
        ({"shards": []}, "shards"),
        ({"shards": [{"name": "a"}]}, "num_samples"),
        ({"shards": [{"name": "a", "num_samples": 1, "size_bytes": 9, "sha256": "../../victim"}]}, "64 hex digits"),
        ({"shards": [{"name": "a", "num_samples": -1, "size_bytes": 9, "sha256": "0" * 64}]}, "-1 samples"),
    ],
)
def test_a_head_that_does_not_fit(storage, changes, words):
    change_head(storage, **changes)
    with pytest.raises(DataError, match=words):
        read_manifest(storage)


@pytest.mark.parametrize("head", [b"[]", b"3", b"null", b"{}"])
def test_json_that_is_no_head(storage, head):
    storage.write_bytes("manifest.json", head)
    with pytest.raises(DataError, match="schema None"):
        read_manifest(storage)


def test_a_head_without_a_field(storage):
    head = json.loads(storage.read_bytes("manifest.json"))
    for key in head:
        storage.write_bytes("manifest.json", json.dumps({k: v for k, v in head.items() if k != key}).encode())
        with pytest.raises(DataError, match=key):
            read_manifest(storage)


def test_rows_that_are_no_parquet(storage):
    storage.write_bytes("manifest.parquet", b"words")
    change_head(storage, manifest_sha256=hashlib.sha256(b"words").hexdigest())
    with pytest.raises(DataError, match="does not fit"):
        read_manifest(storage)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda table: table.drop_columns("offset"), "offset"),
        (lambda table: table.slice(1), "holds 3 samples, but 2"),
        (lambda table: table.take([1, 0, 2, 3, 4, 5, 6]), "does not come after"),
        (lambda table: table.set_column(1, "shard", pa.array([7] * 7)), "outside of the 3"),
        (lambda table: table.set_column(2, "offset", pa.array([512 * 10**6 * i for i in range(7)])), "inside"),
        (lambda table: table.set_column(6, "sha256", pa.array(["0" * 64] * 7)), "speaks of"),
    ],
)
def test_rows_that_do_not_fit(storage, change, words):
    change_rows(storage, change)
    with pytest.raises(DataError, match=words):
        read_manifest(storage)
