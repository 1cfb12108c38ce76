"""The laws that both kinds of storage keep."""

import pickle
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from argan.errors import ConflictError, MissingError, StorageError
from argan.storage import Entry, Storage
from argan.storage import s3 as s3_module

DATA = bytes(range(256)) * 40


def test_what_is_written_is_read(storage: Storage) -> None:
    for data in (DATA, b"", b"\x00\r\n\xff"):
        storage.write_bytes("deep/er/object", data)
        assert storage.read_bytes("deep/er/object") == data
        assert storage.size_bytes("deep/er/object") == len(data)
        assert storage.read_versioned("deep/er/object").data == data


@pytest.mark.parametrize("start", [0, 1, 100, len(DATA) - 1, len(DATA), len(DATA) + 7])
@pytest.mark.parametrize("length", [0, 1, 300, len(DATA), None])
def test_ranges_are_cut_as_slices_are(storage: Storage, start: int, length: int | None) -> None:
    storage.write_bytes("object", DATA)
    stop = None if length is None else start + length
    assert storage.read_bytes("object", start, stop) == DATA[start:stop]


def test_a_range_of_an_empty_object_is_empty(storage: Storage) -> None:
    storage.write_bytes("object", b"")
    assert storage.read_bytes("object", 0, 10) == b""
    assert storage.read_bytes("object", 3) == b""


@pytest.mark.parametrize(("start", "stop"), [(-1, None), (-5, -1), (3, 2)])
def test_a_range_that_is_none_is_a_bug(storage: Storage, start: int, stop: int | None) -> None:
    storage.write_bytes("object", DATA)
    with pytest.raises(ValueError, match="range"):
        storage.read_bytes("object", start, stop)


def test_missing_is_said_with_the_uri(storage: Storage, tmp_path: Path) -> None:
    storage.write_bytes("folder/object", DATA)
    for path in ("no", "folder", "folder/no", "no/object", "folder/object/no"):
        for verb in (storage.read_bytes, storage.read_versioned, storage.size_bytes):
            with pytest.raises(MissingError, match=f"{storage.uri}/{path}"):
                verb(path)
        with pytest.raises(MissingError):
            storage.read_bytes(path, 3, 3)
        with pytest.raises(MissingError):
            storage.download(path, tmp_path / "copy")
        assert not storage.exists(path)
        storage.delete(path)
    assert not (tmp_path / "copy").exists()
    assert storage.exists("folder/object")


def test_delete_takes_away_one_object(storage: Storage) -> None:
    storage.write_bytes("a", DATA)
    storage.write_bytes("ab", DATA)
    storage.delete("a")
    assert [entry.path for entry in storage.list()] == ["ab"]


def test_a_listing_is_sorted_and_takes_a_prefix_as_a_string(storage: Storage) -> None:
    paths = ["shards/00001.tar", "shards/00000.tar", "shards-old/0", "shards.json", "S", "z/\u00e9", "z/u/x", ".hidden"]
    for size_bytes, path in enumerate(paths):
        storage.write_bytes(path, b"x" * size_bytes)
    expected = sorted((Entry(path, size) for size, path in enumerate(paths)), key=lambda entry: entry.path.encode())
    assert list(storage.list()) == expected
    for prefix in ("shards", "shards/", "shards/0000", "z/", "z/u", "none", "none/", "shards.json"):
        assert list(storage.list(prefix)) == [entry for entry in expected if entry.path.startswith(prefix)]


def test_a_listing_goes_over_pages(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_module, "PAGE_KEYS", 3)
    for index in range(10):
        storage.write_bytes(f"{index}", b"")
    assert [entry.path for entry in storage.list()] == [f"{index}" for index in range(10)]


def test_a_child_is_a_folder_of_its_parent(storage: Storage) -> None:
    child = storage.child("runs").child("first")
    child.write_bytes("config.json", DATA)
    assert storage.read_bytes("runs/first/config.json") == DATA
    assert list(child.list()) == [Entry("config.json", len(DATA))]
    assert child.uri == f"{storage.uri}/runs/first"


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../other", "a/../../b", "a//b", "a/", "./a", "a\\b"])
def test_no_path_leads_out(storage: Storage, path: str) -> None:
    for verb in (storage.read_bytes, storage.delete, storage.exists, storage.child):
        with pytest.raises(StorageError, match="inside"):
            verb(path)
    with pytest.raises(StorageError, match="inside"):
        storage.write_bytes(path, DATA)


