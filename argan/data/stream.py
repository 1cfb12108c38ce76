"""Batches of photos from a set of shards, in the order of `argan.data.shards`, read ahead by threads."""

from collections.abc import Generator
from typing import NamedTuple

import numpy as np

from argan.data.cache import ShardCache
from argan.data.manifest import Manifest
from argan.storage import Storage


class Batch(NamedTuple):
    """A worker's slice of a global batch."""

    images: np.ndarray  # [b,3,H,W] uint8, sRGB, contiguous
    ids: np.ndarray  # [b] int64, rows of the manifest


def stream_batches(
    storage: Storage,
    manifest: Manifest,
    *,
    seed: int,
    num_lanes: int,
    batch_images: int,
    window_samples: int,
    lanes: range,
    start_images: int,
    cache: ShardCache | None = None,
) -> Generator[Batch, None, None]:
    """The endless stream of this worker's slices of the global batches, from the position `start_images` on."""
    raise NotImplementedError


def read_photos(storage: Storage, manifest: Manifest, ids: np.ndarray) -> np.ndarray:
    """The photos of the given rows, in that order: [n,3,H,W] uint8, sRGB."""
    raise NotImplementedError
