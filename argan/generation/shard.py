"""One shard of a set: the samples of its range of indices, judged, rendered, encoded, in one tar."""

import tarfile
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from argan.data.manifest import ShardInfo
from argan.data.tar import TarWriter
from argan.data.tuple_set import Row, ShardRecord, sha256, tar_path
from argan.data.tuples import encode_tuple
from argan.generation.maker import DeepBatch, TupleMaker
from argan.generation.quality import KEPT, Measures, measure, reason
from argan.generation.recipe import MICRO_BATCH_IMAGES, Terms
from argan.losses import focus_prior


class Shard(NamedTuple):
    record: ShardRecord
    data: bytes  # the tar


def make_shard(maker: TupleMaker, terms: Terms, number: int) -> Shard:
    """The same bytes for the same terms, wherever and however often it is made."""
    recipe, tar = terms.recipe, TarWriter()
    rows: list[Row] = []
    for indices in _micro_batches(recipe.indices(number)):
        batch = maker.deep(indices)
        measures = [measure_stored(maker, *sample) for sample in zip(*batch, strict=True)]
        reasons = [reason(values, recipe.quality) for values in measures]
        kept = [place for place, why in enumerate(reasons) if why == KEPT]
        apertures = [maker.apertures(indices[place]) for place in kept]
        photos = maker.shallow(DeepBatch(batch.images[kept], batch.codes[kept]), apertures) if kept else []
        shallow = dict(zip(kept, zip(*photos, strict=True), strict=True))
        for place, index in enumerate(indices):
            row = _row(index, number, reasons[place], measures[place])
            row |= {f"aperture_{k}": aperture for k, aperture in enumerate(maker.apertures(index))}
            if place in shallow:
                members = encode_tuple(
                    batch.images[place],
                    shallow[place],
                    batch.codes[place],
                    maker.coding,
                    sample_facts(terms, maker, index),
                )
                row |= add_sample(tar, index, members) | {"deep_sha256": sha256(batch.images[place].tobytes())}
            rows.append(row)
    data = tar.finish()
    for row in rows:
        row["sha256"] = sha256(data[row["offset"] : row["offset"] + row["size"]]) if row["size"] else ""
    num_kept = sum(row["reason"] == KEPT for row in rows)
    shard = ShardInfo(name=tar_path(number), num_samples=num_kept, size_bytes=len(data), sha256=sha256(data))
    return Shard(ShardRecord(terms_sha256=terms.sha256, index=number, shard=shard, rows=rows), data)


def measure_stored(maker: TupleMaker, image: NDArray[np.uint8], codes: NDArray[np.uint16]) -> Measures:
    """The measures of a sample from what is stored of it."""
    config = maker.config
    prior = focus_prior(config.resolution, config.d_max_px, config.prior)[0, 0].numpy()
    return measure(image, maker.coding.decode(codes), prior, config.d_max_px)


def sample_facts(terms: Terms, maker: TupleMaker, index: int) -> dict[str, Any]:
    """What a sample's json says: how it was made, and by what."""
    recipe = terms.recipe
    return {
        "index": index,
        "seed": recipe.seed,
        "apertures": maker.apertures(index),
        "focus_px": recipe.focus_px,
        "shape": recipe.shape,
        "truncation": recipe.truncation,
        "views_per_side": list(maker.views_per_side),
        "d_max_px": maker.config.d_max_px,
        "checkpoint_sha256": terms.checkpoint_sha256,
        "config_sha256": terms.config_sha256,
        "versions": dict(terms.versions),
        "platform": dict(terms.platform),
    }


def sample_key(index: int) -> str:
    return f"{index:09d}"


def _row(index: int, shard: int, why: str, measures: Measures) -> Row:
    places = {"index": index, "reason": why, "shard": shard, "offset": 0, "size": 0, "sha256": "", "deep_sha256": ""}
    return places | measures._asdict()


def add_sample(tar: TarWriter, index: int, members: Mapping[str, bytes]) -> dict[str, int]:
    """Where the sample's stretch of the tar is, headers and padding included."""
    places = [tar.add(f"{sample_key(index)}.{name}", data) for name, data in members.items()]
    start, last = places[0].offset - tarfile.BLOCKSIZE, places[-1]
    end = last.offset + -(-last.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
    return {"offset": start, "size": end - start}


def _micro_batches(indices: range) -> Iterator[range]:
    for start in range(0, len(indices), MICRO_BATCH_IMAGES):
        yield indices[start : start + MICRO_BATCH_IMAGES]
