"""Faults on purpose, of eight kinds. Each changes a sound set, by a random generator's choice, into a broken one."""

import dataclasses
import json
import random
from collections.abc import Callable

import numpy as np
from small_set import SmallSet

from argan.data.manifest import ShardInfo
from argan.data.png import encode_png
from argan.data.shard_files import record_path, sha256, tar_path, write_shard
from argan.data.tar import TarWriter
from argan.data.tuple_manifest import HEAD_PATH, ROWS_PATH, write_tuple_manifest
from argan.data.tuple_set import TupleShard, encode_record, read_record, sample_members
from argan.generation.shard import add_sample
from argan.storage import Storage


def bit_flip(small: SmallSet, rng: random.Random) -> None:
    path = rng.choice([entry.path for entry in small.out.list("shards/")] + [ROWS_PATH, HEAD_PATH])
    data = bytearray(small.out.read_bytes(path))
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    small.out.write_bytes(path, bytes(data))


def truncated(small: SmallSet, rng: random.Random) -> None:
    path = rng.choice([entry.path for entry in small.out.list("shards/")] + [ROWS_PATH, HEAD_PATH])
    data = small.out.read_bytes(path)
    small.out.write_bytes(path, data[: rng.randrange(len(data))])


def missing(small: SmallSet, rng: random.Random) -> None:
    small.out.delete(rng.choice([entry.path for entry in small.out.list("shards/")] + [ROWS_PATH, HEAD_PATH]))


def swapped(small: SmallSet, rng: random.Random) -> None:
    first, second = rng.sample(range(small.terms.recipe.num_shards), 2)
    paths = [tar_path] if rng.random() < 0.5 else [tar_path, record_path]
    for path in paths:
        one, other = small.out.read_bytes(path(first)), small.out.read_bytes(path(second))
        small.out.write_bytes(path(first), other)
        small.out.write_bytes(path(second), one)


def doubled(small: SmallSet, rng: random.Random) -> None:
    """A shard stands twice: over another one, beyond the last, or under a name that reads like its own."""
    num_shards = small.terms.recipe.num_shards
    source = rng.randrange(num_shards)
    if rng.random() < 0.25:
        small.out.write_bytes(f"shards/{source:06d}.tar", small.out.read_bytes(tar_path(source)))
        return
    target = rng.choice([number for number in range(num_shards + 2) if number != source])
    for path in (tar_path, record_path):
        small.out.write_bytes(path(target), small.out.read_bytes(path(source)))


def wrong_schema(small: SmallSet, rng: random.Random) -> None:
    """One sample's json says another thing, and all hashes are those of that."""

    def change(members: dict[str, bytes]) -> None:
        info = json.loads(members["json"])
        info |= rng.choice([{"schema": "argan-tuples/0"}, {"seed": 99}, {"apertures": [0.25, 1.0]}, {"index": -1}])
        members["json"] = json.dumps(info, sort_keys=True).encode()

    rewrite(small, rng, change)


def flat_disparity(small: SmallSet, rng: random.Random) -> None:
    """One sample's disparity is one number everywhere, and all hashes are those of that."""
    code = rng.randrange(65536)

    def change(members: dict[str, bytes]) -> None:
        side = small.maker.config.resolution
        members["disparity.png"] = encode_png(np.full((side, side), code, np.uint16))

    rewrite(small, rng, change)


def stale_manifest(small: SmallSet, rng: random.Random) -> None:
    """The manifest of a set with fewer shards, or with other rows."""
    records = all_records(small)
    if rng.random() < 0.5:
        records = records[: rng.randrange(1, len(records))]
    else:
        row = rng.choice(list(rng.choice(records).rows))
        row["disparity_mean_px"] += 0.001
    write_tuple_manifest(small.out, small.terms.sha256, records)


def rewrite(small: SmallSet, rng: random.Random, change: Callable[[dict[str, bytes]], None]) -> None:
    """Changes the members of one sample, then writes tar, record and manifest as if it had been made so."""
    number = rng.randrange(small.terms.recipe.num_shards)
    record = read_record(small.out, number)
    data = small.out.read_bytes(tar_path(number))
    tar = TarWriter()
    kept = [row for row in record.rows if not row["reason"]]
    victim = rng.choice(kept)["index"]
    for row in kept:
        members = sample_members(data[row["offset"] : row["offset"] + row["size"]], row["index"])
        if row["index"] == victim:
            change(members)
        row.update(add_sample(tar, row["index"], members))
    write_as_if(small, record, tar.finish())


def write_as_if(small: SmallSet, record: TupleShard, data: bytes) -> None:
    """Tar, record and manifest, with all the hashes that they would have."""
    kept = [row for row in record.rows if not row["reason"]]
    for row in kept:
        row["sha256"] = sha256(data[row["offset"] : row["offset"] + row["size"]])
    name = tar_path(record.index)
    shard = ShardInfo(name=name, num_samples=len(kept), size_bytes=len(data), sha256=sha256(data))
    changed = dataclasses.replace(record, shard=shard)
    write_shard(small.out, record.index, tar=data, record=encode_record(changed))
    write_tuple_manifest(small.out, small.terms.sha256, all_records(small))


def all_records(small: SmallSet) -> list[TupleShard]:
    return [read_record(small.out, number) for number in range(small.terms.recipe.num_shards)]


def copy(source: Storage, target: Storage) -> None:
    for entry in source.list():
        target.write_bytes(entry.path, source.read_bytes(entry.path))


KINDS = (bit_flip, truncated, missing, swapped, doubled, wrong_schema, flat_disparity, stale_manifest)
