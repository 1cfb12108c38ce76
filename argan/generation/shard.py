"""One shard of a set: the samples of its range of indices, judged, rendered, encoded, in one tar."""

import tarfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from argan.data.manifest import ShardInfo
from argan.data.shard_files import sha256, tar_path
from argan.data.tar import TarWriter
from argan.data.tuple_set import Row, TupleShard, sample_key
from argan.data.tuples import encode_tuple
from argan.generation.maker import DeepBatch, TupleMaker
from argan.generation.quality import KEPT, Measures, measure, reason
from argan.generation.recipe import MICRO_BATCH_IMAGES, Terms


class NewShard(NamedTuple):
    record: TupleShard
    tar: bytes


def make_shard(maker: TupleMaker, terms: Terms, number: int) -> NewShard:
    """The same bytes for the same terms, wherever and however often it is made."""
    tar = TarWriter()
    rows = [
        row for indices in _micro_batches(terms.recipe.indices(number)) for row in _make(maker, terms, indices, tar)
    ]
    data = tar.finish()
    for row in rows:
        row["shard"] = number
        row["sha256"] = sha256(data[row["offset"] : row["offset"] + row["size"]]) if row["size"] else ""
    num_kept = sum(row["reason"] == KEPT for row in rows)
    shard = ShardInfo(name=tar_path(number), num_samples=num_kept, size_bytes=len(data), sha256=sha256(data))
    return NewShard(TupleShard(terms_sha256=terms.sha256, index=number, shard=shard, rows=rows), data)


def measure_stored(maker: TupleMaker, image: NDArray[np.uint8], codes: NDArray[np.uint16]) -> Measures:
    """The measures of a sample from what is stored of it."""
    disparity = maker.coding.decode(codes)
    return measure(image, disparity, maker.prior_of(disparity), maker.config.d_max_px)


def sample_facts(terms: Terms, maker: TupleMaker, index: int, apertures: Sequence[float]) -> dict[str, Any]:
    """What a sample's json says beside schema and disparity's coding: how it was made, and by what."""
    recipe, optics = terms.recipe, maker.config.optics
    return {
        "index": index,
        "seed": recipe.seed,
        "apertures": list(apertures),
        "focus_px": recipe.focus_px,
        "shape": recipe.shape,
        "truncation": recipe.truncation,
        "views_per_side": list(maker.views_per_side),
        "linear_light": optics.linear_light,
        **({"occlusion_steps": optics.occlusion_steps} if optics.occlusion_steps else {}),
        "d_max_px": maker.config.d_max_px,
        "checkpoint_sha256": terms.checkpoint_sha256,
        "config_sha256": terms.config_sha256,
        "versions": dict(terms.versions),
        "platform": dict(terms.platform),
    }


def add_sample(tar: TarWriter, index: int, members: Mapping[str, bytes]) -> dict[str, int]:
    """Adds a sample's members; returns where its stretch of the tar is, headers and padding included."""
    places = [tar.add(f"{sample_key(index)}.{name}", data) for name, data in members.items()]
    start, last = places[0].offset - tarfile.BLOCKSIZE, places[-1]
    end = last.offset + -(-last.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
    return {"offset": start, "size": end - start}


def _make(maker: TupleMaker, terms: Terms, indices: range, tar: TarWriter) -> Iterator[Row]:
    """The rows of a micro-batch, whose kept samples go into the tar."""
    batch = maker.deep(indices)
    apertures = [maker.apertures(index) for index in indices]
    measures = [measure_stored(maker, *sample) for sample in zip(*batch, strict=True)]
    reasons = [reason(values, terms.recipe.quality) for values in measures]
    kept = [place for place, why in enumerate(reasons) if why == KEPT]
    photos = _shallow(maker, batch, apertures, kept)
    for place, index in enumerate(indices):
        row = {"index": index, "reason": reasons[place], "offset": 0, "size": 0, "deep_sha256": ""}
        row |= measures[place]._asdict() | {f"aperture_{k}": s for k, s in enumerate(apertures[place])}
        if place in photos:
            image, facts = batch.images[place], sample_facts(terms, maker, index, apertures[place])
            members = encode_tuple(image, photos[place], batch.codes[place], maker.coding, facts)
            row |= add_sample(tar, index, members) | {"deep_sha256": sha256(image.tobytes())}
        yield row


def _shallow(
    maker: TupleMaker, batch: DeepBatch, apertures: list[list[float]], kept: list[int]
) -> dict[int, tuple[NDArray[np.uint8], ...]]:
    """The shallow photos of the kept samples, by their place in the batch."""
    if not kept:
        return {}
    photos = maker.shallow(DeepBatch(batch.images[kept], batch.codes[kept]), [apertures[place] for place in kept])
    return dict(zip(kept, zip(*photos, strict=True), strict=True))


def _micro_batches(indices: range) -> Iterator[range]:
    for start in range(0, len(indices), MICRO_BATCH_IMAGES):
        yield indices[start : start + MICRO_BATCH_IMAGES]
