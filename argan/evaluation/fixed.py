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
    """map -> scores. Truth's mean is that of the development photos, every fifth one, by which sizes are aligned too;
    estimates are [N,1,H,W], and their mean is over all.
    """
    maps = {
        MEAN_OF_TRUTH: truth.disparity[::DEVELOPMENT_ONE_IN].mean(0),
        MEAN_OF_ESTIMATES: estimates.mean(0),
    }
    shape = truth.disparity.shape
    return {name: judge_maps(np.broadcast_to(one, shape), truth, ranks).scores for name, one in maps.items()}
