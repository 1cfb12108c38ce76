"""Packing: a shuffled source is cut into fixed slices, each slice becomes one shard, all shards done commit the set.

A shard's bytes depend on its slice alone, given the versions of Pillow and, for scenes, of numpy and torch and the kind
of processor. So any number of workers, and any kill and retry, make the same set. Beside each finished shard stands its
record, shards/00000.json, written after it: who finds the record need not pack again.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from argan.data.manifest import MANIFEST_PATH, Manifest, ShardInfo, manifest_columns, read_manifest, write_manifest
from argan.data.photos import SkippedPhotoError, encode_jpeg, square_photo
from argan.data.shard_files import record_path, sha256, shard_number, tar_path, write_shard
from argan.data.sources import Item, Listing, Photo, SceneItem, Skipped
from argan.data.tar import TarWriter
from argan.data.truth import encode_truth
from argan.differences import differences
from argan.errors import DataError, UserError
from argan.seeds import require_seed
from argan.storage import Storage

RECIPE = "argan-pack/1"  # a change of what the same photo becomes is a new recipe
SKIPPED_PATH = "skipped.jsonl"
MAX_FILE_BYTES = 256 << 20  # what is longer is no photo, and would not be good to hold in memory


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a command decides of a set's bytes: other terms, another set. Raises UserError on values out of range."""

    source_sha256: str  # over the names and sizes of the items
    num_items: int
    resolution: int  # px
    seed: int  # of the shuffle
    shard_samples: int  # items of the source in each shard's slice
    max_pixels: int  # photos with more are skipped
    recipe: str = RECIPE

    def __post_init__(self) -> None:
        if not 8 <= self.resolution <= 4096:
            raise UserError(f"the resolution must be 8 to 4096 px, got {self.resolution}")
        require_seed(self.seed)
        if self.shard_samples < 1:
            raise UserError(f"a shard must have room for at least one sample, got {self.shard_samples}")
        if self.max_pixels < 1:
            raise UserError(f"the limit of pixels must be positive, got {self.max_pixels}")


@dataclass(frozen=True, kw_only=True)
class ShardJob:
    """One shard to make; all that a worker needs to know."""

    index: int
    first: int  # position of the first item in the shuffled source
    items: Sequence[Item]
    terms: Terms


