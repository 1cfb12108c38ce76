"""A packed set is what its source says, to the byte, whoever packs it and however often it was stopped."""

import hashlib
import io
import json
import tarfile
import uuid
from pathlib import Path

import numpy as np
import pytest
import webdataset
from PIL import Image
from wild_images import (
    encoded,
    exif_rotated_jpeg,
    huge_png,
    jpeg,
    quadrants,
    some_photos,
    tar_of,
    write_folder,
)

from argan.data.manifest import read_manifest
from argan.data.packing import PackedShard, Plan, commit, finished_shards, is_committed, make_plan, pack_shard, shuffled
from argan.data.sources import SceneItem, list_source
from argan.data.truth import decode_truth
from argan.errors import DataError, StorageError, UserError
from argan.scenes import scene
from argan.storage import Storage, open_storage

WILD = {
    "a/cmyk.jpg": jpeg(quadrants().convert("CMYK")),
    "a/turned.jpg": exif_rotated_jpeg(6),
    "a/empty.jpg": b"",
    "b/words.jpg": b"words",
    "b/cut.jpg": jpeg()[:600],
    "b/bomb.png": huge_png(60_000, 60_000),
    "small.png": encoded(quadrants(side_px=8), "PNG"),
    "ünicode name.jpg": jpeg(),
}
REASONS = {"empty": 1, "not an image": 1, "broken": 1, "too large": 1, "too small": 1}


def plan_of(source: str, *, resolution: int = 16, seed: int = 0, shard_samples: int = 4) -> Plan:
    return make_plan(
        source,
        list_source(source),
        resolution=resolution,
        seed=seed,
        shard_samples=shard_samples,
        max_pixels=1_000_000,
    )


def pack_all(plan: Plan, out: Storage, *, backwards: bool = False) -> dict[int, PackedShard]:
    jobs = sorted(plan.shard_jobs(), key=lambda job: job.index, reverse=backwards)
    records = {job.index: pack_shard(job, out) for job in jobs}
    commit(plan, out, records)
    return records


def contents(out: Storage) -> dict[str, bytes]:
    return {entry.path: out.read_bytes(entry.path) for entry in out.list()}


@pytest.fixture
def out(tmp_path: Path) -> Storage:
    return open_storage(str(tmp_path / "out"))


def test_offsets_cut_out_exactly_the_photo(tmp_path: Path, out: Storage) -> None:
    pack_all(plan_of(write_folder(tmp_path / "in", some_photos(11))), out)
    manifest = read_manifest(out)
    assert [shard.num_samples for shard in manifest.shards] == [4, 4, 3]
    assert (manifest.resolution, manifest.truth, manifest.seed, dict(manifest.skipped)) == (16, False, 0, {})
    in_tars = {}
    for number, shard in enumerate(manifest.shards):
        data = out.read_bytes(shard.name)
        assert (len(data), hashlib.sha256(data).hexdigest()) == (shard.size_bytes, shard.sha256)
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for member in tar:
                opened = tar.extractfile(member)
                assert opened is not None
                in_tars[number, member.name] = opened.read()
    assert len(in_tars) == manifest.num_samples == 11
    for row in range(manifest.num_samples):
        shard = manifest.shards[manifest.shard[row]]
        start = int(manifest.offset[row])
        photo = out.read_bytes(shard.name, start, start + int(manifest.size[row]))
        assert photo == in_tars[int(manifest.shard[row]), f"{manifest.key[row]}.jpg"]
        assert hashlib.sha256(photo).hexdigest().encode() == manifest.sha256[row]
        assert Image.open(io.BytesIO(photo)).size == (manifest.width[row], manifest.height[row]) == (16, 16)


def test_bytes_depend_neither_on_the_place_nor_on_the_order_of_work(tmp_path: Path) -> None:
    sets = []
    for name in ("here", "there"):
        write_folder(tmp_path / name / "in", WILD | some_photos(9))
        plan = make_plan(
            "in", list_source(str(tmp_path / name / "in")), resolution=16, seed=3, shard_samples=4, max_pixels=1_000_000
        )
        storage = open_storage(str(tmp_path / name / "out"))
        pack_all(plan, storage, backwards=name == "there")
        sets.append(contents(storage))
    assert sets[0] == sets[1]


def test_keys_are_unique_and_plain(tmp_path: Path, out: Storage) -> None:
    twice = {"x.jpg": jpeg(), "y.jpg": jpeg(), "sub/x.jpg": jpeg()}
    pack_all(plan_of(write_folder(tmp_path / "in", twice)), out)
    keys = read_manifest(out).key.tolist()
    assert len(set(keys)) == 3
    assert not any(sign in key for key in keys for sign in "./")


