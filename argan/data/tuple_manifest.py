"""The manifest of a set of tuples, "argan-tuple-set/1": a row an attempt in Parquet, the sums over them in JSON.

It is made from the shards' records alone, one at a time: the same records, the same bytes, at any size of the set.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from argan.data.tuple_set import ShardRecord, sha256
from argan.errors import DataError, MissingError
from argan.storage import Storage

SET_SCHEMA = "argan-tuple-set/1"
HEAD_PATH = "manifest.json"
ROWS_PATH = "manifest.parquet"
INTEGERS = ("index", "shard", "offset", "size")
TEXTS = ("reason", "sha256", "deep_sha256")


def write_tuple_manifest(out: Storage, terms_sha256: str, records: Iterable[ShardRecord]) -> dict[str, Any]:
    """manifest.parquet, then manifest.json, which commits the set; returns the content of the latter.

    `records` are those of all shards, in order. What stands there already is not written again.
    """
    with tempfile.TemporaryDirectory() as folder:
        head = make_tuple_manifest(Path(folder), terms_sha256, records)
        for path in (ROWS_PATH, HEAD_PATH):
            if not _stands(out, path, (Path(folder) / path).read_bytes()):
                out.upload(Path(folder) / path, path)
    return head


def make_tuple_manifest(folder: Path, terms_sha256: str, records: Iterable[ShardRecord]) -> dict[str, Any]:
    """Both files in a local folder; equal records give equal bytes. Returns the content of manifest.json."""
    import pyarrow as pa  # half a second that --help does not pay
    import pyarrow.parquet as pq

    kinds = {name: pa.int64() for name in INTEGERS} | {name: pa.string() for name in TEXTS}
    rejected: Counter[str] = Counter()
    hashes, shards, num_samples = [], [], 0
    writer = None
    for record in records:
        rows = record.rows
        names = [*kinds, *sorted(rows[0].keys() - kinds)]
        columns = {name: pa.array([row[name] for row in rows], kinds.get(name, pa.float64())) for name in names}
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(folder / ROWS_PATH, table.schema, compression="zstd")
        writer.write_table(table)
        rejected.update(row["reason"] for row in rows if row["reason"])
        kept = [row["deep_sha256"][:16] for row in rows if not row["reason"]]
        hashes.append(np.array([int(text, 16) for text in kept], np.uint64))
        shards.append(asdict(record.shard))
        num_samples += len(rows)
    assert writer is not None  # a recipe has at least one shard, with at least one row
    writer.close()
    all_hashes = np.concatenate(hashes)
    head = {
        "schema": SET_SCHEMA,
        "terms_sha256": terms_sha256,
        "num_samples": num_samples,
        "num_kept": len(all_hashes),
        "rejected": dict(sorted(rejected.items())),
        "num_duplicates": len(all_hashes) - len(np.unique(all_hashes)),
        "shards": shards,
        "manifest_sha256": sha256((folder / ROWS_PATH).read_bytes()),
    }
    (folder / HEAD_PATH).write_text(json.dumps(head, indent=1) + "\n")
    return head


def read_head(out: Storage) -> dict[str, Any]:
    """The content of manifest.json. Raises MissingError where there is none, DataError where it is another thing."""
    try:
        head = json.loads(out.read_bytes(HEAD_PATH))
    except ValueError as error:
        raise DataError(f"{HEAD_PATH} is not JSON: {error}") from error
    schema = head.get("schema") if isinstance(head, dict) else None
    if schema != SET_SCHEMA:
        raise DataError(f"{HEAD_PATH} has schema {schema!r}, not {SET_SCHEMA!r}")
    return head


def read_columns(out: Storage, names: list[str]) -> dict[str, np.ndarray]:
    """Columns of manifest.parquet by name. Raises DataError where it is no such file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    copy = pa.BufferOutputStream()  # in Arrow's own memory, as in argan.data.manifest
    copy.write(out.read_bytes(ROWS_PATH))
    try:
        table = pq.read_table(pa.BufferReader(copy.getvalue()), columns=names)
    except (pa.ArrowException, KeyError) as error:
        raise DataError(f"{ROWS_PATH} is not whole: {error}") from error
    return {name: table[name].to_numpy() for name in names}


def _stands(out: Storage, path: str, data: bytes) -> bool:
    try:
        return out.read_bytes(path) == data
    except MissingError:
        return False