@dataclass(frozen=True)
class Plan:
    """A source, shuffled, under terms."""

    source: str  # in the words of the command
    listing: Listing
    terms: Terms

    @cached_property
    def items(self) -> list[Item]:
        return shuffled(self.listing.items, self.terms.seed)

    @property
    def num_shards(self) -> int:
        return -(-self.terms.num_items // self.terms.shard_samples)

    def shard_jobs(self) -> Iterator[ShardJob]:
        step = self.terms.shard_samples
        for index in range(self.num_shards):
            items = self.items[index * step : (index + 1) * step]
            yield ShardJob(index=index, first=index * step, items=items, terms=self.terms)


@dataclass(frozen=True, kw_only=True)
class PackedShard:
    """What stands in shards/00000.json: rows as in the manifest, and what was skipped."""

    index: int
    shard: ShardInfo
    rows: Sequence[Mapping[str, Any]]
    skipped: Sequence[Skipped]

    @property
    def num_items(self) -> int:
        return len(self.rows) + len(self.skipped)


def make_plan(
    source: str, listing: Listing, *, resolution: int, seed: int, shard_samples: int, max_pixels: int
) -> Plan:
    """Raises UserError on values out of range."""
    digest = hashlib.sha256()
    for item in listing.items:
        size_bytes = item.stop - item.start if isinstance(item, Photo) else 0
        digest.update(f"{item.name}\0{size_bytes}\0".encode("utf-8", "surrogateescape"))
    terms = Terms(
        source_sha256=digest.hexdigest(),
        num_items=len(listing.items),
        resolution=resolution,
        seed=seed,
        shard_samples=shard_samples,
        max_pixels=max_pixels,
    )
    return Plan(source, listing, terms)


def shuffled(items: Sequence[Item], seed: int) -> list[Item]:
    """A permutation by the hashes of (seed, name): the same on every platform, and in every version of numpy."""

    def place(item: Item) -> bytes:
        return hashlib.sha256(f"{seed}/{item.name}".encode("utf-8", "surrogateescape")).digest()

    return sorted(items, key=place)


def pack_shard(job: ShardJob, out: Storage) -> PackedShard:
    """Makes one shard and then its record, both at `out`. Broken photos are skipped; StorageError is not caught:
    what is in a set depends on the photos' bytes, not on the network."""
    tar = TarWriter()
    rows: list[Mapping[str, Any]] = []
    skipped: list[Skipped] = []
    for position, item in enumerate(job.items, job.first):
        try:
            members = _members(item, job.terms)
        except SkippedPhotoError as error:
            skipped.append(Skipped(item.name, error.reason, f"{item.name}: {error}"))
            continue
        jpeg = members["jpg"]
        digest = sha256(jpeg)
        key = f"{position:08d}-{digest[:8]}"
        places = {suffix: tar.add(f"{key}.{suffix}", data) for suffix, data in members.items()}
        side_px = job.terms.resolution
        rows.append(
            {"key": key, "shard": job.index, "width": side_px, "height": side_px, "sha256": digest}
            | places["jpg"]._asdict()
        )
    data = tar.finish()
    shard = ShardInfo(name=tar_path(job.index), num_samples=len(rows), size_bytes=len(data), sha256=sha256(data))
    record = PackedShard(index=job.index, shard=shard, rows=rows, skipped=skipped)
    write_shard(out, job.index, tar=data, record=_encode_record(record, job.terms))
    return record


def finished_shards(plan: Plan, out: Storage) -> dict[int, PackedShard]:
    """The shards of this plan that stand at `out`, by index; one whose record is damaged is not finished.

    Raises UserError where a set of other terms stands, or a record of others: it would be written over.
    """
    sizes = {entry.path: entry.size_bytes for entry in out.list("shards/")}
    records = {}
    for path in (path for path in sizes if shard_number(path) is not None and path.endswith(".json")):
        record = _decode_record(out.read_bytes(path), plan.terms, out, path)
        if record is not None and sizes.get(record.shard.name) == record.shard.size_bytes:
            records[record.index] = record
    if not records and out.exists(MANIFEST_PATH):
        raise UserError(f"{out.uri} holds a set of shards that another command made: choose another place")
    return records


def commit(plan: Plan, out: Storage, records: Mapping[int, PackedShard]) -> Manifest:
    """Writes skipped.jsonl and the manifest; from here on the set is there. Raises UserError if it would be empty."""
    ordered = [records[index] for index in range(plan.num_shards)]
    skipped = [*plan.listing.skipped, *(entry for record in ordered for entry in record.skipped)]
    lines = [json.dumps(entry._asdict()) + "\n" for entry in skipped]
    out.write_bytes(SKIPPED_PATH, "".join(lines).encode())
    counts = Counter(entry.reason for entry in skipped)
    rows = [row for record in ordered for row in record.rows]
    if not rows:
        reasons = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
        raise UserError(
            f"none of {plan.terms.num_items} photos could be packed ({reasons}): see {out.uri}/{SKIPPED_PATH}"
        )
    manifest = Manifest(
        **manifest_columns(rows),
        shards=tuple(record.shard for record in ordered),
        resolution=plan.terms.resolution,
        truth=plan.listing.has_truth,
        source=plan.source,
        seed=plan.terms.seed,
        skipped=counts,
    )
    write_manifest(out, manifest)
    return manifest


def is_committed(out: Storage) -> bool:
    """Whether the set is there: a manifest that can be read, rows and all."""
    try:
        read_manifest(out)
    except DataError:
        return False
    return True


def _members(item: Item, terms: Terms) -> dict[str, bytes]:
    """One sample by suffix, the photo first."""
    if isinstance(item, SceneItem):
        return _scene_members(item, terms.resolution)
    size_bytes = item.stop - item.start
    if size_bytes > MAX_FILE_BYTES:
        raise SkippedPhotoError("too large", f"{size_bytes:,} bytes")
    data = item.storage.read_bytes(item.path, item.start, item.stop)
    return {"jpg": encode_jpeg(square_photo(data, resolution=terms.resolution, max_pixels=terms.max_pixels))}


def _scene_members(item: SceneItem, resolution: int) -> dict[str, bytes]:
    from PIL import Image

    from argan.scenes import SCENES_VERSION, scene

    made = scene(item.seed, item.number, resolution=resolution)
    info = {
        "dof_scale": made.dof_scale,
        "optics": made.optics,
        "scenes_version": SCENES_VERSION,
        "seed": item.seed,
        "index": item.number,
        "smooth_subject": made.smooth_subject,
    }
    return {"jpg": encode_jpeg(Image.fromarray(made.image)), **encode_truth(made.disparity, made.mask, info)}


def _encode_record(record: PackedShard, terms: Terms) -> bytes:
    skipped = [entry._asdict() for entry in record.skipped]
    return json.dumps({"terms": asdict(terms), **asdict(record), "skipped": skipped}, sort_keys=True).encode()


def _decode_record(data: bytes, terms: Terms, out: Storage, path: str) -> PackedShard | None:
    """None where it is no JSON: we write a record whole or not at all, so this one was damaged."""
    try:
        parts = json.loads(data)
    except ValueError:
        return None
    theirs = parts.pop("terms", None) if isinstance(parts, dict) else None
    if not isinstance(theirs, dict):
        raise _foreign(out, path)
    ours = asdict(terms)
    if changed := differences({name: theirs.get(name) for name in ours}, ours):
        raise UserError(f"{out.uri} holds shards packed on other terms ({changed}): choose another place")
    try:
        shard, rows = ShardInfo(**parts.pop("shard")), [dict(row) for row in parts.pop("rows")]
        skipped = [Skipped(**entry) for entry in parts.pop("skipped")]
        record = PackedShard(shard=shard, rows=rows, skipped=skipped, **parts)
        fits = (shard.name, path) == (tar_path(record.index), record_path(record.index))
    except (ValueError, KeyError, TypeError) as error:
        raise _foreign(out, path) from error
    if not fits:
        raise _foreign(out, path)
    return record


def _foreign(out: Storage, path: str) -> UserError:
    return UserError(f"{out.uri}/{path} is not what packing wrote there: choose another place, or delete that file")
