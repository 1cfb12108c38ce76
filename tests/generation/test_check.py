"""Verification: no fault that was planted is missed, no sound set is accused, what is mended is what was there."""

import dataclasses
import random
import tempfile
from pathlib import Path

import faults
import numpy as np
import pyarrow.parquet
import pytest
from small_set import SmallSet, content, make_small_set, recipe

from argan.data.png import decode_png, encode_png
from argan.data.sealed import seal, unseal
from argan.data.shard_files import record_path, tar_path, write_shard
from argan.data.tar import TarWriter
from argan.data.tuple_manifest import HEAD_PATH, ROWS_PATH, SET_SCHEMA, make_tuple_manifest, path_sha256, read_head
from argan.data.tuple_set import encode_record, read_record, sample_members
from argan.errors import DataError
from argan.generation import check
from argan.generation.check import Fault
from argan.generation.recipe import Quality
from argan.generation.shard import add_sample, make_shard
from argan.storage import open_storage

FAULTS_A_KIND = 25  # of 8 kinds: 200
SOUND_SETS = 50


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> SmallSet:
    return make_small_set(open_storage(str(tmp_path_factory.mktemp("sound"))), recipe(num_samples=22, shard_samples=6))


@pytest.fixture
def small(sound: SmallSet, tmp_path: Path) -> SmallSet:
    """A copy to break."""
    out = open_storage(str(tmp_path / "set"))
    faults.copy(sound.out, out)
    return sound._replace(out=out)


@pytest.mark.parametrize("kind", faults.KINDS, ids=lambda kind: kind.__name__)
def test_every_fault_is_found(kind, sound: SmallSet, small: SmallSet) -> None:
    before = content(sound.out)
    for seed in range(FAULTS_A_KIND):
        kind(small, random.Random(seed))
        after = content(small.out)
        changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
        assert changed, f"seed {seed} changed nothing"
        found = small.faults()
        assert found, f"{kind.__name__} of seed {seed} was not found: {sorted(changed)}"
        for path in changed:
            small.out.delete(path)
            if path in before:
                small.out.write_bytes(path, before[path])


def test_no_sound_set_is_accused(tmp_path: Path) -> None:
    for seed in range(SOUND_SETS):
        rng = random.Random(seed)
        wanted = recipe(
            num_samples=rng.randrange(1, 20),
            shard_samples=rng.randrange(1, 12),
            seed=seed,
            apertures=tuple(rng.choice([0.25, 0.5, 1.0]) for _ in range(rng.randrange(1, 3))),
            random_apertures=rng.randrange(3),
            focus_px=rng.choice([0.0, -0.3]),
            truncation=rng.choice([0.0, 1.5]),
            quality=Quality(min_contrast=rng.choice([-10.0, 0.0]), min_sharpness=0.0),
        )
        assert make_small_set(open_storage(str(tmp_path / str(seed))), wanted).faults(num_retaken=3) == []


def test_a_fault_says_where_and_what(small: SmallSet) -> None:
    small.out.write_bytes("shards/00001.tar", small.out.read_bytes("shards/00002.tar"))
    small.out.delete("shards/00000.tar")
    small.out.write_bytes("shards/notes.txt", b"")
    sentences = [str(fault) for fault in small.faults()]
    assert "shards/00000.tar: missing" in sentences
    assert "shards/00001.tar: holds what shards/00002.tar should" in sentences
    assert "shards/notes.txt: no file of the set" in sentences
    assert len(sentences) == 4  # and the hash of 00001.tar


def test_a_sample_that_stands_in_a_tar_twice_is_found(small: SmallSet) -> None:
    """Behind the stretches that the rows know: a reader of the tar would get it all the same."""
    record, tar = read_record(small.out, 1), TarWriter()
    data = small.out.read_bytes(tar_path(1))
    for row in [*record.rows, record.rows[0]]:
        members = sample_members(data[row["offset"] : row["offset"] + row["size"]], row["index"])
        place = add_sample(tar, row["index"], members)
        if row is not record.rows[0] or place["offset"] == 0:
            row.update(place)
    faults.write_as_if(small, record, tar.finish())
    assert [fault.what for fault in small.faults()] == ["it does not end after its last sample"]


def test_a_sample_under_anothers_name_is_found(small: SmallSet) -> None:
    record, tar = read_record(small.out, 0), TarWriter()
    data = small.out.read_bytes(tar_path(0))
    for row in record.rows:
        members = sample_members(data[row["offset"] : row["offset"] + row["size"]], row["index"])
        row.update(add_sample(tar, row["index"] + (500 if row["index"] == 5 else 0), members))
    faults.write_as_if(small, record, tar.finish())
    [fault] = small.faults()
    assert "sample 5" in fault.path
    assert "000000505.deep.png is no member of it" in fault.what


def test_a_good_sample_that_was_dropped_as_flat_is_found(small: SmallSet) -> None:
    record, tar = read_record(small.out, 0), TarWriter()
    data = small.out.read_bytes(tar_path(0))
    for row in record.rows:
        if row["index"] == 4:
            row |= {"reason": "flat", "offset": 0, "size": 0, "sha256": "", "deep_sha256": ""}
            continue
        members = sample_members(data[row["offset"] : row["offset"] + row["size"]], row["index"])
        row.update(add_sample(tar, row["index"], members))
    faults.write_as_if(small, record, tar.finish())
    assert [str(fault) for fault in small.faults()] == [f"{record_path(0)}: sample 4 is flat, by its measures kept"]


