"""Whether a shard is what its set's terms say: every fault as a sentence, found from what is stored alone.

Hashes find what was changed, cut, lost or swapped. Behind them each sample is decoded, its json compared, its measures
taken again, and of some the shallow photos: a shard that was wrong when it was hashed is found too.
"""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from argan.data.shard_files import record_path, sha256, tar_path
from argan.data.tuple_set import ROW_FIELDS, Row, TupleShard, decode_record, sample_members
from argan.data.tuples import TUPLE_SCHEMA, TupleSample, decode_tuple
from argan.errors import DataError, MissingError
from argan.generation.maker import TupleMaker
from argan.generation.quality import KEPT, Measures, reason
from argan.generation.recipe import Terms
from argan.generation.refocus import refocus_psnr_db
from argan.generation.shard import measure_stored, sample_facts
from argan.storage import Storage

MIN_PSNR_DB = 40.0  # of a shallow photo that is taken again
END_BYTES = 1024  # a tar ends with two empty blocks, and is filled up to a whole record


class Fault(NamedTuple):
    """Something wrong with a set: where, and what."""

    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


class ShardFiles(NamedTuple):
    """What lies at a shard's two paths."""

    record: bytes | None
    tar: bytes | None


class ShardCheck(NamedTuple):
    """What came of checking a shard. Hashes in hex; None where there is none."""

    faults: list[Fault]
    recorded_sha256: str | None  # of the tar, by a record that is sound
    found_sha256: str | None  # of the tar that is there
    on_other_terms: bool  # the record is whole, and another set's


def read_shard(out: Storage, number: int) -> ShardFiles:
    def read(path: str) -> bytes | None:
        try:
            return out.read_bytes(path)
        except MissingError:
            return None

    return ShardFiles(read(record_path(number)), read(tar_path(number)))


def check_shard(files: ShardFiles, maker: TupleMaker, terms: Terms, number: int, *, num_retaken: int) -> ShardCheck:
    """All samples are decoded and measured; of `num_retaken`, evenly spread, the shallow photos are taken again."""
    found = sha256(files.tar) if files.tar is not None else None
    try:
        record = _checked_record(files.record, terms, number)
    except _OtherTermsError:
        return ShardCheck([Fault(record_path(number), "it was made on other terms")], None, found, True)
    except DataError as error:
        return ShardCheck([Fault(record_path(number), str(error))], None, found, False)
    try:
        faults = list(_tar_faults(files.tar, record, maker, terms, num_retaken))
    except TypeError as error:
        return ShardCheck([Fault(record_path(number), f"its rows hold something else: {error}")], None, found, False)
    return ShardCheck(faults, record.shard.sha256, found, False)


class _OtherTermsError(DataError):
    pass


def _checked_record(data: bytes | None, terms: Terms, number: int) -> TupleShard:
    """Raises DataError where it is missing, damaged, or another shard's."""
    if data is None:
        raise DataError("missing: the shard is not finished")
    record = decode_record(data)
    if record.terms_sha256 != terms.sha256:
        raise _OtherTermsError
    if (record.index, record.shard.name) != (number, tar_path(number)):
        raise DataError(f"it is the record of {record.shard.name}")
    if [isinstance(row, dict) and row.get("index") for row in record.rows] != list(terms.recipe.indices(number)):
        raise DataError("its rows are not the samples of this shard")
    columns = {*ROW_FIELDS, *Measures._fields, *(f"aperture_{k}" for k in range(terms.recipe.num_shallow))}
    for row in record.rows:
        if odd := sorted(columns ^ row.keys()):
            raise DataError(f"the row of sample {row['index']} lacks these, or should not have them: {', '.join(odd)}")
    return record


def _tar_faults(
    data: bytes | None, record: TupleShard, maker: TupleMaker, terms: Terms, num_retaken: int
) -> Iterator[Fault]:
    if data is None:
        yield Fault(record.shard.name, "missing")
    elif sha256(data) != record.shard.sha256:
        size = f"{len(data):,} bytes, {record.shard.size_bytes:,} recorded"
        yield Fault(record.shard.name, f"its sha256 is not the one recorded ({size})")
    else:
        if len(data) != record.shard.size_bytes:
            yield Fault(record_path(record.index), f"{record.shard.size_bytes:,} bytes recorded, {len(data):,} there")
        yield from _row_faults(data, record, terms)
        yield from _sample_faults(data, record, maker, terms, num_retaken)


