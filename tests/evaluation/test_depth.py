import dataclasses
import math

import numpy as np
import pytest
import torch
from toy_photos import TINY, toy_source, toy_truth

from argan import strict_json
from argan.config import PriorConfig
from argan.errors import UserError
from argan.evaluation.alignment import SIZE_MEASURES
from argan.evaluation.depth import evaluate_depth, gap_closed
from argan.evaluation.estimation import train_estimator
from argan.evaluation.measures import RANK_MEASURES, RankSettings, TruthSet
from argan.evaluation.scores import MEASURES

RANKS = RankSettings(num_pairs=300)
NUM_TEST = 30
TEST = toy_truth(1, NUM_TEST)


def trained(seed, **kind):
    source = toy_source(toy_truth(seed, TINY.num_pairs), **kind)
    return train_estimator(source, dataclasses.replace(TINY, seed=seed), device=torch.device("cpu"))


def judge(net, ceiling, truth=TEST):
    return evaluate_depth(net, ceiling, truth, prior=PriorConfig(), ranks=RANKS, protocol={"made": "here"})


@pytest.fixture(scope="module")
def ceiling():
    return trained(2)


@pytest.fixture(scope="module")
def taught_by_truth(ceiling):
    return judge(trained(3), ceiling)


def test_a_generator_of_truth_reaches_the_ceiling(taught_by_truth):
    result = taught_by_truth.result
    assert result["ceiling"]["foreground_auc"] > 0.95  # the ceiling itself has learned
    assert result["trivial"]["foreground_auc"]["value"] < 0.85  # and nothing trivial gets there
    assert [result["gap_closed"][measure] for measure in RANK_MEASURES] == pytest.approx([1, 1, 1], abs=0.1)


def test_a_generator_whose_disparity_is_not_of_its_photos_closes_nothing(ceiling):
    gaps = judge(trained(3, shuffled=True), ceiling).result["gap_closed"]
    assert max(gaps.values()) < 0.1


def test_the_result_holds_what_the_page_and_the_searches_read(taught_by_truth):
    result = taught_by_truth.result
    summary = {*MEASURES, "inverted", "ceiling", "trivial", "gap_closed", "trivial_all"}
    summary |= {"gap_closed_interval", "gap_closed_past_fixed", "fixed"}
    assert set(result) == summary | {"smooth_subjects", "per_image", "alignment", "protocol"}
    assert set(result["smooth_subjects"]) == summary
    assert set(result["per_image"]) == set(MEASURES)
    assert set(result["alignment"]) == {"fakes", "ceiling"}
    assert result["protocol"] == {"made": "here"}
    for told in (result, result["smooth_subjects"]):
        assert set(told["ceiling"]) == {*MEASURES, "inverted"}
        assert set(told["trivial"]) == set(MEASURES)
        assert set(told["gap_closed"]) == set(told["gap_closed_past_fixed"]) == set(RANK_MEASURES)
        for name, fixed in told["fixed"].items():
            assert name.startswith("mean of ")
            assert set(fixed) == {*MEASURES, "inverted"}
        for measure in MEASURES:
            best, extreme = told["trivial"][measure], min if measure in SIZE_MEASURES else max
            assert best["value"] == extreme(
                guess[measure] for guess in told["trivial_all"].values() if measure in guess
            )
            assert best["value"] == told["trivial_all"][best["name"]][measure]


def test_smooth_subjects_are_judged_like_a_set_of_their_own(ceiling):
    """By ranks: sizes are aligned on other photos there."""
    every, other = toy_truth(1, 4 * NUM_TEST), trained(3)
    alone = TruthSet(*(part[every.smooth] for part in every))
    told, expected = judge(other, ceiling, every).result["smooth_subjects"], judge(other, ceiling, alone).result
    assert told["foreground_auc"] == pytest.approx(expected["foreground_auc"])
    assert told["trivial"]["foreground_auc"] == pytest.approx(expected["trivial"]["foreground_auc"])
    for measure in ("foreground_auc", "spearman"):  # pixel pairs are drawn by a photo's place in its set
        assert told["gap_closed_interval"][measure] == pytest.approx(expected["gap_closed_interval"][measure])
    nobody = judge(ceiling, ceiling, TEST._replace(smooth=np.zeros_like(TEST.smooth)))
    assert "smooth_subjects" not in nobody.result


