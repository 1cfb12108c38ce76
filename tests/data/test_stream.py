"""Laws of the stream: the photos of the order, for any workers, cache and place; faults are said; threads end."""

import dataclasses
import hashlib
import io
import threading
import time
from itertools import islice

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from argan.data import reading
from argan.data.cache import ShardCache
from argan.data.reading import read_photos
from argan.data.shards import lanes_of
from argan.data.stream import stream_batches
from argan.errors import DataError, MissingError, UserError
from argan.storage import open_storage

COUNTS = (7, 0, 11, 1, 14)
NUM_LANES = 6


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    return open_storage(str(tmp_path_factory.mktemp("set")))


@pytest.fixture(scope="module")
def photo_set(storage, make_set):
    return make_set(storage, COUNTS)


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("argan-")] == []


def stream(storage, manifest, **changes):
    arguments = {"seed": 5, "num_lanes": NUM_LANES, "batch_images": 12, "window_samples": 4, "start_images": 0}
    arguments |= {"lanes": range(changes.get("num_lanes", NUM_LANES))} | changes
    return stream_batches(storage, manifest, **arguments)


def take(batches, count):
    """The first batches, and an end to the threads that made them."""
    try:
        return list(islice(batches, count))
    finally:
        batches.close()


def together(storage, manifest, num_workers, start_batch, count, **changes):
    """Global batches, joined from those of all workers."""
    shares = [
        take(
            stream(storage, manifest, lanes=lanes_of(worker, num_workers, NUM_LANES), start_images=12 * start_batch,
                   **changes),
            count,
        )
        for worker in range(num_workers)
    ]  # fmt: skip
    return [
        (np.concatenate([batch.images for batch in parts]), np.concatenate([batch.ids for batch in parts]))
        for parts in zip(*shares, strict=True)
    ]


def assert_same(batches, others):
    assert len(batches) == len(others)
    for (images, ids), (other_images, other_ids) in zip(batches, others, strict=True):
        np.testing.assert_array_equal(ids, other_ids)
        np.testing.assert_array_equal(images, other_images)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 6), st.integers(1, 4), st.integers(1, 40))
def test_batches_are_equal_for_any_workers_also_when_they_change(storage, photo_set, before, after, stop, more, window):
    """33 photos, batches of 12: epochs end inside of batches, and the change comes inside of an epoch."""
    manifest = photo_set.manifest
    straight = together(storage, manifest, 1, 0, stop + more, window_samples=window)
    changed = together(storage, manifest, before, 0, stop, window_samples=window)
    changed += together(storage, manifest, after, stop, more, window_samples=window)
    assert_same(changed, straight)


def test_batches_hold_the_photos_that_their_ids_name(storage, photo_set):
    batches = take(stream(storage, photo_set.manifest, batch_images=18), 5)
    for images, ids in batches:
        assert images.shape == (18, 3, 8, 8)
        assert (images.dtype, ids.dtype, images.flags.c_contiguous) == (np.uint8, np.int64, True)
        np.testing.assert_array_equal(images, photo_set.photos[ids])


def test_an_epoch_of_batches_gives_each_photo_once(storage, photo_set):
    """33 photos in 3 lanes of 11, a batch of 3: 11 batches are an epoch."""
    ids = np.concatenate(
        [batch.ids for batch in take(stream(storage, photo_set.manifest, num_lanes=3, batch_images=3), 22)]
    )
    np.testing.assert_array_equal(np.sort(ids[:33]), np.arange(33))
    np.testing.assert_array_equal(np.sort(ids[33:]), np.arange(33))
    assert (ids[:33] != ids[33:]).any()


