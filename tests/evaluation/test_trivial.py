import numpy as np
import pytest
from toy_photos import SIDE_PX, toy_truth

from argan.config import PriorConfig
from argan.evaluation.measures import MEASURES, RankSettings, TruthSet, measure_maps, negated
from argan.evaluation.trivial import Guess, best_guesses, measure_trivial_guesses
from argan.losses import focus_prior

RANKS = RankSettings(num_pairs=200)


def guesses(truth):
    return measure_trivial_guesses(truth, PriorConfig(), RANKS)


def test_a_constant_is_a_coin():
    assert guesses(toy_truth(0, 5))["constant"] == {"foreground_auc": 0.5, "ordinal_accuracy": 0.5, "spearman": 0.0}


def test_the_prior_is_perfect_on_photos_made_by_it():
    disparity = focus_prior(SIDE_PX, 1.0, PriorConfig()).numpy().repeat(3, axis=0)
    truth = TruthSet(toy_truth(0, 3).images, disparity, disparity == 0)
    assert guesses(truth)["focus prior"] == pytest.approx(dict.fromkeys(MEASURES, 1.0))


def test_a_cue_that_gives_depth_away_is_found_at_its_polarity():
    """Nearer is darker: -brightness, nothing else, reads these photos."""
    truth = toy_truth(0, 5)
    giveaway = TruthSet((255 - 100 * truth.mask).astype(np.uint8).repeat(3, axis=1), truth.disparity, truth.mask)
    assert guesses(giveaway)["-brightness"]["foreground_auc"] == 1
    assert best_guesses(guesses(giveaway))["foreground_auc"] == Guess("-brightness", 1.0)


def test_both_polarities_of_every_cue_take_part():
    names = set(guesses(toy_truth(0, 2)))
    cues = {name[1:] for name in names if name[0] in "+-"}
    assert {"brightness", "saturation", "red", "green", "blue", "local_contrast", "centre", "height"} <= cues
    assert names == {"constant", "focus prior"} | {sign + cue for cue in cues for sign in "+-"}


def test_the_best_guess_is_chosen_for_each_measure():
    table = {"a": dict.fromkeys(MEASURES, 0.4), "b": {**dict.fromkeys(MEASURES, 0.3), "spearman": 0.5}}
    assert [best_guesses(table)[measure].name for measure in MEASURES] == ["a", "a", "b"]


def test_the_other_polarity_is_what_measuring_it_would_give():
    truth = toy_truth(0, 4)
    maps = np.random.default_rng(0).normal(size=truth.disparity.shape)
    np.testing.assert_allclose(negated(measure_maps(maps, truth, RANKS)), measure_maps(-maps, truth, RANKS), atol=1e-12)


def test_the_margin_grows_with_the_picture():
    """A step of 0.15 px counts at 16 px (margin 0.125 px), not at 32 px (0.25 px)."""
    for side_px, counts in ((16, True), (32, False)):
        disparity = np.zeros((1, 1, side_px, side_px), np.float32)
        disparity[..., :4] = 0.15
        truth = TruthSet(np.zeros((1, 3, side_px, side_px), np.uint8), disparity, disparity > 0)
        assert np.isfinite(measure_maps(disparity, truth, RANKS)[0, MEASURES.index("ordinal_accuracy")]) == counts
