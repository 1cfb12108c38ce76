"""The manifest of a set of tuples, "argan-tuple-set/1": a row an attempt in Parquet, the sums over them in JSON.

It is made from the shards' records alone, one at a time: the same records, the same bytes, at any size of the set.
"""

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from argan.data.parquet import columns_of
from argan.data.sealed import seal, unseal
from argan.data.tuple_set import TupleShard
from argan.errors import DataError, MissingError
from argan.storage import Storage

SET_SCHEMA = "argan-tuple-set/1"
HEAD_PATH = "manifest.json"
ROWS_PATH = "manifest.parquet"
INTEGERS = ("index", "shard", "offset", "size")
TEXTS = ("reason", "sha256", "deep_sha256")
STALE = "stale or changed: it is not the manifest of these shards"


def write_tuple_manifest(out: Storage, terms_sha256: str, records: Iterable[TupleShard]) -> dict[str, Any]:
    """manifest.parquet, then manifest.json, which commits the set; returns the content of the latter.

    `records` are those of all shards, in order. A manifest that says the same stands as it is.
    """
    with tempfile.TemporaryDirectory() as folder:
        head = make_tuple_manifest(Path(folder), terms_sha256, records)
        if manifest_faults(out, Path(folder)):
            out.upload(Path(folder) / ROWS_PATH, ROWS_PATH)
            out.upload(Path(folder) / HEAD_PATH, HEAD_PATH)
    return head


def manifest_faults(out: Storage, folder: Path) -> list[tuple[str, str]]:
    """(path, what is wrong) with the manifest at `out`, compared with the right one in a local folder. By content:
    another pyarrow writes the same rows in other bytes.
    """
    faults = []
    found = folder / "found.parquet"
    try:
        out.download(ROWS_PATH, found)
        if not _same_rows(found, folder / ROWS_PATH):
            faults.append((ROWS_PATH, STALE))
    except MissingError:
        faults.append((ROWS_PATH, "missing: the set was never finished"))
    try:
        head, right = read_head(out), unseal((folder / HEAD_PATH).read_bytes(), SET_SCHEMA, indent=1)
        if {**head, "manifest_sha256": ""} != {**right, "manifest_sha256": ""}:
            faults.append((HEAD_PATH, STALE))
        elif not faults and head["manifest_sha256"] != path_sha256(found):
            faults.append((HEAD_PATH, f"its sha256 of {ROWS_PATH} is another"))
    except MissingError:
        faults.append((HEAD_PATH, "missing: the set was never finished"))
    except DataError as error:
        faults.append((HEAD_PATH, str(error)))
    return faults


def make_tuple_manifest(folder: Path, terms_sha256: str, records: Iterable[TupleShard]) -> dict[str, Any]:
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
        "manifest_sha256": path_sha256(folder / ROWS_PATH),
    }
    (folder / HEAD_PATH).write_bytes(seal(head, indent=1))
    return head


def read_head(out: Storage) -> dict[str, Any]:
    """The content of manifest.json. Raises MissingError where there is none, DataError where it is another thing."""
    return unseal(out.read_bytes(HEAD_PATH), SET_SCHEMA, indent=1)


def read_columns(out: Storage, names: list[str]) -> dict[str, np.ndarray]:
    """Columns of manifest.parquet by name. Raises DataError where it is no such file."""
    data = out.read_bytes(ROWS_PATH)
    try:
        return columns_of(data, names)
    except DataError as error:
        raise DataError(f"{out.uri}/{ROWS_PATH}: {error}") from error


def path_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _same_rows(path: Path, other: Path) -> bool:
    """A row group at a time: both are cut at the shards."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as ours, pq.ParquetFile(other) as theirs:
            groups = range(theirs.num_row_groups)
            return ours.num_row_groups == len(groups) and all(
                ours.read_row_group(group).equals(theirs.read_row_group(group)) for group in groups
            )
    except (pa.ArrowException, OSError):
        return False