def _row_faults(data: bytes, record: TupleShard, terms: Terms) -> Iterator[Fault]:
    """Whether rows and tar fit: each kept sample's stretch follows the one before it, and nothing else is there."""
    path, position = record_path(record.index), 0
    for row in record.rows:
        why = reason(Measures(**{name: row[name] for name in Measures._fields}), terms.recipe.quality)
        if why != row["reason"]:
            yield Fault(path, f"sample {row['index']} is {row['reason'] or 'kept'}, by its measures {why or 'kept'}")
        if row["reason"] == KEPT:
            if row["offset"] != position:
                yield Fault(path, f"sample {row['index']} does not begin where the one before it ends")
            position = row["offset"] + row["size"]
    num_kept = sum(row["reason"] == KEPT for row in record.rows)
    if num_kept != record.shard.num_samples:
        yield Fault(path, f"{record.shard.num_samples} samples recorded, {num_kept} rows kept")
    if any(data[position:]) or len(data) < position + END_BYTES:
        yield Fault(record.shard.name, "it does not end after its last sample")


def _sample_faults(
    data: bytes, record: TupleShard, maker: TupleMaker, terms: Terms, num_retaken: int
) -> Iterator[Fault]:
    kept = [row for row in record.rows if row["reason"] == KEPT]
    wanted = min(num_retaken, len(kept))
    retaken = {place * len(kept) // wanted for place in range(wanted)}
    for place, row in enumerate(kept):
        stretch = data[row["offset"] : row["offset"] + row["size"]]
        what = _wrong(stretch, row, maker, terms, is_retaken=place in retaken)
        if what:
            yield Fault(f"{record.shard.name}, sample {row['index']}", what)


def _wrong(stretch: bytes, row: Row, maker: TupleMaker, terms: Terms, *, is_retaken: bool) -> str:
    """What does not fit, or nothing."""
    if sha256(stretch) != row["sha256"]:
        return "its sha256 is not the one recorded"
    try:
        sample = decode_tuple(sample_members(stretch, row["index"]))
    except DataError as error:
        return str(error)
    side = maker.config.resolution
    if sample.disparity.shape != (side, side):
        return f"it is {sample.disparity.shape}, not {side} px square"
    facts = sample_facts(terms, maker, row["index"], maker.apertures(row["index"]))
    different = _differences({"schema": TUPLE_SCHEMA, **facts, **maker.coding.facts}, sample.info)
    if different:
        return f"its json is not that of the set's terms: {', '.join(different)}"
    if row["deep_sha256"] != sha256(sample.deep.tobytes()):
        return "its deep photo is not the one recorded"
    different = _differences(_measured(sample, maker), {name: row[name] for name in row if name in Measures._fields})
    if different:
        return f"its measures are not those recorded: {', '.join(different)}"
    if any(row[f"aperture_{k}"] != aperture for k, aperture in enumerate(sample.info["apertures"])):
        return "its apertures are not those recorded"
    if is_retaken and (psnr := refocus_psnr_db(sample)) < MIN_PSNR_DB:
        return f"a shallow photo differs from its refocused deep photo: {psnr:.1f} dB"
    return ""


def _measured(sample: TupleSample, maker: TupleMaker) -> dict[str, float]:
    return measure_stored(maker, sample.deep, sample.disparity)._asdict()


def _differences(right: Mapping[str, object], found: Mapping[str, object]) -> list[str]:
    """Keys of which the values differ; numbers may in their last bits, which another processor rounds otherwise."""

    def same(one: object, other: object) -> bool:
        if isinstance(one, float) and isinstance(other, float):
            return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)
        return one == other

    return [key for key in {**right, **found} if not same(right.get(key), found.get(key))]
