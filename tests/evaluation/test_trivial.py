import math

import numpy as np
import pytest
from toy_photos import SIDE_PX, toy_truth

from argan.config import PriorConfig
from argan.evaluation.alignment import SIZE_MEASURES
from argan.evaluation.measures import RANK_MEASURES, RankSettings, TruthSet, measure_ranks, negated
from argan.evaluation.scores import MEASURES, means
from argan.evaluation.trivial import Guess, best_guesses, trivial_scores
from argan.prior import focus_prior

RANKS = RankSettings(num_pairs=200)


def guesses(truth):
    return {name: means(scores) for name, scores in trivial_scores(truth, PriorConfig(), RANKS).items()}


def test_a_constant_is_a_coin():
    constant = guesses(toy_truth(0, 5))["constant"]
    assert [constant[measure] for measure in RANK_MEASURES] == [0.5, 0.5, 0.0]


def test_the_prior_is_perfect_on_photos_made_by_it():
    disparity = focus_prior(SIDE_PX, 1.0, PriorConfig()).numpy().repeat(3, axis=0)
    truth = toy_truth(0, 3)._replace(disparity=disparity, mask=disparity == 0)
    told = guesses(truth)["focus prior"]
    assert [told[measure] for measure in RANK_MEASURES] == pytest.approx([1.0, 1.0, 1.0])
    assert [told[measure] for measure in SIZE_MEASURES] == pytest.approx([0.0, 0.0], abs=1e-6)


def test_only_guesses_that_know_where_focus_is_have_a_size():
    for name, told in guesses(toy_truth(0, 5)).items():
        sized = name in ("constant", "focus prior")
        assert [math.isnan(told[measure]) for measure in SIZE_MEASURES] == [not sized] * 2


def test_a_cue_that_gives_depth_away_is_found_at_its_polarity():
    """Nearer is darker: -brightness, nothing else, reads these photos."""
    truth = toy_truth(0, 5)
    giveaway = truth._replace(images=(255 - 100 * truth.mask).astype(np.uint8).repeat(3, axis=1))
    assert guesses(giveaway)["-brightness"]["foreground_auc"] == 1
    assert best_guesses(guesses(giveaway))["foreground_auc"] == Guess("-brightness", 1.0)


def test_both_polarities_of_every_cue_take_part():
    names = set(guesses(toy_truth(0, 2)))
    cues = {name[1:] for name in names if name[0] in "+-"}
    assert {"brightness", "saturation", "red", "green", "blue", "local_contrast", "centre", "height"} <= cues
    assert names == {"constant", "focus prior"} | {sign + cue for cue in cues for sign in "+-"}


def test_the_best_guess_is_chosen_for_each_measure():
    table = {"a": dict.fromkeys(MEASURES, 0.4), "b": {**dict.fromkeys(MEASURES, 0.3), "spearman": 0.5}}
    table["b"] |= {"side": math.nan, "disparity_error_px": 0.2}
    assert [best_guesses(table)[measure].name for measure in MEASURES] == ["a", "a", "b", "b", "a"]


def test_the_other_polarity_is_what_measuring_it_would_give():
    truth = toy_truth(0, 4)
    maps = np.random.default_rng(0).normal(size=truth.disparity.shape)
    np.testing.assert_allclose(
        negated(measure_ranks(maps, truth, RANKS)), measure_ranks(-maps, truth, RANKS), atol=1e-12
    )


def test_the_margin_grows_with_the_picture():
    """A step of 0.15 px counts at 16 px (margin 0.125 px), not at 32 px (0.25 px)."""
    for side_px, counts in ((16, True), (32, False)):
        disparity = np.zeros((1, 1, side_px, side_px), np.float32)
        disparity[..., :4] = 0.15
        truth = TruthSet(np.zeros((1, 3, side_px, side_px), np.uint8), disparity, disparity > 0, np.zeros(1, np.bool_))
        assert np.isfinite(measure_ranks(disparity, truth, RANKS)[0, RANK_MEASURES.index("ordinal_accuracy")]) == counts


def test_a_constant_lies_behind_focus_and_how_far_is_fitted():
    truth = toy_truth(0, 10)
    behind = truth._replace(disparity=np.full_like(truth.disparity, -0.4))
    assert guesses(behind)["constant"]["disparity_error_px"] == pytest.approx(0, abs=1e-6)


def test_each_image_has_pixel_pairs_of_its_own_and_each_seed_others():
    """The same photo and the same estimate three times."""
    once = toy_truth(0, 1)
    truth = TruthSet(*(field.repeat(3, axis=0) for field in once))
    estimates = np.random.default_rng(0).normal(size=once.disparity.shape).repeat(3, axis=0)
    settings = [RankSettings(num_pairs=500, seed=seed) for seed in (0, 1)]
    ordinal = np.concatenate([measure_ranks(estimates, truth, each)[:, 1] for each in settings])
    assert len(set(ordinal)) == 6
