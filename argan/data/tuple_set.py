"""A set of samples in the schema "argan-tuples/1": where its files are, and its shards with their records.

terms.json        all that decides the set's bytes; written first
origin.json       where the model and the code come from; decides nothing
model/            the model that makes it, as the folder of a run: the set can be repaired from itself
shards/00000.tar  the kept samples of a fixed range of indices; one with none is an empty tar
shards/00000.json its record, written after it: the rows of its samples and the tar's SHA-256
manifest.parquet  a row an attempt, rejected ones too (argan/data/tuple_manifest.py)
manifest.json     written last of these: from here on the set is there
README.md, index.html   its card
"""

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from argan.data.manifest import ShardInfo
from argan.errors import DataError, MissingError
from argan.storage import Storage

RECORD_SCHEMA = "argan-tuple-shard/1"
TERMS_PATH = "terms.json"
ORIGIN_PATH = "origin.json"
MODEL_PATH = "model"
OUR_SHARD_FILE = re.compile(r"shards/(\d{5,})\.(tar|json)")

Row = dict[str, Any]
"""An attempt: index; reason it was rejected, or ""; shard; offset and size of its stretch of the tar, sha256 of that
stretch, deep_sha256 of the deep photo's pixels (offset 0, size 0 and no hashes when rejected); the measures; and
aperture_0, aperture_1, ...: the dof_scale of each shallow photo.
"""


@dataclass(frozen=True, kw_only=True)
class ShardRecord:
    """What stands in shards/00000.json."""

    terms_sha256: str
    index: int
    shard: ShardInfo
    rows: Sequence[Row]


def tar_path(index: int) -> str:
    return f"shards/{index:05d}.tar"


def record_path(index: int) -> str:
    return f"shards/{index:05d}.json"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def encode_record(record: ShardRecord) -> bytes:
    values = {"schema": RECORD_SCHEMA, **asdict(record)}
    return _json({**values, "record_sha256": sha256(_json(values))})


def decode_record(data: bytes) -> ShardRecord:
    """Raises DataError where it is no record, or is not as it was written: it carries its own hash, since of rejected
    samples nothing else is there to compare it with.
    """
    try:
        values = json.loads(data)
        schema = values.pop("schema")
        own_sha256 = values.pop("record_sha256")
        record = ShardRecord(shard=ShardInfo(**values.pop("shard")), **values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"the record does not parse: {error}") from error
    if schema != RECORD_SCHEMA:
        raise DataError(f"the record has schema {schema!r}, not {RECORD_SCHEMA!r}")
    if encode_record(record) != data:
        raise DataError(f"the record is not as it was written (sha256 {own_sha256})")
    return record


def _json(values: dict[str, Any]) -> bytes:
    return json.dumps(values, sort_keys=True, allow_nan=False).encode()


def write_shard(out: Storage, record: ShardRecord, data: bytes) -> None:
    """The tar, then its record: who finds the record need not make the shard again."""
    out.write_bytes(record.shard.name, data)
    out.write_bytes(record_path(record.index), encode_record(record))


def finished_shard(out: Storage, index: int, terms_sha256: str) -> ShardRecord | None:
    """The record of a shard that stands at `out` whole, by its hash; None where it has to be made."""
    try:
        record = decode_record(out.read_bytes(record_path(index)))
        data = out.read_bytes(tar_path(index))
    except (MissingError, DataError):
        return None
    ours = (record.index, record.terms_sha256, record.shard.name) == (index, terms_sha256, tar_path(index))
    return record if ours and record.shard.sha256 == sha256(data) else None


def sample_members(stretch: bytes) -> dict[str, bytes]:
    """The members of one sample by their names after the key. `stretch` is its part of a tar, by offset and size.

    Raises DataError where it is no part of a tar, or holds more than one sample.
    """
    members: dict[str, bytes] = {}
    keys = set()
    try:
        with tarfile.open(fileobj=io.BytesIO(stretch)) as tar:
            for info in tar:
                file = tar.extractfile(info)
                if file is None:
                    raise DataError(f"{info.name} is no file")
                key, _, name = info.name.partition(".")
                keys.add(key)
                members[name] = file.read()
    except (tarfile.TarError, OSError) as error:
        raise DataError(f"it is no part of a tar: {error}") from error
    if len(keys) != 1:
        raise DataError(f"it holds the samples {sorted(keys)}")
    return members
