"""One map for all photos: what it reaches, and that an estimate has to read its photo to come further."""

import numpy as np
import pytest
import torch
from toy_photos import TINY, toy_source, toy_truth

from argan.config import PriorConfig
from argan.evaluation.alignment import DEVELOPMENT_ONE_IN
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


def test_no_development_photo_is_judged_by_itself() -> None:
    """The fifth photo's own truth is turned round: what the mean of the others is worth there turns round as well."""
    truth = toy_truth(0, 10)
    turned = truth.disparity.copy()
    turned[5] = -1 - turned[5]
    estimates = np.zeros_like(turned)
    one, other = (
        fixed_scores(estimates, truth._replace(disparity=d), RANKS)[MEAN_OF_TRUTH][5, MEASURES.index("spearman")]
        for d in (truth.disparity, turned)
    )
    assert one == pytest.approx(-other)


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


def test_inverted_is_more_pairs_in_the_wrong_order_than_in_the_right_one() -> None:
    """By ordinal accuracy; a tie counts half, and what is undefined not at all."""
    scores = np.full((4, len(MEASURES)), 0.9)
    scores[:, MEASURES.index("ordinal_accuracy")] = [0.2, 0.5, 0.8, np.nan]
    assert inverted_share(scores) == pytest.approx(0.5)


class Blind(torch.nn.Module):
    """Says one map of every photo."""

    def __init__(self, disparity: np.ndarray) -> None:
        super().__init__()
        self.disparity = torch.from_numpy(disparity)
        self.disparity_unit_px = torch.ones(())

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.disparity.expand(len(images), -1, -1, -1)


def test_a_blind_net_closes_no_gap_past_it() -> None:
    """Squares near one corner: the mean of truth beats every guess, and who learned only that has read no photo."""
    truth, teach = toy_truth(1, 200, places=4), toy_truth(2, TINY.num_pairs, places=4)
    ceiling = train_estimator(toy_source(teach), TINY, device=torch.device("cpu"))
    blind = Blind(truth.disparity[::DEVELOPMENT_ONE_IN].mean(0))
    result = evaluate_depth(blind, ceiling, truth, prior=PriorConfig(), ranks=RANKS, protocol={}).result  # type: ignore[arg-type]
    best = evaluate_depth(ceiling, ceiling, truth, prior=PriorConfig(), ranks=RANKS, protocol={}).result
    for measure in ("foreground_auc", "ordinal_accuracy"):
        fixed, top = result["fixed"][MEAN_OF_TRUTH][measure], result["ceiling"][measure]
        assert result["trivial"][measure]["value"] < fixed < top
        assert result["gap_closed_past_fixed"][measure] == pytest.approx((result[measure] - fixed) / (top - fixed))
        assert result["gap_closed_past_fixed"][measure] < 0.1 < 0.3 < result["gap_closed"][measure]
        assert best["gap_closed_past_fixed"][measure] == pytest.approx(1)
    assert set(result["fixed"][MEAN_OF_TRUTH]) == {*MEASURES, "inverted"}


def test_where_a_guess_is_better_the_gap_begins_at_the_guess() -> None:
    truth = toy_truth(1, 30)
    net = train_estimator(toy_source(toy_truth(2, TINY.num_pairs)), TINY, device=torch.device("cpu"))
    result = evaluate_depth(net, net, truth, prior=PriorConfig(), ranks=RANKS, protocol={}).result
    weaker = [m for m in RANK_MEASURES if result["fixed"][MEAN_OF_TRUTH][m] <= result["trivial"][m]["value"]]
    assert weaker  # squares anywhere: their mean says little
    assert all(result["gap_closed_past_fixed"][m] == result["gap_closed"][m] for m in weaker)
