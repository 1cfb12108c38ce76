"""Measures of how large disparity is, once one positive number has brought it to scale (METHOD: Evaluation).

Our disparity has no known unit, but it knows where focus is: a scale aligns it, and a shift is not allowed. One scale
serves an estimator's whole set of maps. It is fitted on the development photos, every fifth one, and judged on the
others, and it is never negative: the sign of an estimate is its own.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from argan.errors import NonFiniteError
from argan.evaluation.measures import TruthSet

SIZE_MEASURES = ("disparity_error_px", "side")
DEVELOPMENT_ONE_IN = 5
FARTHEST = 2.0  # depth, in distances of the focal plane, at disparity -3/64 of the width: where scenes end
DISPARITY_THERE_WIDTHS = -3.0 / 64.0
TRUE_FACTOR = (1.0 / FARTHEST - 1.0) / DISPARITY_THERE_WIDTHS
LEAST_INVERSE_DEPTH = 0.05  # what is beyond is taken for 20 distances of the focal plane: below -.089 widths in truth
FACTORS = np.geomspace(1e-2, 1e2, 161)  # of SIDE, about the one that gives an estimate the spread of truth


class Alignment(NamedTuple):
    """What was fitted on the development photos."""

    scale: float  # times an estimate gives px per aperture unit
    depth_factor: float  # k in depth = 1 / (1 + k d), d an estimate in widths


class Sizes(NamedTuple):
    """scores [N, len(SIZE_MEASURES)], nan for the development photos; smaller is better."""

    scores: NDArray[np.float64]
    alignment: Alignment


def measure_sizes(estimates: NDArray, truth: TruthSet) -> Sizes:
    """For estimates [N,1,H,W] of disparity, 0 in focus, in any unit.

    disparity_error_px: root mean square over an image of scale * estimate - truth, px per aperture unit. side: the
    scale-invariant depth error of Unsup3D [U3], on depth 1 / (1 + k d). Truth's own k is a convention, for scenes have
    no distances: focus at 1, and -3/64 of the width at 2.
    """
    guess, true = (np.asarray(maps, np.float64).reshape(len(truth.images), -1) for maps in (estimates, truth.disparity))
    finite = np.isfinite(guess).all(1)
    if not finite.all():
        raise NonFiniteError(f"the estimate of disparity for photo {finite.argmin()} is not finite somewhere")
    width_px = truth.images.shape[-1]
    fitted_on = np.arange(len(true)) % DEVELOPMENT_ONE_IN == 0
    scale = positive_scale(guess[fitted_on], true[fitted_on])
    factor = depth_factor(guess[fitted_on] / width_px, true[fitted_on] / width_px)
    errors = np.sqrt(((scale * guess - true) ** 2).mean(1))
    sides = side(depth(guess / width_px, factor), depth(true / width_px, TRUE_FACTOR))
    scores = np.stack([errors, sides], 1)
    scores[fitted_on] = np.nan
    return Sizes(scores, Alignment(scale, factor))


def positive_scale(guess: NDArray[np.float64], true: NDArray[np.float64]) -> float:
    """The k >= 0 with the least sum of (k guess - true)^2; 0 where every other is worse."""
    return max(0.0, float((guess * true).sum())) / max(float((guess**2).sum()), np.finfo(np.float64).tiny)


def depth_factor(guess: NDArray[np.float64], true: NDArray[np.float64]) -> float:
    """The k > 0 with the least mean SIDE, of a fixed grid; disparities [N,P] in widths. Where near and far are
    exchanged that is the grid's smallest, which makes a depth that is nearly flat.
    """
    spread = float(np.sqrt((guess**2).mean()))
    start = TRUE_FACTOR * (float(np.sqrt((true**2).mean())) / spread if spread > 0 else 1.0)
    right = depth(true, TRUE_FACTOR)
    means = [side(depth(guess, start * factor), right).mean() for factor in FACTORS]
    return float(start * FACTORS[int(np.argmin(means))])


def depth(disparity_widths: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """In distances of the focal plane."""
    return 1.0 / np.maximum(1.0 + factor * disparity_widths, LEAST_INVERSE_DEPTH)


def side(guess: NDArray[np.float64], true: NDArray[np.float64]) -> NDArray[np.float64]:
    """The standard deviation over each image of log guess - log true, [N,P] -> [N]: blind to a common factor."""
    return (np.log(guess) - np.log(true)).std(axis=1)
