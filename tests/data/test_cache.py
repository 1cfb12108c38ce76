"""The cache: never over its limit, never wrong bytes, one download for many who ask."""

import fcntl
import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from argan.data.cache import ShardCache
from argan.data.manifest import ShardInfo
from argan.errors import DataError, MissingError, StorageError
from argan.storage import open_storage

SHARD_BYTES = 1000


@pytest.fixture
def storage(tmp_path):
    return open_storage(str(tmp_path / "set"))


@pytest.fixture
def shards(storage):
    infos = []
    for index in range(5):
        data = bytes([index]) * SHARD_BYTES
        storage.write_bytes(f"{index}.tar", data)
        digest = hashlib.sha256(data).hexdigest()
        infos.append(ShardInfo(name=f"{index}.tar", num_samples=1, size_bytes=SHARD_BYTES, sha256=digest))
    return infos


@pytest.fixture
def cache(tmp_path):
    return ShardCache(directory=tmp_path / "cache", limit_bytes=2 * SHARD_BYTES + 10)


def read(cache, storage, shard):
    with cache.open(storage, shard) as file:
        return file.read()


def held(cache, shards):
    return [index for index, shard in enumerate(shards) if (cache.directory / f"{shard.sha256}.tar").exists()]


def held_bytes(cache):
    return sum(entry.stat().st_size for entry in os.scandir(cache.directory))


def test_a_copy_is_made_once_and_outlives_the_original(cache, storage, shards):
    assert read(cache, storage, shards[3]) == bytes([3]) * SHARD_BYTES
    storage.delete("3.tar")
    assert read(cache, storage, shards[3]) == bytes([3]) * SHARD_BYTES


def test_another_users_folder_is_not_used(cache, storage, shards, monkeypatch):
    uid = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
    with pytest.raises(StorageError, match=r"another user: set compute\.cache_folder"):
        cache.open(storage, shards[0])


def test_the_longest_unused_goes_first(cache, storage, shards):
    for index in (0, 1, 0, 2):
        read(cache, storage, shards[index])
    assert held(cache, shards) == [0, 2]


def test_an_open_copy_stays_readable_when_dropped(cache, storage, shards):
    with cache.open(storage, shards[0]) as file:
        for shard in shards[1:]:
            read(cache, storage, shard)
        assert held(cache, shards) == [3, 4]
        assert file.read() == bytes([0]) * SHARD_BYTES


def test_a_shard_over_the_limit_is_not_cached_and_nothing_goes_for_it(cache, storage, shards):
    read(cache, storage, shards[0])
    data = bytes(3 * SHARD_BYTES)
    storage.write_bytes("big.tar", data)
    digest = hashlib.sha256(data).hexdigest()
    assert cache.open(storage, ShardInfo(name="big.tar", num_samples=1, size_bytes=len(data), sha256=digest)) is None
    assert held(cache, shards) == [0]
    assert not list(cache.directory.glob("*.part"))


def test_a_truncated_copy_is_fetched_again(cache, storage, shards):
    read(cache, storage, shards[0])
    os.truncate(cache.directory / f"{shards[0].sha256}.tar", 10)
    assert read(cache, storage, shards[0]) == bytes([0]) * SHARD_BYTES


@pytest.mark.parametrize("wrong", [b"x" * SHARD_BYTES, b"short", b""])
def test_wrong_bytes_are_not_kept(cache, storage, shards, wrong):
    storage.write_bytes("0.tar", wrong)
    with pytest.raises(DataError, match=r"0\.tar is not the file"):
        cache.open(storage, shards[0])
    assert held_bytes(cache) == 0


def test_a_missing_shard_leaves_nothing_behind(cache, storage, shards):
    storage.delete("0.tar")
    with pytest.raises(MissingError):
        cache.open(storage, shards[0])
    assert held_bytes(cache) == 0


def test_what_is_on_its_way_counts(cache, storage, shards):
    """While others fetch as much as the limit allows, we go without a copy."""
    cache.directory.mkdir()
    with (cache.directory / "a.part").open("wb") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        theirs.truncate(2 * SHARD_BYTES)
        assert cache.open(storage, shards[0]) is None
    assert read(cache, storage, shards[0]) == bytes([0]) * SHARD_BYTES  # their lock is gone: dead, and cleared away
    assert not (cache.directory / "a.part").exists()


def test_the_part_of_a_dead_owner_is_begun_anew(cache, storage, shards):
    cache.directory.mkdir()
    (cache.directory / f"{shards[0].sha256}.part").write_bytes(b"half")
    assert read(cache, storage, shards[0]) == bytes([0]) * SHARD_BYTES


class CountingStorage:
    uri = "counting"

    def __init__(self, storage):
        self.storage, self.reads = storage, []

    def read_bytes(self, path, start, stop):
        self.reads.append(path)
        return self.storage.read_bytes(path, start, stop)


def test_many_who_ask_at_once_wait_for_one_download(cache, storage, shards):
    counting = CountingStorage(storage)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: read(cache, counting, shards[1]), range(40)))
    assert set(found) == {bytes([1]) * SHARD_BYTES}
    assert counting.reads == ["1.tar"]


HAMMER = """
import os, random, sys
from pathlib import Path
from argan.data.cache import ShardCache
from argan.data.manifest import ShardInfo
from argan.storage import open_storage
uri, folder, limit, seed, *hashes = sys.argv[1:]
cache = ShardCache(directory=Path(folder), limit_bytes=int(limit))
draw = random.Random(int(seed))
for _ in range(150):
    index = draw.randrange(len(hashes))
    info = ShardInfo(name=f"{index}.tar", num_samples=1, size_bytes=1000, sha256=hashes[index])
    file = cache.open(open_storage(uri), info)
    if file is not None:
        with file:
            assert file.read() == bytes([index]) * 1000
    with cache._locked():
        assert sum(entry.stat().st_size for entry in os.scandir(folder)) <= int(limit)
"""


def test_several_processes_stay_under_the_limit_together(cache, storage, shards):
    hashes = [shard.sha256 for shard in shards]
    command = [sys.executable, "-c", HAMMER, storage.uri, str(cache.directory), str(cache.limit_bytes)]
    processes = [subprocess.Popen([*command, str(seed), *hashes]) for seed in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