def test_bad_photos_are_counted_and_listed_and_good_ones_kept(tmp_path: Path, out: Storage) -> None:
    pack_all(plan_of(write_folder(tmp_path / "in", WILD)), out)
    manifest = read_manifest(out)
    assert dict(manifest.skipped) == REASONS
    assert manifest.num_samples == len(WILD) - len(REASONS)
    listed = [json.loads(line) for line in out.read_bytes("skipped.jsonl").splitlines()]
    assert {entry["name"] for entry in listed} == {"a/empty.jpg", "b/words.jpg", "b/cut.jpg", "b/bomb.png", "small.png"}
    assert all(entry["message"].startswith(f"{entry['name']}: ") for entry in listed)


def test_a_shard_with_nothing_but_bad_photos_is_empty(tmp_path: Path, out: Storage) -> None:
    plan = plan_of(write_folder(tmp_path / "in", WILD), shard_samples=1)
    pack_all(plan, out)
    counts = [shard.num_samples for shard in read_manifest(out).shards]
    assert sorted(counts) == [0] * 5 + [1] * 3


def test_a_set_of_nothing_is_refused(tmp_path: Path, out: Storage) -> None:
    plan = plan_of(write_folder(tmp_path / "in", {"a.jpg": b"words", "b.jpg": b""}))
    with pytest.raises(UserError, match=r"none of 2 photos .*1 empty"):
        pack_all(plan, out)
    assert not is_committed(out)


@pytest.mark.parametrize("lost", ["manifest.json", "manifest.parquet"])
def test_a_set_without_a_sound_manifest_is_not_there(out: Storage, lost: str) -> None:
    """The same command writes it again: all shards are finished."""
    plan = plan_of("scenes:5@1")
    pack_all(plan, out)
    assert is_committed(out)
    before = out.read_bytes(lost)
    out.write_bytes(lost, before[:-2])
    assert not is_committed(out)
    commit(plan, out, finished_shards(plan, out))
    assert is_committed(out)
    assert out.read_bytes(lost) == before


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # webdataset leaves its files open
def test_plain_webdataset_reads_the_shards(tmp_path: Path, out: Storage) -> None:
    pack_all(plan_of("scenes:5@1"), out)
    urls = [f"{out.uri}/{shard.name}" for shard in read_manifest(out).shards]
    samples = list(webdataset.WebDataset(urls, shardshuffle=False))
    assert [sample["__key__"] for sample in samples] == read_manifest(out).key.tolist()
    for sample in samples:
        assert {"jpg", "disparity.png", "mask.png", "json"} <= set(sample)


def test_scenes_keep_their_truth(out: Storage) -> None:
    pack_all(plan_of("scenes:5@7"), out)
    manifest = read_manifest(out)
    assert manifest.truth
    seen = set()
    for shard in manifest.shards:
        members: dict[str, dict[str, bytes]] = {}
        with tarfile.open(fileobj=io.BytesIO(out.read_bytes(shard.name))) as tar:
            for name in tar.getnames():
                key, _, suffix = name.partition(".")
                opened = tar.extractfile(name)
                assert opened is not None
                members.setdefault(key, {})[suffix] = opened.read()
        for sample in members.values():
            assert next(iter(sample)) == "jpg", "the photo comes first"
            truth = decode_truth(sample)
            made = scene(7, truth.info["index"], resolution=16)
            seen.add(truth.info["index"])
            step = float(np.ptp(made.disparity)) / 65535
            assert np.abs(truth.disparity - made.disparity).max() <= step
            assert np.array_equal(truth.mask, made.mask)
            assert (truth.dof_scale, truth.info["optics"]) == (made.dof_scale, made.optics)
            photo = np.asarray(Image.open(io.BytesIO(sample["jpg"]))).astype(int)
            assert np.abs(photo - made.image).mean() < 6
    assert seen == set(range(5))


def test_the_shuffle_is_a_permutation_by_seed_alone() -> None:
    items = list_source("scenes:100").items
    first, second = shuffled(items, 0), shuffled(items, 1)
    assert sorted(first) == sorted(items) == sorted(second)
    assert first != second != list(items)
    assert shuffled(items[::-1], 0) == first
    letters = [SceneItem(letter, 0, 0) for letter in "abcdefgh"]
    assert "".join(item.name for item in shuffled(letters, 5)) == "acdbgefh", "sets that exist must not change"