def test_files_go_up_and_come_down(storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_module, "PART_BYTES", 5 << 20)  # the least that S3 allows
    content = DATA * 1100  # three parts, the last one short
    (tmp_path / "source").write_bytes(content)
    storage.upload(tmp_path / "source", "big")
    assert storage.size_bytes("big") == len(content)
    storage.download("big", tmp_path / "folder" / "copy")
    assert (tmp_path / "folder" / "copy").read_bytes() == content
    assert storage.read_bytes("big", (5 << 20) - 3, (5 << 20) + 3) == content[(5 << 20) - 3 : (5 << 20) + 3]
    with pytest.raises(MissingError):
        storage.upload(tmp_path / "none", "none")


def test_storage_travels_by_its_uri(storage: Storage) -> None:
    storage.write_bytes("object", DATA)
    packed = pickle.dumps(storage)
    assert len(packed) < 300
    assert pickle.loads(packed).read_bytes("object") == DATA


def test_conditional_writes_hold_their_condition(storage: Storage) -> None:
    first = storage.write_if("pointer", b"1", None)
    assert storage.read_versioned("pointer") == (b"1", first)
    with pytest.raises(ConflictError, match="pointer"):
        storage.write_if("pointer", b"2", None)
    second = storage.write_if("pointer", b"2", first)
    assert second != first
    with pytest.raises(ConflictError):
        storage.write_if("pointer", b"3", first)
    assert storage.read_versioned("pointer") == (b"2", second)
    storage.delete("pointer")
    with pytest.raises(ConflictError):
        storage.write_if("pointer", b"3", second)
    assert not storage.exists("pointer")
    assert [entry.path for entry in storage.list()] == []  # locks and the like are not objects


def test_of_racing_writers_one_wins_each_version(storage: Storage) -> None:
    num_writers, num_versions = 4, 12
    wins: Counter[str] = Counter()
    barrier = threading.Barrier(num_writers, timeout=60)

    def race(name: str) -> None:
        for number in range(num_versions):
            version = storage.read_versioned("pointer").version if number else None
            barrier.wait()  # all hold the same version
            try:
                storage.write_if("pointer", f"{number} by {name}".encode(), version)
                wins[f"{number} by {name}"] += 1
            except ConflictError:
                pass
            barrier.wait()

    run_threads([partial(race, f"writer {index}") for index in range(num_writers)])
    assert sorted(int(win.split()[0]) for win in wins) == list(range(num_versions))
    assert storage.read_bytes("pointer").decode() in wins


def test_a_count_kept_by_conditional_writes_loses_nothing(storage: Storage) -> None:
    num_writers, num_steps = 3, 8
    storage.write_bytes("count", b"0")

    def count() -> None:
        for _ in range(num_steps):
            while True:
                standing = storage.read_versioned("count")
                try:
                    storage.write_if("count", str(int(standing.data) + 1).encode(), standing.version)
                    break
                except ConflictError:
                    continue

    run_threads([count] * num_writers)
    assert int(storage.read_bytes("count")) == num_writers * num_steps


def test_readers_see_one_write_or_another_never_a_mix(storage: Storage) -> None:
    size_bytes = 300_000
    storage.write_bytes("object", b"a" * size_bytes)
    seen: Counter[bytes] = Counter()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            data = storage.read_bytes("object")
            seen[bytes(sorted(set(data))) + str(len(data)).encode()] += 1

    def write() -> None:
        for number in range(30):
            storage.write_bytes("object", (b"b", b"c")[number % 2] * size_bytes)
        done.set()

    run_threads([read, read, write])
    assert set(seen) <= {letter + str(size_bytes).encode() for letter in (b"a", b"b", b"c")}
    assert sum(seen.values()) > 2


def run_threads(works: list[Callable[[], object]]) -> None:
    """Run all works at once; the first error of any comes out."""
    with ThreadPoolExecutor(len(works)) as pool:
        for future in [pool.submit(work) for work in works]:
            future.result()
