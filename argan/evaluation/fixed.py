"""Maps that are the same for every photo: what an estimate must beat to have read its photo at all.

The mean of truth is about the best that such a map can be, and nobody without truth could guess it. The mean of the
estimates is what they say before they look at a photo.
"""

import numpy as np
from numpy.typing import NDArray

from argan.evaluation.alignment import DEVELOPMENT_ONE_IN
from argan.evaluation.measures import RankSettings, TruthSet
from argan.evaluation.scores import Scores, judge_maps

MEAN_OF_TRUTH = "mean of truth"
MEAN_OF_ESTIMATES = "mean of the estimates"


def fixed_scores(estimates: NDArray[np.float32], truth: TruthSet, ranks: RankSettings) -> dict[str, Scores]:
    """map -> scores. Truth's mean is that of the development photos, every fifth one, by which sizes are aligned too,
    for each of these that of the others; estimates are [N,1,H,W], and their mean is over all.
    """
    maps = {
        MEAN_OF_TRUTH: _mean_of_others(truth.disparity),
        MEAN_OF_ESTIMATES: np.broadcast_to(estimates.mean(0), estimates.shape),
    }
    return {name: judge_maps(each, truth, ranks).scores for name, each in maps.items()}


def _mean_of_others(disparity: NDArray[np.float32]) -> NDArray[np.float64]:
    """[N,1,H,W]: what the development photos other than each have in the mean; a single one has but itself."""
    known = disparity[::DEVELOPMENT_ONE_IN].astype(np.float64)
    maps = np.broadcast_to(known.mean(0), disparity.shape).copy()
    if len(known) > 1:
        maps[::DEVELOPMENT_ONE_IN] = (known.sum(0) - known) / (len(known) - 1)
    return maps
