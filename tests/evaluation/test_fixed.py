"""One map for all photos: what it reaches, and that an estimate has to read its photo to come further."""

import dataclasses

import numpy as np
import pytest
import torch
from toy_photos import TINY, toy_source, toy_truth

from argan.config import PriorConfig
from argan.evaluation.depth import evaluate_depth
from argan.evaluation.estimation import train_estimator
from argan.evaluation.fixed import MEAN_OF_ESTIMATES, MEAN_OF_TRUTH, fixed_scores
from argan.evaluation.measures import RANK_MEASURES, RankSettings
from argan.evaluation.scores import MEASURES, inverted_share, judge_maps, means

RANKS = RankSettings(num_pairs=300)


def test_truth_that_is_the_same_everywhere_is_its_mean() -> None:
    truth = toy_truth(0, 10)
    alike = truth._replace(disparity=truth.disparity[:1].repeat(10, axis=0), mask=truth.mask[:1].repeat(10, axis=0))
    told = means(fixed_scores(np.zeros_like(truth.disparity), alike, RANKS)[MEAN_OF_TRUTH])
    assert told["foreground_auc"] == told["ordinal_accuracy"] == 1
    assert [told["disparity_error_px"], told["side"]] == pytest.approx([0, 0], abs=1e-3)


def test_the_mean_of_truth_is_of_the_development_photos_alone() -> None:
    truth = toy_truth(0, 10)
    moved = truth.disparity.copy()
    moved[[1, 2, 3, 4, 6, 7, 8, 9]] += 100
    estimates = np.zeros_like(moved)
    one, other = (fixed_scores(estimates, truth._replace(disparity=d), RANKS) for d in (truth.disparity, moved))
    np.testing.assert_array_equal(one[MEAN_OF_TRUTH][:, :3], other[MEAN_OF_TRUTH][:, :3])


def test_estimates_that_do_not_look_at_their_photos_are_their_own_mean() -> None:
    """A net with a learned constant map: worth exactly what its mean is worth, however good."""
    truth = toy_truth(0, 10)
    blind = truth.disparity.mean(0, keepdims=True).repeat(10, axis=0)
    alone = judge_maps(blind, truth, RANKS).scores
    np.testing.assert_allclose(fixed_scores(blind, truth, RANKS)[MEAN_OF_ESTIMATES], alone, rtol=1e-5)


def test_a_flat_mean_is_half_inverted() -> None:
    truth = toy_truth(0, 10)
    flat = fixed_scores(np.zeros_like(truth.disparity), truth, RANKS)[MEAN_OF_ESTIMATES]
    assert inverted_share(flat) == 0.5
    told = means(flat)
    assert [told[measure] for measure in RANK_MEASURES] == [0.5, 0.5, 0.0]


def test_the_gap_past_it_is_never_larger_and_tells_a_blind_net_apart() -> None:
    truth = toy_truth(1, 30)
    source = toy_source(toy_truth(2, TINY.num_pairs))
    ceiling, net = (
        train_estimator(source, dataclasses.replace(TINY, seed=seed), device=torch.device("cpu")) for seed in (2, 3)
    )
    result = evaluate_depth(net, ceiling, truth, prior=PriorConfig(), ranks=RANKS, protocol={}).result
    for measure in RANK_MEASURES:
        assert result["gap_closed_past_fixed"][measure] <= result["gap_closed"][measure] + 1e-9
    assert result["ordinal_accuracy"] > result["fixed"][MEAN_OF_ESTIMATES]["ordinal_accuracy"] + 0.1
    assert set(result["fixed"][MEAN_OF_TRUTH]) == {*MEASURES, "inverted"}
