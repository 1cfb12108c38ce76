"""A small set made without Ray, by the same functions that the job's workers call."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch

from argan.config import Config
from argan.data.shard_files import write_shard
from argan.data.tuple_manifest import write_tuple_manifest
from argan.data.tuple_set import TERMS_PATH, encode_record, read_record
from argan.generation.check import Fault, check_shard, read_shard
from argan.generation.maker import TupleMaker
from argan.generation.platform import made_by
from argan.generation.recipe import Quality, Recipe, Terms, config_sha256, encode_terms
from argan.generation.set_check import set_faults
from argan.generation.shard import make_shard
from argan.models.camera import Camera, build_camera
from argan.presets import preset
from argan.storage import Storage

CONFIG: Config = preset("debug")  # 16 px, d_max 0.75 px
KEEP_ALL = Quality(min_spread=0, min_contrast=-1e9, max_prior_correlation=2, min_sharpness=0, max_saturation=1)


def camera() -> Camera:
    """Untrained, but for a disparity that is not flat."""
    made = build_camera(CONFIG).requires_grad_(False).eval()
    with torch.no_grad():
        for head in made.generator.heads:
            head.weight[3] *= 5
    return made


def recipe(**changes: Any) -> Recipe:
    return Recipe(**{"num_samples": 44, "shard_samples": 12, "shape": "disk", "quality": KEEP_ALL, **changes})


def terms_of(wanted: Recipe) -> Terms:
    return Terms(
        recipe=wanted,
        checkpoint_sha256="0" * 64,
        config_sha256=config_sha256(CONFIG),
        **made_by(torch.device("cpu")),
    )


class SmallSet(NamedTuple):
    out: Storage
    maker: TupleMaker
    terms: Terms

    def faults(self, *, num_retaken: int = 2) -> list[Fault]:
        numbers = range(self.terms.recipe.num_shards)
        checks = {
            number: check_shard(read_shard(self.out, number), self.maker, self.terms, number, num_retaken=num_retaken)
            for number in numbers
        }
        return set_faults(self.out, self.terms, checks, lambda: [read_record(self.out, each) for each in numbers])


def make_small_set(out: Storage, wanted: Recipe | None = None) -> SmallSet:
    terms = terms_of(wanted or recipe())
    maker = TupleMaker(camera(), CONFIG, terms.recipe)
    out.write_bytes(TERMS_PATH, encode_terms(terms))
    shards = [make_shard(maker, terms, number) for number in range(terms.recipe.num_shards)]
    for number, shard in enumerate(shards):
        write_shard(out, number, tar=shard.tar, record=encode_record(shard.record))
    write_tuple_manifest(out, terms.sha256, [shard.record for shard in shards])
    return SmallSet(out, maker, terms)


def content(storage: Storage) -> Mapping[str, bytes]:
    return {entry.path: storage.read_bytes(entry.path) for entry in storage.list()}