def test_an_estimator_that_learned_depth_inside_out_is_told(ceiling):
    """A head that adds its maps to nothing, turned: what was near is far."""
    turned = trained(2, unit=-1.0)
    told, right = judge(turned, ceiling).result, judge(ceiling, ceiling).result
    assert told["inverted"] > 0.9
    assert right["inverted"] < 0.1
    assert told["disparity_error_px"] > right["disparity_error_px"]


def test_scores_are_of_the_estimates(taught_by_truth):
    assert taught_by_truth.estimates.shape == TEST.disparity.shape
    means = dict(zip(MEASURES, np.nanmean(taught_by_truth.scores, axis=0), strict=True))
    assert means == pytest.approx({measure: taught_by_truth.result[measure] for measure in MEASURES})
    right_way = 1 - (taught_by_truth.scores[:, MEASURES.index("ordinal_accuracy")] < 0.5).mean()
    assert taught_by_truth.result["inverted"] == pytest.approx(1 - right_way)


def test_the_same_nets_are_judged_to_the_same_digits(ceiling):
    one, other = (strict_json.dumps(strict_json.finite(judge(ceiling, ceiling).result)) for _ in range(2))
    assert one == other


def test_a_photo_that_cannot_be_judged_is_counted_not_averaged(ceiling):
    """One photo without a subject, at one disparity throughout, changes no mean."""
    empty = TruthSet(*(np.zeros_like(part[:1]) for part in TEST))._replace(images=TEST.images[:1])
    longer = TruthSet(*(np.concatenate(parts) for parts in zip(TEST, empty, strict=True)))
    without, with_it = judge(ceiling, ceiling).result, judge(ceiling, ceiling, longer).result
    assert with_it["inverted"] == without["inverted"]
    for measure in RANK_MEASURES:
        assert with_it[measure] == pytest.approx(without[measure], abs=1e-6)
        assert with_it["per_image"][measure]["num_used"] == NUM_TEST
        assert with_it["per_image"][measure]["num_images"] == NUM_TEST + 1


def test_the_gap_is_the_share_of_the_way():
    assert gap_closed(0.7, ceiling=0.9, trivial=0.5) == pytest.approx(0.5)
    assert gap_closed(0.4, ceiling=0.9, trivial=0.5) == pytest.approx(-0.25)
    assert math.isnan(gap_closed(0.7, ceiling=0.5, trivial=0.5))


@pytest.mark.parametrize("changes", [{"margin_widths": -1.0}, {"num_pairs": 0}, {"seed": -1}])
def test_rank_settings_that_mean_nothing_are_refused(changes):
    with pytest.raises(UserError, match="got"):
        RankSettings(**changes)


def test_an_empty_set_judges_nobody(ceiling):
    with pytest.raises(UserError, match="no photos"):
        judge(ceiling, ceiling, TruthSet(*(part[:0] for part in TEST)))


def test_what_is_told_of_whom(ceiling):
    """A net turned inside out beside a good ceiling: nothing of the one is told of the other."""
    evaluated = judge(trained(2, unit=-1.0), ceiling)
    result = evaluated.result
    assert result["alignment"]["fakes"]["scale"] == 0 < result["alignment"]["ceiling"]["scale"]
    for told in (result, result["smooth_subjects"]):
        assert told["ceiling"]["inverted"] < 0.1 < 0.9 < told["inverted"]
    for measure in RANK_MEASURES:
        low, high = result["gap_closed_interval"][measure]
        assert low <= result["gap_closed"][measure] <= high
        start = max(result["trivial"][measure]["value"], result["fixed"]["mean of truth"][measure])
        past = (result[measure] - start) / (result["ceiling"][measure] - start)
        assert result["gap_closed_past_fixed"][measure] == pytest.approx(past)
        of_photos = evaluated.scores[:, MEASURES.index(measure)]
        assert result["per_image"][measure]["q50"] == pytest.approx(np.nanmedian(of_photos))
