"""Every measure of every image, of ranks and of size: one estimator's column in the table of an evaluation."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from argan.evaluation.alignment import SIZE_MEASURES, Alignment, measure_sizes
from argan.evaluation.measures import RANK_MEASURES, RankSettings, TruthSet, measure_ranks
from argan.evaluation.ranks import mean_over_images

MEASURES = (*RANK_MEASURES, *SIZE_MEASURES)

Scores = NDArray[np.float64]
"""[N, len(MEASURES)], nan where a measure says nothing of an image."""


class Column(NamedTuple):
    scores: Scores
    alignment: Alignment


def judge_maps(estimates: NDArray, truth: TruthSet, ranks: RankSettings) -> Column:
    """For disparity [N,1,H,W], 0 in focus, in any unit."""
    sizes = measure_sizes(estimates, truth)
    return Column(np.concatenate([measure_ranks(estimates, truth, ranks), sizes.scores], axis=1), sizes.alignment)


def ranks_alone(scores: NDArray[np.float64]) -> Scores:
    """Of maps that do not know where focus is, and so have no size: [N, len(RANK_MEASURES)] filled up with nan."""
    return np.pad(scores, ((0, 0), (0, len(SIZE_MEASURES))), constant_values=np.nan)


def means(scores: Scores) -> dict[str, float]:
    """measure -> mean over the images on which it is defined."""
    return {measure: mean_over_images(column).mean for measure, column in zip(MEASURES, scores.T, strict=True)}


def inverted_share(scores: Scores) -> float:
    """The share of images whose order is wrong more often than right, a tie counting half; nan where none has an
    order.
    """
    in_order = scores[:, MEASURES.index("ordinal_accuracy")]
    return mean_over_images(0.5 - 0.5 * np.sign(in_order - 0.5)).mean


def is_better(measure: str, value: float, other: float) -> bool:
    return value < other if measure in SIZE_MEASURES else value > other
