"""The manifest of a set of shards, schema "argan-shards/1": every photo's place and hash.

With it any photo is reached by one ranged read, and checked, without opening a tar.
"""

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from argan.data.parquet import columns_of
from argan.data.shard_files import sha256
from argan.errors import DataError, MissingError
from argan.storage import Storage

SCHEMA = "argan-shards/1"
MANIFEST_PATH = "manifest.json"
ROWS_PATH = "manifest.parquet"

_DTYPES: dict[str, Any] = {
    "key": np.dtypes.StringDType(),
    "shard": np.int32,
    "offset": np.int64,
    "size": np.int64,
    "width": np.int32,
    "height": np.int32,
    "sha256": "S64",
}


@dataclass(frozen=True, kw_only=True)
class ShardInfo:
    """One tar of the set: `name` is its path below the set's URI, `sha256` the whole file's, in hex.

    Raises DataError where a number or the hash cannot be one: the cache names its files by the hash.
    """

    name: str
    num_samples: int
    size_bytes: int
    sha256: str

    def __post_init__(self) -> None:
        for number in (self.num_samples, self.size_bytes):
            if not isinstance(number, int) or number < 0:
                raise DataError(f"a shard cannot have {number!r} samples or bytes")
        if not (isinstance(self.sha256, str) and re.fullmatch("[0-9a-f]{64}", self.sha256)):
            raise DataError(f"a shard's sha256 must be 64 hex digits, got {self.sha256!r}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Manifest:
    """A set of N photos in shards.

    Row n of the columns is the sample with the global id n. Rows go shard by shard, inside a shard by offset.

    Raises DataError where the columns do not fit the shards or each other.
    """

    key: np.ndarray  # [N] str: the name of the sample's members in the tar, without extension
    shard: np.ndarray  # [N] int32: index into shards
    offset: np.ndarray  # [N] int64: where the photo's bytes begin in the tar
    size: np.ndarray  # [N] int64: how many bytes they are
    width: np.ndarray  # [N] int32, px
    height: np.ndarray  # [N] int32, px
    sha256: np.ndarray  # [N] S64: hex digest of the photo's bytes
    shards: tuple[ShardInfo, ...]
    resolution: int  # px, of the square photos
    truth: bool  # whether the samples carry the members of "argan-truth/1"
    source: str  # what was packed, in the words of the command
    seed: int  # of the shuffle at packing
    skipped: Mapping[str, int] = field(default_factory=dict)  # reason -> how many photos of the source were left out

    def __post_init__(self) -> None:
        _check_columns(self)

    @property
    def num_samples(self) -> int:
        return len(self.sha256)

    @cached_property
    def shard_counts(self) -> tuple[int, ...]:
        """Samples in each shard: with a seed, all that the order of the data depends on."""
        return tuple(shard.num_samples for shard in self.shards)

    @cached_property
    def fingerprint(self) -> str:
        """Hex SHA-256 over the photos' hashes in order: equal photos, equal fingerprint, wherever they lie."""
        return sha256(self.sha256.tobytes())

    @cached_property
    def order_fingerprint(self) -> str:
        """Hex SHA-256 over all that the order of the data depends on: the same photos in other shards come in another
        order.
        """
        return sha256(f"{self.fingerprint} {self.shard_counts}".encode())


def manifest_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Rows {key, shard, offset, size, width, height, sha256 (hex)} -> columns, for `Manifest(**columns, ...)`."""
    return {name: np.array([row[name] for row in rows], dtype) for name, dtype in _DTYPES.items()}


def write_manifest(storage: Storage, manifest: Manifest) -> None:
    """Write manifest.parquet, then manifest.json, which commits the set. Equal manifests give equal bytes.

    Raises StorageError where the storage refuses.
    """
    rows = _encode_rows(manifest)
    head = {
        "schema": SCHEMA,
        "fingerprint": manifest.fingerprint,
        "num_samples": manifest.num_samples,
        "resolution": manifest.resolution,
        "truth": manifest.truth,
        "source": manifest.source,
        "seed": manifest.seed,
        "shards": [asdict(shard) for shard in manifest.shards],
        "skipped": dict(sorted(manifest.skipped.items())),
        "manifest_sha256": sha256(rows),
    }
    storage.write_bytes(ROWS_PATH, rows)
    storage.write_bytes(MANIFEST_PATH, (json.dumps(head, indent=1) + "\n").encode())


def read_manifest(storage: Storage, *, resolution: int | None = None) -> Manifest:
    """Read and check the manifest of the set at `storage`, of photos for a run that makes such of `resolution` px.

    Raises DataError where there is none, where it has another schema, where its parts do not fit each other, or the
    photos are of another size.
    """
    try:
        head_bytes = storage.read_bytes(MANIFEST_PATH)
        rows = storage.read_bytes(ROWS_PATH)
    except MissingError as error:
        raise DataError(f"{storage.uri} holds no finished set of shards: {error}") from error
    try:
        head = json.loads(head_bytes)
    except ValueError as error:
        raise DataError(f"{MANIFEST_PATH} of {storage.uri} is not JSON: {error}") from error
    schema = head.get("schema") if isinstance(head, dict) else None
    if schema != SCHEMA:
        raise DataError(f"{MANIFEST_PATH} of {storage.uri} has schema {schema!r}, not {SCHEMA!r}")
    try:
        manifest = _decode(head, rows)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"the manifest of {storage.uri} does not fit: {error}") from error
    if resolution not in (None, manifest.resolution):
        raise DataError(f"{storage.uri} holds photos of {manifest.resolution} px, the run makes {resolution} px")
    return manifest


def _decode(head: dict[str, Any], rows: bytes) -> Manifest:
    """The two files -> a Manifest. Raises KeyError, TypeError or ValueError (DataError is one) where a field of `head`
    is missing or odd, or where the rows are not what it says.
    """
    if sha256(rows) != head["manifest_sha256"]:
        raise DataError(f"{ROWS_PATH} is not the file whose sha256 {MANIFEST_PATH} gives")
    manifest = Manifest(
        **_decode_rows(rows),
        shards=tuple(ShardInfo(**shard) for shard in head["shards"]),
        resolution=head["resolution"],
        truth=head["truth"],
        source=head["source"],
        seed=head["seed"],
        skipped=head["skipped"],
    )
    if (manifest.fingerprint, manifest.num_samples) != (head["fingerprint"], head["num_samples"]):
        raise DataError(f"the rows are not those that {MANIFEST_PATH} speaks of")
    return manifest


def _encode_rows(manifest: Manifest) -> bytes:
    import pyarrow as pa  # half a second that --help does not pay
    import pyarrow.parquet as pq

    columns = {name: getattr(manifest, name) for name in _DTYPES}
    for name in ("key", "sha256"):
        columns[name] = pa.array(columns[name].astype(np.dtypes.StringDType()).tolist(), pa.string())
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, compression="zstd")
    return sink.getvalue()


def _decode_rows(rows: bytes) -> dict[str, np.ndarray]:
    try:
        columns = columns_of(rows, tuple(_DTYPES))
    except DataError as error:
        raise DataError(f"{ROWS_PATH}: {error}") from error
    return {name: columns[name].astype(dtype) for name, dtype in _DTYPES.items()}


def _check_columns(manifest: Manifest) -> None:
    num_samples = manifest.num_samples
    lengths = {name: len(getattr(manifest, name)) for name in _DTYPES}
    if set(lengths.values()) != {num_samples}:
        raise DataError(f"columns of a manifest differ in length: {lengths}")
    if num_samples and (manifest.shard.min() < 0 or manifest.shard.max() >= len(manifest.shards)):
        raise DataError(f"rows speak of shards outside of the {len(manifest.shards)} listed")
    counts = np.bincount(manifest.shard, minlength=len(manifest.shards))
    for shard, count in zip(manifest.shards, counts.tolist(), strict=True):
        if count != shard.num_samples:
            raise DataError(f"{shard.name} holds {shard.num_samples} samples, but {count} rows are its")
    end = manifest.offset + manifest.size
    follows = (manifest.shard[1:] > manifest.shard[:-1]) | (
        (manifest.shard[1:] == manifest.shard[:-1]) & (manifest.offset[1:] >= end[:-1])
    )
    if not follows.all():
        raise DataError(f"row {int(np.argmin(follows)) + 1} does not come after the row before it")
    shard_bytes = np.array([shard.size_bytes for shard in manifest.shards], np.int64)
    # Not by `end`, which is negative where it is too large for 64 bits.
    inside = (
        (manifest.offset >= 0) & (manifest.size > 0) & (manifest.size <= shard_bytes[manifest.shard] - manifest.offset)
    )
    if not inside.all():
        row = int(np.argmin(inside))
        raise DataError(
            f"the photo {manifest.key[row]} does not lie inside {manifest.shards[manifest.shard[row]].name}"
        )
    square = (manifest.width == manifest.resolution) & (manifest.height == manifest.resolution)
    if not square.all():
        row = int(np.argmin(square))
        size_px = f"{manifest.width[row]}x{manifest.height[row]} px"
        raise DataError(f"the photo {manifest.key[row]} has {size_px} in a set of {manifest.resolution} px")
