import numpy as np
import pytest
from toy_photos import toy_truth

from argan.errors import NonFiniteError
from argan.evaluation.alignment import (
    DEVELOPMENT_ONE_IN,
    DISPARITY_THERE_WIDTHS,
    FARTHEST,
    TRUE_FACTOR,
    depth,
    depth_factor,
    measure_sizes,
    positive_scale,
    side,
)
from argan.evaluation.measures import TruthSet

NUM = 20


def waves(num=NUM, size_px=16) -> TruthSet:
    """Photos of nothing with disparity of every kind between -0.75 and 0.1 px, as 16-px scenes have."""
    disparity = np.random.default_rng(0).uniform(-0.75, 0.1, size=(num, 1, size_px, size_px)).astype(np.float32)
    return toy_truth(0, num)._replace(disparity=disparity)


@pytest.mark.parametrize("unit", [1e-3, 1.0, 40.0])
def test_truth_in_any_unit_has_no_error(unit: float) -> None:
    truth = waves()
    sizes = measure_sizes(truth.disparity.astype(np.float64) * unit, truth)
    assert np.nanmax(sizes.scores) < 1e-9
    assert sizes.alignment.scale == pytest.approx(1 / unit)
    assert sizes.alignment.depth_factor == pytest.approx(TRUE_FACTOR / unit)


def test_a_shift_is_an_error_that_no_scale_takes_away() -> None:
    truth = waves()
    error, _ = np.nanmean(measure_sizes(truth.disparity + 0.3, truth).scores, axis=0)
    assert error > 0.1


def test_turned_disparity_is_worth_nothing_and_inside_out_less_than_flat() -> None:
    """Turned about focus: in front what is behind. Inside out, as a generator may learn it: far what is near."""
    truth = waves()
    flat = measure_sizes(-np.ones_like(truth.disparity), truth)
    turned, nothing = (measure_sizes(maps, truth) for maps in (-truth.disparity, np.zeros_like(truth.disparity)))
    assert turned.alignment.scale == 0
    np.testing.assert_allclose(turned.scores[:, 0], nothing.scores[:, 0])
    rms = np.sqrt((truth.disparity.astype(np.float64) ** 2).mean((1, 2, 3)))
    judged = ~np.isnan(nothing.scores[:, 0])
    np.testing.assert_allclose(nothing.scores[judged, 0], rms[judged])
    inside_out = measure_sizes(-0.65 - truth.disparity, truth)
    for measure in range(2):
        assert np.nanmean(inside_out.scores[:, measure]) > np.nanmean(flat.scores[:, measure])


def test_the_scale_is_the_best_one_that_is_not_negative() -> None:
    random = np.random.default_rng(1)
    guess, true = random.normal(size=(4, 9)), random.normal(size=(4, 9)) + 0.5
    guess += true
    best = positive_scale(guess, true)
    errors = [((k * guess - true) ** 2).sum() for k in (best * 0.999, best, best * 1.001)]
    assert best > 0
    assert errors[1] == min(errors)
    assert positive_scale(guess, -true) == 0


def test_what_is_fitted_is_fitted_on_the_development_photos_alone() -> None:
    truth, random = waves(), np.random.default_rng(1)
    estimates = truth.disparity + random.normal(0, 0.05, truth.disparity.shape)
    before = measure_sizes(estimates, truth)
    judged = np.arange(NUM) % DEVELOPMENT_ONE_IN != 0
    estimates[judged] = random.normal(size=estimates[judged].shape)
    after = measure_sizes(estimates, truth)
    assert after.alignment == before.alignment
    assert (np.isnan(after.scores).all(1) == ~judged).all()
    assert (after.scores[judged, 0] > before.scores[judged, 0]).all()


def test_side_is_the_formula_of_its_authors_and_blind_to_a_factor() -> None:
    guess, true = np.random.default_rng(1).uniform(0.5, 3, size=(2, 5, 64))
    logs = np.log(guess) - np.log(true)
    expected = np.sqrt((logs**2).mean(1) - logs.mean(1) ** 2)
    np.testing.assert_allclose(side(guess, true), expected)
    np.testing.assert_allclose(side(7 * guess, true), expected)


def test_depth_is_what_the_convention_says() -> None:
    assert depth(np.array([0.0]), TRUE_FACTOR)[0] == 1
    assert depth(np.array([DISPARITY_THERE_WIDTHS]), TRUE_FACTOR)[0] == pytest.approx(FARTHEST)
    assert depth(np.array([-1e9]), TRUE_FACTOR)[0] == pytest.approx(20)


def test_an_estimate_that_is_no_number_is_refused() -> None:
    truth = waves()
    with pytest.raises(NonFiniteError, match="not finite"):
        measure_sizes(np.full_like(truth.disparity, np.nan), truth)


def test_side_of_a_flat_map() -> None:
    """Half of each photo at twice the distance: the log of the ratio is off by log 2 / 2 on both sides."""
    truth = waves()
    disparity = np.zeros_like(truth.disparity)
    disparity[..., 8:] = -3 / 64 * 16
    scores = measure_sizes(np.zeros_like(disparity), truth._replace(disparity=disparity)).scores
    assert np.nanmean(scores[:, 1]) == pytest.approx(np.log(2) / 2)


def test_the_factor_of_side_is_the_best_of_its_neighbours_over_all_photos() -> None:
    """Of estimates with a few that are far off, which the spread of the whole does not tell."""
    random = np.random.default_rng(0)
    true = random.uniform(DISPARITY_THERE_WIDTHS, 0, (4, 200)) * np.array([1, 0.2, 0.2, 0.2])[:, None]
    guess = 5 * true + (random.random(true.shape) < 0.05) * 0.3
    k = depth_factor(guess, true)
    costs = [side(depth(guess, step * k), depth(true, TRUE_FACTOR)).mean() for step in (1 / 1.06, 1, 1.06)]
    assert costs[1] == min(costs)