def test_finished_shards_are_found_and_damaged_ones_are_not(tmp_path: Path, out: Storage) -> None:
    source = write_folder(tmp_path / "in", some_photos(20))
    records = pack_all(plan_of(source), out)
    for path in ("shards/notes.json", "shards/00000 copy.json", "shards/old/00000.json"):
        out.write_bytes(path, b"[]")  # somebody's own
    whole = contents(out)
    out.delete("shards/00001.tar")
    out.write_bytes("shards/00002.tar", whole["shards/00002.tar"][:-1])
    out.write_bytes("shards/00003.json", whole["shards/00003.json"][:-1])
    out.write_bytes("shards/00004.json", b"\xff\xfe")
    plan = plan_of(source)
    found = finished_shards(plan, out)
    assert found == {0: records[0]}
    remade = {job.index: pack_shard(job, out) for job in plan.shard_jobs() if job.index not in found}
    commit(plan, out, found | remade)
    assert contents(out) == whole


@pytest.mark.parametrize("key", ["terms", "index", "shard", "rows", "skipped"])
def test_a_record_of_others_is_refused_and_kept(tmp_path: Path, out: Storage, key: str) -> None:
    plan = plan_of(write_folder(tmp_path / "in", some_photos(3)))
    pack_all(plan, out)
    record = json.loads(out.read_bytes("shards/00000.json"))
    for foreign in ({k: v for k, v in record.items() if k != key}, record | {key: 7}, record | {key: "x"}, [record], 3):
        out.write_bytes("shards/00000.json", json.dumps(foreign).encode())
        with pytest.raises(UserError, match=rf"{out.uri}/shards/00000\.json .*delete that file"):
            finished_shards(plan, out)


@pytest.mark.parametrize("change", [{"resolution": 8}, {"seed": 1}, {"shard_samples": 5}])
def test_shards_on_other_terms_are_refused(tmp_path: Path, out: Storage, change: dict[str, int]) -> None:
    source = write_folder(tmp_path / "in", some_photos(6))
    pack_shard(next(plan_of(source).shard_jobs()), out)
    with pytest.raises(UserError, match=next(iter(change))):
        finished_shards(plan_of(source, **change), out)


def test_a_changed_source_is_refused(tmp_path: Path, out: Storage) -> None:
    source = write_folder(tmp_path / "in", some_photos(6))
    pack_shard(next(plan_of(source).shard_jobs()), out)
    (tmp_path / "in" / "new.jpg").write_bytes(jpeg())
    with pytest.raises(UserError, match="num_items was 6, is 7"):
        finished_shards(plan_of(source), out)


def test_a_set_of_other_making_is_refused(tmp_path: Path, out: Storage) -> None:
    plan = plan_of(write_folder(tmp_path / "in", some_photos(3)))
    pack_all(plan, out)
    out.delete("shards/00000.json")
    with pytest.raises(UserError, match="another command"):
        finished_shards(plan, out)


def test_a_photo_that_cannot_be_read_stops_the_packing(tmp_path: Path, out: Storage) -> None:
    """What is in a set depends on bytes, not on whether a disk or a network was there."""
    plan = plan_of(write_folder(tmp_path / "in", some_photos(3)))
    (tmp_path / "in" / "001.png").unlink()
    with pytest.raises(StorageError, match=r"001\.png"):
        pack_shard(next(plan.shard_jobs()), out)


@pytest.mark.parametrize(
    "changes",
    [{"resolution": 0}, {"resolution": 100_000}, {"seed": -1}, {"shard_samples": 0}],
)
def test_terms_out_of_range_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(UserError, match=f"got {next(iter(changes.values()))}"):
        plan_of("scenes:3", **changes)


@pytest.fixture
def bucket(request: pytest.FixtureRequest) -> Storage:
    return open_storage(f"{request.getfixturevalue('s3').uri}/{uuid.uuid4().hex}")


@pytest.mark.s3
def test_from_bucket_to_bucket_it_is_the_same_set(tmp_path: Path, bucket: Storage, out: Storage) -> None:
    files = WILD | {"more.tar": tar_of(some_photos(6))}
    write_folder(tmp_path / "in", files)
    for name, data in files.items():
        bucket.write_bytes(f"in/{name}", data)

    def packed(source: str, target: Storage) -> dict[str, bytes]:
        plan = make_plan("in", list_source(source), resolution=16, seed=0, shard_samples=4, max_pixels=1_000_000)
        pack_all(plan, target)
        return contents(target)

    here = packed(str(tmp_path / "in"), out)
    there = packed(bucket.child("in").uri, bucket.child("out"))
    assert here == there


def test_an_unfinished_set_is_no_set(tmp_path: Path, out: Storage) -> None:
    plan = plan_of(write_folder(tmp_path / "in", some_photos(6)))
    pack_shard(next(plan.shard_jobs()), out)
    with pytest.raises(DataError, match="holds no finished set"):
        read_manifest(out)
