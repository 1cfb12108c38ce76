"""The order of samples: a pure function of (seed, epoch, samples in each shard), never a saved iterator.

An epoch permutes the shards and cuts that order, by sample, into lanes of equal length, give or take one. A lane reads
its stretch in blocks of `window_samples` consecutive samples, each block permuted, and goes on with the next epoch
without end. A global batch takes the same number of samples from each lane, in lane order; workers own lanes. So the
position in the data is one integer, the images seen, for any number of workers. Why: docs/decisions/data_order.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from argan.errors import UserError

# What a permutation is drawn for: one word of its key, so that no two purposes share numbers.
_SHARDS, _BLOCK = 0, 1


@dataclass(frozen=True, kw_only=True)
class Order:
    """All that the order of samples depends on. Raises UserError where a number makes no order."""

    seed: int
    shard_counts: tuple[int, ...]  # samples in each shard; 0 is all right
    num_lanes: int
    window_samples: int

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**64:
            raise UserError(f"the seed of the data's order must lie in [0, 2^64), got {self.seed}")
        if self.num_lanes < 1 or self.window_samples < 1:
            raise UserError(
                f"lanes and window must be at least 1, got {self.num_lanes} lanes of {self.window_samples} samples"
            )
        if self.num_samples < self.num_lanes:
            raise UserError(f"a set of {self.num_samples} samples cannot be cut into {self.num_lanes} lanes")

    @cached_property
    def num_samples(self) -> int:
        return sum(self.shard_counts)


def lanes_of(worker: int, num_workers: int, num_lanes: int) -> range:
    """The lanes that a worker owns: all of them for one worker, contiguous shares, equal give or take one, for more.

    Raises UserError where there are more workers than lanes.
    """
    if not 0 <= worker < num_workers <= num_lanes:
        raise UserError(f"{num_lanes} lanes do not give each of {num_workers} workers one (asked for worker {worker})")
    return range(worker * num_lanes // num_workers, (worker + 1) * num_lanes // num_workers)


def lane_start(order: Order, epoch: int, lane: int) -> int:
    """The position of `lane` at which `epoch` begins.

    floor((x + 0) / L) + ... + floor((x + L - 1) / L) = x (Hermite), so the lanes together give each epoch once, and
    no lane is ever more than one sample ahead of another, whatever the remainder.
    """
    return (epoch * order.num_samples + lane) // order.num_lanes


def lane_length(order: Order, epoch: int, lane: int) -> int:
    """How many samples of `epoch` the lane gives: num_samples / num_lanes, rounded down or up."""
    return lane_start(order, epoch + 1, lane) - lane_start(order, epoch, lane)


def lane_blocks(order: Order, lane: int, start: int) -> Iterator[np.ndarray]:
    """The lane's sample ids from its position `start` on, without end: int64 arrays, one a block, the first one cut.

    Costs O(shards + window), however far `start` is.
    """
    epoch = ((start + 1) * order.num_lanes - lane - 1) // order.num_samples  # the last one with lane_start <= start
    skip = start - lane_start(order, epoch, lane)
    while True:
        epoch_order = _EpochOrder.of(order, epoch)
        begin = sum(lane_length(order, epoch, before) for before in range(lane))
        length = lane_length(order, epoch, lane)
        for block in range(skip // order.window_samples, -(-length // order.window_samples)):
            first = block * order.window_samples
            ids = epoch_order.ids(begin + first, begin + min(first + order.window_samples, length))
            shuffled = ids[_permutation(order.seed, _BLOCK, (block, lane, epoch), len(ids))]
            yield shuffled[max(skip - first, 0) :]
        epoch, skip = epoch + 1, 0


@dataclass(frozen=True)
class _EpochOrder:
    """All samples of an epoch in the order that lanes are cut from: whole shards, permuted."""

    first_ids: np.ndarray  # [shards] the first id in each shard, in the epoch's order of shards
    ends: np.ndarray  # [shards] how many samples lie before each shard's end

    @classmethod
    def of(cls, order: Order, epoch: int) -> "_EpochOrder":
        counts = np.array(order.shard_counts, np.int64)
        shards = _permutation(order.seed, _SHARDS, (0, 0, epoch), len(counts))
        return cls((np.cumsum(counts) - counts)[shards], np.cumsum(counts[shards]))

    def ids(self, begin: int, end: int) -> np.ndarray:
        places = np.arange(begin, end)
        shard = np.searchsorted(self.ends, places, side="right")
        starts = np.concatenate([[0], self.ends[:-1]])
        return self.first_ids[shard] + places - starts[shard]


def _permutation(seed: int, purpose: int, counter: tuple[int, int, int], size: int) -> np.ndarray:
    """A permutation of range(size) that is the same under every version of numpy.

    numpy keeps the bits of Philox for ever, but not what Generator.permutation makes of them; so sort the raw bits.
    """
    key = np.array([seed, purpose], np.uint64)
    bits = np.random.Philox(key=key, counter=np.array([0, *counter], np.uint64)).random_raw(size)
    return np.argsort(bits, kind="stable")
