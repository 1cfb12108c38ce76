"""Whether a set is what its terms say: every fault as a sentence, found from the set alone.

Hashes find what was changed, cut, lost or swapped. Behind them each sample is decoded, its json compared, its measures
taken again, and of some the shallow photos rendered again: a shard that was wrong when it was hashed is found too.
"""

import math
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from argan.data.tuple_manifest import HEAD_PATH, ROWS_PATH, make_tuple_manifest
from argan.data.tuple_set import (
    OUR_SHARD_FILE,
    Row,
    ShardRecord,
    decode_record,
    record_path,
    sample_members,
    sha256,
    tar_path,
)
from argan.data.tuples import TUPLE_SCHEMA, TupleSample, decode_tuple
from argan.errors import DataError, MissingError
from argan.generation.maker import DeepBatch, TupleMaker
from argan.generation.quality import KEPT, reason
from argan.generation.recipe import Terms
from argan.generation.shard import measure_stored, sample_facts
from argan.storage import Storage

MIN_PSNR_DB = 40.0  # of a shallow photo that is rendered again


class Fault(NamedTuple):
    """Something wrong with the set: where, and what."""

    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


class ShardCheck(NamedTuple):
    """A shard's faults, and its record where that is sound."""

    faults: list[Fault]
    record: ShardRecord | None


def check_shard(out: Storage, maker: TupleMaker, terms: Terms, number: int, *, num_rerendered: int) -> ShardCheck:
    """`num_rerendered` samples of the shard, evenly spread, are rendered again; all are decoded and measured."""
    path = tar_path(number)
    try:
        record = _checked_record(out, terms, number)
    except DataError as error:
        return ShardCheck([Fault(record_path(number), str(error))], None)
    try:
        data = out.read_bytes(path)
    except MissingError:
        return ShardCheck([Fault(path, "missing")], record)
    if sha256(data) != record.shard.sha256:
        size = f"{len(data):,} bytes, {record.shard.size_bytes:,} recorded"
        return ShardCheck([Fault(path, f"its sha256 is not the one recorded ({size})")], record)
    try:
        faults = list(_sample_faults(data, maker, terms, record, num_rerendered))
    except (KeyError, TypeError) as error:
        faults = [Fault(record_path(number), f"its rows lack something: {error}")]
    return ShardCheck(faults, record)


def set_faults(out: Storage, terms: Terms, checks: Mapping[int, ShardCheck]) -> list[Fault]:
    """All that is wrong with a set whose shards were checked: with them, with what lies beside them, and with the
    manifest, as far as there are records to compare it with.
    """
    faults = [fault for check in checks.values() for fault in check.faults]
    faults += _twins(out, checks)
    faults += strangers(out, terms)
    sound = [check.record for _, check in sorted(checks.items()) if check.record is not None]
    if len(sound) == terms.recipe.num_shards:
        faults += _manifest_faults(out, terms, sound)
    return faults


def strangers(out: Storage, terms: Terms) -> Iterator[Fault]:
    """Shards beyond those that the terms know: a reader of shards/*.tar would take them for the set's."""
    for entry in out.list("shards/"):
        name = OUR_SHARD_FILE.fullmatch(entry.path)
        if name is None:
            yield Fault(entry.path, "no file of the set")
        elif int(name[1]) >= terms.recipe.num_shards:
            yield Fault(entry.path, f"one too many: the set has {terms.recipe.num_shards} shards")