def test_the_place_of_reading_changes_nothing(tmp_path, storage, photo_set, monkeypatch):
    straight = take(stream(storage, photo_set.manifest), 6)
    for limit_bytes in (0, 20_000, 10**6):
        cache = ShardCache(directory=tmp_path / str(limit_bytes), limit_bytes=limit_bytes)
        assert_same(take(stream(storage, photo_set.manifest, cache=cache), 6), straight)
    monkeypatch.setattr(reading, "GAP_BYTES", 0)
    assert_same(take(stream(storage, photo_set.manifest), 6), straight)
    monkeypatch.setattr(reading, "SPAN_BYTES", 0)
    assert_same(take(stream(storage, photo_set.manifest), 6), straight)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(counts=st.lists(st.integers(0, 9), min_size=1, max_size=4), kind=st.sampled_from(["JPEG", "PNG"]))
def test_shards_of_any_sizes_and_kinds(tmp_path_factory, make_set, counts, kind):
    assume(sum(counts) > 2)
    storage = open_storage(str(tmp_path_factory.mktemp("any")))
    manifest, photos = make_set(storage, tuple(counts), kind=kind)
    for images, ids in take(stream(storage, manifest, num_lanes=2, batch_images=2), 4):
        np.testing.assert_array_equal(images, photos[ids])


class RecordingStorage:
    """The reads of a storage, in order, optionally slow."""

    def __init__(self, storage, wait_s=0.0):
        self.storage, self.uri, self.wait_s, self.ranges = storage, storage.uri, wait_s, []

    def read_bytes(self, path, start=0, stop=None):
        self.ranges.append((path, start, stop))
        time.sleep(self.wait_s)
        return self.storage.read_bytes(path, start, stop)


def test_members_between_photos_are_read_along_or_left_out(tmp_path, make_set):
    for gap_bytes, num_reads in ((4_000, 1), (reading.GAP_BYTES, 5)):
        storage = open_storage(str(tmp_path / str(gap_bytes)))
        manifest, photos = make_set(storage, (5,), gap_bytes=gap_bytes)
        recording = RecordingStorage(storage)
        np.testing.assert_array_equal(read_photos(recording, manifest, np.arange(5)), photos)
        assert len(recording.ranges) == num_reads


def test_read_photos_keeps_the_order_of_the_ids_and_repeats(storage, photo_set):
    ids = np.array([30, 2, 2, 17, 0, 32])
    np.testing.assert_array_equal(read_photos(storage, photo_set.manifest, ids), photo_set.photos[ids])
    assert read_photos(storage, photo_set.manifest, ids[:0]).shape == (0, 3, 8, 8)


def test_reading_ahead_is_bounded(tmp_path, make_set):
    """With the consumer at rest, each lane has read the block in use and the next one, and no more."""
    storage = open_storage(str(tmp_path))
    manifest = make_set(storage, (40,), gap_bytes=reading.GAP_BYTES + 1).manifest  # so that each photo is a read
    recording = RecordingStorage(storage)
    batches = stream(recording, manifest, num_lanes=2, batch_images=2, window_samples=5)
    next(batches)
    end = time.monotonic() + 30
    while len(recording.ranges) < 2 * 2 * 5 and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.2)  # for one who reads on
    batches.close()
    assert len(recording.ranges) == 2 * 2 * 5


@pytest.fixture
def broken(tmp_path, make_set):
    storage = open_storage(str(tmp_path / "broken"))
    return storage, make_set(storage, (6, 6)).manifest


def run(storage, manifest, **changes):
    return take(stream(storage, manifest, num_lanes=2, batch_images=2, **changes), 12)


def test_one_wrong_byte_is_said_by_photo_and_shard(broken):
    storage, manifest = broken
    tar = bytearray(storage.read_bytes("shards/00001.tar"))
    tar[manifest.offset[8] + 100] ^= 1
    storage.write_bytes("shards/00001.tar", bytes(tar))
    with pytest.raises(DataError, match=r"photo 000008 of shards/00001\.tar is broken"):
        run(storage, manifest)
    with pytest.raises(DataError, match="photo 000008"):
        read_photos(storage, manifest, np.arange(12))


@pytest.mark.parametrize("left_bytes", [3000, 0])
def test_a_truncated_shard(broken, left_bytes):
    storage, manifest = broken
    storage.write_bytes("shards/00000.tar", storage.read_bytes("shards/00000.tar")[:left_bytes])
    with pytest.raises(DataError, match=r"shards/00000\.tar is broken"):
        run(storage, manifest)


