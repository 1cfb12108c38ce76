import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from argan.evaluation.ranks import average_ranks, foreground_auc, mean_over_images, ordinal_accuracy, spearman

# Few levels, so that ties abound; small integers, so that the maps below keep order and ties exactly.
maps = arrays(np.float64, (4, 5), elements=st.integers(-3, 3).map(float))
masks = arrays(np.bool_, (4, 5))
few = settings(max_examples=30, deadline=None)  # each example is twenty pixels and hundreds of pairs
MONOTONE = [lambda x: 3 * x - 7, np.exp, lambda x: x**3 + x]


def pairs_in_order(estimate, truth, margin_px):
    """The formula as written: every pair that differs, a tie of the estimate counted half."""
    differs = truth.ravel()[:, None] > truth.ravel() + margin_px
    won = (1 + np.sign(estimate.ravel()[:, None] - estimate.ravel())) / 2
    return float(won[differs].mean()) if differs.any() else math.nan


def ordinal(estimate, truth, margin_px=0.5, num_pairs=100, seed=0):
    rng = np.random.default_rng(seed)
    return ordinal_accuracy(estimate, truth, margin_px=margin_px, num_pairs=num_pairs, rng=rng)


@few
@given(maps, masks)
def test_auc_is_the_share_of_pairs_won(score, mask):
    assert foreground_auc(score, mask) == pytest.approx(pairs_in_order(score, mask.astype(float), 0), nan_ok=True)


@few
@given(maps, masks)
def test_auc_of_the_negative_is_the_rest(score, mask):
    assert foreground_auc(-score, mask) == pytest.approx(1 - foreground_auc(score, mask), nan_ok=True)


@few
@given(maps, maps, masks, st.sampled_from(MONOTONE))
def test_an_increasing_map_of_the_estimate_changes_nothing(estimate, truth, mask, increasing):
    assert foreground_auc(increasing(estimate), mask) == pytest.approx(foreground_auc(estimate, mask), nan_ok=True)
    assert ordinal(increasing(estimate), truth) == pytest.approx(ordinal(estimate, truth), nan_ok=True)
    assert spearman(increasing(estimate), truth) == pytest.approx(spearman(estimate, truth), nan_ok=True)


@few
@given(maps, maps)
def test_the_negative_estimate_flips_order_and_correlation(estimate, truth):
    assert ordinal(-estimate, truth) == pytest.approx(1 - ordinal(estimate, truth), nan_ok=True)
    assert spearman(-estimate, truth) == pytest.approx(-spearman(estimate, truth), nan_ok=True)


@few
@given(maps.filter(lambda truth: np.ptp(truth) > 0.5))
def test_truth_is_perfect_and_a_constant_is_a_coin(truth):
    assert ordinal(truth, truth) == 1
    assert ordinal(np.ones_like(truth), truth) == 0.5
    assert spearman(truth, truth) == pytest.approx(1)
    assert spearman(np.ones_like(truth), truth) == 0
    assert math.isnan(spearman(truth, np.ones_like(truth)))
    assert foreground_auc(truth, truth == truth.max()) == 1
    assert foreground_auc(np.ones_like(truth), truth == truth.max()) == 0.5


@few
@given(maps, maps)
def test_spearman_is_the_correlation_of_average_ranks(estimate, truth):
    assume(np.ptp(estimate) > 0 and np.ptp(truth) > 0)
    expected = np.corrcoef(average_ranks(estimate), average_ranks(truth))[0, 1]
    assert spearman(estimate, truth) == pytest.approx(expected, abs=1e-12)


def test_spearman_without_ties_is_the_textbook_formula():
    estimate, truth = np.random.default_rng(0).permutation(30.0 * np.arange(20)), np.arange(20)
    squared_rank_gaps = ((average_ranks(estimate) - average_ranks(truth)) ** 2).sum()
    assert spearman(estimate, truth) == pytest.approx(1 - 6 * squared_rank_gaps / (20 * (20**2 - 1)))


@few
@given(maps)
def test_a_rank_counts_the_smaller_and_half_the_equal(values):
    smaller = (values.ravel()[:, None] > values.ravel()).sum(1)
    equal = (values.ravel()[:, None] == values.ravel()).sum(1)
    np.testing.assert_array_equal(average_ranks(values), smaller + (equal + 1) / 2)


@few
@given(maps, maps, st.sampled_from([0.0, 1.0, 2.5]))
def test_ordinal_accuracy_estimates_the_share_over_all_pairs(estimate, truth, margin_px):
    num_pairs = 20_000
    drawn = ordinal(estimate, truth, margin_px, num_pairs)
    # Six standard deviations of a draw in [0, 1]: one example in a billion fails by chance.
    assert drawn == pytest.approx(pairs_in_order(estimate, truth, margin_px), abs=3 / math.sqrt(num_pairs), nan_ok=True)


def test_ordinal_accuracy_weighs_every_pair_alike():
    truth = np.array([0.0, 1.0, 5.0])  # three pairs: 0-1, 0-5, 1-5; the estimate errs on 0-1 alone
    assert ordinal(np.array([1.0, 0.0, 2.0]), truth, num_pairs=90_000) == pytest.approx(2 / 3, abs=0.01)


def test_the_margin_is_exclusive():
    assert math.isnan(ordinal(np.arange(2.0), np.array([0.0, 1.0]), margin_px=1.0))
    assert ordinal(np.arange(2.0), np.array([0.0, 1.0]), margin_px=0.99) == 1


def test_the_same_seed_draws_the_same_pairs():
    estimate, truth = np.random.default_rng(1).normal(size=(2, 8, 8))
    assert ordinal(estimate, truth, seed=3) == ordinal(estimate, truth, seed=3)
    assert ordinal(estimate, truth, seed=3) != ordinal(estimate, truth, seed=4)


@pytest.mark.parametrize("mask", [np.zeros((4, 4)), np.ones((4, 4))])
def test_auc_without_both_sides_is_undefined(mask):
    assert math.isnan(foreground_auc(np.arange(16).reshape(4, 4), mask))


def test_undefined_images_are_counted_not_averaged():
    assert mean_over_images([1.0, math.nan, 0.5]) == (0.75, 2, 3)
    nothing = mean_over_images([math.nan])
    assert math.isnan(nothing.mean)
    assert nothing[1:] == (0, 1)


def test_broken_input_is_named():
    with pytest.raises(ValueError, match="finite"):
        spearman(np.array([0.0, math.nan]), np.arange(2))
    with pytest.raises(ValueError, match="2 and 3 pixels"):
        spearman(np.arange(2), np.arange(3))
