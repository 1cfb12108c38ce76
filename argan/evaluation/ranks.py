"""Rank measures of one estimated disparity map against its truth.

All of them are blind to any increasing map of the estimate: our disparity has no known scale, so nothing is aligned.
Computed in float64, exact where values tie. An image on which a measure has no meaning gets nan; `mean_over_images`
leaves it out and says so. That depends on the truth alone, never on the estimate (a constant one is worth a coin), so
every estimate is averaged over the same images.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class ImageMean(NamedTuple):
    """A measure over a set: `mean` over the `num_used` images (of `num_images`) on which it is defined."""

    mean: float
    num_used: int
    num_images: int


def foreground_auc(score: ArrayLike, mask: ArrayLike) -> float:
    """The chance that a foreground pixel scores above a background pixel; a tie counts half.

    `score` [H,W], larger where nearer; `mask` [H,W], non-zero on the foreground. In [0, 1]; nan where either side is
    empty. The Mann-Whitney statistic over the number of pairs.
    """
    foreground = _values(mask) != 0
    ranks = average_ranks(score)
    _check_same_size(ranks, foreground)
    num_foreground = int(foreground.sum())
    num_background = foreground.size - num_foreground
    if num_foreground == 0 or num_background == 0:
        return float("nan")
    num_pairs_won = ranks[foreground].sum() - num_foreground * (num_foreground + 1) / 2
    return float(num_pairs_won / (num_foreground * num_background))


def ordinal_accuracy(
    estimate: ArrayLike, truth: ArrayLike, *, margin_px: float, num_pairs: int, rng: np.random.Generator
) -> float:
    """The share of pixel pairs that the estimate puts in the true order; a tie of the estimate counts half.

    `estimate`, `truth` [H,W]. The `num_pairs` pairs are drawn evenly, with replacement, from all pairs whose true
    disparities differ by more than `margin_px`. In [0, 1]; nan where the image has no such pair.
    """
    guess, true = _values(estimate), _values(truth)
    _check_same_size(guess, true)
    if margin_px < 0 or num_pairs < 1:
        raise ValueError(f"margin_px must be >= 0 and num_pairs >= 1, got {margin_px} and {num_pairs}")
    order = np.argsort(true, kind="stable")
    # Pixel i is the nearer one of num_farther[i] pairs: laid end to end they number every pair that qualifies.
    num_farther = np.searchsorted(true[order], true - margin_px, side="left")
    ends = np.cumsum(num_farther)
    if ends[-1] == 0:
        return float("nan")
    pair = rng.integers(ends[-1], size=num_pairs)
    near = np.searchsorted(ends, pair, side="right")
    far = order[pair - (ends[near] - num_farther[near])]
    return float((1 + np.sign(guess[near] - guess[far])).mean() / 2)


def spearman(estimate: ArrayLike, truth: ArrayLike) -> float:
    """Spearman's rank correlation over the pixels, ties given their average rank.

    `estimate`, `truth` [H,W]. In [-1, 1]; 0 for a constant estimate, nan where the truth is constant.
    """
    guess, true = average_ranks(estimate), average_ranks(truth)
    _check_same_size(guess, true)
    guess, true = guess - guess.mean(), true - true.mean()
    if not true.any():
        return float("nan")
    if not guess.any():
        return 0.0
    return float(np.clip((guess * true).sum() / np.sqrt((guess**2).sum() * (true**2).sum()), -1, 1))


def average_ranks(values: ArrayLike) -> NDArray[np.float64]:
    """Ranks from 1, flat, in the order of the flattened `values`; equal values share the mean of their ranks."""
    _, group, counts = np.unique(_values(values), return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[group]


def mean_over_images(values: Sequence[float] | NDArray[np.float64]) -> ImageMean:
    """The mean of the defined values. Nan in, where none is defined; never nan out because one image was undefined."""
    defined = np.asarray(values, dtype=np.float64)
    defined = defined[~np.isnan(defined)]
    mean = float(defined.mean()) if defined.size else float("nan")
    return ImageMean(mean, defined.size, len(values))


def _values(array: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(array, dtype=np.float64).ravel()
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError(f"rank measures need finite pixels, got {np.asarray(array).shape} with nan, inf or nothing")
    return values


def _check_same_size(first: NDArray, second: NDArray) -> None:
    if first.size != second.size:
        raise ValueError(f"the two maps differ in size: {first.size} and {second.size} pixels")
