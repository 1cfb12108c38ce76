"""Laws of the order: every sample once an epoch, the same batches for any workers, resumed by arithmetic."""

from itertools import chain, islice

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from argan.data.shards import Order, lane_blocks, lane_length, lane_start, lanes_of
from argan.errors import UserError

laws = settings(max_examples=40, deadline=None)


@st.composite
def orders(draw):
    counts = tuple(draw(st.lists(st.integers(0, 40), min_size=1, max_size=8)))
    assume(sum(counts) > 0)
    return Order(
        seed=draw(st.integers(0, 2**64 - 1)),
        shard_counts=counts,
        num_lanes=draw(st.integers(1, min(9, sum(counts)))),
        window_samples=draw(st.integers(1, 50)),
    )


def lane_ids(order, lane, start, count):
    return list(islice(chain.from_iterable(block.tolist() for block in lane_blocks(order, lane, start)), count))


def stretch(order, epoch, lane):
    return lane_ids(order, lane, lane_start(order, epoch, lane), lane_length(order, epoch, lane))


def global_batches(order, num_workers, start_round, num_rounds, per_lane=1):
    """Batches of all workers, joined: what the training as a whole sees."""
    lanes = list(chain.from_iterable(lanes_of(worker, num_workers, order.num_lanes) for worker in range(num_workers)))
    by_lane = [lane_ids(order, lane, start_round * per_lane, num_rounds * per_lane) for lane in lanes]
    return [
        list(chain.from_iterable(ids[round_ * per_lane : (round_ + 1) * per_lane] for ids in by_lane))
        for round_ in range(num_rounds)
    ]


@laws
@given(orders(), st.integers(0, 1000))
def test_an_epoch_gives_every_sample_once_in_lanes_of_equal_length(order, epoch):
    lanes = [stretch(order, epoch, lane) for lane in range(order.num_lanes)]
    assert sorted(chain.from_iterable(lanes)) == list(range(order.num_samples))
    assert max(map(len, lanes)) - min(map(len, lanes)) <= 1


@laws
@given(orders(), st.integers(0, 10**6))
def test_no_lane_runs_ahead_of_another_over_the_epochs(order, epoch):
    starts = [lane_start(order, epoch, lane) for lane in range(order.num_lanes)]
    assert sum(starts) == epoch * order.num_samples
    assert max(starts) - min(starts) <= 1


@laws
@given(orders(), st.integers(0, 500), st.integers(1, 120))
def test_a_lane_begun_anywhere_goes_on_as_the_straight_run(order, start, count):
    lane = order.num_lanes - 1
    assert lane_ids(order, lane, start, count) == lane_ids(order, lane, 0, start + count)[start:]


@laws
@given(orders(), st.integers(1, 9), st.integers(1, 9), st.integers(1, 3), st.integers(1, 30), st.integers(0, 30))
def test_global_batches_are_the_same_for_any_workers_also_when_they_change(order, before, after, per_lane, stop, more):
    assume(max(before, after) <= order.num_lanes)
    alone = global_batches(order, 1, 0, stop + more, per_lane)
    changed = global_batches(order, before, 0, stop, per_lane) + global_batches(order, after, stop, more, per_lane)
    assert changed == alone


@laws
@given(st.integers(1, 40), st.integers(0, 40))
def test_workers_share_all_lanes_in_order(num_workers, more):
    num_lanes = num_workers + more
    shares = [lanes_of(worker, num_workers, num_lanes) for worker in range(num_workers)]
    assert list(chain.from_iterable(shares)) == list(range(num_lanes))
    assert 1 <= min(map(len, shares)) <= max(map(len, shares)) <= min(map(len, shares)) + 1


@laws
@given(orders(), st.integers(0, 5))
def test_the_window_bounds_how_far_a_sample_moves(order, epoch):
    """A sample stays in its block, so less than window_samples away from its place in the shards' order."""
    unshuffled = Order(seed=order.seed, shard_counts=order.shard_counts, num_lanes=order.num_lanes, window_samples=1)
    for lane in range(order.num_lanes):
        straight = {sample: place for place, sample in enumerate(stretch(unshuffled, epoch, lane))}
        for place, sample in enumerate(stretch(order, epoch, lane)):
            assert abs(place - straight[sample]) < order.window_samples
            assert place // order.window_samples == straight[sample] // order.window_samples


@laws
@given(orders(), st.integers(0, 5))
def test_with_a_window_of_one_shards_come_whole_and_in_order(order, epoch):
    order = Order(seed=order.seed, shard_counts=order.shard_counts, num_lanes=1, window_samples=1)
    shard_of = np.repeat(np.arange(len(order.shard_counts)), order.shard_counts)
    ids = np.array(stretch(order, epoch, 0))
    changes = np.flatnonzero(np.diff(shard_of[ids]))
    assert len(changes) == sum(count > 0 for count in order.shard_counts) - 1
    assert (np.delete(np.diff(ids), changes) == 1).all()


def test_seed_epoch_lane_and_block_each_change_the_order():
    order = Order(seed=3, shard_counts=(500, 500), num_lanes=2, window_samples=250)
    other = Order(seed=4, shard_counts=(500, 500), num_lanes=2, window_samples=250)
    patterns = [np.argsort(stretch(order, epoch, lane)) for epoch in (0, 1) for lane in (0, 1)]
    patterns += [np.argsort(stretch(other, 0, 0))]
    patterns = [tuple(half.tolist()) for pattern in patterns for half in (pattern[:250], pattern[250:] - 250)]
    assert len(set(patterns)) == len(patterns)


def test_the_order_is_the_same_for_ever():
    """Runs of years ago resume on today's code: this order is part of the format."""
    order = Order(seed=7, shard_counts=(5, 0, 4, 6), num_lanes=2, window_samples=4)
    assert lane_ids(order, 0, 0, 15) == [12, 10, 11, 9, 5, 13, 14, 7, 5, 6, 8, 10, 12, 9, 11]
    assert lane_ids(order, 1, 0, 15) == [0, 8, 7, 6, 3, 1, 2, 4, 0, 1, 13, 14, 3, 2, 4]


def test_a_place_far_on_is_found_at_once():
    order = Order(seed=1, shard_counts=(1000, 0, 999) * 1000, num_lanes=64, window_samples=1024)
    assert len(next(lane_blocks(order, 63, 10**15 + 17))) > 0  # sample by sample, or epoch by epoch, that takes days


@pytest.mark.parametrize(
    ("change", "word"),
    [({"num_lanes": 11}, "10 samples"), ({"num_lanes": 0}, "0 lanes"), ({"window_samples": 0}, "0 samples"),
     ({"seed": -1}, "-1"), ({"shard_counts": ()}, "0 samples")],
)  # fmt: skip
def test_what_makes_no_order_is_said(change, word):
    with pytest.raises(UserError, match=word):
        Order(**({"seed": 0, "shard_counts": (4, 6), "num_lanes": 2, "window_samples": 3} | change))


def test_more_workers_than_lanes_is_said():
    with pytest.raises(UserError, match=r"3 lanes .* 4 workers"):
        lanes_of(0, 4, 3)
