"""A set of samples in the schema "argan-tuples/1": where its files are, and its shards with their records.

terms.json        all that decides the set's bytes; written before any shard
origin.json       where the model and the code come from; decides nothing
model/            the model that makes it, as the folder of a run: the set can be repaired from itself
shards/00000.tar  the kept samples of a fixed range of indices; one with none is an empty tar
shards/00000.json its record, written after it: the rows of its samples and the tar's SHA-256
manifest.parquet  a row an attempt, rejected ones too (argan/data/tuple_manifest.py)
manifest.json     written last of these: from here on the set is there
README.md, index.html   its card
"""

import io
import tarfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from argan.data.manifest import ShardInfo
from argan.data.sealed import seal, unseal
from argan.data.shard_files import record_path, sha256, tar_path
from argan.errors import DataError, MissingError
from argan.storage import Storage

RECORD_SCHEMA = "argan-tuple-shard/1"
TERMS_PATH = "terms.json"
ORIGIN_PATH = "origin.json"
MODEL_PATH = "model"

Row = dict[str, Any]
"""An attempt: index; reason it was rejected, or ""; shard; offset and size of its stretch of the tar, sha256 of that
stretch, deep_sha256 of the deep photo's pixels (offset 0, size 0 and no hashes when rejected); the measures; and
aperture_0, aperture_1, ...: the dof_scale of each shallow photo.
"""
ROW_FIELDS = ("index", "reason", "shard", "offset", "size", "sha256", "deep_sha256")
"""Those that all rows have, beside the measures and apertures."""


@dataclass(frozen=True, kw_only=True)
class TupleShard:
    """What stands in shards/00000.json."""

    terms_sha256: str
    index: int
    shard: ShardInfo
    rows: Sequence[Row]


def encode_record(record: TupleShard) -> bytes:
    """Sealed: of rejected samples nothing else is there to compare it with."""
    return seal({"schema": RECORD_SCHEMA, **asdict(record)})


def decode_record(data: bytes) -> TupleShard:
    """Raises DataError where it is no record, or is not as it was written."""
    values = unseal(data, RECORD_SCHEMA)
    try:
        return TupleShard(shard=ShardInfo(**values.pop("shard")), **values)
    except (KeyError, TypeError) as error:
        raise DataError(f"the record lacks something: {error}") from error


def read_record(out: Storage, number: int) -> TupleShard:
    """Raises MissingError where it is not there, DataError, with its path, where it is damaged."""
    try:
        return decode_record(out.read_bytes(record_path(number)))
    except DataError as error:
        raise DataError(f"{out.uri}/{record_path(number)}: {error}") from error


def finished_shard(out: Storage, number: int, terms_sha256: str) -> TupleShard | None:
    """The record of a shard that stands at `out` whole, by its hash; None where it has to be made."""
    try:
        record = decode_record(out.read_bytes(record_path(number)))
        data = out.read_bytes(tar_path(number))
    except (MissingError, DataError):
        return None
    ours = (record.index, record.terms_sha256, record.shard.name) == (number, terms_sha256, tar_path(number))
    return record if ours and record.shard.sha256 == sha256(data) else None


def sample_key(index: int) -> str:
    """The name of a sample's members in a tar, without extension."""
    return f"{index:09d}"


def sample_members(stretch: bytes, index: int) -> dict[str, bytes]:
    """The members of one sample by their names after the key. `stretch` is its part of a tar, by offset and size.

    Raises DataError where it is no part of a tar, or holds another sample.
    """
    members: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(stretch), mode="r:") as tar:
            for info in tar:
                file = tar.extractfile(info)
                key, _, name = info.name.partition(".")
                if file is None or key != sample_key(index) or name in members:
                    raise DataError(f"{info.name} is no member of it")
                members[name] = file.read()
    except (tarfile.TarError, OSError) as error:
        raise DataError(f"it is no part of a tar: {error}") from error
    return members