@pytest.mark.parametrize("column", ["reason", "shard", "deep_sha256", "sharpness", "aperture_1"])
def test_a_row_that_lacks_something_is_a_fault_and_no_crash(small: SmallSet, column: str) -> None:
    record = read_record(small.out, 1)
    del record.rows[2][column]
    small.out.write_bytes(record_path(1), encode_record(record))
    [fault] = small.faults()
    assert str(fault).startswith(f"{record_path(1)}: the row of sample 8 lacks these")
    assert column in fault.what


def test_a_row_that_holds_something_else_is_a_fault_and_no_crash(small: SmallSet) -> None:
    record = read_record(small.out, 1)
    record.rows[2]["size"] = "large"
    small.out.write_bytes(record_path(1), encode_record(record))
    [fault] = small.faults()
    assert str(fault).startswith(f"{record_path(1)}: its rows hold something else")


def test_a_size_that_is_not_the_tars_is_found(small: SmallSet) -> None:
    record = read_record(small.out, 0)
    wrong = dataclasses.replace(record, shard=dataclasses.replace(record.shard, size_bytes=7))
    small.out.write_bytes(record_path(0), encode_record(wrong))
    assert f"{record_path(0)}: 7 bytes recorded" in str(small.faults()[0])


def test_empty_shards_are_not_each_others_twins(tmp_path: Path) -> None:
    none = recipe(num_samples=12, shard_samples=6, quality=Quality(min_spread=99.0))
    made = make_small_set(open_storage(str(tmp_path)), none)
    assert made.faults() == []
    made.out.write_bytes(record_path(0), b"damaged")
    [fault] = made.faults()
    assert fault.path == record_path(0)


def test_another_processors_last_bits_are_no_fault(small: SmallSet) -> None:
    record = read_record(small.out, 0)
    for row in record.rows:
        row["sharpness"] *= 1 + 1e-13
    faults.write_as_if(small, record, small.out.read_bytes(tar_path(0)))
    assert small.faults() == []


def test_the_same_rows_in_another_pyarrows_bytes_are_no_fault(small: SmallSet, tmp_path: Path) -> None:
    """Only the head knows the file's hash, so it has to be written with it."""
    with tempfile.TemporaryDirectory() as folder:
        make_tuple_manifest(Path(folder), small.terms.sha256, faults.all_records(small))
        source = pyarrow.parquet.ParquetFile(f"{folder}/{ROWS_PATH}")
        with pyarrow.parquet.ParquetWriter(
            f"{small.out.uri}/{ROWS_PATH}", source.schema_arrow, compression="snappy"
        ) as out:
            for group in range(source.num_row_groups):
                out.write_table(source.read_row_group(group))
        source.close()
    head = read_head(small.out)
    head["manifest_sha256"] = path_sha256(Path(small.out.uri) / ROWS_PATH)
    small.out.write_bytes(HEAD_PATH, seal({"schema": SET_SCHEMA, **head}, indent=1))
    assert small.faults() == []


def test_a_changed_seal_is_a_changed_file() -> None:
    data = seal({"schema": "s/1", "a": [1, 2.5, "x"]})
    assert unseal(data, "s/1") == {"a": [1, 2.5, "x"]}
    for place in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[place] ^= 1 << bit
            with pytest.raises(DataError):
                unseal(bytes(flipped), "s/1")


def test_a_shallow_photo_of_another_sample_is_found_by_rendering_again(small: SmallSet) -> None:
    def exchange(members: dict[str, bytes]) -> None:
        members["shallow-1.png"] = members["deep.png"]

    faults.rewrite(small, random.Random(1), exchange)
    assert small.faults(num_retaken=0) == []  # hashes and measures are all right
    [fault] = small.faults(num_retaken=12)
    assert isinstance(fault, Fault)
    assert "differs from its refocused deep photo" in fault.what


def test_a_mirrored_sample_is_found(small: SmallSet) -> None:
    """Its measures are the same, and its photos are taken as they should be."""

    def mirror(members: dict[str, bytes]) -> None:
        for name in members.keys() - {"json"}:
            kind, channels = (np.uint16, 1) if name == "disparity.png" else (np.uint8, 3)
            pixels = decode_png(members[name], name, kind, channels=channels)
            members[name] = encode_png(np.ascontiguousarray(pixels[:, ::-1]))

    faults.rewrite(small, random.Random(1), mirror)
    [fault] = small.faults(num_retaken=12)
    assert fault.what == "its deep photo is not the one recorded"


@pytest.mark.parametrize("wanted", [0, 1, 5, 7, 11, 100])
def test_as_many_are_taken_again_as_were_asked_for(sound: SmallSet, monkeypatch: pytest.MonkeyPatch, wanted) -> None:
    taken: list[bool] = []
    monkeypatch.setattr(check, "_wrong", lambda *_, is_retaken: taken.append(is_retaken) or "")
    sound.faults(num_retaken=wanted)
    kept = [record.shard.num_samples for record in faults.all_records(sound)]
    assert len(taken) == sum(kept)
    assert sum(taken) == sum(min(wanted, num) for num in kept)


def test_what_is_made_again_is_what_was_there(sound: SmallSet, small: SmallSet) -> None:
    small.out.write_bytes("shards/00002.tar", b"nothing")
    shard = make_shard(small.maker, small.terms, 2)
    write_shard(small.out, 2, tar=shard.tar, record=encode_record(shard.record))
    assert content(small.out) == content(sound.out)