def test_a_missing_shard(broken):
    storage, manifest = broken
    storage.delete("shards/00000.tar")
    with pytest.raises(MissingError, match=r"shards/00000\.tar"):
        run(storage, manifest)


def test_a_manifest_of_other_shards(broken, tmp_path, make_set):
    storage, _ = broken
    other = make_set(open_storage(str(tmp_path / "other")), (6, 6), kind="PNG").manifest
    with pytest.raises(DataError, match="do not fit the manifest"):
        run(storage, other)


def test_a_copy_that_went_bad_in_the_cache_costs_a_second_read_and_no_more(broken, tmp_path):
    storage, manifest = broken
    cache = ShardCache(directory=tmp_path / "cache", limit_bytes=10**6)
    straight = run(storage, manifest)
    assert_same(run(storage, manifest, cache=cache), straight)
    copy = cache.directory / f"{manifest.shards[0].sha256}.tar"
    good = copy.read_bytes()
    copy.write_bytes(bytes(len(good)))
    assert_same(run(storage, manifest, cache=cache), straight)
    assert copy.read_bytes() == good


@pytest.mark.parametrize(
    ("data", "words"), [(b"\xff\xd8 no photo", "cannot be decoded"), (None, "of 9x8 px, not RGB of 8 px")]
)
def test_a_photo_that_is_none_although_its_hash_fits(broken, data, words):
    storage, manifest = broken
    if data is None:
        file = io.BytesIO()
        Image.new("RGB", (9, 8)).save(file, "JPEG")
        data = file.getvalue()
    tar = bytearray(storage.read_bytes("shards/00000.tar"))
    tar[manifest.offset[2] : manifest.offset[2] + len(data)] = data
    storage.write_bytes("shards/00000.tar", bytes(tar))
    size, sha256 = manifest.size.copy(), manifest.sha256.copy()
    size[2], sha256[2] = len(data), hashlib.sha256(data).hexdigest()
    with pytest.raises(DataError, match=f"photo 000002 .*{words}"):
        run(storage, dataclasses.replace(manifest, size=size, sha256=sha256))


def test_closing_ends_the_threads_also_while_they_read(storage, photo_set):
    batches = stream(RecordingStorage(storage, wait_s=0.05), photo_set.manifest)
    next(batches)
    assert any(thread.name.startswith("argan-") for thread in threading.enumerate())
    batches.close()  # and the fixture sees that they are gone


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"batch_images": 13}, "batch of 13"),
        ({"batch_images": 0}, "batch of 0"),
        ({"start_images": 13}, "13 images seen"),
        ({"start_images": -6}, "-6 images seen"),
        ({"lanes": range(5, 7)}, "range"),
        ({"lanes": range(0)}, "range"),
        ({"num_lanes": 34, "batch_images": 34}, "33 samples cannot be cut into 34 lanes"),
    ],
)
def test_numbers_that_do_not_fit_are_said_before_anything_is_read(photo_set, changes, words):
    with pytest.raises(UserError, match=words):
        stream(None, photo_set.manifest, **changes)


@pytest.mark.s3
def test_from_s3_come_the_same_batches(s3, storage, photo_set, make_set, tmp_path):
    remote = open_storage(f"{s3.uri}/stream")
    manifest = make_set(remote, COUNTS).manifest
    straight = take(stream(storage, photo_set.manifest), 6)
    assert_same(take(stream(remote, manifest), 6), straight)
    cache = ShardCache(directory=tmp_path / "cache", limit_bytes=20_000)
    assert_same(take(stream(remote, manifest, cache=cache), 6), straight)
    remote.write_bytes("shards/00004.tar", remote.read_bytes("shards/00004.tar")[:5000])
    with pytest.raises(DataError, match=r"shards/00004\.tar is broken"):
        take(stream(remote, manifest), 6)