def psnr_db(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of two uint8 pictures; infinite where they are equal."""
    error = float(np.mean(np.square(first.astype(np.float64) - second.astype(np.float64))))
    return 10 * math.log10(255**2 / error) if error else math.inf


def refocus_psnr_db(maker: TupleMaker, sample: TupleSample) -> float:
    """The worst of the sample's shallow photos against those rendered from its deep photo, disparity and optics."""
    again = maker.shallow(DeepBatch(sample.deep[None], sample.disparity[None]), [sample.info["apertures"]])
    return min(psnr_db(photo, other[0]) for photo, other in zip(sample.shallow, again, strict=True))


def _manifest_faults(out: Storage, terms: Terms, records: Iterable[ShardRecord]) -> Iterator[Fault]:
    """Whether the manifest is the one of these records, which are those of all shards, in order."""
    with tempfile.TemporaryDirectory() as folder:
        make_tuple_manifest(Path(folder), terms.sha256, records)
        for path in (ROWS_PATH, HEAD_PATH):
            try:
                found = out.read_bytes(path)
            except MissingError:
                yield Fault(path, "missing: the set was never finished")
                continue
            if found != (Path(folder) / path).read_bytes():
                yield Fault(path, "stale or changed: it is not the manifest of these shards")


def _twins(out: Storage, checks: Mapping[int, ShardCheck]) -> Iterator[Fault]:
    """Shards that hold what another shard should: doubled or swapped."""
    owners = {check.record.shard.sha256: number for number, check in checks.items() if check.record}
    for number, check in checks.items():
        if check.faults and check.record and out.exists(tar_path(number)):
            owner = owners.get(sha256(out.read_bytes(tar_path(number))), number)
            if owner != number:
                yield Fault(tar_path(number), f"holds what {tar_path(owner)} should")


def _checked_record(out: Storage, terms: Terms, number: int) -> ShardRecord:
    """Raises DataError where it is missing, damaged, or another shard's."""
    try:
        record = decode_record(out.read_bytes(record_path(number)))
    except MissingError:
        raise DataError("missing: the shard is not finished") from None
    if record.terms_sha256 != terms.sha256:
        raise DataError("it was made on other terms")
    if (record.index, record.shard.name) != (number, tar_path(number)):
        raise DataError(f"it is the record of {record.shard.name}")
    indices = [row.get("index") for row in record.rows]
    if indices != list(terms.recipe.indices(number)):
        raise DataError("its rows are not the samples of this shard")
    return record


def _sample_faults(
    data: bytes, maker: TupleMaker, terms: Terms, record: ShardRecord, num_rerendered: int
) -> Iterator[Fault]:
    kept = [row for row in record.rows if row["reason"] == KEPT]
    if len(kept) != record.shard.num_samples:
        yield Fault(record_path(record.index), f"{record.shard.num_samples} samples recorded, {len(kept)} rows kept")
    step = max(1, len(kept) // num_rerendered) if num_rerendered else len(kept) + 1
    for place, row in enumerate(kept):
        name = f"{tar_path(record.index)}, sample {row['index']}"
        stretch = data[row["offset"] : row["offset"] + row["size"]]
        if sha256(stretch) != row["sha256"]:
            yield Fault(name, "its sha256 is not the one recorded")
            continue
        try:
            sample = decode_tuple(sample_members(stretch))
        except DataError as error:
            yield Fault(name, str(error))
            continue
        what = _wrong(
            sample,
            row,
            maker,
            terms,
            {"schema": TUPLE_SCHEMA, **sample_facts(terms, maker, row["index"]), **maker.coding.facts},
        )
        if not what and num_rerendered and place % step == 0 and (psnr := refocus_psnr_db(maker, sample)) < MIN_PSNR_DB:
            what = f"a shallow photo differs from its refocused deep photo: {psnr:.1f} dB"
        if what:
            yield Fault(name, what)


def _wrong(sample: TupleSample, row: Row, maker: TupleMaker, terms: Terms, facts: dict[str, object]) -> str:
    """What does not fit, or nothing."""
    side = maker.config.resolution
    if sample.disparity.shape != (side, side):
        return f"it is {sample.disparity.shape}, not {side} px square"
    different = [key for key in facts | sample.info if facts.get(key) != sample.info.get(key)]
    if different:
        return f"its json is not that of the set's terms: {', '.join(different)}"
    if row["deep_sha256"] != sha256(sample.deep.tobytes()):
        return "its deep photo is not the one recorded"
    measures = measure_stored(maker, sample.deep, sample.disparity)
    why = reason(measures, terms.recipe.quality)
    if why != KEPT:
        return f"its disparity or photo is {why}: such a sample is rejected"
    again = measures._asdict() | {f"aperture_{k}": s for k, s in enumerate(sample.info["apertures"])}
    if any(row[name] != value for name, value in again.items()):
        return "its measures are not those recorded"
    return ""
